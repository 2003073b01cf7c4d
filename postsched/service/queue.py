"""What sits in the weekly slots, and changing its order: posts exchange their instants.

All of a change is one transaction. Moved is only what surely nothing was ever sent of; what was
prepared for it is made anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from random import Random
from typing import TYPE_CHECKING

from postsched.domain.account import Account
from postsched.domain.delivery import Delivery, DeliveryStatus
from postsched.domain.errors import NotAllowed
from postsched.domain.post import Post
from postsched.domain.schedule import SLOT
from postsched.domain.slots import instants
from postsched.planning.planner import Occasion
from postsched.service.deliveries import accounts_named
from postsched.service.desk import Desk, posts_named
from postsched.store import accounts as account_rows
from postsched.store import plans
from postsched.store import posts as post_rows
from postsched.store import slots as slot_rows

if TYPE_CHECKING:
    from sqlalchemy import Connection

S = DeliveryStatus
FREE_SHOWN = 3
"""How many free slots are shown behind the last post."""
MOST_FREE = 100
"""How many free slots are shown of an account, at the most."""


@dataclass(frozen=True, slots=True)
class Place:
    """A slot of an account: what sits in it, with its post, or None where it is free."""

    account: str
    at: datetime
    delivery: Delivery | None = None
    post: Post | None = None


def places(
    connection: Connection, now: datetime, names: Sequence[str] | None = None
) -> list[Place]:
    """The slots of accounts or groups (None: of all that have any) in the order of time, taken and
    free, account by account."""
    wanted = accounts_named(connection, names) if names else account_rows.every(connection)
    ids = {account.id for account in wanted}
    queued: dict[int, list[Delivery]] = defaultdict(list)
    for delivery in slot_rows.queued(connection, ids):
        queued[delivery.account_id].append(delivery)
    posts = post_rows.get(connection, list({d.post_id for mine in queued.values() for d in mine}))
    found: list[Place] = []
    for account in sorted(wanted, key=lambda one: one.name):
        mine = [Place(account.name, d.occurrence, d, posts[d.post_id]) for d in queued[account.id]]
        free = _free(connection, account, now, queued[account.id])
        found += sorted([*mine, *free], key=lambda place: place.at)
    return found


def _free(
    connection: Connection, account: Account, now: datetime, queued: Sequence[Delivery]
) -> list[Place]:
    """The free slots up to the last post, and a few behind it."""
    slots = slot_rows.of_accounts(connection, {account.id}).get(account.id, ())
    taken = {
        one.occurrence for one in slot_rows.sitting(connection, account.id, now) if one.by_slot
    }
    last = max((delivery.occurrence for delivery in queued), default=now)
    free = (at for at in instants(slots, now) if at not in taken)
    found: list[Place] = []
    behind = 0
    for at in islice(free, MOST_FREE):
        behind += at > last
        if behind > FREE_SHOWN:
            break
        found.append(Place(account.name, at))
    return found


def step(desk: Desk, post_id: int, names: Sequence[str] | None, by: int) -> list[str]:
    """Exchange a post with the one before it (`by` -1) or behind it (+1), for each account where
    there is one; the accounts for which that was done.

    Raises NotFound, NotAllowed where it is the first or last already, or in no slot, and where one
    of the two can't be moved any more.
    """
    with desk.database.write() as connection:
        posts_named(connection, [post_id])
        order = _Order(connection, desk, names)
        pairs = []
        for mine in order.queues(post_id):
            place = next(n for n, one in enumerate(mine) if one.post_id == post_id)
            if 0 <= place + by < len(mine):
                pairs.append((mine[place], mine[place + by]))
        if not pairs:
            end = "first" if by < 0 else "last"
            raise NotAllowed(f"post {post_id} is the {end} already", "See: postsched queue")
        for one, other in pairs:
            order.exchange([one, other], [other.occurrence, one.occurrence])
    desk.tell()
    return [one.account for one, _ in pairs]


def swap(desk: Desk, post_id: int, other_id: int, names: Sequence[str] | None) -> list[str]:
    """Exchange two posts, for each account where both sit in slots; the accounts for which that was
    done. Raises as `step` does."""
    with desk.database.write() as connection:
        posts_named(connection, [post_id, other_id])
        order = _Order(connection, desk, names)
        pairs = []
        for mine in order.queues(post_id):
            one = next(d for d in mine if d.post_id == post_id)
            pairs += [(one, d) for d in mine if d.post_id == other_id != post_id]
        if not pairs:
            raise NotAllowed(
                f"posts {post_id} and {other_id} sit in no slots of the same account",
                "See: postsched queue",
            )
        for one, other in pairs:
            order.exchange([one, other], [other.occurrence, one.occurrence])
    desk.tell()
    return [one.account for one, _ in pairs]


def shuffle(desk: Desk, names: Sequence[str] | None, rng: Random) -> int:
    """Put the posts in the slots of each account into another order, by chance; how many that can
    be moved there are. What can't be moved any more stays."""
    with desk.database.write() as connection:
        order = _Order(connection, desk, names)
        count = 0
        for mine in order.every():
            movable = [delivery for delivery in mine if is_movable(delivery)]
            occurrences = [delivery.occurrence for delivery in movable]
            rng.shuffle(occurrences)
            order.exchange(movable, occurrences)
            count += len(movable)
    desk.tell()
    return count


