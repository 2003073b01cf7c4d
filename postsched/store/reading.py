"""Finding posts and deliveries for people: lists and history."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    exists,
    literal,
    or_,
    select,
    text,
)

from postsched.domain.delivery import Attempt, Delivery, DeliveryStatus
from postsched.domain.occasion import said_by
from postsched.domain.post import Post, PostStatus, post_status
from postsched.domain.schedule import Schedule
from postsched.store import deliveries as delivery_rows
from postsched.store import posts as post_rows
from postsched.store import wording
from postsched.store.said import posts_said
from postsched.store.tables import DRAFTS, deliveries, posts, targets

S = DeliveryStatus
UPCOMING = (S.SCHEDULED, S.RETRYING, S.CONFIRMING, S.PUBLISHING, S.UNCONFIRMED)
POST_STATUSES = frozenset(status.value for status in PostStatus)
OVER = frozenset({"draft", "published", "partial", "failed", "cancelled"})
"""The statuses of posts of which nothing waits."""
CHUNK = 500
"""How many posts are read at once."""


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

    def has_status(self, status: Sequence[str]) -> bool:
        """Whether it is in one of those statuses: its own, or that of one of its deliveries where
        posts have no such status (missed, unconfirmed...)."""
        if self.status.value in status:
            return True
        special = {d.status.value for d in self.deliveries} - POST_STATUSES
        return not special.isdisjoint(status)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which posts or deliveries are wanted; instants are UTC and included. A post fits if one of
    its deliveries does."""

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
        Filed(
            post, plans[post.id], tuple(_with_steps(d, post, plans[post.id]) for d in sent[post.id])
        )
        for post in (found[post_id] for post_id in post_ids if post_id in found)
    ]


def _with_steps(delivery: Delivery, post: Post, schedule: Schedule) -> Delivery:
    if delivery.steps:
        return delivery
    return delivery_rows.with_steps(delivery, said_by(delivery, post, schedule.tz))


def attempts_of(connection: Connection, filed: Filed) -> dict[int, list[Attempt]]:
    """Every attempt at every delivery of a post."""
    return {d.id: delivery_rows.attempts_of(connection, d.id) for d in filed.deliveries}


def each_post(connection: Connection, wanted: Filter) -> Iterator[Filed]:
    """All posts that fit, in the order they were written."""
    query = select(posts.c.id).where(*conditions(wanted)).order_by(posts.c.id)
    return fitting(connection, connection.scalars(query), wanted)


