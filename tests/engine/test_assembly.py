"""The engine as the program puts it together, over the outbox."""

from __future__ import annotations

import asyncio
import secrets as chance
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from postsched import platforms, wakeup
from postsched.config import Settings
from postsched.domain.account import Account, AccountState
from postsched.domain.delivery import DeliveryStatus
from postsched.domain.errors import StoreUnavailable
from postsched.engine.assembly import Engine, assemble
from postsched.engine.clock import SystemClock
from postsched.engine.scheduler import run
from postsched.login import login_for
from postsched.secrets import Secrets
from postsched.store import accounts as account_rows
from postsched.store.database import Database
from tests.engine.faults import Faults
from tests.engine.rig import play
from tests.store import rows
from tests.store.rows import opened

CLOCK = SystemClock()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = opened(tmp_path)
    yield found
    found.close()


def put_together(database: Database, **environ: str) -> Engine:
    settings = Settings(database.name, shutdown_timeout=timedelta(seconds=5))
    return assemble(database, settings, Secrets(environ), CLOCK, Random(1), "run")


def account(database: Database, folder: Path, **more: object) -> Account:
    new = Account(
        0, chance.token_hex(16), "me", "outbox", CLOCK.now(), settings={"dir": str(folder)}
    )
    with database.write() as connection:
        return account_rows.insert(connection, replace(new, **more))  # type: ignore[arg-type]  # any field


def test_it_sends_to_the_outbox(database: Database, tmp_path: Path) -> None:
    me = account(database, tmp_path / "out")
    outbox, http = platforms.get("outbox"), Any
    login = login_for(me, outbox, Settings(database.name), None)
    asyncio.run(outbox.inspect(login, http))  # type: ignore[arg-type]  # it makes the folder
    with database.write() as connection:
        (delivery,) = rows.post(connection, "Hello", [me], CLOCK.now())

    async def scene() -> None:
        await run(put_together(database), until_idle=True)

    play(scene)
    after = rows.read(database, delivery)
    assert after.status is DeliveryStatus.PUBLISHED
    assert list((tmp_path / "out").rglob("*.md"))
    assert wakeup.marks(wakeup.folder_for(Settings(database.name))) == []


@pytest.mark.parametrize("environ", [{}, {"POSTSCHED_TOKEN_ME": "new"}])
def test_a_secret_in_the_environment_is_given_a_try(
    database: Database, tmp_path: Path, environ: dict[str, str]
) -> None:
    """It may be new with every process; one in the keyring is told by who set it."""
    account(database, tmp_path, state=AccountState.LOGIN, state_message="revoked")

    async def scene() -> None:
        engine = put_together(database, **environ)
        await engine.stop()
        await engine.close()

    play(scene)
    with database.read() as connection:
        (me,) = account_rows.every(connection)
    assert me.state is (AccountState.UNCHECKED if environ else AccountState.LOGIN)


def test_one_that_can_not_register_leaves_no_bell(database: Database, tmp_path: Path) -> None:
    faults = Faults(database.engine)
    faults.at, faults.armed = range(1, 100), True
    with faults.listening(), pytest.raises(StoreUnavailable):
        put_together(database)
    assert wakeup.marks(wakeup.folder_for(Settings(database.name))) == []


@pytest.mark.parametrize("name", ["disk", "busy"])
def test_an_end_that_can_not_be_written_is_found_by_the_next(
    database: Database, tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    bells = wakeup.folder_for(Settings(database.name))
    faults = Faults(database.engine)
    faults.at, faults.name = range(1, 1000), name

    async def scene() -> None:
        engine = put_together(database)
        await engine.stop()
        faults.armed = True
        await engine.close()
        faults.armed = False
        assert [wakeup.alive(bells, mark) for mark in wakeup.marks(bells)] == [False]
        following = put_together(database)
        await following.stop()
        await following.close()

    with faults.listening():
        play(scene)
    assert wakeup.marks(bells) == []
    assert "settled by the next" in caplog.text
