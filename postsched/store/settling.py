"""What came of deliveries that were held, written for all of a turn at once.

Only the holder of a delivery's token may settle it: a row that another process has taken over is
not touched, and that is not an error.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, TypeDecorator, bindparam, select, update

from postsched.domain.delivery import Attempt, Delivery
from postsched.store import deliveries as delivery_rows
from postsched.store import outbox
from postsched.store.columns import Instant, micros
from postsched.store.compiled import DIALECT, ByIds, Compiled
from postsched.store.tables import attempts, deliveries


@dataclass(frozen=True, slots=True)
class Settled:
    """A delivery as it is after what was done with it at `now` (UTC), and the attempts that were
    made, held by the token until then."""

    after: Delivery
    token: str
    now: datetime
    attempts: Sequence[Attempt] = ()

    @property
    def is_finished(self) -> bool:
        """Whether nothing more is to be done with it."""
        return self.after.next_at is None and self.after.claim is None


def settle(connection: Connection, settled: Sequence[Settled]) -> list[bool]:
    """Write them; which were still held. Each is of another delivery.

    Written twice, the second time changes nothing: a final status has given the claim back.
    """
    rows = HELD.rows(connection, [one.after.id for one in settled])
    holders: dict[int, str | None] = dict(rows)
    held = [holders.get(one.after.id) == one.token for one in settled]
    kept = [one for one, is_held in zip(settled, held, strict=True) if is_held]
    if kept:
        SETTLE.run_all(connection, [_row(one) for one in kept])
    tried = [_attempt(one.after.id, attempt) for one in kept for attempt in one.attempts]
    if tried:
        ADD_ATTEMPT.run_all(connection, tried)
    outbox.note_all(connection, [(one.after, one.now) for one in kept if one.is_finished])
    return held


def written(connection: Connection, settled: Sequence[Settled]) -> set[int]:
    """Those of which the last attempt is on record already, by the ids of their deliveries: they
    were settled in a transaction of which it was not known what became of it."""
    tried = [one for one in settled if one.attempts]
    if not tried:
        return set()
    made = {tuple(row) for row in MADE.rows(connection, [one.after.id for one in tried])}
    return {one.after.id for one in tried if _name(one.after.id, one.attempts[-1]) in made}


def _name(delivery_id: int, attempt: Attempt) -> tuple[int, int, int, str, str]:
    """What makes an attempt this one, as MADE reads it."""
    return delivery_id, attempt.n, micros(attempt.started_at), attempt.action, attempt.step


MADE = ByIds(
    lambda ids: select(
        attempts.c.delivery_id,
        attempts.c.n,
        attempts.c.started_at,
        attempts.c.action,
        attempts.c.step,
    ).where(attempts.c.delivery_id.in_(ids))
)
HELD = ByIds(
    lambda ids: (
        select(deliveries.c.id, deliveries.c.claim)
        .where(deliveries.c.id.in_(ids))
        .with_for_update()
    )
)
SETTLE = Compiled(
    lambda connection: (
        update(deliveries)
        .where(deliveries.c.id == bindparam("held_id"), deliveries.c.claim == bindparam("held_by"))
        .values({name: bindparam(name) for name in (*delivery_rows.CHANGING, "finished_at")})
    )
)
ADD_ATTEMPT = Compiled(
    lambda connection: attempts.insert().values(
        {column.name: bindparam(column.name) for column in attempts.c if column.name != "id"}
    )
)


def _row(one: Settled) -> dict[str, Any]:
    values = delivery_rows.values_of(one.after)
    values["finished_at"] = one.now if one.is_finished else None
    values["held_id"], values["held_by"] = one.after.id, one.token
    return _plain(values, DELIVERY)


def _attempt(delivery_id: int, attempt: Attempt) -> dict[str, Any]:
    return _plain(delivery_rows.attempt_values(delivery_id, attempt), ATTEMPT)


def _plain(values: dict[str, Any], binds: Sequence[Bind]) -> dict[str, Any]:
    """The values as the driver takes them."""
    for name, bind in binds:
        if (value := values[name]) is not None:
            values[name] = bind(value)
    return values


Bind = tuple[str, Callable[[Any], Any]]


def _binds(table: Table, names: Collection[str]) -> list[Bind]:
    return [
        (column.name, _bind(column.type))
        for column in table.c
        if column.name in names and isinstance(column.type, TypeDecorator)
    ]


def _bind(kind: TypeDecorator[Any]) -> Callable[[Any], Any]:
    if isinstance(kind, Instant):  # most are
        return micros
    return lambda value: kind.process_bind_param(value, DIALECT)


DELIVERY = _binds(deliveries, {*delivery_rows.CHANGING, "finished_at"})
ATTEMPT = _binds(attempts, {column.name for column in attempts.c})
