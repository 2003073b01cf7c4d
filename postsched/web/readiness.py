"""Whether posts go out: the database answers, and the engine claims what is due.

The sentences say nothing of paths or accounts: whoever can reach the address may read them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from postsched.domain.errors import PostschedError

if TYPE_CHECKING:
    from postsched.engine.assembly import Engine
    from postsched.service.desk import Desk

Readiness = Callable[[], Awaitable[str | None]]
"""Why nothing goes out, in a sentence; None if all is well."""
PATIENCE = 5.0
"""Seconds in which the engine's event loop and its database thread have answered."""


def database_problem(desk: Desk) -> str | None:
    """Why the database can't be read; asked in a thread."""
    try:
        with desk.database.read() as connection:
            connection.exec_driver_sql("SELECT 1")
    except PostschedError:
        return "the database can't be read"
    return None


async def engine_problem(engine: Engine, loop: asyncio.AbstractEventLoop) -> str | None:
    """Why the engine, which runs in that loop, claims nothing; asked from any other loop."""
    if engine.dispatcher.hands.closed:
        return "the engine is stopping: nothing more is claimed"
    asked = asyncio.run_coroutine_threadsafe(engine.answers(), loop)
    try:
        async with asyncio.timeout(PATIENCE):
            answers = await asyncio.wrap_future(asked)
    except TimeoutError:
        return "the engine does not answer"
    if not answers:
        return "the database does not answer the engine"
    if engine.dispatcher.cycle.trouble is not None:
        return "the engine can't use the database: nothing is claimed until it works"
    return None


class EngineReadiness:
    """Whether the engine claims, of whichever engine is at work: another takes its place when
    settings are read again."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self) -> None:
        """The engine is at work in this event loop from now on."""
        self._loop = asyncio.get_running_loop()

    async def __call__(self) -> str | None:
        """Why nothing is claimed."""
        if self._loop is None:
            return "the engine is starting"
        return await engine_problem(self.engine, self._loop)
