"""LinkedIn keeps the contract, for a person and for an organization."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest

from postsched.platforms.linkedin import LinkedIn
from postsched.testing import Answer, HttpPlatformContract, Network
from postsched.testing.linkedin import LinkedInServer


class TestPerson(HttpPlatformContract):
    """Nothing can be looked up; the refusal of a duplicate tells what is out."""

    platform = LinkedIn
    unauthorized: ClassVar[Answer] = Answer(
        401,
        {
            "status": 401, "serviceErrorCode": 65602, "code": "EXPIRED_ACCESS_TOKEN",
            "message": "The token used in the request has expired",
        },
    )  # fmt: skip
    rate_limited: ClassVar[Answer] = Answer(
        429,
        {"status": 429, "code": "TOO_MANY_REQUESTS", "message": "Resource level throttle limit"},
        {"Retry-After": "7"},
    )
    refused: ClassVar[Answer] = Answer(
        422,
        {
            "status": 422,
            "message": "unrecognized field found but not allowed",
            "errorDetails": {"inputErrors": [{"code": "INVALID_VALUE_FOR_FIELD"}]},
        },
    )

    @pytest.fixture
    def network(self) -> Iterator[Network]:
        with LinkedInServer(reads_media=True) as server:
            yield Network(server.login(), server.posts, server)


class TestOrganization(TestPerson):
    """Its posts can be read."""

    @pytest.fixture
    def network(self) -> Iterator[Network]:
        with LinkedInServer(page=True) as server:
            yield Network(server.login(), server.posts, server)


@pytest.mark.slow
class TestPlainRefusals(TestPerson):
    """The same where a proxy in front speaks plain HTTP."""

    unauthorized: ClassVar[Answer] = Answer(401, b"<html>Unauthorized")
    rate_limited: ClassVar[Answer] = Answer(429, b"<html>Slow down", {"Retry-After": "7"})
    refused: ClassVar[Answer] = Answer(403, b"<html>No")
