"""Facebook keeps the contract, over a strict loopback server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest

from postsched.platforms.facebook import Facebook
from postsched.testing import Answer, HttpPlatformContract, Network
from postsched.testing.facebook import FacebookServer

ERROR = {"type": "OAuthException", "fbtrace_id": "A6Lx"}


class TestFacebook(HttpPlatformContract):
    """With tokens taken from the header, and a list that heeds `since`."""

    platform = Facebook
    options: ClassVar[dict[str, str]] = {}
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
        with FacebookServer(**self.options) as server:
            yield Network(server.login(), server.posts, server)


@pytest.mark.slow
class TestFacebookThatRefusesMore(TestFacebook):
    """With tokens taken only from the query, and a list that refuses `since`."""

    options: ClassVar[dict[str, str]] = {"bearer": "no", "since": "refused"}
