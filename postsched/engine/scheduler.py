"""APScheduler over the job store, and the daemon around it: bell, signals, an orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import sys
from collections.abc import Callable
from datetime import UTC
from functools import partial
from typing import Protocol

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from postsched.domain.errors import PostschedError, StoreMoved
from postsched.engine.assembly import Engine
from postsched.engine.jobstore import ALIAS, DeliveryJobStore, Launcher, Timetable
from postsched.engine.rehearsal import rehearse
from postsched.engine.supervision import Supervisor

log = logging.getLogger("postsched.engine")


class Beside(Protocol):
    """What works in the same process, and hands posts to the engine."""

    async def stop(self) -> None:
        """Take nothing more, and end what is under way."""

    def hurry(self) -> None:
        """Wait for nothing any more."""


SUPERVISED = "sending posts at their time"


async def run(
    engine: Engine,
    *,
    until_idle: bool = False,
    stop: asyncio.Event | None = None,
    started: Callable[[], None] = lambda: None,
    reload: Callable[[], Engine] | None = None,
    supervisor: Supervisor | None = None,
    beside: Beside | None = None,
) -> Engine:
    """Send what is due, until SIGTERM, SIGINT or `stop`, or until nothing is left to do.

    `started` is called once everything is listening. At SIGHUP the engine that `reload` gives, in a
    thread, takes over, while this one ends what it has in flight; where it raises a PostschedError,
    all stays as it was. Without it, SIGHUP ends like SIGTERM. What works `beside` it is stopped
    before it. Returns the last engine. Raises nothing that a delivery did, but StoreMoved, after an
    orderly end, once the database has moved to another place: nothing is sent from here any more.
    """
    loop = asyncio.get_running_loop()
    stop, again, done = stop or asyncio.Event(), asyncio.Event(), asyncio.Event()
    logging.getLogger("apscheduler").setLevel(logging.WARNING)  # it logs every run
    supervisor = supervisor or Supervisor({}, 0)
    shift = _Shift(engine, done, until_idle=until_idle)
    signals = _Signals(loop, stop, again if reload else stop)
    endings: list[asyncio.Task[None]] = []
    _favour_the_loop()
    try:
        shift.start()
        started()
        supervisor.ready(SUPERVISED)
        supervisor.watch(lambda: _sign(shift.engine))
        while await _first(stop, done, again) and reload and not (stop.is_set() or done.is_set()):
            again.clear()
            supervisor.reloading()
            fresh = await _reloaded(reload)
            if fresh is not None:
                old, shift = shift, _Shift(fresh, done, until_idle=until_idle)
                shift.start()
                endings.append(loop.create_task(old.end(signals)))
            supervisor.ready(SUPERVISED)
    finally:
        supervisor.stopping()
        if beside is not None:
            signals.hurry.append(beside.hurry)
            await beside.stop()
        await asyncio.gather(shift.end(signals), *endings)
        await supervisor.end()
        signals.restore()
    if shift.moved is not None:
        raise shift.moved
    return shift.engine


async def _reloaded(reload: Callable[[], Engine]) -> Engine | None:
    """The engine with the settings as they are now, None where that can't be."""
    try:
        fresh = await asyncio.to_thread(reload)
    except PostschedError as error:
        log.error("%s; the settings stay as they were", error)
        return None
    log.info("the settings were read again")
    return fresh


async def _sign(engine: Engine) -> str | None:
    """How it goes, None if it hangs."""
    if not await engine.answers():
        return None
    trouble = engine.dispatcher.cycle.trouble
    return trouble.message if trouble else SUPERVISED


