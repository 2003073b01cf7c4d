"""How what is old is found, and how it leaves the database: in steps, each one transaction.

It is found by the index of when deliveries were finished, from the oldest on; `meta` says how far
that has come, and when it last came to the end, so that whoever goes on need not begin again. Posts
that have no delivery are found by their numbers, which rise with time: as far as there are
old ones.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, delete, exists, func, select

from postsched.domain.delivery import Attempt, Delivery
from postsched.store import deliveries as delivery_rows
from postsched.store.columns import EPOCH, MICROSECOND, Instant, micros
from postsched.store.leaving import CHUNK, Leaving
from postsched.store.tables import attempts, deliveries, media, meta, posts
from postsched.store.upserts import upsert

row = deliveries.c
NAME = "swept"
"""Under which `meta` has the progress."""


IDS: BindParameter[Any] = bindparam("ids", expanding=True)
DELIVERIES = delivery_rows.selected().where(row.id.in_(IDS))
ATTEMPTS = select(attempts).where(attempts.c.delivery_id.in_(IDS)).order_by(attempts.c.id)
FILES = select(media.c.sha256).where(media.c.post_id.in_(IDS), media.c.sha256.is_not(None))
DELETE_POSTS, DELETE_DELIVERIES = (
    delete(posts).where(posts.c.id.in_(IDS)),
    delete(deliveries).where(row.id.in_(IDS)),
)
"""What belongs to them goes with them."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A delivery by when it was finished (UTC): a place in the index."""

    at: datetime
    id: int
    post_id: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """When all that was old had left the last time (UTC, None for never), and how far it has come
    since then (None: it has not begun)."""

    done_at: datetime | None = None
    upto: Entry | None = None


def oldest(connection: Connection) -> datetime | None:
    """When the delivery was finished that was finished first, or the first post was written if that
    was before: one look at each index."""
    first = select(posts.c.created_at).order_by(posts.c.id).limit(1).scalar_subquery()
    found = connection.execute(select(func.min(row.finished_at, type_=Instant), first)).one()
    return min((one for one in found if one is not None), default=None)


@dataclass(frozen=True, slots=True)
class Bare:
    """Posts without any delivery, by id, and up to which id all were looked at; None: all that are
    old were."""

    ids: Sequence[int]
    upto: int | None


def bare(connection: Connection, before: datetime, after: int, looked: int, most: int) -> Bare:
    """The posts, no drafts, that no delivery was ever planned of or none is left of, among so many
    after that id; not more than `most`. Those written or changed since `before` (UTC) stay."""
    post = posts.c
    some = (
        select(post.id, post.draft, post.created_at, post.updated_at)
        .where(post.id > after)
        .order_by(post.id)
        .limit(looked)
        .subquery()
    )
    has = exists().where(row.post_id == some.c.id).label("has")
    found = connection.execute(select(some, has).order_by(some.c.id)).all()
    old = [one for one in found if one.created_at < before]
    ids = [one.id for one in old if not one.has and not one.draft and one.updated_at < before]
    if len(ids) > most:
        return Bare(ids[:most], ids[most - 1])
    return Bare(ids, old[-1].id if len(old) == looked else None)


def page(connection: Connection, before: datetime, after: Entry | None, limit: int) -> list[Entry]:
    """The deliveries finished before that instant, oldest first, from a place on."""
    columns = select(row.finished_at, row.id, row.post_id)
    found: list[Any] = []
    if after is not None:  # thousands may have been finished at one instant
        same = columns.where(row.finished_at == after.at, row.id > after.id)
        found += connection.execute(same.order_by(row.id).limit(limit))
    if len(found) < limit:
        later = columns.where(row.finished_at < before)
        if after is not None:
            later = later.where(row.finished_at > after.at)
        later = later.order_by(row.finished_at, row.id).limit(limit - len(found))
        found += connection.execute(later)
    return [Entry(*one) for one in found if one.finished_at < before]


def count(connection: Connection, before: datetime) -> int:
    """How many deliveries were finished before that instant: what may leave, and what stays."""
    return connection.scalar(select(func.count()).where(row.finished_at < before)) or 0


def deliveries_of(connection: Connection, ids: Sequence[int]) -> dict[int, Delivery]:
    """The deliveries of those numbers."""
    found = {}
    for chunk in _chunks(ids):
        rows = connection.execute(DELIVERIES, {"ids": chunk})
        found.update({one.id: delivery_rows.delivery_of(one) for one in rows})
    return found


def attempts_of(connection: Connection, ids: Sequence[int]) -> dict[int, list[Attempt]]:
    """Every attempt at each of those deliveries, oldest first."""
    found: dict[int, list[Attempt]] = {number: [] for number in ids}
    for chunk in _chunks(ids):
        for one in connection.execute(ATTEMPTS, {"ids": chunk}):
            found[one.delivery_id].append(
                Attempt(
                    one.n, one.started_at, one.finished_at, one.action, one.step, one.outcome,
                    delivery_rows.problem_of(one), one.evidence,
                )
            )  # fmt: skip
    return found


def remove(connection: Connection, leaving: Sequence[Leaving]) -> set[str]:
    """Remove posts and deliveries with all that belongs to them; the SHA-256 of the media files
    that the posts named."""
    whole = [one.post_id for one in leaving if one.whole]
    parts = [number for one in leaving if not one.whole for number in one.deliveries]
    files: set[str] = set()
    for chunk in _chunks(whole):
        named = select(media.c.sha256).where(
            media.c.post_id.in_(chunk), media.c.sha256.is_not(None)
        )
        files.update(connection.scalars(named))
        connection.execute(delete(posts).where(posts.c.id.in_(chunk)))
    for chunk in _chunks(parts):
        connection.execute(delete(attempts).where(attempts.c.delivery_id.in_(chunk)))
        connection.execute(delete(deliveries).where(row.id.in_(chunk)))
    return files


def still_named(connection: Connection, digests: Iterable[str]) -> set[str]:
    """Those of the media files, by SHA-256, that a post names."""
    found: set[str] = set()
    for chunk in _chunks(sorted(digests)):
        named = select(media.c.sha256).where(media.c.sha256.in_(chunk)).distinct()
        found.update(connection.scalars(named))
    return found


def progress(connection: Connection) -> Progress:
    """How far it has come."""
    written = connection.scalar(select(meta.c.value).where(meta.c.name == NAME))
    plain = json.loads(written) if written else {}
    upto = Entry(_instant(plain["upto"][0]), plain["upto"][1]) if plain.get("upto") else None
    return Progress(_instant(plain["done"]) if plain.get("done") else None, upto)


def note_progress(connection: Connection, made: Progress) -> None:
    """Write how far it has come."""
    value = json.dumps(
        {
            "done": micros(made.done_at) if made.done_at else None,
            "upto": [micros(made.upto.at), made.upto.id] if made.upto else None,
        }
    )
    statement = upsert(connection, meta).values(name=NAME, value=value)
    connection.execute(
        statement.on_conflict_do_update(index_elements=[meta.c.name], set_={"value": value})
    )


def _instant(written: int) -> datetime:
    return EPOCH + written * MICROSECOND


def _chunks(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (values[start : start + CHUNK] for start in range(0, len(values), CHUNK))
