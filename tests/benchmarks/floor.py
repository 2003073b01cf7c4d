"""The floor: a bare asyncio loop with the client of `postsched.transport`, doing only the requests.

    python -m tests.benchmarks.floor ORDER [--stock]      ends with its stdin

With --stock the client is httpx's own, one for each that sends at once: what a script would use.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from postsched.transport import Transport, warm
from tests.benchmarks.order import Order


class Bare:
    """The requests of an order, and nothing else."""

    def __init__(self, order: Order, transport: Transport | Stock) -> None:
        self._order, self._transport = order, transport
        self._bearer = {"Authorization": f"Bearer {order.token}", "Accept-Language": "en"}

    async def send(self, number: int) -> None:
        """One status."""
        order = self._order
        headers = {**self._bearer, "Idempotency-Key": f"{number:064}"}
        with self._transport.client("me", order.url) as http:
            answer = await http.request(  # as the adapter does, the quickest way there is
                "POST", f"{order.url}/api/v1/statuses",
                json={"status": f"post {number}"}, headers=headers,
            )  # fmt: skip
        assert answer.json()["id"]

    async def at_their_instants(self) -> None:
        """A timer for each."""
        loop = asyncio.get_running_loop()
        tasks: list[asyncio.Task[None]] = []
        for number, due in enumerate(self._order.dues):
            begin = lambda n=number: tasks.append(loop.create_task(self.send(n)))  # noqa: E731
            loop.call_later(due - time.time(), begin)
        await asyncio.sleep(self._order.dues[-1] - time.time() + 0.5)
        await asyncio.gather(*tasks)

    async def all_at_once(self) -> None:
        """As many tasks as may send at once, each taking the next."""
        numbers = iter(range(len(self._order.dues)))
        await asyncio.sleep(self._order.dues[0] - time.time())
        await asyncio.gather(*(self._one_by_one(numbers) for _ in range(self._order.concurrency)))

    async def _one_by_one(self, numbers: Iterator[int]) -> None:
        for number in numbers:
            await self.send(number)


class Stock:
    """What `Bare` wants of a transport, by httpx as it is: a client of its own for each hand."""

    def __init__(self) -> None:
        self._idle: list[httpx.AsyncClient] = []

    @contextmanager
    def client(self, name: str, url: str) -> Iterator[httpx.AsyncClient]:
        """A client that nobody else uses meanwhile."""
        client = self._idle.pop() if self._idle else httpx.AsyncClient(timeout=30.0)
        yield client
        self._idle.append(client)

    async def close(self) -> None:
        """Close all."""
        for client in self._idle:
            await client.aclose()


async def work(order: Order, *, stock: bool) -> None:
    """Carry out an order."""
    transport = Stock() if stock else Transport(30.0)
    bare = Bare(order, transport)
    await warm()  # as `run` does: what is imported at the first request is no part of it
    print("ready", flush=True)
    if order.dues[0] == order.dues[-1]:
        await bare.all_at_once()
    else:
        await bare.at_their_instants()
    await asyncio.to_thread(sys.stdin.read)  # what it cost is read while it lives
    await transport.close()


if __name__ == "__main__":
    asyncio.run(work(Order.read(Path(sys.argv[1])), stock="--stock" in sys.argv))
