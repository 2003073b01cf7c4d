"""A webhook as people look at it: what was to be told, to whom, and how that stands.

One is a message to the webhook of the settings, or to the callback of a post. It is known for 30
days, and can be sent again meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from postsched.domain.notice import Event, Way

HOOKS = (Way.WEBHOOK, Way.CALLBACK)
"""The ways that are webhooks."""


class HookState(StrEnum):
    """How it stands with one."""

    WAITING = "waiting"
    SENDING = "sending"
    RETRYING = "retrying"
    DELIVERED = "delivered"
    FAILED = "failed"
    """Given up: nobody took it for a day, or it never will be."""


@dataclass(frozen=True, slots=True)
class Hook:
    """One webhook. `uid` is its `webhook-id`, the same at every try; `at` is when it happened;
    `attempts` are counted from when it was last sent again; `answer` is the status code of the last
    answer and `problem` why it was not taken. Times are UTC. `url` may hold a secret."""

    id: int
    uid: str
    way: Way
    event: Event
    at: datetime
    account: str
    post_id: int | None
    url: str | None = field(repr=False)
    state: HookState
    attempts: int
    next_at: datetime | None
    answer: int | None
    problem: str | None
    finished_at: datetime | None


def shown(url: str | None) -> str | None:
    """An address for everybody to see: which server it is. What follows may be a secret."""
    if url is None:
        return None
    parts = urlsplit(url)
    rest = "/…" if parts.path.strip("/") or parts.query else ""
    return f"{parts.scheme}://{parts.netloc}{rest}"
