"""The traps of APScheduler 3 that lie at the job store: each row of the table of `engine.md`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from apscheduler.executors.base import MaxInstancesReachedError
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from postsched.domain.delivery import DeliveryStatus
from postsched.engine.assembly import Engine
from postsched.engine.clock import SystemClock
from postsched.engine.jobstore import ALIAS, DeliveryJobStore, Launcher
from postsched.testing import FakePlatform
from tests.engine.conftest import MakeRig
from tests.engine.rig import Rig, play, until

S = DeliveryStatus


class Broken:
    """A dispatcher of which everything fails."""

    def take_due(self, now: datetime) -> Any:
        raise RuntimeError("database is locked")

    def next_instant(self, now: datetime) -> Any:
        raise RuntimeError("database is locked")


def broken_store() -> DeliveryJobStore:
    dispatcher: Any = Broken()
    return DeliveryJobStore(dispatcher, SystemClock())


class TestNothingIsRaised:
    """What APScheduler does not catch would stop it for ever."""

    def test_get_due_jobs(self, caplog: pytest.LogCaptureFixture) -> None:
        assert broken_store().get_due_jobs(datetime.now(UTC)) == []
        assert "the queue could not be looked at" in caplog.text

    def test_get_next_run_time(self) -> None:
        store, now = broken_store(), datetime.now(UTC)
        assert now <= store.get_next_run_time() <= now + timedelta(seconds=2)

    def test_update_and_remove(self) -> None:
        store: Any = broken_store()
        store.update_job(object())
        store.remove_job("never heard of it")
        assert store.lookup_job("never heard of it") is None
        assert store.get_all_jobs() == []


class TestItIsRefused:
    """It would reach past the queue."""

    def test_adding(self) -> None:
        with pytest.raises(TypeError, match="deliveries come from posts"):
            broken_store().add_job(None)

    def test_removing_all(self) -> None:
        with pytest.raises(TypeError, match="cancelling their posts"):
            broken_store().remove_all_jobs()

    def test_through_the_scheduler(self, rig: Rig) -> None:
        async def scene() -> None:
            with scheduled(rig) as (scheduler, _):
                with pytest.raises(TypeError):
                    scheduler.add_job(print, jobstore=ALIAS)
                with pytest.raises(TypeError):
                    scheduler.remove_all_jobs(ALIAS)
                scheduler.add_job(print, "interval", hours=1)  # one's own go elsewhere

        play(scene)


@contextmanager
def scheduled(
    rig: Rig, executor: Launcher | None = None
) -> Iterator[tuple[AsyncIOScheduler, Engine]]:
    """A running scheduler over a new engine, as `run` makes it, with an executor of the test's."""
    engine = rig.engine()
    scheduler = AsyncIOScheduler(
        jobstores={ALIAS: DeliveryJobStore(engine.dispatcher, engine.clock)},
        executors={ALIAS: executor or Launcher()},
        timezone=UTC,
    )
    engine.dispatcher.on_change = lambda: scheduler.running and scheduler.wakeup()
    scheduler.start()
    try:
        yield scheduler, engine
    finally:
        engine.dispatcher.on_change = lambda: None
        scheduler.shutdown(wait=False)


async def ended(engine: Engine) -> None:
    """End an engine as the program does."""
    await engine.stop()
    engine.dispatcher.on_change = lambda: None
    await engine.close()


@pytest.fixture
def real(make: MakeRig) -> Rig:
    """A rig by the real clock."""
    return make(platforms={"fake": FakePlatform()}, clock=None)


def jobs(rig: Rig, engine: Engine) -> tuple[DeliveryJobStore, Callable[[], list[Any]]]:
    """A store over the engine, and what it hands out."""
    store = DeliveryJobStore(engine.dispatcher, engine.clock)
    store._scheduler = None
    return store, lambda: store.get_due_jobs(datetime.now(UTC))


async def handed_out(due: Callable[[], list[Any]]) -> list[Any]:
    """The first jobs there are."""
    found: list[Any] = []

    def look() -> bool:
        found.extend(due())
        return bool(found)

    await until(look)
    return found