def find_posts(connection: Connection, wanted: Filter, limit: int | None) -> list[Filed]:
    """Posts that fit, by the instant they are sorted by.

    With a limit: those still to come, soonest first, fill what the newest finished ones, a third
    of the limit at least where there are so many, leave free.
    """
    if limit is None:
        found = list(each_post(connection, wanted))
    else:
        chunk = min(limit, CHUNK)
        ids = _coming(connection, wanted)
        coming = list(islice(fitting(connection, ids, wanted, chunk), limit))
        known = {filed.post.id for filed in coming}
        ids = (post_id for post_id in _recent(connection, wanted) if post_id not in known)
        recent = list(islice(fitting(connection, ids, wanted, chunk), limit))
        recent = recent[: max(limit // 3, limit - len(coming))]
        found = coming[: limit - len(recent)] + recent
    return sorted(found, key=lambda filed: (filed.instant, filed.post.id))


def waiting_posts(connection: Connection, account_ids: Sequence[int] | None = None) -> list[int]:
    """The posts that something waits of: to those accounts, or to any."""
    query = select(deliveries.c.post_id).where(deliveries.c.next_at.is_not(None)).distinct()
    if account_ids is not None:
        query = query.where(deliveries.c.account_id.in_(account_ids))
    return list(connection.scalars(query.order_by(deliveries.c.post_id)))


def fitting(
    connection: Connection, ids: Iterable[int], wanted: Filter, size: int = CHUNK
) -> Iterator[Filed]:
    """The posts of those ids, read in chunks, that have the wanted status: SQL only narrows that
    down, for a post's status is computed. Chunks grow from that `size` on: as a rule most fit."""
    rest = iter(ids)
    while chunk := list(islice(rest, size)):
        size = min(2 * size, CHUNK)
        for filed in file_posts(connection, chunk):
            if not wanted.status or filed.has_status(wanted.status):
                yield filed


def _coming(connection: Connection, wanted: Filter) -> Iterator[int]:
    """Posts still to come, soonest first, each once; read no further than is asked for."""
    row = deliveries.c
    rows = select(row.due_at, row.post_id).join_from(deliveries, posts).where(*conditions(wanted))
    streams = (
        connection.execute(rows.where(row.status == status.value).order_by(row.due_at, row.id))
        for status in _unended(wanted.status)
    )
    return _once(merge(*map(_tuples, streams), key=itemgetter(0)))


def _unended(status: Sequence[str]) -> Sequence[DeliveryStatus]:
    """The statuses of deliveries to come that posts of those statuses may have: one of which
    anything waits is scheduled or publishing, whatever became of its other deliveries."""
    if status and OVER.issuperset(status):
        return (S.UNCONFIRMED,)
    return UPCOMING


def _recent(connection: Connection, wanted: Filter) -> Iterator[int]:
    """Posts of which something is finished, and drafts, newest first, each once."""
    row = deliveries.c
    finished = (
        select(row.finished_at, row.post_id)
        .join_from(deliveries, posts)
        .where(row.finished_at.is_not(None), *conditions(wanted))
        .order_by(row.finished_at.desc())
    )
    cancelled = "cancelled" in wanted.status  # a draft that was cancelled has no deliveries
    drafts = (
        select(posts.c.created_at, posts.c.id)
        .where(~_has_deliveries() if cancelled else text(DRAFTS), *conditions(wanted))
        .order_by(posts.c.created_at.desc())
    )
    streams = [_tuples(connection.execute(query)) for query in (finished, drafts)]
    return _once(merge(*streams, key=itemgetter(0), reverse=True))


def _tuples(rows: Iterable[Any]) -> Iterator[tuple[datetime, int]]:
    return ((row[0], row[1]) for row in rows)


def _once(rows: Iterable[tuple[datetime, int]]) -> Iterator[int]:
    seen: set[int] = set()
    for _, post_id in rows:
        if post_id not in seen:
            seen.add(post_id)
            yield post_id


def _has_deliveries() -> ColumnElement[bool]:
    delivery = deliveries.alias()
    return exists().where(delivery.c.post_id == posts.c.id)


def conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    """What a post must be like, as conditions on `posts`."""
    conditions = wording.about(wanted.tag, wanted.search)
    if wanted.accounts or wanted.since or wanted.until:
        delivery = deliveries.alias()
        mine = [delivery.c.post_id == posts.c.id]
        if wanted.accounts:
            mine.append(delivery.c.account_id.in_(wanted.accounts))
        if wanted.since is not None:
            mine.append(delivery.c.occurrence >= wanted.since)
        if wanted.until is not None:
            mine.append(delivery.c.occurrence <= wanted.until)
        conditions.append(or_(exists().where(*mine), _unplanned(wanted)))
    if wanted.status:
        conditions.append(_may_have_status(wanted.status))
    return conditions


def _unplanned(wanted: Filter) -> ColumnElement[bool]:
    """Without deliveries a post counts by its accounts; it has no time yet."""
    if wanted.since or wanted.until:
        return literal(False)
    mine = targets.c.post_id == posts.c.id
    named = exists().where(mine, targets.c.account_id.in_(wanted.accounts))
    return and_(~_has_deliveries(), named)


def _may_have_status(status: Sequence[str]) -> ColumnElement[bool]:
    """Narrows down; a post's own status is computed afterwards."""
    names = {*status}
    if names & {"partial", "failed"}:
        names |= {"published", "failed", "missed", "unconfirmed", "cancelled"}
    if "published" in names:
        names |= {"cancelled"}
    if "publishing" in names:
        names |= {"confirming", "retrying"}
    delivery = deliveries.alias()
    there = exists().where(delivery.c.post_id == posts.c.id, delivery.c.status.in_(names))
    if names & {"draft", "cancelled"}:
        return or_(there, posts.c.draft == 1, ~_has_deliveries())
    return there


def history(connection: Connection, wanted: Filter, limit: int | None) -> list[Delivery]:
    """Finished deliveries, newest first; instants are those at which they were finished."""
    query = finished(wanted).limit(limit)
    found = [delivery_rows.delivery_of(found) for found in connection.execute(query)]
    return laid_out(connection, found)


def finished(wanted: Filter) -> Select[Any]:
    """The SELECT of finished deliveries, newest first."""
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
    if words := wording.about(wanted.tag, wanted.search):
        query = query.where(exists().where(posts.c.id == row.post_id, *words).correlate(deliveries))
    return query.order_by(row.finished_at.desc(), row.id.desc())


def laid_out(connection: Connection, found: list[Delivery]) -> list[Delivery]:
    """With the steps of those that never began."""
    bare = [d for d in found if not d.steps]
    known = post_rows.get(connection, list({d.post_id for d in bare}))
    said = iter(posts_said(connection, bare, known))
    return [d if d.steps else delivery_rows.with_steps(d, next(said)) for d in found]