def close_gaps(connection: Connection, desk: Desk, gone: Sequence[Delivery]) -> int:
    """Move what comes later up into the slots that cancelled deliveries have left; how many that
    were. In the caller's transaction."""
    now, ids = desk.now(), list({delivery.post_id for delivery in gone})
    schedules = post_rows.schedule_of(connection, ids)
    gaps: dict[int, list[datetime]] = defaultdict(list)
    for delivery in gone:
        if schedules[delivery.post_id].kind == SLOT and delivery.occurrence > now:
            gaps[delivery.account_id].append(delivery.occurrence)
    order, moved = _Order(connection, desk, None), 0
    for mine in order.every():
        left = gaps.get(mine[0].account_id)
        later = [d for d in mine if left and d.occurrence > min(left) and is_movable(d)]
        if left and later:
            places = sorted([*left, *(delivery.occurrence for delivery in later)])
            order.exchange(later, places[: len(later)])
            moved += len(later)
    return moved


def is_movable(delivery: Delivery) -> bool:
    """Whether surely nothing of it was ever sent, or is being."""
    return delivery.status is S.SCHEDULED and not delivery.attempts and not delivery.out


class _Order:
    """The queues of accounts within a transaction, in the order of time."""

    def __init__(self, connection: Connection, desk: Desk, names: Sequence[str] | None) -> None:
        self._connection, self._desk = connection, desk
        known = accounts_named(connection, names) if names else account_rows.every(connection)
        self._accounts = {account.id: account for account in known}

    def every(self) -> list[list[Delivery]]:
        """The queue of each account that has any."""
        queues: dict[int, list[Delivery]] = defaultdict(list)
        for delivery in slot_rows.queued(self._connection, set(self._accounts)):
            queues[delivery.account_id].append(delivery)
        return list(queues.values())

    def queues(self, post_id: int) -> list[list[Delivery]]:
        """Those that a post is in. Raises NotAllowed where there are none."""
        found = [mine for mine in self.every() if any(d.post_id == post_id for d in mine)]
        if not found:
            raise NotAllowed(f"post {post_id} sits in no slot", "See: postsched queue")
        return found

    def exchange(self, deliveries: Sequence[Delivery], occurrences: Sequence[datetime]) -> None:
        """Give each of an account's deliveries the occurrence in its place. Raises NotAllowed for
        one that can't be moved any more."""
        for delivery in deliveries:
            if not is_movable(delivery):
                raise NotAllowed(
                    f"post {delivery.post_id} is {_state(delivery)} on {delivery.account} "
                    "and can't be moved",
                    f"See it: postsched show {delivery.post_id}",
                )
        posts = post_rows.get(self._connection, list({d.post_id for d in deliveries}))
        for delivery, occurrence in zip(deliveries, occurrences, strict=True):
            if delivery.occurrence != occurrence:
                self._move(posts[delivery.post_id], delivery, occurrence)

    def _move(self, post: Post, delivery: Delivery, occurrence: datetime) -> None:
        account = self._accounts[delivery.account_id]
        occasion = Occasion(occurrence)
        planned = self._desk.planner.row(post, account, occasion, self._desk.now())
        after = replace(
            delivery,
            occurrence=occurrence,
            due_at=planned.due,
            next_at=planned.due,
            grace_until=planned.grace_until,
            problem=None,
        )
        plans.rewrite_plan(self._connection, delivery, after, planned)


def _state(delivery: Delivery) -> str:
    return "tried already" if delivery.status is S.SCHEDULED else delivery.status.value
