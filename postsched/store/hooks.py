"""Webhooks and callbacks for people to look at and to send again: rows of the outbox, see there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from postsched.domain.hook import HOOKS, Hook, HookState
from postsched.domain.notice import Event, Way
from postsched.store.outbox_tables import notifications
from postsched.store.tables import posts

row = notifications.c
OURS = row.way.in_([way.value for way in HOOKS])


def newest(
    connection: Connection, limit: int, before: int | None = None, *, failed: bool = False
) -> list[Hook]:
    """Up to so many webhooks, the newest first; those before that id. `failed`: only those that
    were not taken at their last try."""
    query = select(notifications).where(OURS).order_by(row.id.desc()).limit(limit)
    if before is not None:
        query = query.where(row.id < before)
    if failed:
        query = query.where(row.problem.is_not(None))
    return [hook_of(one) for one in connection.execute(query)]


def by_ids(connection: Connection, ids: Sequence[int]) -> dict[int, Hook]:
    """The webhooks of those ids that exist."""
    query = select(notifications).where(OURS, row.id.in_(ids))
    return {one.id: hook_of(one) for one in connection.execute(query)}


def reopen(connection: Connection, ids: Sequence[int], now: datetime) -> None:
    """Have webhooks sent again, under the same uid, as if they had never been."""
    connection.execute(
        update(notifications)
        .where(OURS, row.id.in_(ids), row.claim.is_(None))
        .values(next_at=now, first_at=None, attempts=0, problem=None, answer=None, finished_at=None)
    )


def has_callbacks(connection: Connection) -> bool:
    """Whether a post has a callback."""
    query = select(posts.c.id).where(posts.c.callback.is_not(None)).limit(1)
    return connection.scalar(query) is not None


def hook_of(found: Row[Any]) -> Hook:
    """One from a row of the table."""
    return Hook(
        id=found.id,
        uid=found.uid,
        way=Way(found.way),
        event=Event(found.event),
        at=found.at,
        account=found.account,
        post_id=found.post_id,
        url=found.url,
        state=_state(found),
        attempts=found.attempts,
        next_at=found.next_at,
        answer=found.answer,
        problem=found.problem,
        finished_at=found.finished_at,
    )


def _state(found: Row[Any]) -> HookState:
    if found.next_at is None:
        return HookState.FAILED if found.problem is not None else HookState.DELIVERED
    if found.claim is not None:
        return HookState.SENDING
    return HookState.RETRYING if found.attempts else HookState.WAITING
