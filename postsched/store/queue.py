"""The deliveries table as a queue: plan, claim, renew, settle, expire, and what is due next.

It makes the moves of `domain.delivery` as guarded statements: a row that another process was
faster with is not touched, and that is not an error. It knows no scheduler.

A lane is the waiting deliveries of one account and priority. Claims go lane by lane, so that an
account with a long backlog, a paused or a refused one never stands in the way of another.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Update,
    bindparam,
    case,
    delete,
    func,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.sqlite import insert as upsert

from postsched.domain import delivery as moves
from postsched.domain.account import Account
from postsched.domain.capabilities import Guarantee
from postsched.domain.delivery import (
    Attempt,
    Claim,
    Delivery,
    DeliveryStatus,
    claim_ran_out,
)
from postsched.domain.post import Post
from postsched.store import accounts as account_rows
from postsched.store import deliveries as delivery_rows
from postsched.store import posts as post_rows
from postsched.store.tables import (
    CLAIMED,
    FREE,
    UNPREPARED,
    Instant,
    accounts,
    deliveries,
    meta,
    posts,
)

S = DeliveryStatus


@dataclass(frozen=True, slots=True)
class Lane:
    """The waiting deliveries of one account and priority; `next_at` of the first."""

    account_id: int
    platform: str
    priority: int
    next_at: datetime


@dataclass(frozen=True, slots=True)
class Work:
    """A delivery that a worker holds, with all it needs to send it."""

    delivery: Delivery
    post: Post
    account: Account


@dataclass(frozen=True, slots=True)
class Planned:
    """A new delivery, to be written. `prepare_at` is when to begin preparing it, if that takes
    requests."""

    post_id: int
    account_id: int
    occurrence: datetime
    grace_until: datetime | None
    priority: int = 0
    paused: bool = False
    prepare_at: datetime | None = None


def plan(connection: Connection, rows: Iterable[Planned]) -> int:
    """Write new deliveries; those that exist already stay as they are. How many were new."""
    values = [planned_values(row) for row in rows]
    if not values:
        return 0
    statement = upsert(deliveries).on_conflict_do_nothing()
    return connection.execute(statement, values).rowcount


def planned_values(row: Planned) -> dict[str, Any]:
    """The columns of a new delivery that have no default."""
    return {
        "post_id": row.post_id,
        "account_id": row.account_id,
        "occurrence": row.occurrence,
        "due_at": row.occurrence,
        "next_at": row.occurrence,
        "prepare_at": row.prepare_at,
        "status": S.SCHEDULED.value,
        "grace_until": row.grace_until,
        "priority": row.priority,
        "paused": int(row.paused),
    }


def forget(connection: Connection, delivery: Delivery) -> None:
    """Remove a delivery of which nothing was ever sent; its attempts go with it."""
    connection.execute(delete(deliveries).where(deliveries.c.id == delivery.id))


def rewrite_plan(
    connection: Connection, before: Delivery, after: Delivery, planned: Planned
) -> None:
    """Write a delivery anew for a changed post. What was prepared for it is discarded, a claim to
    prepare it too, and its revision rises, so that no network takes it for the old one."""
    waiting = after.next_at is not None
    connection.execute(
        update(deliveries)
        .where(deliveries.c.id == before.id, deliveries.c.status == before.status.value)
        .values(
            **delivery_rows.values_of(
                replace(after, steps=(), claim=None, revision=before.revision + 1)
            ),
            occurrence=planned.occurrence,
            prepare_at=planned.prepare_at if waiting else None,
            priority=planned.priority,
            finished_at=None if waiting else deliveries.c.finished_at,
        )
    )


OPEN = """accounts.paused = 0 AND accounts.state <> 'login'
    AND NOT EXISTS (SELECT 1 FROM meta WHERE name = 'paused')"""
"""An account that anything may be sent to."""
FREE_OF_D = "d.next_at IS NOT NULL AND d.paused = 0 AND d.claim IS NULL"
UNPREPARED_OF_D = "d.prepare_at IS NOT NULL AND d.paused = 0 AND d.claim IS NULL"
LANES = text(
    f"""
    WITH RECURSIVE lanes (account_id, platform, priority) AS (
        SELECT id, platform,
            (SELECT max(d.priority) FROM deliveries d
             WHERE d.account_id = accounts.id AND {FREE_OF_D})
        FROM accounts WHERE {OPEN}
        UNION ALL
        SELECT l.account_id, l.platform,
            (SELECT max(d.priority) FROM deliveries d
             WHERE d.account_id = l.account_id AND d.priority < l.priority AND {FREE_OF_D})
        FROM lanes l WHERE l.priority IS NOT NULL
    )
    SELECT l.account_id, l.platform, l.priority,
        (SELECT min(d.next_at) FROM deliveries d
         WHERE d.account_id = l.account_id AND d.priority = l.priority AND {FREE_OF_D}) AS next_at
    FROM lanes l WHERE l.priority IS NOT NULL
    """  # noqa: S608 - made of constants only
).columns(next_at=Instant)


def lanes(connection: Connection) -> list[Lane]:
    """The lanes that hold anything, highest priority first, then by what is due first."""
    found = [Lane(*row) for row in connection.execute(LANES)]
    return sorted(found, key=lambda lane: (-lane.priority, lane.next_at))


def share_out(due: Sequence[Lane], hands: Mapping[str, int], total: int) -> dict[Lane, int]:
    """How many to claim from each lane: every lane of a priority in turn, one at a time, while
    its platform and the total allow."""
    left, shares = dict(hands), dict.fromkeys(due, 0)
    for priority in sorted({lane.priority for lane in due}, reverse=True):
        turn = [lane for lane in due if lane.priority == priority]
        while turn and total > 0:
            turn = [lane for lane in turn if left.get(lane.platform, 0) > 0]
            for lane in turn[:total]:
                if left[lane.platform] > 0:
                    left[lane.platform] -= 1
                    total -= 1
                    shares[lane] += 1
    return {lane: share for lane, share in shares.items() if share}


def _claiming() -> Update:
    """The claim as one statement, built once: it is made for every post."""
    row = deliveries.c
    now, at, until = (bindparam(name, type_=Instant) for name in ("now", "at", "until"))
    asking = row.status == S.CONFIRMING.value
    missed = (row.grace_until < now) & ~asking
    first = (
        select(row.id)
        .where(row.account_id == bindparam("lane"), row.priority == bindparam("level"))
        .where(text(FREE), row.next_at <= bindparam("upto", type_=Instant))
        .order_by(row.next_at, row.id)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
    )
    return (
        update(deliveries)
        .where(row.id.in_(first))
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


CLAIM = _claiming()


def claim(
    connection: Connection, lane: Lane, limit: int, upto: datetime, now: datetime, held: Claim
) -> tuple[list[int], list[int]]:
    """Take up to `limit` deliveries of a lane whose instant is not after `upto`.

    Returns the ids of those that are held now, and of those that turned out to be past their
    grace (at `now`) and are `missed`. Counts an attempt, except where the network is to be asked.
    """
    values = {
        "lane": lane.account_id, "level": lane.priority, "most": limit, "upto": upto, "now": now,
        "token": held.token, "worker": held.worker, "at": held.at, "until": held.until,
    }  # fmt: skip
    taken: list[int] = []
    late: list[int] = []
    for delivery_id, status in connection.execute(CLAIM, values):
        (late if status == S.MISSED.value else taken).append(delivery_id)
    return taken, late


def claim_to_prepare(connection: Connection, limit: int, now: datetime, held: Claim) -> list[int]:
    """Take up to `limit` deliveries whose time to prepare has come; their status stays."""
    row = deliveries.c
    first = (
        select(row.id)
        .where(row.account_id.in_(select(accounts.c.id).where(text(OPEN))))
        .where(text(UNPREPARED), row.prepare_at <= now)
        .order_by(row.prepare_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    statement = (
        update(deliveries)
        .where(row.id.in_(first))
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


LOAD = delivery_rows.selected().where(deliveries.c.id.in_(bindparam("ids", expanding=True)))


def load(connection: Connection, ids: Sequence[int]) -> list[Work]:
    """The deliveries of those ids with their posts and accounts, by due time and then by id."""
    if not ids:
        return []
    found = [delivery_rows.delivery_of(row) for row in connection.execute(LOAD, {"ids": ids})]
    found.sort(key=lambda delivery: (delivery.due_at, delivery.id))
    known_posts = post_rows.to_send(connection, list({d.post_id for d in found}))
    known_accounts = account_rows.by_ids(connection, list({d.account_id for d in found}))
    return [
        Work(
            delivery_rows.with_steps(delivery, known_posts[delivery.post_id]),
            known_posts[delivery.post_id],
            known_accounts[delivery.account_id],
        )
        for delivery in found
    ]


SETTLE = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("held_id"), deliveries.c.claim == bindparam("held_by"))
    .values({name: bindparam(name) for name in (*delivery_rows.CHANGING, "finished_at")})
)


def settle(
    connection: Connection, delivery: Delivery, token: str, now: datetime, *made: Attempt
) -> bool:
    """Write a changed delivery and its attempts, if the token still holds it; whether it did.

    Written twice, the second time changes nothing: a final status has given the claim back.
    """
    finished = delivery.next_at is None and delivery.claim is None
    values = {**delivery_rows.values_of(delivery), "finished_at": now if finished else None}
    held = {"held_id": delivery.id, "held_by": token}
    if not connection.execute(SETTLE, {**values, **held}).rowcount:
        return False
    for attempt in made:
        delivery_rows.add_attempt(connection, delivery.id, attempt)
    return True


def rewrite(connection: Connection, delivery: Delivery, before: Delivery, now: datetime) -> bool:
    """Write what a person changed, if the delivery is still in the status it was read in, and
    nobody has claimed it to send it; whether it was."""
    finished = delivery.next_at is None and delivery.claim is None
    values = {**delivery_rows.values_of(delivery), "finished_at": now if finished else None}
    if delivery.status is not S.SCHEDULED:
        values["prepare_at"] = None
    row = deliveries.c
    statement = (
        update(deliveries)
        .where(row.id == delivery.id, row.status == before.status.value)
        .where(row.attempts == before.attempts, row.revision == before.revision)
        .values(values)
    )
    return connection.execute(statement).rowcount > 0


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


def set_paused(connection: Connection, post_id: int, *, paused: bool) -> None:
    """Hold or release a post. What is being prepared goes on; it is invisible."""
    for table, column in ((posts, posts.c.id), (deliveries, deliveries.c.post_id)):
        connection.execute(update(table).where(column == post_id).values(paused=int(paused)))


def set_all_paused(connection: Connection, *, paused: bool) -> None:
    """Hold or release everything."""
    connection.execute(delete(meta).where(meta.c.name == "paused"))
    if paused:
        connection.execute(meta.insert(), {"name": "paused", "value": "1"})


def all_paused(connection: Connection) -> bool:
    """Whether everything is held."""
    query = select(meta.c.value).where(meta.c.name == "paused")
    return connection.scalar(query) is not None


def miss(
    connection: Connection,
    now: datetime,
    *,
    post_ids: Sequence[int] | None = None,
    account_ids: Sequence[int] | None = None,
) -> list[Delivery]:
    """Take what is past its grace out of the queue: of those posts, of those accounts, or all.
    What an account or a pause of everything still holds keeps its status."""
    row = deliveries.c
    query = delivery_rows.selected().where(
        row.next_at.is_not(None),
        row.claim.is_(None),
        row.grace_until < now,
        row.status.in_((S.SCHEDULED.value, S.RETRYING.value)),
        row.paused == 0,
        text(OPEN),
    )
    if post_ids is not None:
        query = query.where(row.post_id.in_(post_ids))
    if account_ids is not None:
        query = query.where(row.account_id.in_(account_ids))
    late = [delivery_rows.delivery_of(found) for found in connection.execute(query)]
    return [moves.miss(d) for d in late if rewrite(connection, moves.miss(d), d, now)]


@dataclass(frozen=True, slots=True)
class Look:
    """What a worker has to know of the queue: the lanes, the next instant to prepare something,
    and the claims that are not in its hands (by worker id, when the first of them runs out). Its
    own id is there if it has lost hold of a claim."""

    lanes: Sequence[Lane]
    prepare_at: datetime | None
    foreign: Mapping[int, datetime]


CLAIMS = (
    select(
        deliveries.c.claim_worker,
        func.min(deliveries.c.claim_until).label("until"),
        func.count().label("claims"),
    )
    .where(text(CLAIMED))
    .group_by(deliveries.c.claim_worker)
)
PREPARE = text(
    f"""
    SELECT min((SELECT min(d.prepare_at) FROM deliveries d
                WHERE d.account_id = accounts.id AND {UNPREPARED_OF_D})) AS prepare_at
    FROM accounts WHERE {OPEN}
    """  # noqa: S608 - made of constants only
).columns(prepare_at=Instant)


def look(connection: Connection, worker: int, mine: Collection[tuple[int, str]] = ()) -> Look:
    """Read the queue's next instants, by index only. `mine` is what the worker has in its hands,
    as delivery and token."""
    foreign: dict[int, datetime] = {}
    for row in connection.execute(CLAIMS):
        if row.claim_worker != worker:
            foreign[row.claim_worker] = row.until
        elif row.claims > len(mine) and (until := _dropped(connection, worker, mine)):
            foreign[worker] = until
    return Look(lanes(connection), connection.scalar(PREPARE), foreign)


def _dropped(
    connection: Connection, worker: int, mine: Collection[tuple[int, str]]
) -> datetime | None:
    """When the first claim of a worker runs out that it no longer has in its hands."""
    row = deliveries.c
    query = select(row.id, row.claim, row.claim_until).where(
        text(CLAIMED), row.claim_worker == worker
    )
    found = [
        claim.claim_until
        for claim in connection.execute(query)
        if (claim.id, claim.claim) not in mine
    ]
    return min(found, default=None)


def held_by_login(connection: Connection, now: datetime) -> list[tuple[Account, int]]:
    """The accounts whose login is refused, with how many of their deliveries are due."""
    row = deliveries.c
    query = (
        select(row.account_id, func.count())
        .where(row.next_at <= now, row.paused == 0, row.claim.is_(None))
        .where(row.account_id.in_(select(accounts.c.id).where(accounts.c.state == "login")))
        .group_by(row.account_id)
    )
    counts = connection.execute(query).all()
    known = account_rows.by_ids(connection, [account_id for account_id, _ in counts])
    return [(known[account_id], count) for account_id, count in counts]


def count_by_status(connection: Connection) -> dict[DeliveryStatus, int]:
    """How many deliveries there are in each status."""
    row = deliveries.c
    query = select(row.status, func.count()).group_by(row.status)
    counts: dict[DeliveryStatus, int] = dict.fromkeys(DeliveryStatus, 0)
    counts.update({S(status): count for status, count in connection.execute(query)})
    return counts


def is_idle(connection: Connection) -> bool:
    """Whether nothing is waiting that could go out by itself, and nothing is in flight.

    Paused deliveries, and those of paused or refused accounts, wait for a person.
    """
    waiting = bool(lanes(connection))
    held = select(literal(1)).where(text(CLAIMED)).select_from(deliveries).limit(1)
    return not waiting and connection.scalar(held) is None


def holds_any(connection: Connection, worker: int) -> bool:
    """Whether a worker has any claims."""
    row = deliveries.c
    held = select(literal(1)).where(text(CLAIMED), row.claim_worker == worker).limit(1)
    return connection.scalar(held) is not None
