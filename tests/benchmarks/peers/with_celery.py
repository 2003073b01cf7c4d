"""Celery as a peer, on Redis.

python -m tests.benchmarks.peers.with_celery enqueue|work ORDER REDIS
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from celery import Celery, signals

from tests.benchmarks.order import Order
from tests.benchmarks.peers.posting import Threaded


def app_of(order: Order, redis: str) -> Celery:
    """The app with its one task; what is done stays in Redis as a result."""
    app = Celery("peer", broker=redis, backend=redis)
    app.conf.update(enable_utc=True, worker_hijack_root_logger=False)
    posts = Threaded(order)
    app.task(name="post")(posts.post)
    return app


def enqueue(app: Celery, order: Order) -> None:
    """An ETA for each."""
    for number, due in enumerate(order.dues):
        app.send_task("post", (number,), eta=datetime.fromtimestamp(due, UTC))


def work(app: Celery, order: Order) -> None:
    """Threads, for all it does is waiting for answers."""
    signals.worker_ready.connect(lambda **_: print("ready", flush=True), weak=False)
    app.worker_main(
        ["worker", "--pool=threads", f"--concurrency={order.concurrency}", "--loglevel=WARNING"]
    )


def main() -> None:
    """Plan or work."""
    verb, place, redis = sys.argv[1:]
    order = Order.read(Path(place))
    (enqueue if verb == "enqueue" else work)(app_of(order, redis), order)


if __name__ == "__main__":
    main()
