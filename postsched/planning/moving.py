"""Having deliveries that are planned already stand for other instants, as their schedule does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import Connection

from postsched.domain.account import Account
from postsched.domain.delivery import Attempt, Delivery, DeliveryStatus
from postsched.domain.post import Post
from postsched.planning.landing import Landing
from postsched.planning.planner import Occasion, Planner
from postsched.store import accounts as account_rows
from postsched.store import chains, plans, zone_notes
from postsched.store import deliveries as delivery_rows
from postsched.store import posts as post_rows
from postsched.store.plans import Planned

S = DeliveryStatus
DONE = frozenset({S.PUBLISHED, S.FAILED, S.MISSED, S.CANCELLED})
"""What does not wait, and holds the place of its occurrence in a series."""
LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Moved:
    """A delivery as it was, and the occurrence (UTC) that it stands for now."""

    delivery: Delivery
    at: datetime


@dataclass(frozen=True, slots=True)
class Mover:
    """Moves deliveries of those posts in a transaction. `why` says what for."""

    connection: Connection
    planner: Planner
    now: datetime
    why: str
    posts: dict[int, Post]
    accounts: dict[int, Account]

    @classmethod
    def over(
        cls, connection: Connection, planner: Planner, now: datetime, why: str, ids: Sequence[int]
    ) -> Mover:
        """One for the posts of those ids."""
        posts = post_rows.get(connection, list(dict.fromkeys(ids)))
        accounts = {account.id: account for account in account_rows.every(connection)}
        return cls(connection, planner, now, why, posts, accounts)

    def move(self, wanted: Sequence[Moved]) -> list[Moved]:
        """Have deliveries that wait, and go out by a schedule of their own or a slot, stand for
        other instants; those that were. What a person has asked for anew stays."""
        moved = [one for one in wanted if not self._is_asked_for(one.delivery)]
        planned = [(one.delivery, self._row(one.delivery, one.at)) for one in moved]
        rows = [
            (one.id, row if one.grace_until else replace(row, grace_until=None))
            for one, row in planned
        ]
        zone_notes.plan_anew(self.connection, rows)
        noted = [(one.delivery.id, self._attempt(one)) for one in moved]
        delivery_rows.add_attempts(self.connection, noted)
        return moved

    def move_chain(self, landing: Landing, post_id: int, account_id: int) -> list[Moved]:
        """Have the rows to come of a series for an account, and those that a person has made ahead,
        stand for what the series names now."""
        rows = zone_notes.to_come(self.connection, post_id, account_id, self.now)
        mine = [one for one in rows if is_movable(one) or one.status in DONE]
        if not mine:
            return []
        first = mine[0].occurrence
        others = chains.taken(self.connection, post_id, account_id, LONG_AGO)
        others -= {one.occurrence for one in mine}
        last = max((at for at in others if at < first), default=LONG_AGO)
        before = LONG_AGO
        wanted: list[Moved] = []
        for one in mine:
            at = landing.of(one.occurrence, before, last, others) or one.occurrence
            before = max(before, at)
            if at != one.occurrence:
                wanted.append(Moved(one, at))
        return [self._move_one(moved) for moved in _without_collisions(wanted)]

    def _move_one(self, moved: Moved) -> Moved:
        one = moved.delivery
        planned = self._row(one, moved.at)
        stays = not one.leads and one.due_at != self._row(one, one.occurrence).due
        if one.status in DONE:
            due = one.due_at if stays or one.status is not S.CANCELLED else planned.due
            zone_notes.stand_for(self.connection, one, moved.at, due)
            return self._noted(moved)
        return self._rewrite(one, planned, one.due_at if stays else planned.due)

    def _rewrite(self, delivery: Delivery, planned: Planned, due: datetime) -> Moved:
        grace_until = planned.grace_until if due == planned.due else delivery.grace_until
        after = replace(
            delivery,
            due_at=due,
            next_at=due,
            grace_until=grace_until if delivery.grace_until else None,
        )
        plans.rewrite_plan(self.connection, delivery, after, planned)
        return self._noted(Moved(delivery, planned.occurrence))

    def _noted(self, moved: Moved) -> Moved:
        delivery_rows.add_attempt(self.connection, moved.delivery.id, self._attempt(moved))
        return moved

    def _attempt(self, moved: Moved) -> Attempt:
        words = f"{self.why}: from {_z(moved.delivery.occurrence)} to {_z(moved.at)}"
        return Attempt(0, self.now, self.now, "moved", "", "moved", None, words)

    def _is_asked_for(self, delivery: Delivery) -> bool:
        """Whether a `retry` gave it its time: such a one has no grace, either."""
        if delivery.grace_until is not None:
            return False
        return delivery.due_at != self._row(delivery, delivery.occurrence).due

    def _row(self, delivery: Delivery, at: datetime) -> Planned:
        occasion = Occasion(at, delivery.number, leads=delivery.leads, wording=delivery.wording)
        post, account = self.posts[delivery.post_id], self.accounts[delivery.account_id]
        return self.planner.row(post, account, occasion, self.now)


def is_movable(delivery: Delivery) -> bool:
    """Whether it waits, and surely nothing of it was ever sent, or is being."""
    begun = delivery.attempts or delivery.sent_at or delivery.out
    doubtful = any(step.doubtful for step in delivery.steps)
    return delivery.status is S.SCHEDULED and not begun and not doubtful


def _without_collisions(moved: Sequence[Moved]) -> list[Moved]:
    """In an order in which none takes the place of one that is still to be moved; given by
    occurrence, which they keep among themselves."""
    earlier = [one for one in moved if one.at < one.delivery.occurrence]
    later = [one for one in moved if one.at > one.delivery.occurrence]
    return [*earlier, *reversed(later)]


def _z(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
