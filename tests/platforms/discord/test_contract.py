"""Discord keeps the contract, over a strict loopback server: by webhook, with a bot that reads the
channel, and by bot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest

from postsched.platforms.discord import Discord
from postsched.testing import Answer, HttpPlatformContract, Network
from postsched.testing.discord import DiscordServer


class TestWebhook(HttpPlatformContract):
    """A webhook alone: nothing can be looked up."""

    platform = Discord
    uploads_ahead = False
    replies = False
    unauthorized: ClassVar[Answer] = Answer(404, {"message": "Unknown Webhook", "code": 10015})
    rate_limited: ClassVar[Answer] = Answer(
        429, {"message": "You are being rate limited.", "retry_after": 7.0, "global": False}
    )
    refused: ClassVar[Answer] = Answer(
        400,
        {
            "code": 50035,
            "message": "Invalid Form Body",
            "errors": {"content": {"_errors": [{"code": "X", "message": "no"}]}},
        },
    )

    @pytest.fixture
    def network(self) -> Iterator[Network]:
        with DiscordServer() as server:
            yield Network(server.login(), server.posts, server)


class TestWebhookAndBot(TestWebhook):
    """The bot reads what the webhook has posted."""

    unauthorized: ClassVar[Answer] = Answer(
        401, {"message": "Invalid Webhook Token", "code": 50027}
    )
    rate_limited: ClassVar[Answer] = Answer(429, b"<html>Slow down", {"Retry-After": "7"})
    refused: ClassVar[Answer] = Answer(403, b"<html>No")

    @pytest.fixture
    def network(self) -> Iterator[Network]:
        with DiscordServer() as server:
            yield Network(server.login_that_reads(), server.posts, server)


class TestBot(TestWebhook):
    """The bot posts itself, with a nonce."""

    replies = True
    unauthorized: ClassVar[Answer] = Answer(401, {"message": "401: Unauthorized", "code": 0})

    @pytest.fixture
    def network(self) -> Iterator[Network]:
        with DiscordServer() as server:
            yield Network(server.login_of_bot(), server.posts, server)
