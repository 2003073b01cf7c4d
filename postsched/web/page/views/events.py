"""Live updates: a stream that says that something has changed (server-sent events, WHATWG HTML,
section 9.2). Pages then load what they show; nothing of the posts is in it.

While nobody looks, nothing is asked. While somebody does, it is looked once a second whether the
database was written to: at its files, or on PostgreSQL at what is counted in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from postsched.service.desk import Desk
from postsched.store import marks
from postsched.web.page.session import viewer

EVERY = 1.0
"""Seconds between two looks."""
SIGN_OF_LIFE = 15
"""Looks after which something is sent in any case, so that a connection that is gone is noticed."""
LONGEST = 3600
"""Looks after which a stream ends; browsers begin another."""
MOST = 200
"""Streams at once."""
RETRY = b"retry: 2000\n\n"
CHANGE = b"event: change\ndata:\n\n"
ALIVE = b":\n\n"


class Changes:
    """Looks at the database for all streams together."""

    def __init__(self) -> None:
        self._number, self._mark, self._looking = 0, "", 0.0
        self.streams = 0
        self._lock, self._ended = asyncio.Lock(), asyncio.Event()

    def end(self) -> None:
        """End all streams, now: nothing else is waited for when the server stops."""
        self._ended.set()

    async def pause(self) -> bool:
        """Wait until the next look; whether there is one."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), EVERY)
        return not self._ended.is_set()

    async def number(self, desk: Desk) -> int:
        """A number that has risen if something was changed; looks at most once in EVERY."""
        loop = asyncio.get_running_loop()
        async with self._lock:
            if loop.time() - self._looking >= EVERY / 2:
                self._looking = loop.time()
                mark = await run_in_threadpool(marks.of, desk.database)
                if mark != self._mark:
                    self._mark, self._number = mark, self._number + 1
        return self._number


async def events(request: Request) -> Response:
    """One stream."""
    await viewer(request)
    state = request.app.state
    if state.changes.streams >= MOST:
        raise HTTPException(503, "too many pages are open", {"Retry-After": "60"})
    return StreamingResponse(
        _stream(request), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


async def _stream(request: Request) -> AsyncIterator[bytes]:
    state = request.app.state
    changes: Changes = state.changes
    changes.streams += 1
    try:
        yield RETRY
        known = await changes.number(state.desk())
        for look in range(LONGEST):
            if not await changes.pause() or await request.is_disconnected():
                return
            number = await changes.number(state.desk())
            if number != known:
                known = number
                yield CHANGE
            elif look % SIGN_OF_LIFE == 0:
                yield ALIVE
    finally:
        changes.streams -= 1


ROUTES = [Route("/events", events)]
