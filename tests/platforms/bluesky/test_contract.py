"""Bluesky keeps the contract, with either way of refusing a token."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest

from postsched.platforms.bluesky import Bluesky
from postsched.testing import Answer, HttpPlatformContract, Network
from postsched.testing.bluesky import BlueskyServer


class TestBluesky(HttpPlatformContract):
    """Over the loopback server, which answers as the reference PDS does."""

    platform = Bluesky
    unauthorized: ClassVar[Answer] = Answer(
        400, {"error": "ExpiredToken", "message": "Token has expired"}
    )
    rate_limited: ClassVar[Answer] = Answer(
        429,
        {"error": "RateLimitExceeded", "message": "Rate Limit Exceeded"},
        {"Retry-After": "7", "RateLimit-Remaining": "0"},
    )
    refused: ClassVar[Answer] = Answer(
        400, {"error": "InvalidRequest", "message": "Invalid app.bsky.feed.post record: no"}
    )

    @pytest.fixture
    def network(self) -> Iterator[Network]:
        with BlueskyServer() as server:
            yield Network(server.login(), server.posts, server)


@pytest.mark.slow
class TestPlainRefusals(TestBluesky):
    """The same where a proxy in front speaks plain HTTP."""

    unauthorized: ClassVar[Answer] = Answer(401, b"<html>Unauthorized")
    rate_limited: ClassVar[Answer] = Answer(429, b"<html>Slow down", {"Retry-After": "7"})
    refused: ClassVar[Answer] = Answer(422, b"<html>No")
