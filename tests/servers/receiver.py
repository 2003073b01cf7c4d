"""Whoever is told: takes webhooks, heartbeats and what Apprise posts, and remembers it.

Signatures are verified by the library of the convention's authors, and not by ours.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from subprocess import DEVNULL
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


def killed_while_telling(receiver: Receiver, environ: Mapping[str, str]) -> None:
    """`publish-due`, killed (-9) once it has begun to tell the receiver, which hangs."""
    words = [sys.executable, "-m", "postsched", "publish-due"]
    process = subprocess.Popen(words, env=environ, stdout=DEVNULL, stderr=DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not receiver.at("/hook"):
            assert time.monotonic() < deadline, "nothing was told"
            time.sleep(0.01)
    finally:
        process.kill()
        process.wait(10)


def verified(requests: Sequence[Request], secret: str = SECRET) -> list[Any]:
    """The bodies of webhooks, each with a signature that holds."""
    library = pytest.importorskip("standardwebhooks", reason="standardwebhooks is not installed")
    return [library.Webhook(secret).verify(one.body, dict(one.headers)) for one in requests]
