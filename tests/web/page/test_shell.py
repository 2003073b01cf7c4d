"""The frame of the page: who gets in, forms that are ours, and texts that stay texts."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

pytest.importorskip("fastapi", reason="the extra web is not installed")
pytest.importorskip("jinja2", reason="the extra web is not installed")

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from starlette.testclient import TestClient

from postsched.config import load
from postsched.domain.account import Account
from postsched.domain.draft import Draft
from postsched.domain.scope import Scope
from postsched.service import posts, tokens
from postsched.service.desk import Desk
from postsched.store import accounts as account_rows
from postsched.store.opening import open_database
from postsched.web.app import create_app
from postsched.web.auth import unknown

NASTY = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
HERE = {"Origin": "http://localhost"}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A database with an account."""
    settings = load(None, str(tmp_path / "p.db"), {})
    database = open_database(settings.database)
    at = Desk(database, settings, lambda: datetime.now(UTC), ZoneInfo("Europe/Berlin"))
    with database.write() as connection:
        settings_of = {"dir": str(tmp_path / "out")}
        account_rows.insert(
            connection, Account(0, "u", "me", "outbox", at.now(), settings=settings_of)
        )
    yield at
    database.close()


@pytest.fixture
def browser(desk: Desk) -> Iterator[TestClient]:
    """Somebody who has not signed in."""

    async def nobody(request: object) -> None:
        raise unknown("nobody")

    app = create_app(lambda: desk, nobody)  # type: ignore[arg-type]  # it never returns
    with TestClient(app, base_url="http://localhost", follow_redirects=False) as client:
        yield client


def signed_in(browser: TestClient, desk: Desk, scope: Scope) -> str:
    """Sign in; the token."""
    _, secret = tokens.add(desk, scope.value, scope, None)
    shown = str(secret.reveal())
    answer = browser.post("/login", data={"token": shown, "next": "/history"}, headers=HERE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/history")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert shown not in cookie
    return shown


def word_of(page: str) -> str:
    """The word that the forms of a page carry."""
    found = re.search(r'name="word" value="([0-9a-f]{64})"', page)
    assert found, page
    return found[1]


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
