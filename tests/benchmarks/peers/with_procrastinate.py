"""procrastinate as a peer, on PostgreSQL.

python -m tests.benchmarks.peers.with_procrastinate enqueue|work ORDER POSTGRESQL
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from procrastinate import App, PsycopgConnector

from tests.benchmarks.order import Order
from tests.benchmarks.peers.posting import Async


async def enqueue(app: App, order: Order) -> None:
    """A time for each, those of the same time together."""
    async with app.open_async():
        if not await app.check_connection_async():  # that is: has its tables
            await app.schema_manager.apply_schema_async()
        for due, of_it in groupby(enumerate(order.dues), key=lambda pair: pair[1]):
            task = app.configure_task("post", schedule_at=datetime.fromtimestamp(due, UTC))
            await task.batch_defer_async(*({"number": number} for number, _ in of_it))


async def work(app: App, order: Order) -> None:
    """A worker as it comes."""
    posts = Async(order)
    app.task(name="post")(posts.post)
    async with app.open_async():
        print("ready", flush=True)
        await app.run_worker_async(concurrency=order.concurrency)


def main() -> None:
    """Plan or work."""
    verb, place, url = sys.argv[1:]
    order = Order.read(Path(place))
    app = App(connector=PsycopgConnector(conninfo=url))
    asyncio.run((enqueue if verb == "enqueue" else work)(app, order))


if __name__ == "__main__":
    main()
