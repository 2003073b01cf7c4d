"""What is told of webhooks and callbacks."""

from __future__ import annotations

from typing import Literal

from postsched.web.schemas.base import Given, Instant, Told
from postsched.web.schemas.posts import Short
from postsched.web.schemas.views import Next


class Webhook(Told):
    """What was to be told, and how that stands. Of its address only the server is shown."""

    id: int
    webhook_id: str
    kind: Literal["webhook", "callback"]
    event: str
    at: Instant
    account: str
    post_id: int | None
    url: str | None
    state: Literal["waiting", "sending", "retrying", "delivered", "failed"]
    attempts: int
    next_attempt_at: Instant | None
    answer: int | None
    error: str | None
    finished_at: Instant | None


class Webhooks(Told):
    """A page of webhooks, the newest first."""

    items: list[Webhook]
    next: Next


class Trial(Given):
    """Where a test message goes: to that address, or the one of the settings."""

    url: Short | None = None


class Tried(Told):
    """What the receiver of a test message answered, and the beginning of what it said."""

    webhook_id: str
    state: Literal["ok", "failed"]
    answer: int | None
    said: str | None
    duration_ms: float
    error: str | None
