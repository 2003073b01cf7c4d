"""Instagram keeps the contract, over a strict loopback server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest

from postsched.domain.post import Media
from postsched.platforms.base import Attachment
from postsched.platforms.instagram import Instagram
from postsched.testing import Answer, HttpPlatformContract, Network
from postsched.testing.instagram import InstagramServer

ERROR = {"type": "OAuthException", "fbtrace_id": "A6Lx"}


class TestInstagram(HttpPlatformContract):
    """By Instagram Login."""

    platform = Instagram
    needs_media = True
    unauthorized: ClassVar[Answer] = Answer(
        401, {"error": {**ERROR, "code": 190, "error_subcode": 463, "message": "Session expired"}}
    )
    rate_limited: ClassVar[Answer] = Answer(
        429, {"error": {**ERROR, "code": 4, "message": "Too many calls"}}, {"Retry-After": "7"}
    )
    refused: ClassVar[Answer] = Answer(
        400, {"error": {**ERROR, "code": 36000, "error_subcode": 2207004, "message": "Too large"}}
    )

    @pytest.fixture
    def network(self) -> Iterator[Network]:
        with InstagramServer() as server:
            yield Network(server.login(), server.posts, server)

    def attachment(self, alt: str | None = None, name: str = "square.png") -> Attachment:
        return Attachment(Media(None, f"https://media.example/{name[:-4]}.jpg", alt))
