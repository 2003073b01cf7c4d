"""Finding posts and deliveries for people: lists, history, the state at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select

from postsched.domain.delivery import Attempt, Delivery, DeliveryStatus
from postsched.domain.post import Post, PostStatus, post_status
from postsched.domain.schedule import Schedule
from postsched.store import deliveries as delivery_rows
from postsched.store import posts as post_rows
from postsched.store.tables import deliveries, posts, targets

S = DeliveryStatus
UPCOMING = (S.SCHEDULED, S.RETRYING, S.CONFIRMING, S.PUBLISHING, S.UNCONFIRMED)


@dataclass(frozen=True, slots=True)
class Filed:
    """A post with its schedule and deliveries."""

    post: Post
    schedule: Schedule
    deliveries: tuple[Delivery, ...]

    @property
    def status(self) -> PostStatus:
        """The post's status."""
        return post_status(self.post.draft, [(d.occurrence, d.status) for d in self.deliveries])

    @property
    def instant(self) -> datetime:
        """What the post is sorted by: its first delivery still to come, else its newest, else when
        it was written."""
        coming = [d.next_at or d.occurrence for d in self.deliveries if d.status in UPCOMING]
        if coming:
            return min(coming)
        return max((d.occurrence for d in self.deliveries), default=self.post.created_at)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which posts or deliveries are wanted; instants are UTC and included."""

    status: Sequence[str] = ()
    accounts: Sequence[int] = ()
    since: datetime | None = None
    until: datetime | None = None
    tag: str | None = None
    search: str | None = None


def file_posts(connection: Connection, post_ids: Sequence[int]) -> list[Filed]:
    """The posts of those ids that exist, each with all that belongs to it, in that order."""
    found = post_rows.get(connection, post_ids)
    plans = post_rows.schedule_of(connection, post_ids)
    sent = delivery_rows.of_posts(connection, list(post_ids))
    return [
        Filed(found[post_id], plans[post_id], tuple(sent[post_id]))
        for post_id in post_ids
        if post_id in found
    ]


def attempts_of(connection: Connection, filed: Filed) -> dict[int, list[Attempt]]:
    """Every attempt at every delivery of a post."""
    return {d.id: delivery_rows.attempts_of(connection, d.id) for d in filed.deliveries}


def find_posts(connection: Connection, wanted: Filter, limit: int | None) -> list[Filed]:
    """Posts that fit, by the instant they are sorted by.

    With a limit: those still to come, soonest first, fill what the newest finished ones, a third
    of the limit at least where there are so many, leave free.
    """
    if limit is None:
        query = select(posts.c.id).where(*_conditions(wanted)).order_by(posts.c.id)
        ids = list(connection.scalars(query))
    else:
        coming = _coming(connection, wanted, limit)
        recent = _recent(connection, wanted, limit, set(coming))
        recent = recent[: max(limit // 3, limit - len(coming))]
        ids = coming[: limit - len(recent)] + recent
    filed = file_posts(connection, ids)
    if wanted.status:
        filed = [one for one in filed if _has_status(one, wanted.status)]
    return sorted(filed, key=lambda one: (one.instant, one.post.id))


def _coming(connection: Connection, wanted: Filter, limit: int) -> list[int]:
    first = func.min(deliveries.c.due_at)
    query = (
        select(posts.c.id)
        .join_from(posts, deliveries)
        .where(deliveries.c.status.in_([status.value for status in UPCOMING]))
        .where(*_conditions(wanted))
        .group_by(posts.c.id)
        .order_by(first)
        .limit(limit)
    )
    return list(connection.scalars(query))


def _recent(connection: Connection, wanted: Filter, limit: int, known: set[int]) -> list[int]:
    """Finished posts and drafts, newest first."""
    last = func.coalesce(func.max(deliveries.c.finished_at), posts.c.created_at)
    query = (
        select(posts.c.id)
        .join_from(posts, deliveries, isouter=True)
        .where(or_(deliveries.c.finished_at.is_not(None), deliveries.c.id.is_(None)))
        .where(*_conditions(wanted))
        .group_by(posts.c.id)
        .order_by(last.desc())
        .limit(limit + len(known))
    )
    return [post_id for post_id in connection.scalars(query) if post_id not in known][:limit]


def _conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    row = deliveries.c
    mine = row.post_id == posts.c.id
    if wanted.accounts:
        conditions.append(
            exists().where(
                targets.c.post_id == posts.c.id, targets.c.account_id.in_(wanted.accounts)
            )
        )
    if wanted.since is not None:
        conditions.append(exists().where(mine, row.occurrence >= wanted.since))
    if wanted.until is not None:
        conditions.append(exists().where(mine, row.occurrence <= wanted.until))
    if wanted.tag is not None:
        conditions.append(posts.c.tags.like(f'%"{_like(wanted.tag)}"%', escape="\\"))
    if wanted.search is not None:
        pattern = f"%{_like(wanted.search)}%"
        texts = (posts.c.text, posts.c.then, posts.c.comment, posts.c.title, posts.c.variants)
        conditions.append(or_(*(column.like(pattern, escape="\\") for column in texts)))
    if wanted.status:
        conditions.append(_may_have_status(wanted.status))
    return conditions


def _may_have_status(status: Sequence[str]) -> ColumnElement[bool]:
    """Narrows down; a post's own status is computed afterwards."""
    names = {*status}
    if names & {"partial", "failed"}:
        names |= {"published", "failed", "missed", "unconfirmed", "cancelled"}
    if "publishing" in names:
        names |= {"confirming", "retrying"}
    there = exists().where(deliveries.c.post_id == posts.c.id, deliveries.c.status.in_(names))
    bare = and_(~exists().where(deliveries.c.post_id == posts.c.id))
    return or_(there, bare)


def _has_status(filed: Filed, status: Sequence[str]) -> bool:
    """By the post's status, or by that of one of its deliveries where posts have no such status."""
    if filed.status.value in status:
        return True
    only_deliveries = set(status) - {one.value for one in PostStatus}
    return any(d.status.value in only_deliveries for d in filed.deliveries)


def _like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def history(connection: Connection, wanted: Filter, limit: int | None) -> list[Delivery]:
    """Finished deliveries, newest first."""
    row = deliveries.c
    query = delivery_rows.selected().where(row.finished_at.is_not(None))
    if wanted.status:
        query = query.where(row.status.in_(list(wanted.status)))
    if wanted.accounts:
        query = query.where(row.account_id.in_(wanted.accounts))
    if wanted.since is not None:
        query = query.where(row.finished_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(row.finished_at <= wanted.until)
    if wanted.tag is not None or wanted.search is not None:
        narrowed = Filter(tag=wanted.tag, search=wanted.search)
        query = query.where(
            exists().where(posts.c.id == row.post_id, *_conditions(narrowed)).correlate(deliveries)
        )
    query = query.order_by(row.finished_at.desc(), row.id.desc())
    if limit is not None:
        query = query.limit(limit)
    return [delivery_rows.delivery_of(found) for found in connection.execute(query)]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is due: the next instant, and since when the oldest that is due waits (UTC)."""

    next_due_at: datetime | None
    oldest_due_at: datetime | None


def outlook(connection: Connection, now: datetime) -> Outlook:
    """The next and the oldest instant that a delivery waits for."""
    row = deliveries.c
    waiting = row.status.in_([S.SCHEDULED.value, S.RETRYING.value])
    oldest = connection.scalar(select(func.min(row.due_at)).where(waiting, row.due_at <= now))
    coming = connection.scalar(select(func.min(row.due_at)).where(waiting, row.due_at > now))
    return Outlook(oldest or coming, oldest)
