"""How far a database has come, and the deliveries that are in doubt where it is a copy from before.

Its age is a number in `meta` that rises with every turn of the engine that writes, in the same
transaction. Outside of it, `highwater` keeps the same. Where workers take their turns at the same
time there is an age for each that can, so that none waits for another: a copy from before is
younger in one of them at least.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, text

from postsched.domain import moves
from postsched.domain.account import Account
from postsched.domain.capabilities import Guarantee
from postsched.domain.delivery import Attempt, Delivery, DeliveryStatus
from postsched.store import deliveries as delivery_rows
from postsched.store import outbox, queue
from postsched.store.compiled import Compiled
from postsched.store.tables import deliveries, meta

S = DeliveryStatus
AGE = "age"
"""The age of a database that is written to by one at a time. Others are this and a dot and more."""
EVERY = "name BETWEEN 'age' AND 'age.~'"
GROW_BY_ONE = (
    "INSERT INTO meta (name, value) SELECT CAST(:name AS TEXT), '1' FROM meta AS own "
    "WHERE own.name = 'uid' AND own.value = :uid ON CONFLICT (name) DO UPDATE "
    "SET value = CAST(CAST(meta.value AS BIGINT) + 1 AS TEXT) RETURNING value"
)
GROW = Compiled(lambda connection: text(GROW_BY_ONE))
TOTAL = Compiled(
    lambda connection: text(f"SELECT sum(CAST(value AS BIGINT)) FROM meta WHERE {EVERY}")  # noqa: S608 - a constant
)
SET = text(
    "INSERT INTO meta (name, value) VALUES (:name, :age) ON CONFLICT (name) DO UPDATE "
    "SET value = excluded.value"
)
CHUNK = 500
"""How many deliveries are read at once."""


def grow(connection: Connection, uid: str, name: str = AGE) -> int:
    """Make the database of that uid older by one, in the age of that name, which is told; 0 if it
    is another database."""
    rows = GROW.run(connection, {"uid": uid, "name": name})
    return int(rows[0][0]) if rows else 0


def total(connection: Connection) -> int:
    """All its ages together: how many turns were written since it was made."""
    return int(TOTAL.run(connection, {})[0][0] or 0)


def make(connection: Connection, age: int, name: str = AGE) -> None:
    """Give it that age, under that name."""
    connection.execute(SET, {"name": name, "age": str(age)})


def separate(connection: Connection, uid: str) -> None:
    """Make it a database of its own, by another uid."""
    connection.execute(meta.update().where(meta.c.name == "uid").values(value=uid))
    connection.execute(text(f"DELETE FROM meta WHERE {EVERY}"))  # noqa: S608 - a constant
    make(connection, 0)


def of(connection: Connection) -> tuple[str, dict[str, int]]:
    """Its uid and its ages by name; `AGE` is always among them, 0 if there is none."""
    query = select(meta.c.name, meta.c.value).where((meta.c.name == "uid") | text(EVERY))
    found = {row.name: row.value for row in connection.execute(query)}
    return found.pop("uid"), {AGE: 0} | {name: int(age) for name, age in found.items()}


def count_open(connection: Connection, upto: datetime) -> int:
    """How many deliveries may have gone out, in a copy from before anything up to that instant
    (UTC) was claimed."""
    return connection.scalar(select(func.count()).where(_may_be_out(upto))) or 0


def count_doubtful(connection: Connection) -> dict[DeliveryStatus, int]:
    """How many deliveries are in doubt since the database was found to be a copy, by status."""
    row = deliveries.c
    query = (
        select(row.status, func.count())
        .where(
            row.status.in_([S.CONFIRMING.value, S.UNCONFIRMED.value]),
            row.error_message == moves.REWOUND.message,
        )
        .group_by(row.status)
    )
    return {S(status): count for status, count in connection.execute(query)}


def doubt(
    connection: Connection,
    upto: datetime,
    now: datetime,
    guarantee_of: Callable[[Account], Guarantee],
) -> list[tuple[Delivery, Delivery]]:
    """Put all in doubt that may have gone out; each delivery before and after. Instants are UTC."""
    query = select(deliveries.c.id).where(_may_be_out(upto)).order_by(deliveries.c.id)
    ids = list(connection.scalars(query))
    changes: list[tuple[Delivery, Delivery]] = []
    for start in range(0, len(ids), CHUNK):
        for work in queue.load(connection, ids[start : start + CHUNK]):
            before = work.delivery
            after = moves.doubt(before, guarantee_of(work.account), now)
            _write(connection, before, after, now)
            changes.append((before, after))
    return changes


def _may_be_out(upto: datetime) -> ColumnElement[bool]:
    """What waited (whatever for: who was paused may have been released) and was due by then, and
    what was under way."""
    row = deliveries.c
    waited = row.status.in_([S.SCHEDULED.value, S.RETRYING.value])
    under_way = row.status.in_([S.PUBLISHING.value, S.CONFIRMING.value, S.UNCONFIRMED.value])
    return or_(and_(waited, row.due_at <= upto), under_way)


def _write(connection: Connection, before: Delivery, after: Delivery, now: datetime) -> None:
    over = after.next_at is None
    values = {**delivery_rows.values_of(after), "finished_at": now if over else None}
    changed = deliveries.update().where(deliveries.c.id == before.id)
    connection.execute(changed.values(**values, prepare_at=None, leads=0))
    attempt = Attempt(
        before.attempts, now, now, "expire", "", after.status.value, after.problem,
        "the database is a copy from before",
    )  # fmt: skip
    delivery_rows.add_attempt(connection, before.id, attempt)
    if after.status is not before.status:
        outbox.note(connection, now, after)


def ids(changes: Sequence[tuple[Delivery, Delivery]], status: DeliveryStatus) -> list[int]:
    """The posts of the changed deliveries that have that status now."""
    return sorted({after.post_id for _, after in changes if after.status is status})
