"""The frame of the page: who gets in, forms that are ours, and texts that stay texts."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

pytest.importorskip("fastapi", reason="the extra web is not installed")

from starlette.testclient import TestClient

from postsched.domain.draft import Draft
from postsched.domain.scope import Scope
from postsched.service import posts, sessions, tokens
from postsched.service.desk import Desk
from tests.web.page.conftest import HERE, NASTY, signed_in, word_of


def test_only_who_has_signed_in_sees_anything(browser: TestClient, desk: Desk) -> None:
    answer = browser.get("/history?search=x")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=%2Fhistory%3Fsearch%3Dx"
    assert browser.post("/login", data={"token": "pst_guess"}, headers=HERE).status_code == 401
    away = browser.get("/login?next=//evil.test/").text
    assert 'name="next" value="/"' in away
    signed_in(browser, desk, Scope.READ)
    assert browser.get("/history").status_code == 200
    tokens.revoke(desk, "read")
    assert browser.get("/history").status_code == 303


def test_a_session_ends_with_its_token(desk: Desk) -> None:
    token, secret = tokens.add(desk, "short", Scope.READ, timedelta(hours=1))
    value = sessions.begin(desk, str(secret.reveal()))
    assert value is not None
    found = sessions.holder(desk, value)
    assert found is not None
    assert found.name == token.name
    later = replace(desk, now=lambda: datetime.now(UTC) + timedelta(hours=2))
    assert sessions.holder(later, value) is None
    assert sessions.begin(later, str(secret.reveal())) is None


def test_behind_https_the_cookie_is_for_https_only(browser: TestClient, desk: Desk) -> None:
    _, secret = tokens.add(desk, "alice", Scope.READ, None)
    https = {"Origin": "https://localhost", "Sec-Fetch-Site": "same-origin"}
    for headers, secure in ((HERE, False), (https, True)):
        data = {"token": str(secret.reveal())}
        cookie = browser.post("/login", data=data, headers=headers).headers["set-cookie"]
        assert ("Secure" in cookie) is secure
    forged = {**HERE, "X-Forwarded-Proto": "https"}
    cookie = browser.post("/login", data=data, headers=forged).headers["set-cookie"]
    assert "Secure" not in cookie
    for _ in range(31):
        answer = browser.post("/login", data={"token": "pst_guess"}, headers=HERE)
    assert answer.status_code == 429
    assert browser.post("/login", data=data, headers=HERE).status_code == 303


def test_forms_are_ours(browser: TestClient, desk: Desk) -> None:
    signed_in(browser, desk, Scope.WRITE)
    word = word_of(browser.get("/").text)
    do = {"do": "pause", "back": "//evil.test/"}
    assert browser.post("/do/hold", data=do, headers=HERE).status_code == 403
    evil = {"Origin": "https://evil.test"}
    assert browser.post("/do/hold", data={**do, "word": word}, headers=evil).status_code == 403
    done = browser.post("/do/hold", data={**do, "word": word}, headers=HERE)
    assert (done.status_code, done.headers["location"]) == (303, "/")
    assert "Everything is held" in browser.get("/").text


def test_who_may_only_read_changes_nothing(browser: TestClient, desk: Desk) -> None:
    signed_in(browser, desk, Scope.READ)
    page = browser.get("/").text
    assert "Hold everything" not in page
    answer = browser.post("/do/hold", data={"word": word_of(page), "do": "pause"}, headers=HERE)
    assert answer.status_code == 403


def test_what_others_wrote_stays_text(browser: TestClient, desk: Desk) -> None:
    signed_in(browser, desk, Scope.WRITE)
    posts.add(desk, Draft(text=NASTY, to=("me",), draft=True))
    for address in ("/", "/history", "/accounts", f"/history?search={NASTY}", f"/{NASTY}"):
        answer = browser.get(address)
        assert "<script>alert" not in answer.text, address
        assert "<img" not in answer.text, address
        assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert "&lt;script&gt;alert(1)" in browser.get("/").text


def test_a_post_is_moved_on_the_calendar(browser: TestClient, desk: Desk) -> None:
    signed_in(browser, desk, Scope.WRITE)
    added = posts.add(desk, Draft(text=NASTY, to=("me",), at="2031-05-01T10:00"))
    page = browser.get("/calendar?month=2031-05").text
    assert "<script>alert" not in page
    occurrence = re.search(r'data-occurrence="([^"]+)"', page)
    assert occurrence, page
    where = {"post": str(added.id), "occurrence": occurrence[1], "word": word_of(page)}
    move = {**where, "day": "2031-05-20", "back": "/calendar?month=2031-05"}
    assert browser.post("/do/move", data=move, headers=HERE).status_code == 303
    shown = browser.get(f"/posts/{added.id}").text
    assert "2031-05-20T10:00:00+02:00" in shown
    assert "<script>alert" not in shown
    moved = re.search(r'data-occurrence="([^"]+)"', browser.get("/calendar?month=2031-05").text)
    assert moved
    again = {**where, "occurrence": moved[1], "at": "2031-05-21T11:30"}
    assert browser.post("/do/move", data=again, headers=HERE).status_code == 303
    assert "2031-05-21T11:30:00+02:00" in browser.get(f"/posts/{added.id}").text
    for wrong in ({"day": "tomorrow"}, {"at": ""}, {"at": "2001-01-01T00:00"}):
        assert browser.post("/do/move", data={**where, **wrong}, headers=HERE).status_code == 422
    for address in ("/calendar?month=13", "/calendar?week=x"):
        assert browser.get(address).status_code == 422


def test_clock_changes_are_marked(browser: TestClient, desk: Desk) -> None:
    signed_in(browser, desk, Scope.READ)
    assert "Clocks go forward 1h at 02:00" in browser.get("/calendar?month=2031-03").text
