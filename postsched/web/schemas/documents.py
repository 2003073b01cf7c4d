"""Posts and deliveries as they are given out: the JSON of the command line."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from postsched.web.schemas.base import Instant, Told

DeliveryStatus = Literal[
    "scheduled", "publishing", "confirming", "retrying", "published", "failed", "missed",
    "unconfirmed", "cancelled",
]  # fmt: skip
PostStatus = Literal[
    "draft", "scheduled", "publishing", "published", "partial", "failed", "cancelled"
]


class Medium(Told):
    """A picture or film; `path` is what its file was called, `type` and `bytes` are unknown of
    what only the network fetches."""

    path: str | None = None
    url: str | None = None
    alt: str | None
    type: str | None
    bytes: int | None


class Part(Told):
    """One part of a thread."""

    text: str
    media: list[Medium]


class Fault(Told):
    """Why an attempt failed."""

    kind: Literal[
        "auth", "rate_limit", "transient", "permanent", "duplicate", "invalid", "unconfirmed"
    ]
    message: str
    http_status: int | None
    hint: str | None


class SentPart(Told):
    """A part of a delivery, or its comment, and whether it is out."""

    n: int
    role: Literal["part", "comment"]
    status: DeliveryStatus | Literal["removed"]
    remote_id: str | None
    url: str | None


class Attempt(Told):
    """One try at a delivery, with its evidence."""

    n: int
    started_at: Instant
    finished_at: Instant
    action: str
    step: str
    outcome: str
    error: Fault | None
    evidence: str | None


class DeliveryWords(Told):
    """What a delivery says beside its number."""

    account: str
    platform: str
    occurrence: Instant
    due_at: Instant
    status: DeliveryStatus
    attempts: int
    next_attempt_at: Instant | None
    published_at: Instant | None
    lateness_ms: float | None
    remote_id: str | None
    url: str | None
    parts: list[SentPart]
    error: Fault | None
    text: str = ""


class Delivery(DeliveryWords):
    """One occurrence of a post to one account."""

    id: int
    post_id: int
    tries: list[Attempt] = Field(default_factory=list)


class PlannedDelivery(DeliveryWords):
    """One that would be planned."""

    id: None
    post_id: None


class Schedule(Told):
    """When a post goes out; `next` are the next ten instants."""

    kind: Literal["once", "daily", "weekly", "monthly", "yearly", "cron", "rrule", "slot"]
    at: Instant | None
    tz: str
    rule: str | None
    every: int = 1
    times: list[str]
    on: list[str]
    except_: Annotated[list[str], Field(alias="except")]
    from_: Annotated[str | None, Field(alias="from")]
    until: str | None
    count: int | None
    next: list[Instant]


class PostWords(Told):
    """What a post says beside its number and its deliveries."""

    status: PostStatus
    paused: bool
    text: str
    parts: list[Part]
    comment: str | None
    media: list[Medium]
    link: str | None
    title: str | None
    variants: dict[str, str]
    tags: list[str]
    visibility: Literal["public", "unlisted", "followers", "direct"] | None
    warning: str | None
    lang: str | None
    texts: list[str] = Field(default_factory=list)
    vars: dict[str, str] = Field(default_factory=dict)
    missed: Literal["ask", "skip", "late"]
    grace: str
    callback: str | None
    priority: int
    key: str | None
    accounts: list[str]
    created_at: Instant
    updated_at: Instant
    schedule: Schedule


class Post(PostWords):
    """A post with its schedule and deliveries."""

    id: int
    deliveries: list[Delivery]


class Unwritten(PostWords):
    """A post as it would be."""

    id: None
    deliveries: list[PlannedDelivery]


class Checked(Told):
    """What would come of a post: the post as it would be, or the id of the one that has its key
    already; and what to know of it."""

    post: Unwritten | None
    known: int | None
    notes: list[str]


class Health(Told):
    """Whether posts go out, and how many deliveries are where."""

    status: Literal["ok", "paused", "stopped"]
    waiting: int
    active: int
    completed: int
    failed: int
