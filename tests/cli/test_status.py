"""status: the shape of its JSON, and what it says to people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from postsched.domain.delivery import DeliveryStatus
from postsched.wakeup import Bell, folder_of, new_mark
from tests.cli.calling import Caller
from tests.cli.posting import Posting
from tests.servers import postgres


@contextmanager
def worker(call: Caller, kind: str, pid: int) -> Iterator[None]:
    """A worker that lives, as its bell tells."""
    bell = Bell(folder_of(call.database), new_mark())
    with postgres.behind(call.database) as base:
        base.execute(
            "INSERT INTO workers (host, boot, pid, kind, mark, since) "
            "VALUES ('host', 'boot', ?, ?, ?, 1000000)",
            (pid, kind, bell.path.stem),
        )
        base.commit()
    yield
    bell.take_down(keep=False)


def micros(moment: datetime) -> int:
    """An instant as the database has it."""
    return round(moment.timestamp() * 1_000_000)


def update_accounts(call: Caller, **values: Any) -> None:
    """Change all accounts."""
    with postgres.behind(call.database) as base:
        for name, value in values.items():
            base.execute(f"UPDATE accounts SET {name} = ?", (value,))
        base.commit()


def test_nothing_yet(call: Caller) -> None:
    document = call("status", "--json").json
    assert document.pop("database")["size"] > 50_000
    assert document == {
        "daemon": {"running": False, "host": None, "pid": None, "since": None},
        "workers": [],
        "paused": False,
        "counts": {status.value: 0 for status in DeliveryStatus},
        "next_due_at": None,
        "oldest_due_s": None,
        "accounts": [],
        "services": [],
    }
    assert call("status").out == (
        "daemon      not running: start it with postsched run\ndeliveries  none yet\n"
    )


def test_what_waits(cli: Posting) -> None:
    cli("add", "Hello", "--to", "me", "--at", "2030-01-01T09:00Z")
    document = cli.json("status")
    assert document["counts"]["scheduled"] == 1
    assert document["next_due_at"] == "2030-01-01T09:00:00Z"
    assert document["oldest_due_s"] is None
    assert document["accounts"] == [
        {"name": "me", "platform": "outbox", "state": "ok", "token_expires_at": None,
         "paused": False, "held_until": None, "held_kind": None, "held_reason": None,
         "limits": []}
    ]  # fmt: skip
    page = cli("status").out
    assert "next        Tue 1 Jan 2030, 09:00 UTC" in page
    assert "deliveries  1 scheduled" in page
    assert "account     me (outbox): ok" in page


@pytest.mark.sqlite  # its bells are beside the file
def test_who_works(cli: Posting) -> None:
    with worker(cli.call, "run", 11), worker(cli.call, "publish-due", 12):
        document = cli.json("status")
        page = cli("status").out
    since = "1970-01-01T00:00:01Z"
    assert document["daemon"] == {"running": True, "host": "host", "pid": 11, "since": since}
    assert document["workers"] == [
        {"host": "host", "pid": pid, "since": since, "seen_at": None, "silent": False}
        for pid in (11, 12)
    ]
    assert "daemon      running (process 11)" in page
    assert "workers     also process 12" in page
    assert cli.json("status")["workers"] == []


def test_what_needs_a_hand(cli: Posting) -> None:
    cli("add", "Hello", "--to", "me", "--in", "1h")
    cli("add", "Hello again", "--to", "me", "--in", "1h")
    past = micros(datetime.now(UTC) - timedelta(minutes=5))
    cli.set_delivery(1, due_at=past, next_at=past)
    cli.set_delivery(2, status="failed", next_at=None)
    document = cli.json("status")
    assert 300 <= document["oldest_due_s"] < 400
    page = cli("status").out
    assert "overdue     since 5 minutes" in page
    assert "deliveries  1 scheduled, 1 failed" in page
    assert "postsched list --status failed\n" in page
    cli("pause", "--all")
    assert "paused      everything" in cli("status").out


@pytest.mark.parametrize("what", [["1"], ["--account", "me"], ["--all"]])
def test_what_is_held_is_not_overdue(cli: Posting, what: list[str]) -> None:
    cli("add", "Hello", "--to", "me", "--in", "1h")
    past = micros(datetime.now(UTC) - timedelta(minutes=5))
    cli.set_delivery(1, due_at=past, next_at=past)
    cli("pause", *what)
    document = cli.json("status")
    assert (document["next_due_at"], document["oldest_due_s"]) == (None, None)
    cli("resume", *what)
    assert cli.json("status")["oldest_due_s"] >= 300


def test_what_a_refused_login_holds_is_overdue(cli: Posting) -> None:
    cli("add", "Hello", "--to", "me", "--in", "1h")
    past = micros(datetime.now(UTC) - timedelta(minutes=5))
    cli.set_delivery(1, due_at=past, next_at=past)
    update_accounts(cli.call, state="login")
    assert cli.json("status")["oldest_due_s"] >= 300


def test_logins(cli: Posting) -> None:
    now, length = datetime.now(UTC), timedelta(days=5, hours=1)
    update_accounts(cli.call, token_expires_at=micros(now + length))
    assert "account     me (outbox): ok, its login ends in 5 days" in cli("status").out
    update_accounts(cli.call, token_expires_at=micros(now - length))
    assert "its login ended 5 days ago" in cli("status").out
    update_accounts(cli.call, state="login", paused=1)
    page = cli("status").out
    assert "me (outbox): login, paused, its login is refused: postsched account set me" in page
    update_accounts(cli.call, state_message="there are no credits")
    assert "me (outbox): login, paused, there are no credits" in cli("status").out
