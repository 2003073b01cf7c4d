"""Calls in threads of their own, for what may hang: a keyring that asks a person who is not there.

Such a thread keeps neither what waits for a pool's threads nor the end of the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


def apart(function: Callable[[], T], name: str) -> asyncio.Future[T]:
    """Call it in a thread of that name; what it returns or raises comes with the future."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    future.add_done_callback(_heed)

    def call() -> None:
        try:
            end: tuple[Callable[[Any], None], Any] = (future.set_result, function())
        except BaseException as error:  # noqa: BLE001 - it is raised where it is awaited
            end = (future.set_exception, error)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_settle, future, *end)

    threading.Thread(target=call, name=name, daemon=True).start()
    return future


def _settle(future: asyncio.Future[Any], settle: Callable[[Any], None], end: Any) -> None:
    if not future.done():
        settle(end)


def _heed(future: asyncio.Future[Any]) -> None:
    """What is raised after everyone has stopped waiting is no news."""
    if not future.cancelled():
        future.exception()
