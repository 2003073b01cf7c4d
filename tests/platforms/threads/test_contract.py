"""Threads keeps the contract, over a strict loopback server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest

from postsched.domain.outcome import Published
from postsched.domain.post import Media
from postsched.platforms.base import Attachment
from postsched.platforms.threads import Threads
from postsched.testing import Answer, HttpPlatformContract, Network
from postsched.testing.sender import Sender
from postsched.testing.threads import ThreadsServer

ERROR = {"type": "OAuthException", "fbtrace_id": "A6Lx"}


class TestThreads(HttpPlatformContract):
    """With tokens taken from the header."""

    platform = Threads
    bearer: ClassVar[str] = "yes"
    unauthorized: ClassVar[Answer] = Answer(
        401, {"error": {**ERROR, "code": 190, "error_subcode": 463, "message": "Session expired"}}
    )
    rate_limited: ClassVar[Answer] = Answer(
        429, {"error": {**ERROR, "code": 4, "message": "Too many calls"}}, {"Retry-After": "7"}
    )
    refused: ClassVar[Answer] = Answer(
        400, {"error": {**ERROR, "code": 100, "message": "Invalid parameter"}}
    )

    @pytest.fixture
    def network(self) -> Iterator[Network]:
        with ThreadsServer(bearer=self.bearer) as server:
            yield Network(server.login(), server.posts, server)

    def attachment(self, alt: str | None = None, name: str = "square.png") -> Attachment:
        return Attachment(Media(None, f"https://media.example/{name}", alt))

    def test_find_knows_the_parent(self, network: Network) -> None:
        """Its container does, which is asked: another container is another post."""

        async def scene(sender: Sender) -> None:
            (one,) = await sender.thread(self.message("One thread", key="1"))
            (other,) = await sender.thread(self.message("Another thread", key="3"))
            yes = self.message("Yes", key="2", n=2)
            there = await sender.prepare(yes, one, one)
            absent = await sender.prepare(yes, other, other)
            out = self.published(await sender.publish(there, yes.key))
            found = await sender.find(there, yes.key)
            assert isinstance(found, Published), found
            assert (found.remote_id, found.url) == (out.remote_id, out.url)
            assert await sender.find(absent, yes.key) is None

        self.play(network, scene)


@pytest.mark.slow
class TestThreadsWithTokensInTheQuery(TestThreads):
    """With tokens taken only as they are documented."""

    bearer: ClassVar[str] = "no"
