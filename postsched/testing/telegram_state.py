"""What a loopback Telegram keeps: chats, their numbered messages, and the rules for taking them.

Knows nothing of HTTP but the codes of its refusals (fact sheet, sections 3 to 6).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from postsched.domain.capabilities import Unit
from postsched.domain.counting import units

BOT = 110201543
CHANNEL = -1001234567890
CHANNEL_NAME = "mychannel"
PRIVATE = 987654321
LIMIT = 4096
CAPTION = 1024
SIGNATURES = {
    "photo": (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"),
    "animation": (b"GIF8",),
    "video": (b"\x00\x00\x00",),
    "audio": (b"ID3", b"\x00\x00\x00"),
    "document": (b"",),
}
"""How files of each kind begin."""
DELETABLE = 48 * 3600 * 10**9
"""How long a bot may delete what it has sent, in nanoseconds."""


class Refusal(Exception):
    """Telegram refuses a call."""

    def __init__(
        self, code: int, description: str, parameters: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(code)
        self.code = code
        self.description = description
        self.parameters = parameters or {}


@dataclass(frozen=True, slots=True)
class File:
    """A file of a message: its kind, and its bytes or its address."""

    kind: str
    content: bytes | None
    url: str | None

    @staticmethod
    def of(kind: str, place: Any, upload: bytes | None) -> File:
        """The file that a field names: an address, or a part of the form."""
        if upload is None and isinstance(place, str) and place.startswith("https://"):
            if "unreachable" in place:
                raise Refusal(400, "Bad Request: failed to get HTTP URL content")
            return File(kind, None, place)
        if upload is None:
            raise Refusal(400, f"Bad Request: there is no {kind} in the request")
        if not upload.startswith(SIGNATURES[kind]):
            raise Refusal(400, "Bad Request: wrong file identifier/HTTP URL specified")
        if len(upload) > (10_000_000 if kind == "photo" else 50_000_000):
            raise Refusal(413, "Request Entity Too Large")
        return File(kind, upload, None)


@dataclass(slots=True)
class Message:
    """A message; `at` is nanoseconds since the epoch, `group` the album it is of."""

    id: int
    at: int
    text: str
    file: File | None = None
    reply_to: int | None = None
    group: int | None = None
    service: bool = False


@dataclass(slots=True)
class Chat:
    """A chat and what is in it, by number."""

    id: int
    username: str | None = None
    last: int = 0
    messages: dict[int, Message] = field(default_factory=dict)

    def groups(self) -> list[list[Message]]:
        """The messages, oldest first, those of an album together."""
        groups: dict[tuple[str, int], list[Message]] = {}
        for one in self.messages.values():
            key = ("one", one.id) if one.group is None else ("album", one.group)
            groups.setdefault(key, []).append(one)
        return list(groups.values())


class State:
    """A channel, whose messages are numbered from 101, and a private chat with the bot."""

    def __init__(self, clock: Callable[[], int], username: str | None) -> None:
        self._clock = clock
        self._groups = 0
        self.channel = Chat(CHANNEL, username, 100)
        self.private = Chat(PRIVATE)

    def chat(self, given: Any) -> Chat:
        """The chat of that number or @name."""
        for chat in (self.channel, self.private):
            names = {str(chat.id), f"@{chat.username}" if chat.username else ""}
            if given and str(given) in names:
                return chat
        raise Refusal(400, "Bad Request: chat not found")

    def send(
        self,
        chat: Chat,
        text: str,
        file: File | None = None,
        reply_to: int | None = None,
        *,
        forwarded: bool = False,
        at: int | None = None,
        service: bool = False,
    ) -> Message:
        """Take a message, or refuse it."""
        text = text.strip()
        if units(text, Unit.UTF16) > (LIMIT if file is None else CAPTION) and not forwarded:
            words = "message is too long" if file is None else "message caption is too long"
            raise Refusal(400, f"Bad Request: {words}")
        chat.last += 1
        when = self._clock() if at is None else at
        message = Message(chat.last, when, text, file, reply_to, service=service)
        chat.messages[message.id] = message
        return message

    def album(
        self, chat: Chat, items: Any, uploads: Mapping[str, bytes], reply_to: int | None
    ) -> list[Message]:
        """Take an album, or refuse it."""
        if not isinstance(items, list) or not 2 <= len(items) <= 10:
            raise Refusal(400, "Bad Request: an album has 2 to 10 files")
        kinds = {item.get("type") for item in items}
        if not (kinds <= {"photo", "video"} or kinds in ({"document"}, {"audio"})):
            raise Refusal(400, "Bad Request: these files can't be in one album")
        if any(set(item) - {"type", "media", "caption"} for item in items):
            raise Refusal(400, "Bad Request: can't parse InputMedia")
        files = [_file(item, uploads) for item in items]
        self._groups += 1
        made = []
        for item, file in zip(items, files, strict=True):
            message = self.send(chat, item.get("caption", ""), file, reply_to)
            message.group = self._groups
            made.append(message)
        return made

    def delete(self, chat: Chat, number: int) -> None:
        """Delete a message."""
        message = chat.messages.get(number)
        if message is None:
            raise Refusal(400, "Bad Request: message to delete not found")
        if self._clock() - message.at > DELETABLE:
            raise Refusal(400, "Bad Request: message can't be deleted")
        del chat.messages[number]


def _file(item: Mapping[str, Any], uploads: Mapping[str, bytes]) -> File:
    place = str(item.get("media"))
    upload = uploads.get(place.removeprefix("attach://")) if place.startswith("attach://") else None
    return File.of(str(item.get("type")), place, upload)
