"""Mastodon's contract, over a strict loopback server of each kind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest

from postsched.platforms.mastodon import Mastodon
from postsched.testing import Answer, HttpPlatformContract, MastodonServer, Network


class MastodonContract(HttpPlatformContract):
    """What all kinds of server have in common."""

    platform = Mastodon
    flavour: ClassVar[str]

    @pytest.fixture
    def network(self) -> Iterator[Network]:
        with MastodonServer(flavour=self.flavour) as server:
            yield Network(server.login(), server.posts, server)


class TestMastodon(MastodonContract):
    flavour = "mastodon"


class TestGoToSocial(MastodonContract):
    flavour = "gotosocial"
    refused = Answer(400, {"error": "Bad Request: status too long"})


class TestPleroma(MastodonContract):
    flavour = "pleroma"


class TestPixelfed(MastodonContract):
    flavour = "pixelfed"
    needs_media = True


class TestMastodonWithoutJsonErrors(MastodonContract):
    """A proxy in front of it answers with pages of its own."""

    flavour = "mastodon"
    unauthorized = Answer(401, b"<html>401</html>")
    rate_limited = Answer(429, b"<html>slow down</html>", {"Retry-After": "7"})
    refused = Answer(422, b"<html>The change you wanted was rejected.</html>")