def test_a_job_that_is_two_seconds_late_still_runs(real: Rig) -> None:
    """By default it would be dropped, and the delivery with it."""
    delivery = real.post("Hello", real.account(), real.clock.now())

    async def scene() -> None:
        engine = real.engine()
        _, due = jobs(real, engine)
        found = await handed_out(due)
        (job,) = found
        assert job.misfire_grace_time is None
        Launcher().submit_job(job, [datetime.now(UTC) - timedelta(seconds=2)])
        await until(lambda: real.delivery(delivery).status is S.PUBLISHED)
        await ended(engine)

    play(scene)


def test_a_job_is_due_when_it_is_handed_out_and_only_then(real: Rig) -> None:
    """One whose time is later than now is neither run nor removed."""
    real.post("Hello", real.account(), real.clock.now())

    async def scene() -> None:
        engine = real.engine()
        _, due = jobs(real, engine)
        found = await handed_out(due)
        now = datetime.now(UTC)
        assert found[0].next_run_time <= now
        assert found[0]._get_run_times(now) == [found[0].next_run_time]
        assert due() == [], "none is handed out twice"
        found[0].func(*found[0].args)
        await ended(engine)

    play(scene)


def test_names_say_nothing(real: Rig, caplog: pytest.LogCaptureFixture) -> None:
    """APScheduler logs a job's name at every run, and its arguments where it fails."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "apscheduler")
    real.post("a secret text", real.account("my-account"), real.clock.now())

    async def scene() -> None:
        with scheduled(real) as (_, engine):
            await until(lambda: real.words()[-1:] == ["published"])
            await ended(engine)

    play(scene)
    said = [r.getMessage() for r in caplog.records if r.name.startswith("apscheduler")]
    assert any("delivery 1 attempt 1" in one for one in said)
    assert not any("secret" in one or "my-account" in one for one in said)


class Refusing(Launcher):
    """An executor that does not take the first jobs."""

    def __init__(self, error: BaseException | None, count: int = 1) -> None:
        super().__init__()
        self.error, self.left = error, count

    def submit_job(self, job: Any, run_times: Any) -> None:
        if self.left:
            self.left -= 1
            raise self.error or MaxInstancesReachedError(job)
        super().submit_job(job, run_times)


@pytest.mark.parametrize("error", [None, RuntimeError("no"), SystemExit(1)])
def test_what_the_executor_does_not_take_is_begun_all_the_same(
    real: Rig, error: BaseException | None
) -> None:
    """APScheduler says so in its log, and drops it."""
    delivery = real.post("Hello", real.account(), real.clock.now())

    async def scene() -> None:
        with scheduled(real, Refusing(error)) as (_, engine):
            await until(lambda: real.delivery(delivery).status is S.PUBLISHED, 4)
            await ended(engine)

    play(scene)
    fake: Any = real.platforms["fake"]
    assert len(fake.posts) == 1


def test_what_was_handed_out_and_not_begun_does_not_outlive_the_end(real: Rig) -> None:
    """The executor never ran it: it is given back."""
    delivery = real.post("Hello", real.account(), real.clock.now())

    async def scene() -> None:
        engine = real.engine()
        _, due = jobs(real, engine)
        found = await handed_out(due)
        ending = asyncio.create_task(engine.stop())
        await asyncio.sleep(0.05)
        assert not ending.done(), "it is waited for, while the scheduler still runs"
        found[0].func(*found[0].args)
        await ending
        await engine.close()

    play(scene)
    after = real.delivery(delivery)
    assert (after.status, after.claim, after.attempts) == (S.SCHEDULED, None, 0)


def test_the_shutdown_of_the_scheduler_cancels_nothing_in_flight(real: Rig) -> None:
    """The executor cancels what it runs, and takes that for a success."""
    gate = asyncio.Event()

    async def slow(call: Any) -> Any:
        await gate.wait()
        return fake._put(call.prepared, call.key)

    fake: Any = real.platforms["fake"]
    fake.will("publish", slow)
    delivery = real.post("Hello", real.account(), real.clock.now())

    async def scene() -> None:
        with scheduled(real) as (scheduler, engine):
            await until(lambda: fake.called("publish"))
            scheduler.pause()
        await asyncio.sleep(0.01)
        gate.set()
        await until(lambda: real.delivery(delivery).status is S.PUBLISHED)
        await ended(engine)

    play(scene)
