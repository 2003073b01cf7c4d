"""Matrix keeps the contract, over a strict server on loopback. Nearly all tests are inherited."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any, ClassVar
from urllib.parse import unquote

import pytest
from postsched_matrix import MARK, Matrix

from postsched.domain.secret import Secret
from postsched.platforms.base import Login, PlatformError
from postsched.testing import Answer, HttpPlatformContract, Loopback, Network, Request, Seen

TOKEN = "syt_bWU_AbCdEfGhIjKlMnOpQrSt_0aBcDe"  # noqa: S105 - of a server in tests
ROOM = "!AbCdEf:example.org"
ME = "@me:example.org"


class MatrixServer(Loopback):
    """As much of a homeserver as postsched needs; what the specification forbids is refused."""

    publishing: ClassVar[tuple[str, str]] = ("PUT", r"/_matrix/client/v3/rooms/[^/]+/send/.*")

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.done: dict[str, str] = {}
        """Transaction id -> event id."""

    def login(self) -> Login:
        """A login of somebody who is in the room."""
        return Login("me", self.url, Secret(TOKEN), ROOM)

    def posts(self) -> list[Seen]:
        """What is out."""
        return [
            Seen(event["event_id"], content["body"], parent_of(content), key=content[MARK])
            for event in self.ledger
            if (content := event["content"])
        ]

    def answer(self, request: Request) -> Answer:
        """What the server says."""
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return refusal(401, "M_UNKNOWN_TOKEN", "Unrecognised access token")
        path = unquote(request.path.removeprefix("/_matrix/client/v3/"))
        if (request.method, path) == ("GET", "account/whoami"):
            return Answer(200, {"user_id": ME, "device_id": "GHTYAJCE"})
        if (request.method, path) == ("GET", "joined_rooms"):
            return Answer(200, {"joined_rooms": [ROOM]})
        inside = path.removeprefix(f"rooms/{ROOM}/")
        if (request.method, inside) == ("GET", "messages"):
            return self._page(request)
        if request.method == "PUT" and (m := re.fullmatch(r"send/m\.room\.message/(\w+)", inside)):
            return self._send(m[1], request)
        if request.method == "PUT" and (m := re.fullmatch(r"redact/(\$\w+)/(\w+)", inside)):
            return self._redact(m[1])
        return refusal(404, "M_UNRECOGNIZED", f"Unrecognized request {request.method} {path}")

    def _send(self, transaction: str, request: Request) -> Answer:
        content = request.json
        if content.get("msgtype") != "m.text" or not isinstance(content.get("body"), str):
            return refusal(400, "M_BAD_JSON", "No body")
        if len(request.body) > 65_536 or len(content["body"]) > 16_000:
            return refusal(413, "M_TOO_LARGE", "event too large")
        if transaction not in self.done:
            self.done[transaction] = f"$event{len(self.ledger)}"
            now = time.time_ns() // 1_000_000
            self.ledger.append({"event_id": self.done[transaction], "sender": ME,
                                "origin_server_ts": now, "content": content})  # fmt: skip
        return Answer(200, {"event_id": self.done[transaction]})

    def _page(self, request: Request) -> Answer:
        """Two events at a time, newest first, so that pages are turned."""
        assert request.query["dir"] == "b"
        newest = [json.loads(json.dumps(event)) for event in reversed(self.ledger)]
        start = int(request.query.get("from", "0"))
        more = {"end": str(start + 2)} if start + 2 < len(newest) else {}
        return Answer(200, {"chunk": newest[start : start + 2], "start": str(start), **more})

    def _redact(self, event_id: str) -> Answer:
        for event in self.ledger:
            if event["event_id"] == event_id:
                event["content"] = {}  # the event stays, without what it said
        return Answer(200, {"event_id": "$redaction"})


def refusal(status: int, code: str, words: str) -> Answer:
    """An error as section "Standard error response" has it."""
    return Answer(status, {"errcode": code, "error": words})


def parent_of(content: dict[str, Any]) -> str | None:
    """What an event replies to."""
    relation: dict[str, Any] = content.get("m.relates_to", {}).get("m.in_reply_to", {})
    return relation.get("event_id")


class TestMatrix(HttpPlatformContract):
    """All that a platform must keep, with the answers of this one."""

    platform = Matrix
    unauthorized = refusal(401, "M_UNKNOWN_TOKEN", "Unrecognised access token")
    rate_limited = Answer(
        429, {"errcode": "M_LIMIT_EXCEEDED", "error": "Too Many Requests", "retry_after_ms": 7000}
    )
    refused = refusal(403, "M_FORBIDDEN", "You don't have permission to post to the room")

    @pytest.fixture
    def network(self) -> Iterator[Network]:
        with MatrixServer() as server:
            yield Network(server.login(), server.posts, server)

    def test_a_room_one_is_not_in(self, network: Network) -> None:
        """The only test of our own."""
        login = Login("me", network.login.url, network.login.secret, "!other:example.org")
        with pytest.raises(PlatformError, match="is not in the room"):
            self.play(network, lambda sender: sender.inspect(), login=login, inspect=False)
