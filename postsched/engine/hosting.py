"""Files in public, for networks that fetch media from an address: put at the media host while a
step is prepared.

The order of effects: an object's name is on record before anything is sent, and stays there until
the object surely is gone (`removal`). A step that is prepared again uses what is there.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import Connection

from postsched.domain.errors import PostschedError
from postsched.domain.hosting import ENTRY, MediaHost
from postsched.domain.outcome import ErrorKind, Problem, Retry
from postsched.domain.secret import Secret
from postsched.engine.clock import Clock
from postsched.engine.uploads import Uploads, size_of
from postsched.hosting import Host, HostError, host_of, new_name, without_signatures
from postsched.platforms.base import Attachment, PlatformError
from postsched.store import hosted
from postsched.store.database import Database
from postsched.store.hosted import Hosted
from postsched.store.queue import Work
from postsched.transport import SLOWEST_UPLOAD

if TYPE_CHECKING:
    import httpx

    from postsched.config import Settings
    from postsched.secrets import Secrets
    from postsched.transport import Leaving, Transport

T = TypeVar("T")
BUSY = timedelta(minutes=15)
"""How long an object counts as being stored, the time for a slow line not counted: longer than a
preparation may take."""
SPARE = timedelta(days=1)
"""How much longer an address is good than it is needed for: as long as containers live."""


UNTIL_SET = 300.0
"""Seconds until it is looked again whether a media host is set."""


class NotSet(HostError):
    """No media host is set, or its secret is not there: a person has to put that right."""

    def wait(self) -> Retry:
        """What becomes of the post: it is as it was, and uses up no try."""
        problem = Problem(ErrorKind.TRANSIENT, self.message, hint=self.hint)
        return Retry(problem, after=UNTIL_SET, counts=False)


class Hosting:
    """The media host of this process, if one is set."""

    def __init__(
        self,
        settings: Settings,
        secrets: Secrets,
        database: Database,
        transport: Transport,
        clock: Clock,
        uploads: Uploads | None = None,
    ) -> None:
        self._settings = settings
        self._secrets = secrets
        self._database = database
        self._transport = transport
        self._clock = clock
        self._uploads = uploads or Uploads()
        self._secret: Secret | None = None
        self.in_use = False
        """Whether this process has put anything there that may have to be removed."""

    @property
    def place(self) -> MediaHost | None:
        """Where files are put, None where nothing is set."""
        return self._settings.media_host

    async def in_public(self, work: Work, attachment: Attachment) -> Attachment:
        """The attachment with a public address instead of its file.

        Raises PlatformError where it can't be put there, NotSet where that is because no host is
        set any more; nothing of the post is sent by then.
        """
        if attachment.file is None:
            return attachment
        if self.place is None:
            raise NotSet(
                ErrorKind.TRANSIENT,
                f"{attachment.media.path or 'a file'} has to be put in public for this network, "
                "and no media host is set",
                "Name a place to put files under [media_host]; the post waits for it",
            )
        try:
            url = await self._put(work, attachment, attachment.file)
        except NotSet:
            raise
        except HostError as error:
            raise PlatformError(
                error.kind, error.message, http_status=error.http_status, hint=error.hint,
                after=error.after,
            ) from None  # fmt: skip
        except PostschedError as error:
            raise PlatformError(ErrorKind.TRANSIENT, error.message, hint=error.hint) from None
        return replace(attachment, media=replace(attachment.media, url=url), file=None)

    async def host(self) -> Host:
        """The host with its secret. Raises HostError, SecretUnavailable and InvalidInput."""
        return await asyncio.to_thread(self._host)

    def client(
        self, host: Host, leaving: Leaving | None = None
    ) -> AbstractContextManager[httpx.AsyncClient]:
        """A client to ask the host by, lent. Its own address may be an internal one."""
        return self._transport.client(ENTRY, host.place.url, leaving=leaving)

    async def write(self, action: Callable[[Connection], T]) -> T:
        """Do something in a transaction, off the event loop. Raises StoreUnavailable."""

        def act() -> T:
            with self._database.write() as connection:
                return action(connection)

        return await asyncio.to_thread(act)

    async def read(self, look: Callable[[Connection], T]) -> T:
        """Read something, as `write` does."""

        def act() -> T:
            with self._database.read() as connection:
                return look(connection)

        return await asyncio.to_thread(act)

    def now(self) -> datetime:
        """The instant, UTC."""
        return self._clock.now()

    def scrub(self, problem: Problem) -> Problem:
        """A problem without the host's secret and signatures, in case a network repeats an
        address."""
        hint = None if problem.hint is None else self._scrubbed(problem.hint)
        return replace(problem, message=self._scrubbed(problem.message), hint=hint)

    def _scrubbed(self, words: str) -> str:
        if self.place is not None:
            words = without_signatures(words, self.place)
        return words if self._secret is None else self._secret.scrub(words)

    async def _put(self, work: Work, attachment: Attachment, file: Path) -> str:
        host = await self.host()
        digest = await asyncio.to_thread(_digest, file)
        now, place, new = self.now(), host.place.place, new_name(attachment.media.type)
        until = now + _longest(attachment)
        self.in_use = True
        known = await self.write(
            lambda c: hosted.take(c, work.delivery.id, digest, place, new, now, until)
        )
        with self.client(host, self._uploads.under_way(work.delivery.id)) as http:
            if known.stored_at is None or not await host.has(http, known.name):
                await self._store(http, host, known, attachment, file)
        return await asyncio.to_thread(host.address, known.name)

    async def _store(
        self, http: httpx.AsyncClient, host: Host, known: Hosted, attachment: Attachment, file: Path
    ) -> None:
        """Store an object that is on record, and note that it is there, or that it is not."""
        if known.stored_at is not None and not await self.write(
            lambda c: hosted.begin(c, known, self.now() + _longest(attachment))
        ):
            raise _taken(host)
        try:
            await host.put(http, known.name, file, attachment.media.type)
        except BaseException as error:
            refused = isinstance(error, HostError) and not error.stored
            first = known.busy_until == known.made_at + _longest(attachment)
            maybe = not (refused and first)
            await self.write(lambda c: hosted.not_stored(c, known, maybe=maybe))
            raise
        if not await self.write(lambda c: hosted.stored(c, known, self.now())):
            raise _taken(host)

    def _host(self) -> Host:
        place = self.place
        if place is None:
            raise NotSet(ErrorKind.PERMANENT, "[media_host] is not set any more", "Set it again")
        secret = self._secrets.read(ENTRY)
        if secret is None:
            raise NotSet(
                ErrorKind.PERMANENT,
                f"there is no secret for the media host {place.name}",
                "Give it: postsched media-host set --secret-stdin",
            )
        self._secret = secret
        return host_of(place, secret, _needed(self._settings))


def _longest(attachment: Attachment) -> timedelta:
    """How long storing it may take."""
    return BUSY + timedelta(seconds=size_of([attachment.media]) / SLOWEST_UPLOAD)


def _needed(settings: Settings) -> timedelta:
    """For how long an address must be good: from preparing to the last try, and a day."""
    tries = settings.attempts * settings.retry_delay
    return SPARE + settings.prepare_ahead + settings.claim_timeout + tries


def _taken(host: Host) -> HostError:
    return HostError(
        ErrorKind.TRANSIENT, f"the object at the media host {host.place.name} is being removed"
    )


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
