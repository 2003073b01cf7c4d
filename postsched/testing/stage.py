"""What every test of the contract stands on: a platform, a network, and a way to play a scene."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import pytest

from postsched.domain.capabilities import Capabilities
from postsched.domain.outcome import Published, Sent
from postsched.domain.post import Media
from postsched.platforms.base import Attachment, Login, Message, Platform
from postsched.testing.client import PATIENCE, client
from postsched.testing.network import Network
from postsched.testing.picture import png
from postsched.testing.sender import Sender, key_of, message

T = TypeVar("T")


class Stage:
    """The platform under test, its network, and what the tests do with them."""

    platform: ClassVar[type[Platform]]
    needs_media: ClassVar[bool] = False
    """Whether a post without media is refused (Pixelfed, Instagram)."""
    uploads_ahead: ClassVar[bool] = True
    """Whether files are uploaded before the post (not to Telegram: they go out with it)."""

    replies: ClassVar[bool] = True
    """Whether each part of a thread names the one it replies to (not a webhook's)."""

    @pytest.fixture
    def network(self) -> Iterator[Network]:
        """The network under test, fresh. A subclass must give it."""
        raise NotImplementedError("the test must say which network it talks to")

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def play(
        self,
        network: Network,
        scene: Callable[[Sender], Awaitable[T]],
        *,
        login: Login | None = None,
        inspect: bool = True,
    ) -> T:
        """Run a scene with a sender that has read the account's facts."""

        async def whole() -> T:
            async with client(PATIENCE) as http:
                sender = Sender(self.platform, login or network.login, http)
                if inspect:
                    await sender.inspect()
                return await scene(sender)

        return asyncio.run(whole())

    def capabilities(self, network: Network) -> Capabilities:
        """What the account can do, by the facts its network gives."""

        async def scene(sender: Sender) -> Capabilities:
            return sender.platform.capabilities(sender.login.facts)

        return self.play(network, scene)

    def takes_repetition(self, network: Network) -> bool:
        """Whether a post is taken that equals an earlier one, as the account's capabilities say."""
        return self.capabilities(network).refuses_equal is None

    def message(self, text: str, **more: Any) -> Message:
        """A step to send, with a picture where the network insists on one."""
        if self.needs_media:
            more.setdefault("attachments", (self.attachment("a square"),))
        return message(text, **more)

    def attachment(self, alt: str | None = None, name: str = "square.png") -> Attachment:
        """A small PNG; a platform that takes only URLs replaces this."""
        path = self.folder / name
        path.write_bytes(png())
        sha = key_of(name)
        media = Media(str(path), None, alt, "image/png", len(png()), sha, 8, 8)
        return Attachment(media, path)

    def published(self, sent: Sent) -> Published:
        """The post, or a failed assertion that says what it came to instead."""
        assert isinstance(sent, Published), sent
        return sent

    def needs(self, ability: object, lack: str) -> None:
        """Skip a test for an account that can't do what it is about."""
        if not ability:
            pytest.skip(f"{self.platform.name} {lack}")
