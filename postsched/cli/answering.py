"""The process of `serve` that answers HTTP: it is started by the one that sends posts, told what to
do over a channel, and ends with it. It reads no secrets; see web.apart."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from postsched.cli.program import Program
from postsched.domain.errors import PostschedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from postsched.service.desk import Desk
    from postsched.web.auth import Authenticate
    from postsched.web.channel import Channel
    from postsched.web.serving import Serving

IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""They are for the process that sends posts; it says what follows from them."""
ORPHANED = 3


def main() -> None:
    """Answer, at the second of the sockets whose numbers are given, what comes over the first."""
    for one in IGNORED:
        signal.signal(one, signal.SIG_IGN)
    ours, bound = (socket.socket(fileno=int(number)) for number in sys.argv[2:4])
    asyncio.run(_answer(ours, bound))


async def _answer(ours: socket.socket, bound: socket.socket) -> None:
    await _Answering(bound).work(ours)


class _Answering:
    """From the first word of the other process to its last."""

    def __init__(self, bound: socket.socket) -> None:
        self._bound = bound
        self._order: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._stop = asyncio.Event()
        self._program = Program(dict(os.environ))
        self._serving: Serving | None = None

    async def work(self, ours: socket.socket) -> None:
        """Answer until it is said to stop, or the other process has gone."""
        from postsched.web.channel import Channel

        channel = await Channel.over(
            ours,
            {"begin": self._begin, "reload": self._reload, "stop": self._end, "hurry": self._hurry},
        )
        orphaned = asyncio.ensure_future(channel.ended())
        orphaned.add_done_callback(_leave)
        order = await self._order
        _log_over(channel)
        try:
            self._serving = _serving(self._program, channel, order, self._bound)
            self._serving.start()
            await asyncio.to_thread(self._serving.prepare)
            await self._stop.wait()
            await self._serving.stop()
            self._program.close()
        except PostschedError as error:
            channel.tell("refused", sentence=str(error))
        orphaned.remove_done_callback(_leave)
        channel.close()
        await channel.ended()

    async def _begin(self, **order: Any) -> None:
        self._order.set_result(order)

    async def _reload(self) -> None:
        await asyncio.to_thread(_read_again, self._program)

    async def _end(self) -> None:
        self._stop.set()

    async def _hurry(self) -> None:
        if self._serving is not None:
            self._serving.hurry()


def _leave(gone: asyncio.Future[None]) -> None:
    """At once: nobody is left to send what would be taken, and another may want the port."""
    if not gone.cancelled():
        os._exit(ORPHANED)


def _serving(
    program: Program, channel: Channel, order: Mapping[str, Any], bound: socket.socket
) -> Serving:
    from postsched.web.app import create_app
    from postsched.web.distant import Distant
    from postsched.web.serving import Serving

    program.take_options(order["db"], order["config"], 0, quiet=False)
    program.assume(program.read_settings())
    distant = Distant(channel)

    def desk() -> Desk:
        return replace(
            program.desk, host_fault=distant.host_fault, callback_fault=distant.callback_fault
        )

    web = desk().settings.web  # opens the database here, in this thread
    authenticate = _authenticate(program, no_auth=order["no_auth"])
    api = create_app(desk, authenticate, web, host=order["host"])
    api.state.metrics, api.state.ready = distant, distant.ready
    api.state.try_hook = distant.try_hook
    loop = asyncio.get_running_loop()

    def listening() -> None:
        loop.call_soon_threadsafe(channel.tell, "listening")

    return Serving(api, bound, program.settings.shutdown_timeout.total_seconds(), listening)


def _authenticate(program: Program, *, no_auth: bool) -> Authenticate:
    from postsched.web.auth import without_login

    if no_auth:
        return without_login
    from postsched.web.bearer import VARIABLE, Bearers, Jwts
    from postsched.web.serving import in_thread

    jwts = Jwts(program.settings.web, program.environ.get(VARIABLE), time.monotonic)
    return Bearers(program.desk, jwts, in_thread)


def _read_again(program: Program) -> None:
    """Go by the settings, and the rules of zones, as they are now."""
    from postsched.domain import zone_files

    zone_files.forget()
    program.__dict__.pop("zone", None)  # it is made of the rules of before
    program.assume(program.read_settings())


def _log_over(channel: Channel) -> None:
    """Send log lines to the other process, which knows where they belong."""
    logging.getLogger().addHandler(_Lines(channel))
    logging.getLogger("postsched").setLevel(logging.INFO)


class _Lines(logging.Handler):
    def __init__(self, channel: Channel) -> None:
        super().__init__()
        self._channel, self._loop = channel, asyncio.get_running_loop()

    def emit(self, record: logging.LogRecord) -> None:
        from postsched.cli.watching import sentence

        tell = partial(
            self._channel.tell, "log",
            name=record.name, level=record.levelno, sentence=sentence(record),
        )  # fmt: skip
        with suppress(RuntimeError):  # the loop has ended: nobody listens any more
            self._loop.call_soon_threadsafe(tell)
