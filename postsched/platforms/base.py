"""The contract between the engine and a network.

A platform is one class in one file, entered under `postsched.platforms` in the entry points of
its package. It takes its base URL from the account, keeps no state, reads no configuration, clock
or keyring, never retries and never logs. It writes the happy path: httpx's errors pass through,
the network's own refusals are raised as PlatformError, mostly by `judging.raise_for_answer`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from postsched.domain.capabilities import Capabilities
from postsched.domain.delivery import Role
from postsched.domain.outcome import (
    ErrorKind,
    Limit,
    Problem,
    Published,
)
from postsched.domain.post import Media, Visibility
from postsched.domain.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from postsched.platforms.oauth import Client, OAuth
    from postsched.platforms.wording import Wording


@dataclass(frozen=True, slots=True)
class Service:
    """What is set for a platform, for all its accounts (`[platforms.NAME]`), and the secret of the
    app by which people log in; None where the adapter's own value is to be used."""

    authorize_url: str | None = None
    token_url: str | None = None
    client_id: str | None = None
    client_secret: Secret | None = None
    api_version: str | None = None


@dataclass(frozen=True, slots=True)
class Login:
    """An account with its secret, as an adapter gets it. `url` has no slash at the end and is the
    platform's default where the account has none."""

    account: str
    url: str
    secret: Secret | None
    user: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    service: Service = field(default_factory=Service)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A media file of a message: what is known of it, and where its bytes are (None: by URL)."""

    media: Media
    file: Path | None = None

    def read(self) -> bytes:
        """The bytes of the file."""
        if self.file is None:
            raise PlatformError(ErrorKind.INVALID, "this network can't take media by URL")
        return self.file.read_bytes()


@dataclass(frozen=True, slots=True)
class Message:
    """One step as the account gets it: a part of the thread (`n` from 1) or the first comment.

    `key` is the step's key, 64 hex digits, the same at every attempt. `occurrence` is what the
    schedule named, `now` the time of preparing; both UTC. `root` and `parent` are as in Prepared;
    only with the capability `prepares_in_turn` they are surely there.
    """

    role: Role
    n: int
    text: str
    key: str
    occurrence: datetime
    now: datetime
    attachments: tuple[Attachment, ...] = ()
    link: str | None = None
    title: str | None = None
    visibility: Visibility | None = None
    warning: str | None = None
    lang: str | None = None
    tags: tuple[str, ...] = ()
    root: Published | None = None
    parent: Published | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """What `prepare` returned (`data`, plain JSON, saved before the next step), and the parts that
    are out already: the first of the thread and the one before this. For a comment both are the
    first part and the last.

    `now` is the time of the call (UTC). `since` is set where the step's answer was lost and the
    same is sent again: when it may first have been sent (UTC). Where it is None, surely nothing of
    this step is out. Then `others` are the ids of the account's other posts since a day before, and
    `removed` says whether an equal post of the account was deleted in the two days before. With
    `anew`, `data` may have been made anew since: that the network does not have what it names (an
    upload, a container) then proves nothing.
    """

    data: Mapping[str, Any]
    role: Role = Role.PART
    n: int = 1
    root: Published | None = None
    parent: Published | None = None
    now: datetime | None = None
    since: datetime | None = None
    others: frozenset[str] = frozenset()
    removed: bool = False
    anew: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """`find` could not tell. `after` is when to ask again, in seconds, if the network said so;
    `final`: asking again is of no use, so a person decides."""

    reason: str
    after: float | None = None
    final: bool = False


@dataclass(frozen=True, slots=True)
class Renewal:
    """A new secret for an account, and when it expires (UTC, None: never, or not known): when a
    person must log in again, not when the next renewal is. `lacking` are scopes that were asked
    for and not granted."""

    secret: Secret
    expires_at: datetime | None = None
    lacking: tuple[str, ...] = ()


class PlatformError(Exception):
    """A network refused something, in words for the user; never contains a secret.

    `after` and `until` are when it may be tried again (seconds; UTC). `sent` says whether the post
    may be out all the same: for a 5xx answer or a duplicate refusal. `prepare_again`: it surely is
    not, and what was prepared is of no use any more (the server has dropped an upload). `hold`:
    nothing can be sent for the account until a person has put something right, and a fresh secret
    alone is no help (no credits left, a permission that is missing). `limits` are the numbers that
    go with a rate limit; one that is a quota, too, has its name (`Quota.name`).
    """

    def __init__(
        self,
        kind: ErrorKind,
        message: str,
        *,
        http_status: int | None = None,
        hint: str | None = None,
        after: float | None = None,
        until: datetime | None = None,
        sent: bool = False,
        prepare_again: bool = False,
        hold: bool = False,
        limits: tuple[Limit, ...] = (),
    ) -> None:
        super().__init__(message)
        status = http_status if isinstance(http_status, int) else None
        self.problem = Problem(ErrorKind(kind), message, status, hint)
        self.after = after if isinstance(after, int | float) else None
        self.until = until if isinstance(until, datetime) and until.tzinfo else None
        self.sent = sent
        self.prepare_again = prepare_again
        self.hold = hold
        self.limits = limits

    def __str__(self) -> str:
        return self.problem.message


class Platform(ABC):
    """One network. `name` is what accounts name; `url` the service's own address, None where each
    account must name its server."""

    name: ClassVar[str]
    title: ClassVar[str]
    url: ClassVar[str | None] = None
    needs_secret: ClassVar[bool] = True
    login_hint: ClassVar[str] = "an access token"
    """What the secret is and where one gets it, for the prompt and for errors."""
    settings: ClassVar[Mapping[str, str]] = {}
    """Keys for `account add --set`, and what each means."""
    secret_settings: ClassVar[frozenset[str]] = frozenset()
    """Keys that are refused in `--set` because they belong to the secret."""
    usual_facts: ClassVar[Mapping[str, Any]] = {}
    """The facts of a usual account, for showing what the platform can do."""
    needs_user: ClassVar[str | None] = None
    """What `--user` must say, where the secret alone doesn't name the login."""

    @abstractmethod
    async def inspect(self, login: Login, http: httpx.AsyncClient) -> dict[str, Any]:
        """Ask the server who this is and what it allows: the account's facts, plain JSON.

        `facts["user"]` is the login as people write it; `facts["token_expires_at"]` (RFC 3339) is
        when a person must log in again, where the server says it. Raises PlatformError(AUTH) if
        the secret is refused, httpx errors if the server can't be reached.
        """

    def stated(self, settings: Mapping[str, str]) -> dict[str, Any]:
        """The facts that a person states by settings, because no server tells them. Raises
        PlatformError(INVALID) for a setting that can't be."""
        return {}

    @abstractmethod
    def capabilities(self, facts: Mapping[str, Any]) -> Capabilities:
        """What the account can do; with empty facts, the weaker limits and guarantee."""

    def wording(self, message: Message, facts: Mapping[str, Any]) -> Wording:
        """How the step's text reads, for `preview`; asks nobody. It is what `prepare` sends: an
        adapter that words its text by a function of its own calls that here and there."""
        from postsched.platforms.wording import usual  # what only `preview` needs

        return usual(message, self.capabilities(facts))

    @abstractmethod
    async def prepare(
        self, message: Message, login: Login, http: httpx.AsyncClient
    ) -> dict[str, Any]:
        """Everything before the post becomes visible: uploads, containers, the frozen record.

        Repeatable and invisible; the answer is plain JSON and is saved before `publish`. What it
        returns for equal messages is used again, not made again. Under `notes` it may say what
        the post goes out without all the same (a card's picture), a list of sentences: they are
        logged when it is out, and stand in the record of the attempt.
        """

    @abstractmethod
    async def publish(
        self, prepared: Prepared, key: str, login: Login, http: httpx.AsyncClient
    ) -> Published:
        """The one call that makes the step visible."""

    @abstractmethod
    async def find(
        self,
        prepared: Prepared,
        key: str,
        login: Login,
        http: httpx.AsyncClient,
        since: datetime,
    ) -> Published | Unknown | None:
        """Ask whether the step is out. `since` is when it may first have been sent (UTC)."""

    async def delete(self, published: Published, login: Login, http: httpx.AsyncClient) -> None:
        """Remove one part; one that is gone already is no error."""
        raise PlatformError(ErrorKind.PERMANENT, f"{self.title} posts can't be deleted from here")

    def oauth(self, login: Login) -> OAuth | None:
        """How one logs in in the browser (`account login`), None where one doesn't. Addresses come
        from `login.service` where they are set, else from `login.url`, so that an account with an
        address of its own is logged in there; the secret may be missing."""
        return None

    async def register(
        self, login: Login, http: httpx.AsyncClient, redirect_uri: str
    ) -> Client | None:
        """Have the server make an app for logging in by `redirect_uri`; None where only a person
        can."""
        return None

    def stale(self, login: Login, now: datetime) -> bool:
        """Whether the secret at hand must be renewed before it is used; asks nobody."""
        return False

    async def refresh(
        self, login: Login, http: httpx.AsyncClient, now: datetime, *, refused: bool
    ) -> Renewal | None:
        """A fresh secret where the one at hand is stale (`refused`: the network said so), or None
        if there is nothing to renew. Raises PlatformError(AUTH) if only a person can help."""
        return None
