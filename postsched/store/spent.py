"""What of an account's quota is used: read from its deliveries, so that it survives restarts and is
the same for every process.

What is being sent, or may be out, takes room as if it went out this moment. What went out leaves
the window by when it was done, which is never before the network counted it.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache

from sqlalchemy import Connection, TextClause, TextualSelect, text

from postsched.domain.quota import Counts, Quota
from postsched.store.columns import Instant, micros
from postsched.store.tables import SENT

ARRAY_LENGTH = {
    "sqlite": "json_array_length({0})",
    "postgresql": "json_array_length(CAST({0} AS json))",
}
"""How many elements a column of JSON has, NULL for NULL, by the name of the dialect."""
BREAKS = "(length({0}) - length(replace({0}, '---', ''))) / 3"
"""How often a text may be parted: at the most."""
FILES = "(SELECT count(*) FROM media m WHERE m.post_id = d.post_id)"
ALBUMS = "(SELECT count(DISTINCT m.part) FROM media m WHERE m.post_id = d.post_id)"
IS_OUT = f"""d.account_id = :account AND {SENT.replace("finished_at", "d.finished_at")}
    AND d.finished_at > :since
    AND (d.status IN ('published', 'unconfirmed') OR d.steps LIKE '%"out":%')"""
MAY_BE_OUT = """d.account_id = :account AND d.status IN ('publishing', 'confirming')
    AND (d.claim IS NULL OR d.claim <> :token)"""


def _messages(dialect: str) -> str:
    """How many a delivery is. Of one whose steps are not laid out yet, the most it can be."""
    length = ARRAY_LENGTH[dialect]
    unknown = f"""SELECT 1 + CASE WHEN p.comment IS NULL THEN 0 ELSE 1 END
        + {BREAKS.format("p.text")}
        + coalesce({length.format('p."then"')} + {BREAKS.format('p."then"')}, 0)
        + coalesce({BREAKS.format("p.variants")}, 0)
        FROM posts p WHERE p.id = d.post_id"""  # noqa: S608 - made of constants only
    return f"coalesce({length.format('d.steps')}, ({unknown}))"


def _cost(what: Counts, dialect: str) -> str:
    """`domain.quota.cost` in SQL."""
    messages = _messages(dialect)
    return {
        Counts.POSTS: "1",
        Counts.REPLIES: f"{messages} - 1",
        Counts.MESSAGES: messages,
        Counts.ITEMS: f"{messages} + {FILES} - {ALBUMS}",
        Counts.FILES: FILES,
        Counts.REQUESTS: f"{messages} + 2 * {FILES}",
    }[what]


@cache
def _used(what: Counts, dialect: str) -> TextClause:
    cost = _cost(what, dialect)
    return text(
        f"""SELECT (SELECT coalesce(sum({cost}), 0) FROM deliveries d WHERE {IS_OUT})
        + (SELECT coalesce(sum({cost}), 0) FROM deliveries d WHERE {MAY_BE_OUT})"""  # noqa: S608 - made of constants only
    )


@cache
def _leaving(what: Counts, dialect: str) -> TextualSelect:
    cost = _cost(what, dialect)
    return text(
        f"SELECT d.finished_at, {cost} FROM deliveries d WHERE {IS_OUT} ORDER BY d.finished_at"  # noqa: S608 - made of constants only
    ).columns(finished_at=Instant)


def used(
    connection: Connection, account_id: int, quota: Quota, now: datetime, token: str = ""
) -> int:
    """How much of the quota is used, not counting what was claimed with the token."""
    values = {"account": account_id, "since": micros(now - quota.per), "token": token}
    found = connection.scalar(_used(quota.what, connection.dialect.name), values)
    return int(found or 0)


def room_at(
    connection: Connection, account_id: int, quota: Quota, now: datetime, over: int
) -> datetime:
    """When so much of what is used will have left the window; where what is still being sent is
    among that, as if it went out now."""
    values = {"account": account_id, "since": micros(now - quota.per)}
    finished_at: datetime
    leaving = _leaving(quota.what, connection.dialect.name)
    for finished_at, amount in connection.execute(leaving, values):
        over -= amount
        if over <= 0:
            return max(finished_at + quota.per, now)
    return now + quota.per
