"""HTTP in a process of its own, which this one starts, keeps going and ends.

One interpreter runs one thread at a time: with HTTP in this process, posts would wait for readers.
The other one has no secrets; what it needs them for, it asks for over a channel. It ends when this
one does, however that happens.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from postsched.web.channel import Answer, Channel

log = logging.getLogger("postsched.web")
CODE = "import sys; sys.path.append(sys.argv[1]); from postsched.cli.answering import main; main()"
"""What runs there; the path is for a postsched that is not installed."""
PLACE = str(Path(__file__).parents[2])
FIRST, LONGEST = 0.5, 60.0
"""Seconds until one that ended is started again, at first and at most: twice as long each time."""
STEADY = 60.0
"""Seconds after which it did not end at its start."""
TOGETHER = 0.2
"""Seconds after which this process knows if somebody has stopped both, as systemd does."""
MARGIN = 5.0
"""Seconds to end, beyond those that requests are given."""


class Apart:
    """What serves HTTP at the socket `bound`. `order` is what it is told at its start, `environ`
    its environment, `answers` are what it may ask. `patience` is how long requests may take at the
    end, in seconds; `listening` is called once it answers, `hopeless` with a sentence where it ends
    before it ever did."""

    def __init__(
        self,
        bound: socket.socket,
        order: Mapping[str, Any],
        environ: Mapping[str, str],
        answers: Mapping[str, Answer],
        patience: float,
        listening: Callable[[], None],
        hopeless: Callable[[str], None],
    ) -> None:
        self._bound, self._order, self._environ = bound, order, environ
        self._answers: dict[str, Answer] = {
            **answers, "listening": self._listens, "refused": self._refused, "log": _log,
        }  # fmt: skip
        self._patience, self._listening, self._hopeless = patience, listening, hopeless
        self._channel: Channel | None = None
        self._process: Process | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._ever, self._stopping, self._reason = False, False, ""

    def start(self) -> None:
        """Begin to answer, beside the caller; in its event loop."""
        self._keeping = asyncio.ensure_future(self._keep())

    def reload(self) -> None:
        """Have it read the settings again."""
        if self._channel is not None:
            self._channel.tell("reload")

    async def stop(self) -> None:
        """Take no more requests, and wait for the answers that are under way."""
        self._stopping = True
        self._bound.close()
        if self._keeping is None:
            return
        if self._channel is None:  # it is just being started, or waited for
            self._keeping.cancel()
        else:
            self._channel.tell("stop")
        done, _ = await asyncio.wait([self._keeping], timeout=self._patience + MARGIN)
        if not done:
            log.error("HTTP does not end: its process is killed")
            self._kill()
            await asyncio.wait([self._keeping])

    def hurry(self) -> None:
        """Wait for no answers any more."""
        if self._channel is not None:
            self._channel.tell("hurry")

    async def _keep(self) -> None:
        wait = FIRST
        while not self._stopping:
            begun = time.monotonic()
            try:
                end = _ended(await self._one())
            except OSError as error:  # no memory, no process, no file descriptor left
                end = f"can't be started: {error.strerror}"
            await asyncio.sleep(TOGETHER)
            if self._stopping:
                return
            if not self._ever:
                self._hopeless(f"HTTP can't be served: {self._reason or f'its process {end}'}")
                return
            log.error("the process that serves HTTP %s; it is started again", end)
            wait = FIRST if time.monotonic() - begun > STEADY else min(LONGEST, wait * 2)
            await asyncio.sleep(wait)

    async def _one(self) -> int:
        """One process, from its start to its end; its exit code."""
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                process = self._process = await self._start(theirs)
        except BaseException:
            ours.close()
            raise
        try:
            self._channel = await Channel.over(ours, self._answers)
            self._channel.tell("begin", **self._order)
            await self._pass_on(process)
            return await process.wait()
        finally:
            self._kill()
            if self._channel is not None:
                self._channel.close()
            self._channel = None

    async def _start(self, theirs: socket.socket) -> Process:
        fds = (theirs.fileno(), self._bound.fileno())
        return await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-c", CODE, PLACE, *map(str, fds),
            pass_fds=fds, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE,
            env=self._environ, start_new_session=True,  # a terminal's Ctrl-C is for us
        )  # fmt: skip

    async def _pass_on(self, process: Process) -> None:
        """What it says where it can say nothing else, a line each."""
        assert process.stderr is not None
        with suppress(ValueError):  # a line beyond all measure
            async for line in process.stderr:
                log.error("HTTP: %s", line.decode(errors="replace").rstrip())

    def _kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()

    async def _listens(self) -> None:
        if not self._ever:
            self._ever = True
            self._listening()
        else:
            log.info("HTTP is served again")

    async def _refused(self, sentence: str) -> None:
        self._reason = sentence


async def _log(name: str, level: int, sentence: str) -> None:
    logging.getLogger(name).log(level, "%s", sentence)


def _ended(code: int) -> str:
    if code >= 0:
        return f"ended with {code}"
    with suppress(ValueError):
        return f"was killed by {signal.Signals(-code).name}"
    return f"was killed by signal {-code}"
