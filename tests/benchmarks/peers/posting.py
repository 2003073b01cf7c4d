"""The request of a Python peer, the same as ours: by aiohttp, or by the standard library in
threads. Both keep their connections open."""

from __future__ import annotations

import http.client
import json
import threading
from urllib.parse import urlsplit

from tests.benchmarks.order import Order

PATH = "/api/v1/statuses"


def headers(order: Order, number: int) -> dict[str, str]:
    """Of the status with that number."""
    return {
        "Authorization": f"Bearer {order.token}",
        "Content-Type": "application/json",
        "Idempotency-Key": f"{number:064}",
    }


class Async:
    """Posts in an event loop."""

    def __init__(self, order: Order) -> None:
        import aiohttp

        self._order = order
        connector = aiohttp.TCPConnector(limit=order.concurrency)
        self._session = aiohttp.ClientSession(connector=connector)

    async def post(self, number: int) -> None:
        """One status."""
        body = json.dumps({"status": f"post {number}"}).encode()
        sent = self._session.post(
            self._order.url + PATH, data=body, headers=headers(self._order, number)
        )
        async with sent as answer:
            assert (await answer.json())["id"]


class Threaded:
    """Posts in threads."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._address = urlsplit(order.url).netloc
        self._local = threading.local()

    def post(self, number: int) -> None:
        """One status."""
        if not hasattr(self._local, "connection"):
            self._local.connection = http.client.HTTPConnection(self._address)
        connection: http.client.HTTPConnection = self._local.connection
        body = json.dumps({"status": f"post {number}"}).encode()
        connection.request("POST", PATH, body, headers(self._order, number))
        assert json.load(connection.getresponse())["id"]
