"""Stored XSS: what networks, agents and people wrote is on every page, and stays text."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

pytest.importorskip("fastapi", reason="the extra web is not installed")

from starlette.testclient import TestClient

from postsched.domain.scope import Scope
from postsched.service.desk import Desk
from tests.web.page.conftest import HERE, signed_in, word_of
from tests.web.page.scene import LINK, NASTY, troubled


class Reader(HTMLParser):
    """Reads a page as browsers do: nothing in it runs that is not a file of ours."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One element."""
        told = dict(attrs)
        assert not [name for name in told if name.startswith(("on", "hx-on")) or name == "style"]
        assert tag != "script" or (told["src"] or "").startswith("/static/")
        assert tag != "img" or re.fullmatch(r"/media/[0-9a-f]{64}", told["src"] or "")
        for name in ("href", "action", "src", "formaction", "hx-get", "hx-post"):
            assert re.match(r"(/(?!/)|https?://|#|$)", told.get(name) or ""), told


def addresses(made: dict[str, int]) -> list[str]:
    """Every page there is."""
    posts = [
        f"{page}{number}" for number in made.values() for page in ("/posts/", "/compose?post=")
    ]
    fixed = ["/", "/calendar", "/calendar?month=2031-05", "/calendar?week=2031-05-01", "/queue",
             "/history", "/accounts", "/compose", "/drafts",
             f"/drafts?cursor={NASTY}", f"/queue?account={NASTY}"]  # fmt: skip
    return [*fixed, *posts, f"/history?search={NASTY}&status={NASTY}", f"/compose?post={NASTY}"]


def test_every_page_escapes_what_is_not_ours(browser: TestClient, desk: Desk) -> None:
    signed_in(browser, desk, Scope.WRITE)
    made = troubled(desk)
    shown = ""
    for address in addresses(made):
        answer = browser.get(address)
        assert answer.status_code in (200, 422), address
        Reader().feed(answer.text)
        assert f'href="{LINK}' not in answer.text, address
        assert 'href="javascript:' not in answer.text, address
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        shown += answer.text
    form = {"word": word_of(browser.get("/compose").text), "do": "schedule"}
    wrong = ({"to": NASTY}, {"to": "me", "at": NASTY}, {"to": "me", "kind": NASTY},
             {"to": "me", "media": NASTY, "alt": NASTY}, {"to": "me", "post": NASTY})  # fmt: skip
    for fields in wrong:
        data = dict.fromkeys(("text", "part", "tags", "title", "for:me"), NASTY) | form | fields
        for address in ("/compose", "/compose/look"):
            answer = browser.post(address, data=data, headers=HERE)
            Reader().feed(answer.text)
            assert "<script>window" not in answer.text
            shown += answer.text
    assert shown.count("&lt;script&gt;window.xss=1") > 100


def test_what_needs_a_hand_is_mended(browser: TestClient, desk: Desk) -> None:
    signed_in(browser, desk, Scope.WRITE)
    made = troubled(desk)
    page = browser.get("/").text
    for sign in ("unconfirmed", "failed", "missed", "refused", "Its login ends", "does not answer",
                 "told to nobody"):  # fmt: skip
        assert sign in page, sign
    word = word_of(page)

    def do(what: str, **fields: object) -> int:
        data = {"word": word, **{name: str(value) for name, value in fields.items()}}
        answer = browser.post(f"/do/{what}", data=data, headers=HERE)
        assert answer.status_code in (303, 409), answer.text
        return answer.status_code

    assert do("retry", post=made["failed"]) == 303
    assert do("cancel", post=made["missed"]) == 303
    out = {"verdict": "published", "url": "https://x.test/1", "id": "1"}
    assert do("resolve", post=made["unconfirmed"], **out) == 303
    assert do("approve", post=made["draft"], seen="0" * 32) == 409
    number = made["draft"]
    (seen,) = re.findall(rf'value="{number}"><input[^>]*name="seen" value="([0-9a-f]+)"', page)
    assert do("approve", post=made["draft"], seen=seen) == 303
    assert do("replay", hook=1) == 303
    after = browser.get("/").text
    assert "told to nobody" not in after
    for one in ("failed", "missed", "unconfirmed", "draft"):
        assert f'<a href="/posts/{made[one]}">' not in after, one
    do("hold", do="pause", account="me")
    assert "Release" in browser.get("/accounts").text


@pytest.mark.parametrize("fields", [{"verdict": "maybe"}, {"post": "x"}, {"post": "99"}])
def test_a_wrong_form_is_refused(browser: TestClient, desk: Desk, fields: dict[str, str]) -> None:
    signed_in(browser, desk, Scope.WRITE)
    made = troubled(desk)
    data = {"word": word_of(browser.get("/").text), "post": str(made["unconfirmed"]), **fields}
    answer = browser.post("/do/resolve", data={"verdict": "absent", **data}, headers=HERE)
    assert answer.status_code in (404, 422)
    assert 'role="alert"' in answer.text


def test_pictures_are_no_pages(browser: TestClient, desk: Desk) -> None:
    signed_in(browser, desk, Scope.READ)
    shown = browser.get(f"/posts/{troubled(desk)['pictured']}").text
    found = re.search(r'src="(/media/[0-9a-f]{64})"', shown)
    assert found, shown
    answer = browser.get(found[1])
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["x-content-type-options"] == "nosniff"
    browser.cookies.clear()
    assert browser.get(found[1]).status_code == 303
