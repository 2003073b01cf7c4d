"""X keeps the contract, over a strict loopback server, with a token and with the owner's keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

import pytest

from postsched.domain.secret import Secret
from postsched.platforms.x import X
from postsched.testing import Answer, HttpPlatformContract, Network
from postsched.testing.x import XServer
from postsched.testing.x_oauth import KEYS


class TestX(HttpPlatformContract):
    """With a token; its refusals as problems (RFC 9457)."""

    platform = X
    unauthorized: ClassVar[Answer] = Answer(
        401,
        {"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"},
    )
    rate_limited: ClassVar[Answer] = Answer(
        429, {"title": "Too Many Requests", "detail": "Too Many Requests"}, {"Retry-After": "7"}
    )
    refused: ClassVar[Answer] = Answer(
        403,
        {
            "title": "Forbidden",
            "detail": "You are not permitted to access this feature",
            "type": "about:blank",
            "status": 403,
        },
    )

    @pytest.fixture
    def network(self) -> Iterator[Network]:
        with XServer() as server:
            yield Network(server.login(), server.posts, server)


class TestKeys(TestX):
    """With OAuth 1.0a, and refusals in the older shape."""

    unauthorized: ClassVar[Answer] = Answer(
        401, {"errors": [{"code": 32, "message": "Could not authenticate you."}]}
    )
    rate_limited: ClassVar[Answer] = Answer(
        429, {"errors": [{"code": 88, "message": "Rate limit exceeded"}]}, {"Retry-After": "7"}
    )
    refused: ClassVar[Answer] = Answer(400, {"code": 3, "message": "Invalid Request"})

    @pytest.fixture
    def network(self) -> Iterator[Network]:
        with XServer() as server:
            login = replace(server.login(), secret=Secret(KEYS))
            yield Network(login, server.posts, server)


@pytest.mark.slow
class TestNewWords(TestX):
    """Where queries know only the vocabulary of the published document."""

    @pytest.fixture
    def network(self) -> Iterator[Network]:
        with XServer(words="post") as server:
            yield Network(server.login(), server.posts, server)
