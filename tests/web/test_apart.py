"""The channel between the process that sends and the one that answers HTTP, and what keeps the
other one going."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from postsched.domain.errors import InvalidInput, NotAllowed
from postsched.web.apart import Apart
from postsched.web.binding import bind
from postsched.web.channel import Answer, Channel, Gone
from postsched.web.distant import Distant

PATIENCE = 30.0


@asynccontextmanager
async def joined(**answers: Answer) -> AsyncIterator[tuple[Channel, socket.socket]]:
    """A channel, and the other end, bare; or what answers there."""
    ours, theirs = socket.socketpair()
    channel = await Channel.over(ours, {})
    other = await Channel.over(theirs, answers) if answers else None
    try:
        yield channel, theirs
    finally:
        channel.close()
        if other is not None:
            other.close()
            await other.ended()
        await channel.ended()
        theirs.close()


def test_answers_errors_and_bugs_come_back_as_they_were(caplog: pytest.LogCaptureFixture) -> None:
    async def add(one: int, other: int) -> int:
        await asyncio.sleep(0.01 / one)  # the last asked is answered first
        return one + other

    async def refuse() -> None:
        raise InvalidInput("that is wrong", "Do it right")

    async def break_down() -> None:
        raise ZeroDivisionError

    async def play() -> None:
        async with joined(add=add, refuse=refuse, break_down=break_down) as (channel, _):
            asked = [channel.ask("add", one=n, other=10) for n in (1, 2, 3)]
            assert await asyncio.gather(*asked) == [11, 12, 13]
            with pytest.raises(InvalidInput, match=r"that is wrong\. Do it right"):
                await channel.ask("refuse")
            with pytest.raises(NotAllowed, match="a bug"):
                await channel.ask("break_down")
            channel.tell("refuse")
            assert await channel.ask("add", one=1, other=1) == 2

    asyncio.run(play())
    assert "break_down failed" in caplog.text
    assert "that is wrong" in caplog.text, "what nobody waits for is logged"


def test_who_waits_for_a_process_that_is_gone_is_told_so() -> None:
    async def play() -> None:
        async with joined() as (channel, other):
            waiting = asyncio.ensure_future(channel.ask("anything"))
            ready = asyncio.ensure_future(Distant(channel).ready())
            await asyncio.sleep(0)
            other.close()
            with pytest.raises(Gone, match="does not answer"):
                await waiting
            assert "does not answer" in str(await ready)
            with pytest.raises(Gone):
                await channel.ask("anything")
            with pytest.raises(Gone):
                await asyncio.to_thread(Distant(channel).exposition)

    asyncio.run(play())


async def _until(found: list[str]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not found:
            await asyncio.sleep(0.01)


def test_what_can_not_be_served_at_all_is_said_and_not_tried_again(tmp_path: Path) -> None:
    found: list[str] = []
    (tmp_path / "file").write_text("")
    order = {"db": str(tmp_path / "file" / "posts.db"), "config": None}

    async def play() -> None:
        with bind("127.0.0.1", 0) as bound:
            told = {**order, "host": "127.0.0.1", "no_auth": True}
            home = {"HOME": str(tmp_path)}
            apart = Apart(bound, told, home, {}, 1.0, lambda: None, found.append)
            apart.start()
            try:
                await _until(found)
            finally:
                await apart.stop()

    asyncio.run(play())
    (sentence,) = found
    assert re.search(r"^HTTP can't be served: .*file/posts\.db: .* --db$", sentence), sentence
