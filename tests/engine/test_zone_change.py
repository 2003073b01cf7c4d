"""A worker whose tz database changes under it, at its start, while it runs, and at SIGHUP."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event

from postsched.cli.program import Program
from postsched.cli.working import engine_for, reloading
from postsched.domain.account import Account
from postsched.domain.post import Content, Post
from postsched.domain.schedule import Schedule
from postsched.engine.scheduler import run
from postsched.engine.zone_watch import EVERY
from postsched.planning.planner import Occasion, planner_of
from postsched.store import plans
from postsched.store import posts as post_rows
from postsched.testing import FakeClock, FakePlatform
from tests.engine.conftest import MakeRig
from tests.engine.rig import Rig, Simulation, play, until
from tests.planning.tz_database import SUMMER_FOR_EVER, TzDatabase, tz_database
from tests.store import rows

ROOT = Path(__file__).parents[2]
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def zones(tmp_path: Path) -> Iterator[TzDatabase]:
    with tz_database(tmp_path / "zones") as made:
        yield made


def post(rig: Rig, to: Account, at: str, tz: str = "Europe/Berlin") -> int:
    """A post at a local time; its delivery."""
    schedule, now = Schedule(at=at, tz=tz), rig.clock.now()
    new = Post(0, f"u{at}", Content("Hello"), (to.name,), now, now)
    with rig.database.write() as connection:
        post_id = post_rows.insert(connection, new, [to.id], schedule, "")
        written = post_rows.get(connection, [post_id])[post_id]
        first = schedule.first()
        assert first is not None
        planned = planner_of(rig.settings, ZoneInfo("UTC")).row(written, to, Occasion(first), now)
        plans.plan(connection, [planned])
    return rows.every(rig.other)[-1].id


async def moved(rig: Rig, sim: Simulation, delivery: int, before: datetime) -> datetime:
    """When it is due, once that is no longer then."""
    await until(lambda: rig.delivery(delivery).due_at != before)
    await sim.quiet()
    return rig.delivery(delivery).due_at


def test_it_goes_out_at_its_local_time_by_the_rules_at_the_start(
    rig: Rig, clock: FakeClock, fake: FakePlatform, zones: TzDatabase
) -> None:
    delivery = post(rig, rig.account(), "2026-11-27T12:00")
    due = rig.delivery(delivery).due_at
    zones.change("Europe/Berlin", SUMMER_FOR_EVER)

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.go_to(due - HOUR - MINUTE)
        assert not fake.posts
        await sim.go(61)
        assert len(fake.posts) == 1
        await sim.end()

    play(scene)


def test_one_that_runs_notices_within_the_hour(
    rig: Rig, clock: FakeClock, fake: FakePlatform, zones: TzDatabase
) -> None:
    delivery = post(rig, rig.account(), "2026-11-27T18:00")
    due = rig.delivery(delivery).due_at

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.go(10 * 60)
        zones.write("Europe/Berlin", SUMMER_FOR_EVER)
        await sim.go(30 * 60)
        assert rig.delivery(delivery).due_at == due
        await sim.go(EVERY / 2)
        assert await moved(rig, sim, delivery, due) == due - HOUR
        assert datetime(2027, 1, 1, tzinfo=ZoneInfo("Europe/Berlin")).utcoffset() == 2 * HOUR
        await sim.go_to(due - HOUR + timedelta(seconds=1))
        assert len(fake.posts) == 1
        await sim.end()

    play(scene)


@pytest.mark.sqlite
def test_where_nothing_changes_it_asks_nothing_and_wakes_no_more_often(
    rig: Rig, clock: FakeClock, zones: TzDatabase
) -> None:
    post(rig, rig.account(), "2027-11-27T18:00")
    seen: list[str] = []

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.go(31)
        listen = lambda *args: seen.append(args[2])  # noqa: E731 - it is named to be taken off
        event.listen(rig.database.engine, "before_cursor_execute", listen)
        before = sim.calls
        await sim.go(2 * EVERY + 60)
        event.remove(rig.database.engine, "before_cursor_execute", listen)
        assert sim.calls - before < 2 * (2 * EVERY + 60) / 30 + 10
        await sim.end()

    play(scene)
    assert seen == []


@pytest.mark.sqlite
def test_a_database_that_is_busy_just_then_is_asked_again(
    make: MakeRig, clock: FakeClock, zones: TzDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    rig = make()
    delivery = post(rig, rig.account(), "2026-11-27T18:00")
    due = rig.delivery(delivery).due_at

    async def scene() -> None:
        sim = Simulation(rig)
        zones.write("Europe/Berlin", SUMMER_FOR_EVER)
        away = rig.settings.database + ".away"
        await sim.go(EVERY - 31)
        shutil.move(rig.settings.database, away)
        try:
            clock.advance(timedelta(seconds=62))
            sim.pump()
            await until(lambda: "moved to the new rules" in caplog.text)
        finally:
            shutil.move(away, rig.settings.database)
        await sim.go(62)
        assert await moved(rig, sim, delivery, due) == due - HOUR
        await sim.end()

    play(scene)


def test_sighup_reads_the_zones_anew(tmp_path: Path, zones: TzDatabase) -> None:
    """A real engine: what waits is moved, and the program shows times by the new rules."""
    rig = Rig(tmp_path, {})
    far = f"{time.gmtime().tm_year + 2}-01-10T09:00"
    delivery = post(rig, rig.account(platform="outbox"), far)
    due = rig.delivery(delivery).due_at
    program = Program(
        {"POSTSCHED_DB": rig.settings.database, "POSTSCHED_TIMEZONE": "Europe/Berlin"}
    )  # fmt: skip
    program.__dict__["rng"] = Random(1)
    before = program.zone

    async def scene() -> None:
        engine = engine_for(program, "run", None)
        stop, started = asyncio.Event(), asyncio.Event()
        task = asyncio.ensure_future(
            run(engine, stop=stop, started=started.set, reload=reloading(program, None, engine))
        )
        await started.wait()
        zones.write("Europe/Berlin", SUMMER_FOR_EVER)
        signal.raise_signal(signal.SIGHUP)
        await until(lambda: rig.delivery(delivery).due_at == due - HOUR)
        stop.set()
        await task

    play(scene)
    assert program.zone is not before
    assert program.zone.key == "Europe/Berlin"
    rig.close()


@pytest.mark.slow  # five processes, for each reads its tz database once
def test_the_program_as_people_start_it(tmp_path: Path, zones: TzDatabase) -> None:
    environ = {**os.environ, "HOME": str(tmp_path), "PYTHONTZPATH": str(zones.folder),
               "PYTHONPATH": str(ROOT), "POSTSCHED_DB": str(tmp_path / "p.db")}  # fmt: skip

    def call(*words: str, code: int = 0) -> tuple[str, str]:
        """What `postsched` said, on both streams."""
        done = subprocess.run(
            [sys.executable, "-m", "postsched", *words], capture_output=True, text=True,
            env=environ, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == code, done
        return done.stdout, done.stderr

    def shown(post_id: int) -> tuple[str, str]:
        """When it is due, and the next of its schedule."""
        found = json.loads(call("show", str(post_id), "--json")[0])
        return found["deliveries"][0]["due_at"], found["schedule"]["next"][0]

    zones.write("Europe/Berlin", "CET-1")
    call("account", "add", "me", "--platform", "outbox", "--set", f"dir={tmp_path / 'out'}")
    year, berlin = time.gmtime().tm_year + 2, ("--to", "me", "--tz", "Europe/Berlin")
    call("add", "local", *berlin, "--at", f"{year}-01-10 09:00")
    call("add", "instant", *berlin, "--at", f"{year}-01-10T09:00+01:00")
    soon = datetime.now(timezone(HOUR)) + 30 * MINUTE
    call("add", "soon", *berlin, "--at", f"{soon:%Y-%m-%dT%H:%M}")
    assert shown(1)[0] == f"{year}-01-10T08:00:00Z"
    zones.write("Europe/Berlin", "EET-2")
    out, err = call("publish-due")
    assert "1 published" in out
    assert "2 posts moved, the first, post 3 to me, from" in err
    assert shown(1) == (f"{year}-01-10T07:00:00Z",) * 2
    assert shown(2) == (f"{year}-01-10T08:00:00Z",) * 2
    assert call("publish-due") == ("Nothing was due\n", "")
