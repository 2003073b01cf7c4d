"""What networks say of their limits, as they said it last."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, select, text

from postsched.domain.outcome import Limit
from postsched.store.columns import micros
from postsched.store.compiled import Compiled
from postsched.store.limit_tables import limits
from postsched.store.sharing import is_shared
from postsched.store.upserts import upsert

if TYPE_CHECKING:
    from postsched.store.upserts import Upsert

MOST = 2**53
"""More than this is as good as no limit, whatever a network says."""


def note(connection: Connection, said: Sequence[tuple[int, Sequence[Limit], datetime]]) -> None:
    """Keep what was said last to each account, by id, and when (UTC). Where another worker is just
    keeping the same, that is as new: no result waits for another one's commit."""
    last: dict[tuple[int, str], tuple[Limit, datetime]] = {}
    for account_id, told, now in said:
        for limit in told:
            last[account_id, limit.name] = (limit, now)
    rows = [_values(key[0], *last[key]) for key in sorted(last)]
    if not is_shared(connection):
        if rows:
            KEEP.run_all(connection, rows)
        return
    for row in rows:
        if not RENEW.run(connection, row):
            ADD.run(connection, row)


def known(connection: Connection, now: datetime) -> dict[int, list[Limit]]:
    """By account id, what the network said last and is still so: not what began anew since."""
    row = limits.c
    current = row.reset.is_(None) | (row.reset > now)
    found: dict[int, list[Limit]] = {}
    for one in connection.execute(select(limits).where(current).order_by(row.name)):
        limit = Limit(one.name, one.remaining, one.reset, one.most)
        found.setdefault(one.account_id, []).append(limit)
    return found


def _values(account_id: int, limit: Limit, now: datetime) -> dict[str, Any]:
    return {
        "account_id": account_id,
        "name": limit.name,
        "remaining": min(limit.remaining, MOST),
        "most": None if limit.limit is None else min(limit.limit, MOST),
        "reset": None if limit.reset is None else micros(limit.reset),
        "seen_at": micros(now),
    }


def _keeping(connection: Connection) -> Upsert:
    statement = upsert(connection, limits)
    statement = statement.values({column.name: bindparam(column.name) for column in limits.c})
    return statement.on_conflict_do_update(
        index_elements=[limits.c.account_id, limits.c.name],
        set_={name: statement.excluded[name] for name in ("remaining", "most", "reset", "seen_at")},
    )


KEEP = Compiled(_keeping)
RENEW = Compiled(
    lambda connection: text(
        """
        WITH free AS (
            SELECT name FROM limits WHERE account_id = :account_id AND name = :name
            FOR UPDATE SKIP LOCKED
        )
        UPDATE limits SET remaining = :remaining, most = CAST(:most AS BIGINT),
            reset = CAST(:reset AS BIGINT), seen_at = :seen_at
        FROM free WHERE limits.account_id = :account_id AND limits.name = free.name
        RETURNING limits.name
        """
    )
)
"""Where it is known, and nobody else writes it."""
ADD = Compiled(
    lambda connection: text(
        """
        INSERT INTO limits (account_id, name, remaining, most, reset, seen_at)
        SELECT CAST(:account_id AS BIGINT), CAST(:name AS TEXT), CAST(:remaining AS BIGINT),
            CAST(:most AS BIGINT), CAST(:reset AS BIGINT), CAST(:seen_at AS BIGINT)
        WHERE NOT EXISTS (
            SELECT 1 FROM limits WHERE account_id = :account_id AND name = :name
        )
        ON CONFLICT DO NOTHING
        """
    )
)
"""Where it is not known. ON CONFLICT alone would wait for whoever is writing it."""
