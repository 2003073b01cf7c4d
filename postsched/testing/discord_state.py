"""What a loopback Discord keeps: the messages of a channel, and the rules for taking them.

Knows nothing of HTTP but the status of its refusals (fact sheet, sections 3 to 6).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from postsched.domain.capabilities import Unit
from postsched.domain.counting import units

GUILD, CHANNEL = "81384788765712384", "41771983423143937"
WEBHOOK, BOT = "223704706495545344", "998159128374651"
EPOCH = 1_420_070_400_000
"""Milliseconds since the epoch at which Discord's ids begin."""
LIMIT = 2000
ALT_LIMIT = 1024
FILE_LIMIT = 10 * 1024 * 1024
NONCES = 180 * 10**9
"""How long a nonce is known, in nanoseconds."""


class Refusal(Exception):
    """Discord refuses a request."""

    def __init__(
        self, status: int, code: int | None, message: str, body: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(status)
        self.status = status
        self.body = body or {"code": code, "message": message}


def invalid(name: str, code: str, message: str) -> Refusal:
    """The refusal of a field."""
    errors = {name: {"_errors": [{"code": code, "message": message}]}}
    body = {"code": 50035, "message": "Invalid Form Body", "errors": errors}
    return Refusal(400, 50035, "", body)


@dataclass(slots=True)
class Message:
    """A message; `at` is nanoseconds since the epoch."""

    id: str
    at: int
    content: str = ""
    by_webhook: bool = False
    nonce: str | None = None
    reply_to: str | None = None
    thread: str | None = None
    attachments: list[dict[str, Any]] = field(default_factory=list)


class State:
    """The messages of the one channel, by id, oldest first."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self.messages: dict[str, Message] = {}
        self._clock = clock
        self._last = 0

    def known(self, nonce: str | None) -> Message | None:
        """The message of a nonce that is still remembered."""
        since = self._clock() - NONCES
        alike = [one for one in self.messages.values() if nonce and one.nonce == nonce]
        return next((one for one in alike if one.at > since), None)

    def create(
        self, message: Message, body: Mapping[str, Any], uploads: Mapping[int, tuple[str, bytes]]
    ) -> Message:
        """Take a message, or refuse it."""
        message.content = str(body.get("content") or "").strip()
        message.attachments = _attachments(body.get("attachments") or [], uploads)
        if not message.content and not uploads:
            raise Refusal(400, 50006, "Cannot send an empty message")
        if units(message.content, Unit.UTF16) > LIMIT:
            words = f"Must be {LIMIT} or fewer in length."
            raise invalid("content", "BASE_TYPE_MAX_LENGTH", words)
        return self.put(message)

    def put(self, message: Message) -> Message:
        """Keep a message, whoever wrote it."""
        number = max(self._last + 1, (message.at // 10**6 - EPOCH) << 22)
        self._last = max(self._last, number)
        message.id = str(number)
        self.messages[message.id] = message
        return message

    def page(self, query: Mapping[str, str]) -> list[Message]:
        """The messages right after an id, newest first."""
        limit = int(query.get("limit", "50"))
        if set(query) - {"limit", "after"} or not 1 <= limit <= 100:
            raise invalid("limit", "NUMBER_TYPE_MAX", "int value should be from 1 to 100.")
        rows = sorted(self.messages.values(), key=lambda message: int(message.id))
        if "after" not in query:
            return rows[-limit:][::-1]
        return [m for m in rows if int(m.id) > int(query["after"])][:limit][::-1]

    def delete(self, number: str) -> None:
        """Delete a message."""
        if self.messages.pop(number, None) is None:
            raise Refusal(404, 10008, "Unknown Message")


def _attachments(
    given: list[dict[str, Any]], uploads: Mapping[int, tuple[str, bytes]]
) -> list[dict[str, Any]]:
    if sorted(one["id"] for one in given) != sorted(uploads) or len(given) > 10:
        raise invalid("attachments", "TEST", "attachments and files are not the same, or too many")
    for one in given:
        name, content = uploads[one["id"]]
        if len(content) > FILE_LIMIT:
            raise Refusal(413, 40005, "Request entity too large")
        if name != one["filename"]:
            raise invalid("attachments", "TEST", "the file has another name")
        if len(one.get("description") or "") > ALT_LIMIT:
            raise invalid("attachments", "BASE_TYPE_MAX_LENGTH", "Must be 1024 or fewer in length.")
    return [{**one, "size": len(uploads[one["id"]][1]), "id": str(one["id"] + 1)} for one in given]
