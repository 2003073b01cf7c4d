"""Telegram keeps the contract, over a strict loopback server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest

from postsched.platforms.telegram import Telegram
from postsched.testing import Answer, HttpPlatformContract, Network
from postsched.testing.telegram import TelegramServer


class TestTelegram(HttpPlatformContract):
    """A public channel, with nothing to look it up by."""

    platform = Telegram
    uploads_ahead = False
    unauthorized: ClassVar[Answer] = Answer(
        401, {"ok": False, "error_code": 401, "description": "Unauthorized"}
    )
    rate_limited: ClassVar[Answer] = Answer(
        429,
        {
            "ok": False,
            "error_code": 429,
            "description": "Too Many Requests: retry after 7",
            "parameters": {"retry_after": 7},
        },
    )
    refused: ClassVar[Answer] = Answer(
        400, {"ok": False, "error_code": 400, "description": "Bad Request: can't parse entities"}
    )

    @pytest.fixture
    def network(self) -> Iterator[Network]:
        with TelegramServer() as server:
            yield Network(server.login(), server.posts, server)


class TestPrivateChannel(TestTelegram):
    """A channel without a name, and refusals in the plain words of a proxy."""

    unauthorized: ClassVar[Answer] = Answer(401, b"<html>Unauthorized")
    rate_limited: ClassVar[Answer] = Answer(429, b"<html>Slow down", {"Retry-After": "7"})
    refused: ClassVar[Answer] = Answer(403, b"<html>No")

    @pytest.fixture
    def network(self) -> Iterator[Network]:
        with TelegramServer(public="no") as server:
            yield Network(server.login(), server.posts, server)
