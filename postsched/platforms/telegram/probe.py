"""Finding a message whose answer was lost, by forwarding (fact sheet, section 6).

Bots can't read a chat, but they can forward a message whose number they know. The messages of a
chat are numbered in order, so those around the last one known are forwarded to a private chat,
compared and deleted there. Where several fit, or one can't be seen, nothing is guessed.
"""

from __future__ import annotations

import contextlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from postsched.domain.outcome import ErrorKind, Published
from postsched.platforms.base import Login, PlatformError, Prepared, Unknown
from postsched.platforms.telegram.api import Api, chat_of
from postsched.platforms.telegram.messages import ID, ours, out

CLOCKS_DIFFER = timedelta(seconds=60)
"""Telegram's clock may be this much behind ours."""
GAP = 5
"""So many numbers in a row without a message are the end of the chat."""
FARTHEST = 50
"""Numbers that are looked at in each direction, at the most."""
MEDIA = ("photo", "video", "animation", "audio", "document")


@dataclass(frozen=True, slots=True)
class Copy:
    """A message as its forwarded copy shows it. `at` is when it was sent first, in seconds since
    the epoch; None for one that can't be forwarded, or that came from elsewhere itself."""

    text: str = ""
    has_media: bool = False
    at: int | None = None
    chat: Mapping[str, Any] | None = None


async def find(
    api: Api, login: Login, probe_chat: int, prepared: Prepared, since: datetime
) -> Published | Unknown | None:
    """The step among the messages around the last one known, None if it is surely not there."""
    before = max(ours(prepared.parent)[1]) if prepared.parent else None
    others = {int(one) for one in prepared.others if ID.fullmatch(one)}
    numbers = others | ({before} if before else set())
    if not numbers:
        return Unknown(
            "no message of the account is known from the day before, to look behind", final=True
        )
    floor = int((since - CLOCKS_DIFFER).timestamp())
    walk = _Walk(api, chat_of(login), probe_chat, floor)
    await walk.up(max(numbers))
    if before != max(numbers):
        await walk.down(max(numbers), before or 0)
    if walk.lost_sight:
        return Unknown("the chat has too many messages since to look at all of them", final=True)
    return _judged(walk.seen, others, prepared, floor, login)


class _Walk:
    """Looks at one number after the other; `seen` is what there is."""

    def __init__(self, api: Api, chat: int | str, probe_chat: int, floor: int) -> None:
        self._api = api
        self._chat = chat
        self._probe_chat = probe_chat
        self._floor = floor
        self.seen: dict[int, Copy] = {}
        self.lost_sight = False

    async def up(self, last: int) -> None:
        """From the message behind `last` to the end of the chat."""
        end = last
        number = last + 1
        while number <= end + GAP:
            if number > last + FARTHEST:
                self.lost_sight = True
                return
            if await self._look(number):
                end = number
            number += 1

    async def down(self, last: int, before: int) -> None:
        """From `last` to a message that is surely older than the step: `last` may be younger."""
        oldest = last + 1
        number = last
        while number > before and number >= oldest - GAP:
            if number <= last - FARTHEST:
                self.lost_sight = True
                return
            if copy := await self._look(number):
                oldest = number
                if copy.at is not None and copy.at < self._floor:
                    return
            number -= 1

    async def _look(self, number: int) -> Copy | None:
        """The message of that number; None if there is none."""
        fields = {
            "chat_id": self._probe_chat,
            "from_chat_id": self._chat,
            "message_id": number,
            "disable_notification": True,
        }
        try:
            answer = await self._api.call("forwardMessage", fields)
        except PlatformError as error:
            words = error.problem.message.lower()
            if error.problem.kind is not ErrorKind.INVALID or "message" not in words:
                raise
            if "not found" in words or "message_id_invalid" in words:
                return None
            if "can't be" in words or "protected" in words or "forwards_restricted" in words:
                self.seen[number] = Copy()
                return self.seen[number]
            raise
        copy = self.seen[number] = _copy(answer, number)
        await self._remove(answer["message_id"])
        return copy

    async def _remove(self, number: Any) -> None:
        with contextlib.suppress(PlatformError):  # a copy that stays is no harm
            fields = {"chat_id": self._probe_chat, "message_id": number}
            await self._api.call("deleteMessage", fields)


def _copy(answer: Any, number: int) -> Copy:
    if not isinstance(answer, dict) or not isinstance(answer.get("message_id"), int):
        raise PlatformError(ErrorKind.TRANSIENT, "Telegram's answer can't be read")
    origin = answer.get("forward_origin")
    origin = origin if isinstance(origin, dict) else {}
    chat, at = origin.get("chat"), origin.get("date")
    text = answer.get("text") or answer.get("caption")
    from_elsewhere = origin.get("message_id", number) != number
    return Copy(
        text if isinstance(text, str) else "",
        any(name in answer for name in MEDIA),
        at if isinstance(at, int) and not from_elsewhere else None,
        chat if isinstance(chat, dict) else None,
    )


def _judged(
    seen: Mapping[int, Copy], others: set[int], prepared: Prepared, floor: int, login: Login
) -> Published | Unknown | None:
    size = max(1, len(prepared.data["files"]))
    wanted = [_normal(str(prepared.data["text"]))] + [""] * (size - 1)

    def fits(number: int, text: str) -> bool:
        copy = seen.get(number)
        return (
            copy is not None
            and number not in others
            and copy.at is not None
            and copy.at >= floor
            and copy.has_media == bool(prepared.data["files"])
            and _normal(copy.text) == text
        )

    runs = [start for start in seen if all(fits(start + n, text) for n, text in enumerate(wanted))]
    if len(runs) > 1:
        return Unknown("the chat has several messages that could be it", final=True)
    if runs:
        chat = seen[runs[0]].chat or {}
        return out(list(range(runs[0], runs[0] + size)), chat, login.facts)
    if any(copy.at is None for copy in seen.values()):
        return Unknown("the chat has messages that can't be forwarded", final=True)
    return None


def _normal(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())
