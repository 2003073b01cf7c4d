"""Whoever is told: takes webhooks, heartbeats and what Apprise posts, and remembers it.

Signatures are verified by the library of the convention's authors, and not by ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import pytest

from postsched.testing.loopback import Loopback
from postsched.testing.network import Seen
from postsched.testing.wire import Answer, Request

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Receiver(Loopback):
    """Answers 200 to all that comes; /answer/NNN answers that, /away redirects to itself."""

    publishing: ClassVar[tuple[str, str]] = ("POST", ".*")

    def answer(self, request: Request) -> Answer:
        first, _, rest = request.path.strip("/").partition("/")
        if first == "answer":
            return Answer(int(rest), {})
        if first == "away":
            return Answer(307, None, {"Location": f"{self.url}/hook"})
        self.ledger.append({"path": request.path, "body": request.body.decode()})
        return Answer(200, {})

    def posts(self) -> list[Seen]:
        return []

    def at(self, path: str) -> list[Request]:
        """What came to a path."""
        return [one for one in self.requests if one.path == path]


def verified(requests: Sequence[Request], secret: str = SECRET) -> list[Any]:
    """The bodies of webhooks, each with a signature that holds."""
    library = pytest.importorskip("standardwebhooks", reason="standardwebhooks is not installed")
    return [library.Webhook(secret).verify(one.body, dict(one.headers)) for one in requests]
