"""APScheduler as a peer, with its own SQLAlchemyJobStore.

python -m tests.benchmarks.peers.with_apscheduler enqueue|work ORDER DATABASE
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import event

from tests.benchmarks.order import Order
from tests.benchmarks.peers.posting import Async

SEND = "tests.benchmarks.peers.with_apscheduler:send"
hands: list[tuple[Async, asyncio.Semaphore]] = []
"""Of this process: a job is a function by its name, and can't be given anything that lives."""


async def send(number: int) -> None:
    """The job."""
    posts, free = hands[0]
    async with free:
        await posts.post(number)


def enqueue(order: Order, database: str) -> None:
    """Add the jobs; without waiting for the disk, for this is not measured."""
    store = SQLAlchemyJobStore(url=database)
    event.listen(store.engine, "connect", _hurry)
    scheduler = BackgroundScheduler(jobstores={"default": store}, timezone=UTC)
    scheduler.start(paused=True)
    for number, due in enumerate(order.dues):
        at = datetime.fromtimestamp(due, UTC)
        scheduler.add_job(SEND, "date", run_date=at, args=[number], misfire_grace_time=None)
    scheduler.shutdown()


def _hurry(connection: Any, record: object) -> None:
    connection.execute("PRAGMA synchronous = OFF")


async def work(order: Order, database: str) -> None:
    """Run what is due. Its executor knows no limit, so the jobs keep one."""
    from tests.benchmarks.peers import with_apscheduler

    with_apscheduler.hands.append((Async(order), asyncio.Semaphore(order.concurrency)))
    store = SQLAlchemyJobStore(url=database)
    AsyncIOScheduler(jobstores={"default": store}, timezone=UTC).start()
    print("ready", flush=True)
    await asyncio.Event().wait()


def main() -> None:
    """Plan or work."""
    verb, place, database = sys.argv[1:]
    order = Order.read(Path(place))
    if verb == "enqueue":
        enqueue(order, database)
    else:
        asyncio.run(work(order, database))


if __name__ == "__main__":
    main()
