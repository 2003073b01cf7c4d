"""Connections opened as deliveries are claimed, so that their instant is one round trip."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from postsched.engine.hands import Held
from postsched.engine.publisher import Publisher


class Connecting:
    """Has connections opened, `most` for a platform; nobody waits for them."""

    def __init__(self, publisher: Publisher, most: int) -> None:
        self._publisher = publisher
        self._most = most
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, everything: Iterable[Held], now: datetime) -> None:
        """Have as many open as are of use to those of them which are due later."""
        accounts, counts, used = {}, Counter[int](), Counter[str]()
        for held in everything:
            account = held.work.account
            if held.at > now and used[account.platform] < self._most:
                used[account.platform] += 1
                counts[account.id] += 1
                accounts[account.id] = account
        for number, count in counts.items():
            work = self._publisher.connect(accounts[number], count)
            task = asyncio.get_running_loop().create_task(work)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def stop(self) -> None:
        """Break off what is being opened."""
        for task in self._tasks:
            task.cancel()
