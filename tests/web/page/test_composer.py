"""The composer, as browsers without JavaScript use it."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the extra web is not installed")

from PIL import Image
from starlette.testclient import TestClient

from postsched.domain.draft import Draft
from postsched.domain.scope import Scope
from postsched.service import drafts, posts
from postsched.service.desk import Desk
from tests.web.page.conftest import HERE, NASTY, signed_in, word_of


def send(browser: TestClient, page: str, **fields: Any) -> Any:
    """Send the form of a page back, with those fields."""
    files, where = fields.pop("files", None), fields.pop("to_path", "/compose")
    hidden = dict(re.findall(r'name="(post|seen)" value="([^"]*)"', page))
    data = {**hidden, "word": word_of(page), "kind": "once", **fields}
    return browser.post(where, data=data, files=files or {"file": ("", b"")}, headers=HERE)


def test_a_post_is_written_and_changed(browser: TestClient, desk: Desk) -> None:
    signed_in(browser, desk, Scope.WRITE)
    page = browser.get("/compose?day=2031-05-01").text
    assert 'value="2031-05-01 09:00"' in page
    fields = {"to": "me", "text": NASTY, "at": "2031-05-01 10:00", "tags": "one, two"}
    seen = send(browser, page, do="look", **fields)
    assert seen.status_code == 200
    assert "<script>alert" not in seen.text
    assert "2031-05-01T10:00:00+02:00" in seen.text
    more = send(browser, page, do="part", **fields).text
    assert 'name="part"' in more
    done = send(browser, more, do="schedule", part="The second part", **fields)
    assert (done.status_code, done.headers["location"]) == (303, "/posts/1")
    written = drafts.draft_of(desk, 1)
    assert (written.text, written.then[0].text, written.tags) == (
        NASTY, "The second part", ("one", "two"),
    )  # fmt: skip
    form = browser.get("/compose?post=1").text
    changed = send(
        browser,
        form,
        do="save",
        **{**fields, "text": "Better", "part": "", "at": "2031-05-01 10:00"},
    )
    assert changed.status_code == 303
    assert drafts.draft_of(desk, 1).text == "Better"
    late = send(browser, form, do="save", **{**fields, "text": "Too late"})
    assert late.status_code == 422
    assert "changed by somebody else" in late.text
    assert drafts.draft_of(desk, 1).text == "Better"


def test_pictures_are_kept_with_their_words(browser: TestClient, desk: Desk) -> None:
    signed_in(browser, desk, Scope.WRITE)
    picture = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(picture, "PNG")
    page = browser.get("/compose").text
    fields = {"to": "me", "text": "Look", "at": "2031-05-01 10:00"}
    files = {"file": ("../../cat.png", picture.getvalue())}
    page = send(browser, page, do="look", files=files, **fields).text
    found = re.search(r'name="media" value="([0-9a-f]{64})/cat.png"', page)
    assert found, page
    shown = browser.get(f"/media/{found[1]}")
    assert shown.headers["content-type"] == "image/png"
    assert "sandbox" in shown.headers["content-security-policy"]
    media = {"media": f"{found[1]}/cat.png", "alt": "A red cat"}
    assert send(browser, page, do="schedule", **fields, **media).status_code == 303
    (kept,) = drafts.draft_of(desk, 1).media
    assert (kept.path, kept.alt) == (f"{found[1]}/cat.png", "A red cat")
    for bad in ("/etc/passwd", f"{'0' * 64}/x.png", "../../etc/passwd"):
        answer = send(browser, page, do="schedule", **fields, media=bad, alt="")
        assert answer.status_code == 422, bad
        assert browser.get(f"/media/{bad}").status_code in (404, 405)
    text = {"file": ("a.png", b"<svg onload=alert(1)>")}
    assert send(browser, page, do="look", files=text, **fields).status_code == 422


def test_who_may_only_draft_proposes(browser: TestClient, desk: Desk) -> None:
    signed_in(browser, desk, Scope.DRAFT)
    page = browser.get("/compose").text
    assert 'value="schedule"' not in page
    fields = {"to": "me", "text": "Soon", "at": "2031-05-01 10:00"}
    assert send(browser, page, do="schedule", **fields).status_code == 403
    assert send(browser, page, do="draft", **fields).status_code == 303
    assert drafts.draft_of(desk, 1).draft
    home = browser.get("/").text
    assert "Draft 1" in home
    assert "Approve" not in home
    posts.add(desk, Draft("A person's", ("me",), draft=True))
    posts.add(desk, Draft("Of a bot", ("me",), draft=True), author="token:bot")
    for other in (2, 3):
        assert "/compose?post=" not in browser.get(f"/posts/{other}").text
        assert browser.get(f"/compose?post={other}").status_code == 403
        theirs = {"post": str(other), "text": "Mine now", "to": "me"}
        assert send(browser, page, do="draft", **theirs).status_code == 403
        assert send(browser, page, to_path="/do/cancel", **theirs).status_code == 403
        assert drafts.draft_of(desk, other).draft
    assert "Proposed by</dt><dd>bot<" in browser.get("/posts/3").text
    own = browser.get("/compose?post=1").text
    changed = {**fields, "post": "1", "text": "Sooner"}
    assert send(browser, own, do="draft", **changed).status_code == 303
    assert drafts.draft_of(desk, 1).text == "Sooner"
    assert send(browser, page, to_path="/do/cancel", post="1").status_code == 303
    assert not drafts.draft_of(desk, 1).draft


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"to": ""}, "there is no account"),
        ({"text": ""}, "text"),
        ({"at": "yesterday 9am"}, "past"),
        ({"at": "at the end"}, "at the end"),
        ({"kind": "weekly", "every": "x"}, "no whole number"),
        ({"kind": "hourly"}, "no repetition"),
    ],
)
def test_what_is_wrong_is_said_and_kept(
    browser: TestClient, desk: Desk, wrong: dict[str, str], why: str
) -> None:
    signed_in(browser, desk, Scope.WRITE)
    page = browser.get("/compose").text
    fields = {"to": "me", "text": "Keep this text", "at": "2031-05-01 10:00", **wrong}
    answer = send(browser, page, do="schedule", **fields)
    assert answer.status_code == 422
    assert why.lower() in answer.text.lower()
    assert fields["text"] in answer.text
