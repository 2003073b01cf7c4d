"""The last milliseconds before an instant, and what tells that the clock was set."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from pathlib import Path

import pytest

from postsched.engine.clock import SystemClock, wait_until
from postsched.engine.watch import EVERY, Watch
from postsched.testing import FakeClock
from tests.engine.rig import play


@pytest.mark.parametrize("ahead", [0.0, 0.0005, 0.003, 0.07])
def test_never_early(ahead: float) -> None:
    async def scene() -> None:
        clock = SystemClock()
        for _ in range(5):
            instant = clock.now() + timedelta(seconds=ahead)
            assert await wait_until(instant, clock)
            assert clock.now() >= instant

    play(scene)


def test_an_instant_that_has_passed_is_not_waited_for() -> None:
    async def scene() -> None:
        clock = FakeClock()
        assert await wait_until(clock.now() - timedelta(hours=1), clock)

    play(scene)


def test_one_that_is_far_off_is_given_up() -> None:
    async def scene() -> None:
        clock = FakeClock()
        assert not await wait_until(clock.now() + timedelta(hours=1), clock)
        instant = clock.now() + timedelta(seconds=0.003)
        waiting = asyncio.create_task(wait_until(instant, clock))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        clock.set_wall(clock.now() - timedelta(minutes=1))
        assert not await waiting

    play(scene)


class TestWatching:
    """Two looks in a minute, and no query."""

    def watch(self, folder: Path, clock: FakeClock) -> Watch:
        path = folder / "posts.db"
        path.write_bytes(b"x")
        watch = Watch(path, clock)
        watch.remember()
        return watch

    def test_when(self, tmp_path: Path) -> None:
        clock = FakeClock()
        watch = self.watch(tmp_path, clock)
        assert not watch.is_due()
        assert watch.seconds_left() == EVERY
        clock.suspend(timedelta(hours=1))
        assert not watch.is_due(), "by the clock that stands while the machine sleeps"
        clock.advance(EVERY)
        assert watch.is_due()
        assert not watch.is_due() or watch.changed()
        assert watch.seconds_left() == EVERY

    def test_nothing_new(self, tmp_path: Path) -> None:
        clock = FakeClock()
        watch = self.watch(tmp_path, clock)
        clock.advance(EVERY)
        assert not watch.changed()

    @pytest.mark.parametrize("what", ["size", "time", "replaced", "log", "removed"])
    def test_others_wrote(self, tmp_path: Path, what: str) -> None:
        clock = FakeClock()
        watch = self.watch(tmp_path, clock)
        path = tmp_path / "posts.db"
        match what:
            case "size":
                path.write_bytes(b"xy")
            case "time":
                os.utime(path, ns=(1, 1))
            case "replaced":
                (tmp_path / "new").write_bytes(b"x")
                (tmp_path / "new").replace(path)
            case "log":
                (tmp_path / "posts.db-wal").write_bytes(b"")
            case "removed":
                path.unlink()
        clock.advance(EVERY)
        assert watch.changed()
        watch.remember()
        clock.advance(EVERY)
        assert not watch.changed()

    @pytest.mark.parametrize("seconds", [-3600, -1, 1, 3600])
    def test_the_clock_was_set(self, tmp_path: Path, seconds: float) -> None:
        clock = FakeClock()
        watch = self.watch(tmp_path, clock)
        clock.set_wall(clock.now() + timedelta(seconds=seconds))
        clock.advance(EVERY)
        assert watch.changed()
        clock.advance(EVERY)
        assert not watch.changed()

    def test_a_server_has_no_files(self) -> None:
        clock = FakeClock()
        watch = Watch(None, clock)
        watch.remember()
        clock.advance(EVERY)
        assert watch.changed(), "it has to be asked"
