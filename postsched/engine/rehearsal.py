"""What the first post would have to wait for, done before there is one: modules of the platforms
in use, TLS, and the statements of a turn, which are compiled at their first use.

It is done once the engine is at work, a piece at a time, and only while nothing is due soon: where
something is, that one does what it needs itself, and waits for nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from postsched import platforms
from postsched.domain.delivery import Claim, Delivery, DeliveryStatus
from postsched.domain.errors import NotFound, StoreUnavailable
from postsched.engine.assembly import Engine
from postsched.store import accounts as account_rows
from postsched.store import outlook, queue
from postsched.store.database import Database
from postsched.store.lanes import Lane
from postsched.transport import tls, warm

log = logging.getLogger("postsched.engine")
NOBODY = -1
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
SOON = timedelta(seconds=1)
"""What is due within this is not to be delayed; no piece takes nearly as long."""
PAUSE = 0.1
"""Seconds between looks at whether anything is due."""
PATIENCE = 30.0
"""Seconds after which it is done all the same: if posts went out all the time, little is left."""


async def rehearse(engine: Engine) -> None:
    """Do it; a database in trouble is left to the turns, which know how to wait."""
    give_up = engine.clock.monotonic() + PATIENCE
    try:
        await _calm(engine, give_up)
        await asyncio.to_thread(tls)
        await _calm(engine, give_up)
        await warm()
        with contextlib.suppress(StoreUnavailable):
            for name in await engine.turns.run(_platforms_in_use):
                await _calm(engine, give_up)
                with contextlib.suppress(NotFound):
                    await asyncio.to_thread(platforms.get, name)
            for statement in _statements_of_a_turn():
                await _calm(engine, give_up)
                await engine.turns.run(partial(_try, worker=engine.worker.id, statement=statement))
    except Exception:  # it only saves time
        log.warning("not all could be made ready for the first post", exc_info=True)
    gc.freeze()  # what was imported is kept out of garbage collection


async def _calm(engine: Engine, give_up: float) -> None:
    """Wait until nothing is due soon, but not for ever."""
    while not _is_calm(engine) and engine.clock.monotonic() < give_up:
        await asyncio.sleep(PAUSE)


def _is_calm(engine: Engine) -> bool:
    dispatcher = engine.dispatcher
    if dispatcher.hands.everything() or not dispatcher.cycle.is_quiet:
        return False
    soon, shut = engine.clock.now() + SOON, dispatcher.access.shut
    lanes = dispatcher.cycle.look.lanes
    return not any(lane.next_at <= soon for lane in lanes if lane.account_id not in shut)


def _platforms_in_use(database: Database) -> set[str]:
    with database.read() as connection:
        return {account.platform for account in account_rows.every(connection)}


def _try(database: Database, worker: int, statement: Callable[[Connection], object]) -> None:
    """In a transaction of the worker's own, of which no other hears."""
    with database.turn(worker) as connection:
        statement(connection)


def _statements_of_a_turn() -> Iterator[Callable[[Connection], object]]:
    """Each of them, on a row that does not exist."""
    held = Claim("", NOBODY, LONG_AGO, LONG_AGO)
    lane = Lane(NOBODY, "", 0, LONG_AGO)
    nothing = Delivery(
        NOBODY, NOBODY, NOBODY, "", "", LONG_AGO, LONG_AGO, None, DeliveryStatus.SCHEDULED
    )
    yield partial(outlook.look, worker=NOBODY)
    yield partial(queue.claim, lane=lane, limit=1, upto=LONG_AGO, now=LONG_AGO, held=held)
    yield partial(queue.load, ids=[NOBODY])
    yield partial(queue.save_steps, delivery=nothing, token="")
    yield partial(queue.settle, delivery=nothing, token="", now=LONG_AGO)
