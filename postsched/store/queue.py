"""The deliveries table as a queue: claim, renew, settle, expire.

It makes the moves of `domain.delivery` as guarded statements: a row that another process was
faster with is not touched, and that is not an error. It knows no scheduler.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Update,
    bindparam,
    case,
    or_,
    select,
    text,
    update,
)

from postsched.domain.account import Account
from postsched.domain.capabilities import Guarantee
from postsched.domain.delivery import (
    Attempt,
    Claim,
    Delivery,
    DeliveryStatus,
)
from postsched.domain.moves import claim_ran_out, let_go
from postsched.domain.occasion import is_template
from postsched.domain.post import Content, Post
from postsched.store import accounts as account_rows
from postsched.store import deliveries as delivery_rows
from postsched.store import outbox, settling
from postsched.store import posts as post_rows
from postsched.store.columns import Whole, micros
from postsched.store.compiled import ByIds, Compiled
from postsched.store.lanes import Lane
from postsched.store.said import posts_said
from postsched.store.settling import Settled
from postsched.store.tables import CLAIMED, FREE, UNPREPARED, deliveries

S = DeliveryStatus


@dataclass(frozen=True, slots=True)
class Work:
    """A delivery that a worker holds, with all it needs to send it. The post is as this delivery
    says it, not as it was written."""

    delivery: Delivery
    post: Post
    account: Account


def _claiming(*only: ColumnElement[bool]) -> Update:
    """The claim as one statement, built once: it is made for every post."""
    row = deliveries.c
    now, at, until = (bindparam(name, type_=Whole) for name in ("now", "at", "until"))
    asking = row.status == S.CONFIRMING.value
    missed = (row.grace_until < now) & ~asking & (row.leads == 0)  # a series is judged as such
    first = (
        select(row.id)
        .where(row.account_id == bindparam("lane"), row.priority == bindparam("level"))
        .where(text(FREE), row.next_at <= bindparam("upto", type_=Whole), *only)
        .order_by(row.next_at, row.id)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
        .cte("first")  # else PostgreSQL may run it for every row, past its limit
    )
    return (
        update(deliveries)
        .where(row.id.in_(select(first.c.id)))
        .values(
            came_from=case((missed | asking, None), else_=row.status),
            status=case(
                (asking, S.CONFIRMING.value),
                (missed, S.MISSED.value),
                else_=S.PUBLISHING.value,
            ),
            attempts=row.attempts + case((missed | asking, 0), else_=1),
            next_at=case((missed, None), else_=row.next_at),
            prepare_at=None,
            finished_at=case((missed, now), else_=None),
            claim=case((missed, None), else_=bindparam("token")),
            claim_worker=case((missed, None), else_=bindparam("worker")),
            claimed_at=case((missed, None), else_=at),
            claim_until=case((missed, None), else_=until),
        )
        .returning(row.id, row.status)
    )


CLAIM = Compiled(lambda connection: _claiming())
CLAIM_TO_ASK = Compiled(lambda connection: _claiming(deliveries.c.status == S.CONFIRMING.value))


def claim(
    connection: Connection, lane: Lane, limit: int, upto: datetime, now: datetime, held: Claim
) -> tuple[list[int], list[int]]:
    """Take up to `limit` deliveries of a lane whose instant is not after `upto`.

    Returns the ids of those that are held now, and of those that turned out to be past their
    grace (at `now`) and are `missed`. Counts an attempt, except where the network is to be asked.
    """
    values = {
        "lane": lane.account_id, "level": lane.priority, "most": limit,
        "upto": micros(upto), "now": micros(now),
        "token": held.token, "worker": held.worker,
        "at": micros(held.at), "until": micros(held.until),
    }  # fmt: skip
    taken: list[int] = []
    late: list[int] = []
    statement = CLAIM_TO_ASK if lane.asking else CLAIM
    for delivery_id, status in statement.run(connection, values):
        (late if status == S.MISSED.value else taken).append(delivery_id)
    if late:
        outbox.note_missed(connection, now, late)
    return taken, late


def claim_to_prepare(
    connection: Connection, account_ids: Collection[int], limit: int, now: datetime, held: Claim
) -> list[int]:
    """Take up to `limit` deliveries of those accounts whose time to prepare has come; their status
    stays."""
    row = deliveries.c
    first = (
        select(row.id)
        .where(row.account_id.in_(account_ids), text(UNPREPARED), row.prepare_at <= now)
        .order_by(row.prepare_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("first")
    )
    statement = (
        update(deliveries)
        .where(row.id.in_(select(first.c.id)))
        .values(
            prepare_at=None,
            claim=held.token,
            claim_worker=held.worker,
            claimed_at=held.at,
            claim_until=held.until,
        )
        .returning(row.id)
    )
    return list(connection.scalars(statement))


LOAD = ByIds(lambda ids: delivery_rows.selected().where(deliveries.c.id.in_(ids)))


def load(connection: Connection, ids: Sequence[int]) -> list[Work]:
    """The deliveries of those ids with their posts and accounts, by due time and then by id."""
    if not ids:
        return []
    rows = LOAD.records(connection, ids)
    rows.sort(key=lambda row: (row.due_at, row.id))
    known_posts = post_rows.to_send(connection, list({row.post_id for row in rows}))
    known_accounts = account_rows.to_send(connection, list({row.account_id for row in rows}))
    found = [_delivery_of(row, known_posts[row.post_id].content) for row in rows]
    said = posts_said(connection, found, known_posts)
    return [
        Work(delivery_rows.with_steps(delivery, post), post, known_accounts[delivery.account_id])
        for delivery, post in zip(found, said, strict=True)
    ]


def _delivery_of(row: Any, content: Content) -> Delivery:
    """With its steps, if it says what the post reads: most do, and laying them out later is to
    write all of it once more."""
    if row.wording or is_template(content, recurs=row.number is not None):
        return delivery_rows.delivery_of(row)
    return delivery_rows.delivery_of(row, delivery_rows.laid_out(content, row.account))


def settle(
    connection: Connection, delivery: Delivery, token: str, now: datetime, *made: Attempt
) -> bool:
    """Write a changed delivery and its attempts, if the token still holds it; whether it did."""
    return settling.settle(connection, [Settled(delivery, token, now, made)])[0]


SAVE_STEPS = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("held_id"), deliveries.c.claim == bindparam("held_by"))
    .values(steps=bindparam("steps"), sent_at=bindparam("sent_at"))
)


def save_steps(connection: Connection, delivery: Delivery, token: str) -> bool:
    """Write what was prepared, if the token still holds the delivery; whether it did."""
    values = {
        "steps": delivery_rows.plain_steps(delivery), "sent_at": delivery.sent_at,
        "held_id": delivery.id, "held_by": token,
    }  # fmt: skip
    return connection.execute(SAVE_STEPS, values).rowcount > 0


def give_back(
    connection: Connection, delivery: Delivery, token: str, prepare_at: datetime | None
) -> bool:
    """End a claim for preparing, keeping what was prepared; whether it was still held."""
    values = delivery_rows.values_of(delivery)
    statement = (
        update(deliveries)
        .where(deliveries.c.id == delivery.id, deliveries.c.claim == token)
        .values(
            steps=values["steps"], prepare_at=prepare_at,
            claim=None, claim_worker=None, claimed_at=None, claim_until=None,
        )
    )  # fmt: skip
    return connection.execute(statement).rowcount > 0


def take_back(connection: Connection, tokens: Collection[str], now: datetime) -> int:
    """End what was claimed with those tokens, of which nothing was begun; how many that were."""
    if not tokens:
        return 0
    query = delivery_rows.selected().where(text("deliveries." + CLAIMED))
    query = query.where(deliveries.c.claim.in_(tokens))
    found = [delivery_rows.delivery_of(row) for row in connection.execute(query)]
    for delivery in found:
        assert delivery.claim is not None
        token = delivery.claim.token
        if delivery.status is S.PUBLISHING:
            settle(connection, let_go(delivery), token, now)
        elif delivery.status is S.CONFIRMING:
            settle(connection, replace(delivery, claim=None), token, now)
        else:
            give_back(connection, delivery, token, now)
    return len(found)


RENEW = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("held_id"), deliveries.c.claim == bindparam("held_by"))
    .values(claim_until=bindparam("until"))
)


def renew(
    connection: Connection, held: Collection[tuple[int, str]], until: datetime
) -> set[tuple[int, str]]:
    """Prolong claims, given as (delivery, token); those that still hold."""
    return {
        (delivery_id, token)
        for delivery_id, token in held
        if connection.execute(
            RENEW, {"held_id": delivery_id, "held_by": token, "until": until}
        ).rowcount
    }


def expire(
    connection: Connection,
    now: datetime,
    dead: Collection[int],
    guarantee_of: Callable[[Account], Guarantee],
    mine: Collection[tuple[int, str]] = (),
) -> list[tuple[Delivery, Delivery]]:
    """End the claims that ran out at `now`, but those that this worker has in its hands (`mine`,
    as delivery and token), and all claims of dead workers (by id).

    Returns each delivery before and after; one that was only being prepared stays as it was.
    """
    row = deliveries.c
    over = or_(row.claim_until <= now, row.claim_worker.in_(dead))
    query = delivery_rows.selected().where(text("deliveries." + CLAIMED), over)
    # Not what its holder, or another one, is writing just now: it is not what was read.
    query = query.order_by(row.id).with_for_update(skip_locked=True, of=deliveries)
    found = [delivery_rows.delivery_of(row) for row in connection.execute(query)]
    known = account_rows.by_ids(connection, list({d.account_id for d in found}))
    changes: list[tuple[Delivery, Delivery]] = []
    for before in found:
        assert before.claim is not None
        if (before.id, before.claim.token) in mine:
            continue
        if before.status in (S.PUBLISHING, S.CONFIRMING):
            after = claim_ran_out(before, guarantee_of(known[before.account_id]), now)
            attempt = Attempt(
                before.attempts, before.claim.at, now, "expire", "", after.status.value,
                after.problem, f"the claim of worker {before.claim.worker} ended",
            )  # fmt: skip
            changed = settle(connection, after, before.claim.token, now, attempt)
        else:
            after = replace(before, claim=None)
            again = now if now < before.due_at else None
            changed = give_back(connection, before, before.claim.token, again)
        if changed:
            changes.append((before, after))
    return changes
