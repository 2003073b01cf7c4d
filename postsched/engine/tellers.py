"""One try in each way that is set: the settings and secrets, handed to the modules of `notify`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from postsched.domain.errors import InvalidInput, SecretUnavailable
from postsched.domain.notice import ENTRY, Message, Told, Way, ways_of
from postsched.login.apart import apart
from postsched.notify import command, heartbeat, targets, webhook

if TYPE_CHECKING:
    from postsched.config import Settings
    from postsched.secrets import Secrets
    from postsched.transport import Transport

LONGEST_REQUEST = 15.0
"""Seconds that a webhook or a heartbeat gets; less where `timeout` is less."""
KEYRING = 30.0
"""Seconds the keyring is waited for."""
FRESH = timedelta(minutes=1)
"""How long the webhook's secret is used before it is read again."""
MARGIN = 15.0


@dataclass(slots=True)
class Tellers:
    """Tells in every way that is set. `environ` is that of the programs that are started, without
    secrets of ours; `transport` keeps off internal addresses."""

    settings: Settings
    secrets: Secrets
    environ: Mapping[str, str]
    transport: Transport
    now: Callable[[], datetime]
    _key: tuple[datetime, bytes] | None = None

    @property
    def ways(self) -> tuple[Way, ...]:
        """The ways that are set, and that of the posts which name an address themselves."""
        return (*ways_of(self.settings.notify, self.settings.webhook), Way.CALLBACK)

    def longest(self, way: Way) -> timedelta:
        """What one try can take at the most."""
        seconds = {
            Way.WEBHOOK: 2 * request_seconds(self.settings) + KEYRING,
            Way.CALLBACK: 2 * request_seconds(self.settings) + KEYRING,
            Way.COMMAND: command.PATIENCE,
            Way.TARGETS: targets.LONGEST,
        }
        return timedelta(seconds=seconds[way] + MARGIN)

    async def tell(self, way: Way, message: Message) -> Told:
        """One try."""
        if way is Way.COMMAND:
            return await command.tell(self.settings.notify.command, message, self.environ)
        if way is Way.TARGETS:
            return await targets.tell(self.settings.notify.targets, message, self.environ)
        return await self.post(
            message, self.settings.webhook.url if way is Way.WEBHOOK else message.url
        )

    async def post(self, message: Message, url: str | None) -> Told:
        """One try at an address, signed."""
        if url is None:
            return Told("there is no address to call", final=True)
        try:
            key = await self._signing_key()
        except (SecretUnavailable, InvalidInput) as error:
            return Told(str(error), here=True)
        with self.transport.client("webhook") as http:
            return await webhook.tell(url, key, message, self.now(), http)

    async def _signing_key(self) -> bytes:
        """The bytes that webhooks are signed with. Raises SecretUnavailable, InvalidInput."""
        now = self.now()
        if self._key and abs(now - self._key[0]) < FRESH:
            return self._key[1]
        try:
            async with asyncio.timeout(KEYRING):
                secret = await apart(lambda: self.secrets.read(ENTRY), "webhook")
        except TimeoutError:
            raise SecretUnavailable("the keyring has not given the webhook's secret") from None
        if secret is None:
            raise SecretUnavailable(
                "the webhook has no secret to sign with", "Make one: postsched notify secret"
            )
        self._key = (now, webhook.key_of(secret))
        return self._key[1]

    async def beat(self) -> str | None:
        """One sign of life; what went wrong, None if nothing did or none is wanted."""
        url = self.settings.notify.heartbeat_url
        if url is None:
            return None
        with self.transport.client("heartbeat") as http:
            return await heartbeat.beat(url, http)


def request_seconds(settings: Settings) -> float:
    """Seconds for one request."""
    return min(settings.request_timeout, LONGEST_REQUEST)
