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

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from postsched.engine.assembly import Engine
from postsched.engine.jobstore import ALIAS, DeliveryJobStore
from postsched.engine.rehearsal import rehearse

log = logging.getLogger("postsched.engine")


async def run(
    engine: Engine,
    *,
    until_idle: bool = False,
    stop: asyncio.Event | None = None,
    started: Callable[[], None] = lambda: None,
) -> None:
    """Send what is due, until SIGTERM, SIGINT or `stop`, or until nothing is left to do.

    `started` is called once everything is listening. Raises nothing that a delivery did.
    """
    loop = asyncio.get_running_loop()
    stop = stop or asyncio.Event()
    engine.bell.hang(loop, partial(_rung, engine))
    logging.getLogger("apscheduler").setLevel(logging.WARNING)  # it logs every run
    scheduler = AsyncIOScheduler(
        jobstores={ALIAS: DeliveryJobStore(engine.dispatcher, engine.clock)}, timezone=UTC
    )
    wake = _Coalesced(loop, scheduler.wakeup)
    idle = asyncio.Event()

    def changed() -> None:
        wake()
        if engine.removal is not None:
            engine.removal.wake()
        if until_idle and engine.dispatcher.is_idle:
            idle.set()

    engine.dispatcher.on_change = changed
    signals = _Signals(loop, stop)
    await rehearse(engine.database)
    _favour_the_loop()
    try:
        scheduler.start()
        if engine.removal is not None:
            engine.removal.start()
        if engine.herald is not None:
            engine.herald.start()
        started()
        await _first(stop, idle)
    finally:
        await _end(engine, scheduler, signals)


def _rung(engine: Engine) -> None:
    """Another process has changed something."""
    engine.dispatcher.kick()
    if engine.herald is not None:
        engine.herald.wake()


def _favour_the_loop() -> None:
    """Let the event loop have the interpreter soon when a timer is due, also while the database
    thread works (the default is 5 ms), and keep what was imported out of garbage collection."""
    sys.setswitchinterval(0.0005)
    gc.collect()
    gc.freeze()


async def _first(*events: asyncio.Event) -> None:
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


async def _end(engine: Engine, scheduler: AsyncIOScheduler, signals: _Signals) -> None:
    """Drain first: APScheduler's own shutdown would cancel what is in flight."""
    signals.hurry = engine.dispatcher.hurry
    await engine.stop()
    engine.dispatcher.on_change = lambda: None
    await _shut_down(scheduler)
    engine.bell.silence(asyncio.get_running_loop())
    signals.restore()
    await engine.close()


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
    """SIGTERM and SIGINT stop in order; a second one stops at once."""

    NUMBERS = (signal.SIGTERM, signal.SIGINT)

    def __init__(self, loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
        self._loop, self._stop = loop, stop
        self.hurry: Callable[[], object] = lambda: None
        for number in self.NUMBERS:
            with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
                loop.add_signal_handler(number, self._signalled)

    def _signalled(self) -> None:
        if self._stop.is_set():
            log.warning("stopped at once; what was in flight counts as lost")
            self.hurry()
        self._stop.set()

    def restore(self) -> None:
        """Leave the signals as they were."""
        for number in self.NUMBERS:
            with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
                self._loop.remove_signal_handler(number)
