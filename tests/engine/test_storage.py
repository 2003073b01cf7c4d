"""The disk under the database: full, locked, gone, exchanged, put back. Nothing is sent meanwhile,
it is said, and what was due goes out by itself once it is well again."""

from __future__ import annotations

import logging
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from postsched.domain.delivery import DeliveryStatus
from postsched.testing import FakeClock, FakePlatform
from tests.engine.rig import Rig, Simulation, play
from tests.store import rows
from tests.store.disks import fill, small_disk

pytestmark = pytest.mark.slow

S = DeliveryStatus


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another program writes to it, and does not come to an end."""
    with closing(sqlite3.connect(path, isolation_level=None)) as base:
        base.execute("BEGIN IMMEDIATE")
        yield
        base.execute("ROLLBACK")


@contextmanager
def gone(path: Path) -> Iterator[None]:
    """It was moved away, for a while."""
    away = path.with_name("away.db")
    path.rename(away)
    yield
    away.rename(path)


@contextmanager
def exchanged(path: Path) -> Iterator[None]:
    """There is another file in its place, for a while: a copy of it."""
    away, other = path.with_name("away.db"), path.with_name("other.db")
    shutil.copy(path, other)
    path.rename(away)
    other.rename(path)
    yield
    path.rename(other)
    away.rename(path)


def _impatient(connection: sqlite3.Connection, record: object) -> None:
    connection.execute("PRAGMA busy_timeout = 1")


TROUBLES: dict[str, Callable[[Path], AbstractContextManager[None]]] = {
    "is locked by another process": locked,
    "is gone": gone,
    "another file in the place": exchanged,
}


@pytest.mark.parametrize("words", TROUBLES)
def test_nothing_is_sent_until_it_is_well_again(
    rig: Rig,
    fake: FakePlatform,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
    words: str,
) -> None:
    path = rig.database.path
    assert path is not None
    rig.database.engine.dispose()
    event.listen(rig.database.engine, "connect", _impatient)
    me = rig.account()
    rig.post("First", me, clock.now())
    due = rig.post("Hello", me, clock.now() + timedelta(seconds=60))

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.go(5)
        assert len(fake.posts) == 1
        with TROUBLES[words](path):
            await sim.go(80)
            assert len(fake.posts) == 1
            assert sim.dispatcher.cycle.trouble is not None
        await sim.go(5)
        await sim.end()

    with caplog.at_level(logging.ERROR):
        play(scene, 120)
    said = [r.getMessage() for r in caplog.records if words in r.getMessage()]
    assert len(said) == 1, caplog.text
    assert "nothing more is claimed until it works again" in said[0]
    assert [post.text for post in fake.posts] == ["First", "Hello"]
    assert rig.delivery(due).status is S.PUBLISHED


def test_a_file_that_is_put_back_under_it_stops_it(
    rig: Rig, fake: FakePlatform, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The same file, with the content of before: what is in it may be out."""
    path = rig.database.path
    assert path is not None
    me = rig.account()
    rig.post("First", me, clock.now() + timedelta(seconds=2))
    copy = path.with_name("copy.db")
    with closing(sqlite3.connect(path)) as now, closing(sqlite3.connect(copy)) as kept:
        now.backup(kept)

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.go(5)
        assert len(fake.posts) == 1
        with closing(sqlite3.connect(path)) as now, closing(sqlite3.connect(copy)) as kept:
            kept.backup(now)
        sim.dispatcher.kick()
        await sim.go(5)
        await sim.end()

    play(scene)
    assert len(fake.posts) == 1
    assert "was put back to an earlier state" in caplog.text


def test_a_full_disk(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """On a real one: what is under way is settled or kept, what is due waits."""
    clock = FakeClock()
    fake = FakePlatform(now=clock.now)
    with small_disk(tmp_path / "disk") as disk:
        rig = Rig(disk, {"fake": fake}, clock, state_dir=tmp_path / "state")
        me = rig.account()
        rig.post("First", me, clock.now())
        rig.post("Hello", me, clock.now() + timedelta(seconds=60))

        async def scene() -> None:
            sim = Simulation(rig)
            await sim.go(5)
            filler = fill(disk)
            await sim.go(80)
            assert [post.text for post in fake.posts] == ["First"]
            assert "the disk is full; nothing more is claimed" in caplog.text
            filler.unlink()
            await sim.go(5)
            await sim.end()

        play(scene)
        assert [post.text for post in fake.posts] == ["First", "Hello"]
        assert {one.status for one in rows.every(rig.other)} == {S.PUBLISHED}
        rig.close()
