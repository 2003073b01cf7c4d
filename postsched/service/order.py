"""The order of what sits in the weekly slots: deliveries exchange their occurrences.

Moved is only what surely nothing was ever sent of; what was prepared for it is made anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from postsched.domain.account import Account
from postsched.domain.delivery import Delivery, DeliveryStatus
from postsched.domain.errors import NotAllowed
from postsched.domain.post import Post
from postsched.domain.schedule import SLOT
from postsched.planning.planner import Occasion
from postsched.service.desk import Desk
from postsched.service.slots import Allotment
from postsched.store import accounts as account_rows
from postsched.store import plans
from postsched.store import posts as post_rows
from postsched.store import slots as slot_rows

if TYPE_CHECKING:
    from sqlalchemy import Connection

S = DeliveryStatus


def is_movable(delivery: Delivery) -> bool:
    """Whether surely nothing of it was ever sent, or is being."""
    return delivery.status is S.SCHEDULED and not delivery.attempts and not delivery.out


class Order:
    """The queues of accounts (None: of all) within a transaction, in the order of time."""

    def __init__(
        self, connection: Connection, desk: Desk, accounts: Iterable[Account] | None = None
    ) -> None:
        self._connection, self._desk = connection, desk
        known = account_rows.every(connection) if accounts is None else accounts
        self._accounts = {account.id: account for account in known}

    def every(self) -> list[list[Delivery]]:
        """The queue of each account that has any."""
        queues: dict[int, list[Delivery]] = defaultdict(list)
        for delivery in slot_rows.queued(self._connection, set(self._accounts)):
            queues[delivery.account_id].append(delivery)
        return list(queues.values())

    def seats(self, *post_ids: int) -> list[Delivery]:
        """Where those posts sit. Raises NotAllowed where the first of them sits nowhere."""
        found = slot_rows.seats(self._connection, post_ids, set(self._accounts))
        if not any(one.post_id == post_ids[0] for one in found):
            raise NotAllowed(f"post {post_ids[0]} sits in no slot", "See: postsched queue")
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

    def seat_anew(self, post: Post, delivery: Delivery) -> None:
        """Move a delivery to the next free slot of its account."""
        account = self._accounts[delivery.account_id]
        allotment = Allotment(self._connection, self._desk.now())
        pace = self._desk.planner.timing.pace(account)
        self._move(post, delivery, allotment.next_for(account, pace))

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


def close_gaps(connection: Connection, desk: Desk, gone: Sequence[Delivery]) -> int:
    """Move what comes later up into the slots that cancelled deliveries have left; how many that
    were. In the caller's transaction."""
    now, ids = desk.now(), list({delivery.post_id for delivery in gone})
    schedules = post_rows.schedule_of(connection, ids)
    gaps: dict[int, list[datetime]] = defaultdict(list)
    for delivery in gone:
        if schedules[delivery.post_id].kind == SLOT and delivery.occurrence > now:
            gaps[delivery.account_id].append(delivery.occurrence)
    order, moved = Order(connection, desk), 0
    for mine in order.every():
        left = gaps.get(mine[0].account_id)
        later = [d for d in mine if left and d.occurrence > min(left) and is_movable(d)]
        if left and later:
            places = sorted([*left, *(delivery.occurrence for delivery in later)])
            order.exchange(later, places[: len(later)])
            moved += len(later)
    return moved


def reseat(connection: Connection, desk: Desk, post: Post, again: Sequence[Delivery]) -> None:
    """Give deliveries that are to go out after all the next free slot, where others have taken
    theirs meanwhile. In the caller's transaction."""
    now, order = desk.now(), Order(connection, desk)
    if post_rows.schedule_of(connection, [post.id])[post.id].kind != SLOT:
        return
    for delivery in again:
        there = slot_rows.sitting(connection, delivery.account_id, now)
        others = {one.occurrence for one in there if one.by_slot and one.post_id != post.id}
        if delivery.occurrence > now and delivery.occurrence in others:
            order.seat_anew(post, delivery)


def _state(delivery: Delivery) -> str:
    return "tried already" if delivery.status is S.SCHEDULED else delivery.status.value
