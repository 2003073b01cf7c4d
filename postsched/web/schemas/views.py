"""What is told of accounts, slots, the queue, what is to come, and the state of it all."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from postsched.web.schemas.base import Instant, Told
from postsched.web.schemas.documents import Delivery, DeliveryStatus, Post

Next = Annotated[str | None, Field(description="The cursor of the next page, null on the last")]


class Posts(Told):
    """A page of posts, the newest first."""

    items: list[Post]
    next: Next


class Deliveries(Told):
    """A page of deliveries, the newest first."""

    items: list[Delivery]
    next: Next


class Account(Told):
    """A login on a network; its secret is nowhere here."""

    name: str
    platform: str
    url: str | None
    user: str | None
    state: Literal["unchecked", "ok", "login"]
    state_message: str | None
    paused: bool
    settings: dict[str, str]
    token_expires_at: Instant | None
    created_at: Instant
    checked_at: Instant | None


class Group(Told):
    """A name for several accounts."""

    name: str
    accounts: list[str]


class Slot(Told):
    """A weekly slot: a time on several days."""

    name: str
    group: bool
    days: list[str]
    time: str
    tz: str
    next: Instant | None


class Place(Told):
    """A slot to come and what sits in it; nothing, if it is free."""

    account: str
    at: Instant
    free: bool
    post_id: int | None
    delivery_id: int | None
    text: str | None
    status: DeliveryStatus | None
    due_at: Instant | None
    paused: bool | None


class Firing(Told):
    """Something that fires: a delivery, or what a series names beyond those there are."""

    due_at: Instant
    occurrence: Instant
    post_id: int
    account: str
    platform: str
    text: str
    number: int | None
    delivery_id: int | None
    status: DeliveryStatus
    paused: bool
    moved: bool
    own_text: bool
    change: Literal["skipped", "repeated"] | None
    published_at: Instant | None
    url: str | None


class CalendarDay(Told):
    """A local day."""

    date: str
    firings: list[Firing]


class Calendar(Told):
    """A month or a week."""

    from_: Annotated[Instant, Field(alias="from")]
    until: Instant
    tz: str
    days: list[CalendarDay]


class Finding(Told):
    """What is wrong with a post for an account, or done differently there."""

    field: str
    message: str


class LinkCard(Told):
    """The card of a link, and who makes it."""

    url: str
    by: str


class PreviewMedium(Told):
    """A medium as it would be sent."""

    path: str | None
    url: str | None
    alt: str | None
    type: str | None
    bytes: int | None
    width: int | None
    height: int | None
    verdict: Literal["as is", "fitted", "refused", "fetched"]
    message: str | None


class PreviewPart(Told):
    """A part as it would be sent; `length` and `limit` are in `unit`."""

    n: int
    text: str
    sent: str
    length: int
    limit: int | None
    unit: str
    bytes: int
    byte_limit: int | None
    over_at: int | None
    cuts: list[int]
    media: list[PreviewMedium]
    link_card: LinkCard | None


class AccountPreview(Told):
    """What one account would get."""

    account: str
    platform: str
    fits: bool
    parts: list[PreviewPart]
    comment: PreviewPart | None
    title: str | None
    warning: str | None
    visibility: str | None
    lang: str | None
    dropped: list[Finding]
    findings: list[Finding]


class Preview(Told):
    """What all accounts would get. `fits`: it would be taken."""

    fits: bool
    at: Instant | None
    error: str | None
    notes: list[str]
    accounts: list[AccountPreview]


class Upload(Told):
    """A file that was kept: `path` is its name in the media of posts. A `type` that is not known
    no network takes."""

    path: str
    type: str | None
    bytes: int
    width: int | None
    height: int | None
    sha256: str


class Held(Told):
    """Whether everything is held, and how many deliveries were missed by that."""

    paused: bool
    missed: int


class Daemon(Told):
    """The daemon that sends."""

    running: bool
    host: str | None
    pid: int | None
    since: Instant | None


class Worker(Told):
    """A process that sends."""

    host: str
    pid: int
    since: Instant
    seen_at: Instant | None
    silent: bool


class Left(Told):
    """What is left of a limit of a network."""

    name: str
    remaining: int
    limit: int | None
    reset: Instant | None


class AccountState(Told):
    """How an account is doing."""

    name: str
    platform: str
    state: Literal["unchecked", "ok", "login"]
    token_expires_at: Instant | None
    paused: bool
    held_until: Instant | None
    held_kind: str | None
    held_reason: str | None
    limits: list[Left]


class Service(Told):
    """A service that does not answer."""

    platform: str
    url: str | None
    reason: str | None
    next_try_at: Instant | None


class DatabaseSize(Told):
    """What the database takes, in bytes; null where a server does not tell."""

    size: int | None


class Status(Told):
    """The state at a glance: that of `postsched status`."""

    daemon: Daemon
    workers: list[Worker]
    database: DatabaseSize
    paused: bool
    counts: dict[DeliveryStatus, int]
    next_due_at: Instant | None
    oldest_due_s: float | None
    accounts: list[AccountState]
    services: list[Service]


class AccountFigures(Told):
    """What became of what was sent to an account; lateness from due to request, milliseconds."""

    account: str
    platform: str
    finished: int
    published: int
    failed: int
    missed: int
    unconfirmed: int
    cancelled: int
    lateness_mean_ms: float | None
    lateness_max_ms: float | None


class Stats(Told):
    """What became of what was finished since then."""

    since: Instant
    accounts: list[AccountFigures]
