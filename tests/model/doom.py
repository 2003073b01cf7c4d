"""How a worker dies, as by SIGKILL, between any two things that others can see of it: its commits,
and its calls to the networks."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, event

from postsched.testing import FakePlatform
from postsched.testing.platform import Call

PLACES = ("before commit", "after commit", "before call", "after call")
"""Where one may die. After a commit is before the mark outside of the database rises."""


class Doom:
    """The fate of one worker. Once it is `dead`, nothing it does reaches anybody."""

    def __init__(self) -> None:
        self.dead = False
        self._place: str | None = None
        self._left = 0

    def ordain(self, place: str, left: int) -> None:
        """It dies when it comes to that place for the `left`th time, from 1."""
        self._place, self._left = place, left

    def comes_to(self, place: str) -> bool:
        """It is there: whether it is dead now."""
        if place == self._place and not self.dead:
            self._left -= 1
            self.dead = self._left <= 0
        return self.dead

    def hang_over(self, engine: Engine) -> None:
        """Follow what is done to a database."""
        dialect: Any = engine.dialect
        do_commit = dialect.do_commit
        writing = False

        def before(connection: Connection) -> None:
            nonlocal writing
            writing = bool(connection.get_execution_options().get("postsched_write"))
            self._breathe("before commit", counts=writing)

        def commit(connection: Any) -> None:
            do_commit(connection)
            self._breathe("after commit", counts=writing)

        event.listen(engine, "begin", lambda connection: self._breathe("begin", counts=True))
        event.listen(engine, "commit", before)
        dialect.do_commit = commit

    def _breathe(self, place: str, *, counts: bool) -> None:
        if self.comes_to(place) if counts else self.dead:
            raise sqlite3.OperationalError("it is dead")


class Mortal(FakePlatform):
    """The way of one worker to a network."""

    def __init__(self, network: FakePlatform, doom: Doom) -> None:
        super().__init__(network.able)
        self._network, self._doom = network, doom
        # What is out is the network's.
        self._put, self._get = network._put, network._get  # type: ignore[method-assign]

    async def _play(self, call: Call, itself: Callable[[], Any]) -> Any:
        await self._survive("before call")
        result = await self._network._play(call, itself)
        await self._survive("after call")
        return result

    async def _survive(self, place: str) -> None:
        if self._doom.comes_to(place):
            await asyncio.Event().wait()
