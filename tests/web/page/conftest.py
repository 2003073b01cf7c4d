"""A browser at the page, and a database with an account."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from postsched.config import load
from postsched.domain.account import Account
from postsched.domain.scope import Scope
from postsched.service import tokens
from postsched.service.desk import Desk
from postsched.store import accounts as account_rows
from postsched.store.opening import open_database

pytest.importorskip("fastapi", reason="the extra web is not installed")
pytest.importorskip("jinja2", reason="the extra web is not installed")

from starlette.testclient import TestClient

from postsched.web.app import create_app
from postsched.web.auth import unknown
from tests.servers import postgres

NASTY = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
HERE = {"Origin": "http://localhost"}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A database with an account."""
    folders = {f"POSTSCHED_{name}_DIR": str(tmp_path / name.lower()) for name in ("MEDIA", "STATE")}
    settings = load(None, postgres.place(tmp_path / "p.db"), folders)
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


@pytest.fixture
def chromium() -> Iterator[Any]:
    """A browser without a screen."""
    from tests.web.page.chromium import started

    with started() as running:
        yield running


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
