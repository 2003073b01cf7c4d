"""What is told of webhooks and callbacks."""

from __future__ import annotations

from typing import Literal

from postsched.web.schemas.base import Instant, Told
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
