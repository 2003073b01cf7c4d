"""The ends of graces: what is past its own is missed, whatever it waited for.

Not what a person holds: a pause keeps the status, until it is released (`pauses`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, case, func, select, text, update

from postsched.domain.account import AccountState
from postsched.domain.delivery import DeliveryStatus
from postsched.domain.outcome import ErrorKind
from postsched.store import holds, outbox
from postsched.store.lanes import RELEASED
from postsched.store.tables import WAITING, accounts, deliveries

WAITING_OF_D = f"d.{WAITING}".replace(" AND ", " AND d.")
FIRST_ENDS = f"""
    SELECT (SELECT min(d.grace_until) FROM deliveries d
            WHERE d.account_id = accounts.id AND {WAITING_OF_D}) AS until
    FROM accounts WHERE {RELEASED}"""  # noqa: S608 - made of constants only
"""When the first grace ends or ended of what waits for each account and is not paused, by index
only."""


def miss(connection: Connection, now: datetime, most: int) -> list[int]:
    """Take up to `most` deliveries that are past their grace at `now` out of the queue, whether or
    not their accounts could be sent to; what kept those is said with them. Returns the ids."""
    row = deliveries.c
    over = (
        select(row.id)
        .where(row.account_id.in_(select(accounts.c.id).where(text(RELEASED))))
        .where(text(WAITING), row.grace_until < now, row.leads == 0)
        .limit(most)
        .with_for_update(skip_locked=True)
        .cte("over")
    )
    missed = (
        update(deliveries)
        .where(row.id.in_(select(over.c.id)))
        .values(
            status=DeliveryStatus.MISSED.value,
            came_from=None, next_at=None, prepare_at=None, finished_at=now,
        )
        .returning(row.id, row.account_id)
    )  # fmt: skip
    found = connection.execute(missed).all()
    ids = [one.id for one in found]
    if ids:
        _say_why(connection, ids, {one.account_id for one in found}, now)
        outbox.note_missed(connection, now, ids)
    return ids


def leading(connection: Connection, now: datetime, most: int) -> list[int]:
    """Up to `most` deliveries that are past their grace and lead a series, which decides what they
    stand for from then on; their ids."""
    row = deliveries.c
    query = (
        select(row.id)
        .where(row.account_id.in_(select(accounts.c.id).where(text(RELEASED))))
        .where(text(WAITING), row.grace_until < now, row.leads == 1)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    return list(connection.scalars(query))


def _say_why(
    connection: Connection, ids: Sequence[int], account_ids: set[int], now: datetime
) -> None:
    """Where the account itself was kept from being used: else what the delivery says is all."""
    row = deliveries.c
    for account_id, (kind, words) in _obstacles(connection, account_ids, now).items():
        unsaid = row.error_kind.is_(None)
        connection.execute(
            update(deliveries)
            .where(row.id.in_(ids), row.account_id == account_id)
            .values(
                error_kind=case((unsaid, kind.value), else_=row.error_kind),
                error_message=case((unsaid, words), else_=row.error_message),
            )
        )


def _obstacles(
    connection: Connection, account_ids: set[int], now: datetime
) -> dict[int, tuple[ErrorKind, str]]:
    """What keeps those accounts from being used."""
    row = accounts.c
    refused = select(row.id, func.coalesce(row.state_message, "its login is refused"))
    query = refused.where(row.state == AccountState.LOGIN.value, row.id.in_(account_ids))
    waits = {n: wait for n, wait in holds.waits(connection).items() if n in account_ids}
    found = {
        number: (ErrorKind.RATE_LIMIT, wait.message)
        for number, wait in waits.items()
        if wait.message and wait.until and wait.until > now
    }
    return found | {number: (ErrorKind.AUTH, words) for number, words in connection.execute(query)}