class _Shift:
    """One engine at work. `done` is set once it can do nothing more: its database has moved, or,
    with `until_idle`, nothing is left to do."""

    def __init__(self, engine: Engine, done: asyncio.Event, *, until_idle: bool) -> None:
        self.engine = engine
        self.moved: StoreMoved | None = None
        """Where the database has moved to, if it has."""
        self._done = done
        self._until_idle = until_idle
        self._scheduler = Timetable(
            jobstores={ALIAS: DeliveryJobStore(engine.dispatcher, engine.clock)},
            executors={ALIAS: Launcher()},
            timezone=UTC,
        )
        self._wake = _Coalesced(asyncio.get_running_loop(), self._scheduler.wakeup)
        self._rehearsing: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Listen and begin."""
        engine = self.engine
        engine.bell.hang(asyncio.get_running_loop(), partial(_rung, engine))
        engine.dispatcher.on_change = self._changed
        self._scheduler.start()
        if engine.removal is not None:
            engine.removal.start()
        if engine.herald is not None:
            engine.herald.start()
        if engine.upkeep is not None:
            engine.upkeep.start()
        self._rehearsing = asyncio.get_running_loop().create_task(rehearse(engine))

    def _changed(self) -> None:
        self._wake()
        if self.engine.removal is not None:
            self.engine.removal.wake()
        trouble = self.engine.dispatcher.cycle.trouble
        if isinstance(trouble, StoreMoved):
            self.moved = trouble
        if self.moved or (self._until_idle and self.engine.dispatcher.is_idle):
            self._done.set()

    async def end(self, signals: _Signals) -> None:
        """Drain first: APScheduler's own shutdown would cancel what is in flight."""
        engine = self.engine
        if self._rehearsing is not None:
            self._rehearsing.cancel()
        signals.hurry.append(engine.dispatcher.hurry)
        stopping = asyncio.ensure_future(engine.stop())
        if self.moved:  # what is still to be written never can be
            await asyncio.sleep(0)
            engine.dispatcher.hurry()
        await stopping
        engine.dispatcher.on_change = lambda: None
        await _shut_down(self._scheduler)
        engine.bell.silence(asyncio.get_running_loop())
        await engine.close()
        engine.database.close()


def _rung(engine: Engine) -> None:
    """Another process has changed something."""
    engine.dispatcher.kick()
    if engine.herald is not None:
        engine.herald.wake()


def _favour_the_loop() -> None:
    """Let the event loop have the interpreter soon when a timer is due, also while the database
    thread works (the default is 5 ms), and keep what was imported out of garbage collection."""
    sys.setswitchinterval(0.0005)
    gc.freeze()  # without collecting first, which would take as long as all else at the start


async def _first(*events: asyncio.Event) -> bool:
    """Wait for one of them."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    return True


async def _shut_down(scheduler: AsyncIOScheduler) -> None:
    """Once shut down, it trips over a wake-up that comes after: so it is paused, its timer taken
    away, and what is on its way through the event loop, in two steps, let come first."""
    if scheduler.running:
        scheduler.pause()
        scheduler.wakeup()
        for _ in range(2):
            await asyncio.sleep(0)
        scheduler.shutdown(wait=False)


class _Coalesced:
    """Calls a function soon, once for any number of wishes."""

    def __init__(self, loop: asyncio.AbstractEventLoop, function: Callable[[], None]) -> None:
        self._loop, self._function, self._pending = loop, function, False

    def __call__(self) -> None:
        if not self._pending:
            self._pending = True
            self._loop.call_soon(self._call)

    def _call(self) -> None:
        self._pending = False
        self._function()


class _Signals:
    """SIGTERM and SIGINT stop in order; a second one stops at once. SIGHUP sets `again`."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, stop: asyncio.Event, again: asyncio.Event
    ) -> None:
        self._loop, self._stop = loop, stop
        self.hurry: list[Callable[[], object]] = []
        """What is to be called at a second signal."""
        answers = {"SIGTERM": self._signalled, "SIGINT": self._signalled, "SIGHUP": again.set}
        self._numbers = {
            getattr(signal, name): answer
            for name, answer in answers.items()
            if hasattr(signal, name)
        }
        # Windows' loop has no signals, and a thread that is not the main one may set none: there a
        # person's Ctrl-C still ends it, as KeyboardInterrupt.
        for number, answer in self._numbers.items():
            with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
                loop.add_signal_handler(number, answer)

    def _signalled(self) -> None:
        if self._stop.is_set():
            log.warning("stopped at once; what was in flight counts as lost")
            for hurry in self.hurry:
                hurry()
        self._stop.set()

    def restore(self) -> None:
        """Leave the signals as they were."""
        for number in self._numbers:
            with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
                self._loop.remove_signal_handler(number)
