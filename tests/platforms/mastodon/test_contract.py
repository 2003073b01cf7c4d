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


@pytest.mark.slow
class TestPleroma(MastodonContract):
    flavour = "pleroma"


@pytest.mark.slow
class TestPixelfed(MastodonContract):
    flavour = "pixelfed"
    needs_media = True
