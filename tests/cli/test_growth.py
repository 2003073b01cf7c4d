"""No command, and no turn of the engine, takes longer because more posts wait: counted in the steps
of SQLite's machine, which are the same on every computer."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event

from postsched.domain.post import CatchUp, Content, Missed, Post
from postsched.domain.schedule import once
from postsched.store import accounts, bulk
from postsched.store.opening import open_database
from postsched.store.plans import Planned
from tests.cli.posting import Posting

FEW, MANY = 200, 2000
UNIT = 50
"""So many steps are counted as one."""
ROOM = 40
"""Of these units a command may take more, for what lies in one more page."""
MAIN = ("list", "status", "queue", "cancel 7", "add Hello --to me --in 2h")
OTHERS = (
    "list --json", "next", "calendar", "slots list", "show 5", "history", "account list", "pause 8",
    "resume 8", "edit 9 --text Changed", "publish-due", "add Now --to me --at now", "publish-due",
)  # fmt: skip


@contextmanager
def counted() -> Iterator[list[int]]:
    """The steps taken meanwhile by any connection, in units."""
    steps = [0]

    def count() -> int:
        steps[0] += 1
        return 0

    def connected(connection: Any, _record: Any) -> None:
        connection.set_progress_handler(count, UNIT)

    event.listen(Engine, "connect", connected)
    try:
        yield steps
    finally:
        event.remove(Engine, "connect", connected)


def fill(cli: Posting, count: int) -> None:
    """Write so many posts that are due after what a calendar shows."""
    database = open_database(str(cli.call.database))
    now = datetime.now(UTC)
    with database.write() as connection:
        (account,) = accounts.every(connection)
        packed = []
        for n in range(count):
            due = now + timedelta(days=60, minutes=n)
            post = Post(0, secrets.token_hex(16), Content(f"Post {n}"), ("me",), now, now,
                        missed=Missed.ASK, grace=timedelta(hours=24),
                        catch_up=CatchUp.NEWEST)  # fmt: skip
            planned = Planned(0, account.id, due, due + timedelta(hours=24))
            packed.append(bulk.pack(post, "", once(due, "UTC"), [account.id], [planned]))
        bulk.write(connection, packed)
    database.close()


def taken(cli: Posting, commands: Sequence[str]) -> dict[str, int]:
    """How many units each command takes."""
    found: dict[str, int] = {}
    for command in commands:
        with counted() as steps:
            cli(*command.split())
        found[command] = found.get(command, 0) + steps[0]
    return found


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "commands", [MAIN, pytest.param(OTHERS, marks=pytest.mark.slow)], ids=["main", "others"]
)
def test_more_posts_do_not_make_a_command_slower(cli: Posting, commands: Sequence[str]) -> None:
    fill(cli, FEW)
    few = taken(cli, commands)
    fill(cli, MANY)
    many = taken(cli, commands)
    slower = {
        command: (few[command], steps)
        for command, steps in many.items()
        if steps > few[command] * 1.5 + ROOM
    }
    assert slower == {}
