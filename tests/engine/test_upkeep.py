"""What is long over leaves beside the sending: in small steps, and never before what is due."""

from __future__ import annotations

import asyncio
import logging
import os
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from postsched.domain.delivery import DeliveryStatus
from postsched.engine.assembly import Engine
from postsched.engine.upkeep import Upkeep
from postsched.media.kept import MediaStore
from postsched.retention.sweep import TOGETHER, Sweep
from postsched.testing import FakeClock, FakePlatform
from postsched.testing.picture import png
from tests.engine.rig import Rig, Simulation, play, until

S = DeliveryStatus
OLD = timedelta(days=500)
COUNT = 4 * TOGETHER


def old_posts(rig: Rig, count: int, **more: Any) -> list[int]:
    """Deliveries of as many posts that went out long ago, to an account of their own."""
    account = rig.account(f"old{count}")
    found = rig.posts(account, [rig.clock.now() - OLD] * count, **more)
    with rig.other.write() as connection:
        connection.execute(
            text("UPDATE deliveries SET status = 'published', next_at = NULL, prepare_at = NULL, "
                 "grace_until = NULL, finished_at = due_at + id WHERE account_id = :id"),
            {"id": account.id},
        )  # fmt: skip
    return found


def left(rig: Rig) -> int:
    """How many posts there are."""
    with rig.other.read() as connection:
        return connection.scalar(text("SELECT count(*) FROM posts")) or 0


def upkeep_of(rig: Rig, engine: Engine, **more: Any) -> Upkeep:
    """An upkeep for the rig's engine, which looks at once."""
    sweep = Sweep(rig.database, rig.settings, rig.clock.now, most=1)
    kept = MediaStore(rig.settings.media_folder)
    more = {"begin": 0.0, **more}
    return Upkeep(
        sweep, engine.dispatcher, engine.turns, engine.clock, kept, rig.database, **more
    )  # fmt: skip


class Statements:
    """Counts the statements of a database by their first words, and rows by transaction."""

    def __init__(self, rig: Rig) -> None:
        self.seen: Counter[str] = Counter()
        self.removed: list[int] = [0]
        event.listen(rig.database.engine, "after_cursor_execute", self._note)
        event.listen(rig.database.engine, "commit", lambda _: self.removed.append(0))

    def _note(self, connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        words = " ".join(statement.split()[:3])
        self.seen[words] += 1
        if words == "DELETE FROM posts":
            self.removed[-1] += cursor.rowcount


def test_what_is_due_goes_out_before_the_next_step(
    rig: Rig, clock: FakeClock, fake: FakePlatform, caplog: pytest.LogCaptureFixture
) -> None:
    old_posts(rig, COUNT)
    me, statements = rig.account(), Statements(rig)
    before: list[int] = []

    async def scene() -> None:
        sim = Simulation(rig)
        upkeep = upkeep_of(rig, sim.engine)
        await sim.quiet()
        upkeep.start()
        await until(lambda: left(rig) < COUNT)
        due = rig.post("now", me, clock.now())
        sim.dispatcher.kick()
        await sim.quiet()
        assert rig.delivery(due).status is S.PUBLISHED
        before.append(left(rig))
        await until(lambda: left(rig) == 1)
        await upkeep.stop(5)
        await sim.end()

    with caplog.at_level(logging.INFO):
        play(scene)
    assert len(fake.called("publish")) == 1
    assert before[0] > TOGETHER, "of the old no more than a step has left meanwhile"
    assert max(statements.removed) == TOGETHER
    assert f"{COUNT} posts" in caplog.text


def test_it_is_done_even_if_something_is_always_due(rig: Rig, clock: FakeClock) -> None:
    old_posts(rig, 3)
    me = rig.account()
    waiting = rig.post("soon", me, clock.now() + timedelta(milliseconds=600))

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.quiet()
        upkeep = upkeep_of(rig, sim.engine, patience=0)
        await upkeep.look()
        assert rig.delivery(waiting).status is S.SCHEDULED
        assert left(rig) == 1
        await sim.end()

    play(scene)


def test_where_nothing_is_old_it_asks_once_a_day(rig: Rig, clock: FakeClock) -> None:
    rig.post("later", rig.account(), clock.now() + timedelta(days=1))
    statements = Statements(rig)

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.quiet()
        statements.seen.clear()
        upkeep = upkeep_of(rig, sim.engine)
        await upkeep.look()
        assert sum(statements.seen.values()) == 1 + statements.seen["BEGIN"]
        await upkeep.look()
        old_posts(rig, 2)
        await upkeep.look()
        statements.seen.clear()
        await upkeep.look()
        assert not [words for words in statements.seen if words.startswith(("DELETE", "INSERT"))]
        await sim.end()

    play(scene)


def test_media_that_no_post_names_any_more_go(rig: Rig, clock: FakeClock, tmp_path: Path) -> None:
    picture = tmp_path / "cat.png"
    picture.write_bytes(png())
    kept = MediaStore(rig.settings.media_folder)
    one = kept.keep(picture)
    picture.write_bytes(png(2, 2))
    other = kept.keep(picture)
    old_posts(rig, 1, media=[one])
    old_posts(rig, 2, media=[other])
    rig.post("new", rig.account(), clock.now() + timedelta(days=1), media=[one])
    for medium in (one, other):
        os.utime(kept.path_of(medium), (0, 0))

    async def scene() -> None:
        engine = rig.engine()
        await upkeep_of(rig, engine).share(10)
        await engine.stop()
        await engine.close()

    play(scene)
    assert list(kept.digests()) == [one.sha256]


def test_a_database_in_trouble_is_left_alone_and_the_end_is_not_delayed(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    old_posts(rig, 2)
    rig.post("last", rig.account(), rig.clock.now() + OLD)

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.quiet()
        upkeep = upkeep_of(rig, sim.engine)
        rig.settings.archive_folder.write_text("in the way")  # type: ignore[union-attr]  # a file's
        upkeep.start()
        await until(lambda: "can't be written" in caplog.text)
        upkeep.hush()
        async with asyncio.timeout(2):
            await upkeep.stop(5)
        assert left(rig) == 3
        await sim.end()

    play(scene)
    assert "leaves the database later" in caplog.text
