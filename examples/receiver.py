"""What an application does with callbacks and webhooks of postsched: it takes each once, and
nothing from anybody else. It needs Python alone:

    POSTSCHED_WEBHOOK_SECRET=whsec_… python receiver.py 8700

They are signed by the Standard Webhooks convention; there are libraries for most languages:
https://github.com/standard-webhooks/standard-webhooks
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

TOLERANCE = 300
"""Seconds that a message may be old: who recorded one can't send it later."""
LARGEST = 1_000_000


class Refused(Exception):
    """This is not from postsched, or not from now."""


class Inbox:
    """Verifies messages, and takes each once. `now` gives Unix time."""

    def __init__(self, secret: str, now: Callable[[], float] = time.time) -> None:
        self._key, self._now = base64.b64decode(secret.removeprefix("whsec_")), now
        self._taken: dict[str, float] = {}  # an application keeps them in its database

    def take(self, headers: Mapping[str, str], body: bytes) -> Any | None:
        """The message; None for one that was taken before: the answer to it was lost, so it came
        again. Raises Refused."""
        number = headers.get("webhook-id", "")
        self._verify(number, headers, body)
        if number in self._taken:
            return None
        message = json.loads(body)
        self._taken[number] = self._now()
        return message

    def _verify(self, number: str, headers: Mapping[str, str], body: bytes) -> None:
        sent = headers.get("webhook-timestamp", "")
        signed = b".".join((number.encode(), sent.encode(), body))
        good = "v1," + base64.b64encode(hmac.digest(self._key, signed, "sha256")).decode()
        shown = headers.get("webhook-signature", "").split()  # several while a secret changes
        if not number or not any(hmac.compare_digest(good, one) for one in shown if one.isascii()):
            raise Refused("the signature does not fit")
        if abs(self._now() - int(sent)) > TOLERANCE:
            raise Refused("it is too old, or the clocks differ")


class Answering(BaseHTTPRequestHandler):
    """Answers 204 to what was taken, now or before, and 401 to all else."""

    inbox: Inbox
    timeout = 10

    def do_POST(self) -> None:
        length = self.headers.get("content-length", "")
        if not length.isdecimal() or int(length) > LARGEST:
            self.send_error(413)
            return
        try:
            headers = {name.lower(): value for name, value in self.headers.items()}
            message = self.inbox.take(headers, self.rfile.read(int(length)))
        except Refused as error:
            self.send_error(401, str(error))
            return
        if message is not None:
            print(message["type"], message["data"], flush=True)  # noqa: T201 - what an application does
        self.send_response(204)
        self.end_headers()


if __name__ == "__main__":
    Answering.inbox = Inbox(os.environ["POSTSCHED_WEBHOOK_SECRET"])
    HTTPServer(("127.0.0.1", int(sys.argv[1])), Answering).serve_forever()
