"""Objects at the media host: on record before anything is sent there, until they surely are gone.

An object belongs to one delivery, and to one content, so that whoever holds the delivery may store
it again. While it is being stored it is not removed; once its removal has begun it is never used
again. Both are guarded statements, so that processes don't get in each other's way. Instants are
UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, update

from postsched.domain.delivery import DeliveryStatus
from postsched.store.tables import deliveries, hosted

S = DeliveryStatus
SETTLED = tuple(status.value for status in (S.PUBLISHED, S.FAILED, S.MISSED, S.CANCELLED))
"""What a delivery is when its network needs nothing any more. One that is retried later gets new
objects."""
PUT_OFF = timedelta(minutes=5)
"""How far ahead the preparing of a delivery must be for what was made for it before to be of no
use: it was edited, and goes out another time."""


@dataclass(frozen=True, slots=True)
class Hosted:
    """An object: `digest` is the SHA-256 of what it holds, `place` where it is, as text. Until
    `busy_until` somebody is storing it; from `stored_at` it is there. From the first `remove_at` on
    it is being removed, next at that instant; `tries` of that have failed, the last by `problem`.
    """

    id: int
    name: str
    place: str
    delivery_id: int | None
    digest: str
    made_at: datetime
    busy_until: datetime | None = None
    stored_at: datetime | None = None
    remove_at: datetime | None = None
    tries: int = 0
    problem: str | None = None


COLUMNS = tuple(hosted.c[one.name] for one in fields(Hosted))
row = hosted.c


def take(
    connection: Connection, delivery_id: int | None, digest: str, place: str, new: str,
    now: datetime, until: datetime,
) -> Hosted:  # fmt: skip
    """An object for a content that a delivery needs: one that is there (`stored_at`), else one to
    be stored until then, under the name `new` if there is none on record: for whoever stored that
    one has lost the delivery, and what it may still store is the same."""
    of_use = (
        select(*COLUMNS)
        .where(row.delivery_id == delivery_id, row.digest == digest, row.place == place)
        .where(row.remove_at.is_(None))
        .order_by(row.stored_at.is_(None), row.id)
        .limit(1)
    )
    if found := connection.execute(of_use).first():
        known = Hosted(**found._mapping)
        return known if known.stored_at else begin(connection, known, until) or known
    values = {
        "name": new, "place": place, "delivery_id": delivery_id, "digest": digest,
        "made_at": now, "busy_until": until,
    }  # fmt: skip
    made = connection.execute(hosted.insert().values(**values).returning(*COLUMNS)).one()
    return Hosted(**made._mapping)


def begin(connection: Connection, known: Hosted, until: datetime) -> Hosted | None:
    """Begin to store an object again; None if it is being removed, or is gone."""
    statement = (
        update(hosted)
        .where(row.id == known.id, row.remove_at.is_(None))
        .values(busy_until=until)
        .returning(*COLUMNS)
    )
    found = connection.execute(statement).first()
    return Hosted(**found._mapping) if found else None


def stored(connection: Connection, known: Hosted, now: datetime) -> bool:
    """An object is there now; whether it may be used. Where its removal began meanwhile it may
    not, and is removed (again)."""
    values = {"busy_until": None, "stored_at": now}
    statement = update(hosted).where(row.id == known.id).values(**values).returning(row.remove_at)
    found = connection.execute(statement).first()
    if found is not None:
        return found.remove_at is None
    again = {
        "name": known.name, "place": known.place, "digest": known.digest, "made_at": known.made_at,
        "remove_at": now, **values,
    }  # fmt: skip
    connection.execute(hosted.insert().values(**again))
    return False


def not_stored(connection: Connection, known: Hosted, *, maybe: bool) -> None:
    """Storing it failed: surely, or `maybe` there is something all the same, of this or of an
    earlier time."""
    if maybe or known.stored_at:
        connection.execute(update(hosted).where(row.id == known.id).values(busy_until=None))
    else:
        connection.execute(hosted.delete().where(row.id == known.id, row.stored_at.is_(None)))


def to_remove(connection: Connection, now: datetime, limit: int = 100) -> Sequence[Hosted]:
    """The objects that nobody needs any more, of which the removal begins hereby or is to be tried
    again now."""
    begun = select(row.id).where(row.remove_at.is_(None), _free(now), _unneeded(now))
    connection.execute(update(hosted).where(row.id.in_(begun)).values(remove_at=now))
    due = select(*COLUMNS).where(row.remove_at <= now).order_by(row.remove_at).limit(limit)
    return [Hosted(**found._mapping) for found in connection.execute(due)]


def removed(connection: Connection, known: Hosted) -> None:
    """An object is gone. One that was stored again meanwhile is not."""
    guard = [row.stored_at == known.stored_at] if known.stored_at else [row.stored_at.is_(None)]
    connection.execute(hosted.delete().where(row.id == known.id, *guard))


def not_removed(connection: Connection, known: Hosted, problem: str, again: datetime) -> None:
    """Removing it failed, and is tried again at that instant."""
    values = {"remove_at": again, "tries": row.tries + 1, "problem": problem}
    connection.execute(update(hosted).where(row.id == known.id).values(**values))


def is_due(connection: Connection, now: datetime) -> bool:
    """Whether an object is to be removed now."""
    wanted = or_(row.remove_at <= now, and_(row.remove_at.is_(None), _free(now), _unneeded(now)))
    return connection.scalar(select(row.id).where(wanted).limit(1)) is not None


def next_instant(connection: Connection) -> datetime | None:
    """When something is to be tried again, or may no longer be busy, as far as that is known."""
    first = func.min(func.coalesce(row.remove_at, row.busy_until), type_=row.remove_at.type)
    return connection.scalar(select(first))


def every(connection: Connection) -> Sequence[Hosted]:
    """All objects on record, oldest first."""
    query = select(*COLUMNS).order_by(row.id)
    return [Hosted(**found._mapping) for found in connection.execute(query)]


def _free(now: datetime) -> ColumnElement[bool]:
    return or_(row.busy_until.is_(None), row.busy_until <= now)


def _unneeded(now: datetime) -> ColumnElement[bool]:
    """Its delivery is settled, or gone, or goes out another time, for which it is made anew."""
    of = deliveries.c
    put_off = and_(
        of.status == S.SCHEDULED.value, of.claim.is_(None), of.prepare_at > now + PUT_OFF
    )
    done = select(of.id).where(of.id == row.delivery_id, or_(of.status.in_(SETTLED), put_off))
    return or_(row.delivery_id.is_(None), done.exists())
