"""What the engine does with a platform, in little: one step after the other, errors judged.

Each step runs on a new object of the platform, as after a crash between any two of them, and what
`prepare` returns goes through JSON, as it does through the database.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from postsched.domain.delivery import Role
from postsched.domain.outcome import Lost, Published, Sent
from postsched.platforms.base import Attachment, Login, Message, Platform, Prepared, Unknown
from postsched.platforms.judging import classify

if TYPE_CHECKING:
    import httpx


def key_of(word: str) -> str:
    """A step's key, 64 hex digits, made from a word."""
    return sha256(word.encode()).hexdigest()


def message(
    text: str,
    *,
    key: str = "first",
    role: Role = Role.PART,
    n: int = 1,
    attachments: tuple[Attachment, ...] = (),
    **more: Any,
) -> Message:
    """A step as the engine hands it over, its key made from the word `key`; due this second."""
    now = datetime.now(UTC)
    occurrence = now.replace(microsecond=0)
    return Message(role, n, text, key_of(key), occurrence, now, attachments, **more)


class Sender:
    """A platform, a login and a client, and the engine's verbs over them."""

    def __init__(self, platform: type[Platform], login: Login, http: httpx.AsyncClient) -> None:
        self._platform = platform
        self.login = login
        self.http = http
        self._sent: dict[str, datetime] = {}

    @property
    def platform(self) -> Platform:
        """A new object of the platform."""
        return self._platform()

    async def inspect(self) -> Mapping[str, Any]:
        """Read the account's facts, and use them from now on."""
        facts = await self.platform.inspect(self.login, self.http)
        self.login = replace(self.login, facts=through_json(facts))
        return self.login.facts

    async def prepare(
        self, message: Message, root: Published | None = None, parent: Published | None = None
    ) -> Prepared:
        """Prepare a step; what goes wrong is raised."""
        message = replace(message, root=root, parent=parent)
        made = await self.platform.prepare(message, self.login, self.http)
        return Prepared(through_json(made), message.role, message.n, root, parent)

    async def publish(self, prepared: Prepared, key: str, patience: float | None = None) -> Sent:
        """Publish a step; what goes wrong is judged as the engine does. A request may take
        `patience` seconds (None: what the client was made with). A step that may be out from
        before is sent as one whose answer was lost."""
        now = datetime.now(UTC)
        prepared = replace(prepared, now=now, since=self._sent.get(key))
        sent = await self._publish(prepared, key, patience)
        if isinstance(sent, Published | Lost):
            self._sent.setdefault(key, now)
        return sent

    async def _publish(self, prepared: Prepared, key: str, patience: float | None) -> Sent:
        before = self.http.timeout
        self.http.timeout = before if patience is None else patience
        try:
            return await self.platform.publish(prepared, key, self.login, self.http)
        except Exception as error:  # noqa: BLE001 - the one place where all of them are judged
            return classify(error, sending=True)
        finally:
            self.http.timeout = before

    async def send(
        self,
        message: Message,
        root: Published | None = None,
        parent: Published | None = None,
        patience: float | None = None,
    ) -> Sent:
        """Prepare and publish; what goes wrong is judged as the engine does."""
        try:
            prepared = await self.prepare(message, root, parent)
        except Exception as error:  # noqa: BLE001 - the one place where all of them are judged
            return classify(error, sending=False)
        return await self.publish(prepared, message.key, patience)

    async def find(
        self, prepared: Prepared, key: str, since: datetime | None = None
    ) -> Published | Unknown | None:
        """Ask whether a step is out that may first have been sent at `since` (a second ago)."""
        since = since or datetime.now(UTC) - timedelta(seconds=1)
        return await self.platform.find(prepared, key, self.login, self.http, since)

    async def thread(self, *messages: Message) -> list[Published]:
        """Publish parts, and a comment, in order, each knowing the first and the one before."""
        out: list[Published] = []
        for one in messages:
            root, parent = (out[0], out[-1]) if out else (None, None)
            sent = await self.send(one, root, parent)
            assert isinstance(sent, Published), f"part {one.n}: {sent!r}"
            out.append(sent)
        return out


def through_json(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document as it comes back from the database; asserts that it is plain JSON."""
    back: dict[str, Any] = json.loads(json.dumps(document))
    assert back == document, f"this is no plain JSON: {document!r}"
    return back
