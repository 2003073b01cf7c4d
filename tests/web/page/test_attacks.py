"""Stored XSS: what networks, agents and people wrote is on every page, and stays text."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("fastapi", reason="the extra web is not installed")

from starlette.testclient import TestClient

from postsched.domain.scope import Scope
from postsched.service.desk import Desk
from tests.web.page.conftest import HERE, signed_in, word_of
from tests.web.page.scene import LINK, NASTY, troubled


def addresses(made: dict[str, int]) -> list[str]:
    """Every page there is."""
    posts = [
        f"{page}{number}" for number in made.values() for page in ("/posts/", "/compose?post=")
    ]
    fixed = ["/", "/calendar", "/calendar?month=2031-05", "/calendar?week=2031-05-01", "/queue",
             "/history", "/accounts", "/compose"]  # fmt: skip
    return [*fixed, *posts, f"/history?search={NASTY}&status={NASTY}", f"/compose?post={NASTY}"]


def test_every_page_escapes_what_is_not_ours(browser: TestClient, desk: Desk) -> None:
    signed_in(browser, desk, Scope.WRITE)
    made = troubled(desk)
    shown = ""
    for address in addresses(made):
        answer = browser.get(address)
        assert answer.status_code in (200, 422), address
        assert "<script>window" not in answer.text, address
        assert not re.search(r"<img[^>]+onerror", answer.text), address
        assert f'href="{LINK}' not in answer.text, address
        assert 'href="javascript:' not in answer.text, address
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        shown += answer.text
    assert shown.count("&lt;script&gt;window.xss=1") > 100


def test_what_needs_a_hand_is_mended(browser: TestClient, desk: Desk) -> None:
    signed_in(browser, desk, Scope.WRITE)
    made = troubled(desk)
    page = browser.get("/").text
    for sign in ("unconfirmed", "failed", "missed", "refused", "Its login ends", "does not answer"):
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
    (seen,) = re.findall(r'name="seen" value="([0-9a-f]{32})"', page)
    assert do("approve", post=made["draft"], seen=seen) == 303
    after = browser.get("/").text
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
