"""A series that was changed: what it had sent stays as it was, the rest follows from now on.

What waits stays, made anew, if the series still names its occurrence, and so does what a person
arranged for one (skipped, moved, with a text of its own). Where the days or times have changed,
what led leads on only if it is still the first to come; else the series goes on with the first
that has no row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from postsched.domain.account import Account
from postsched.domain.delivery import Delivery, DeliveryStatus
from postsched.domain.occasion import said_by
from postsched.domain.post import Missed, Post
from postsched.domain.schedule import Schedule
from postsched.domain.when import describe
from postsched.domain.zones import zone_named
from postsched.planning.chain import Chain
from postsched.planning.planner import Occasion, grace_until
from postsched.planning.timing import turn_of
from postsched.service.compose import Composed
from postsched.service.desk import Desk
from postsched.service.subject import Subject, drop
from postsched.store import chains, plans
from postsched.store import deliveries as delivery_rows

if TYPE_CHECKING:
    from sqlalchemy import Connection

S = DeliveryStatus
MICROSECOND = timedelta(microseconds=1)
MOST_NAMED = 3
"""Up to how many occurrences a note names; more are counted."""


def replan(
    connection: Connection, desk: Desk, subject: Subject, post: Post, composed: Composed
) -> None:
    """Bring the deliveries of a post that is, or was, a series into line with what it has become.
    The post is written already; `subject` is how it was before."""
    keep_begun(connection, subject, post)
    _Replanning(connection, desk, subject, post, composed).run()


def notes(desk: Desk, subject: Subject, composed: Composed) -> tuple[str, ...]:
    """What a person may not expect: who gets nothing of a series that is over, and what was
    arranged for single occurrences that it does not name any more."""
    new = [name for name in composed.names if name not in subject.post.accounts]
    over = composed.schedule.recurs and composed.occurrence is None and not composed.draft
    if over and new:
        return (f"The series is over: nothing of it is to come for {', '.join(new)}",)
    return _gone(desk, subject, composed)


def _gone(desk: Desk, subject: Subject, composed: Composed) -> tuple[str, ...]:
    if composed.schedule == subject.schedule or not any(d.leads for d in subject.deliveries):
        return ()
    now, accounts = desk.now(), {account.id: account for account in composed.accounts}
    arranged = {
        delivery.occurrence
        for delivery in subject.deliveries
        if delivery.occurrence > now
        and delivery.number is not None
        and (account := accounts.get(delivery.account_id))
        and _is_arranged(desk, subject, delivery, account)
    }
    gone = sorted(at for at in arranged if not _names(composed.schedule, at))
    if not gone:
        return ()
    zone = zone_named(subject.schedule.tz)
    listed = "; ".join(describe(at, now, zone) for at in gone[:MOST_NAMED])
    more = f"; and {len(gone) - MOST_NAMED} more" if len(gone) > MOST_NAMED else ""
    return (f"What was skipped, moved or worded anew is gone with its time: {listed}{more}",)


def keep_begun(connection: Connection, subject: Subject, post: Post) -> None:
    """Have what is out in part say to its end what it began with."""
    if post.content == subject.post.content:
        return
    for delivery in subject.deliveries:
        if delivery.out and delivery.status is not S.PUBLISHED and delivery.wording is None:
            post_said = said_by(delivery, subject.post, subject.schedule.tz)
            parts = [part.text for part in post_said.content.parts(delivery.account)]
            plans.reword(connection, delivery.id, {"parts": parts})


@dataclass(frozen=True, slots=True)
class _Replanning:
    connection: Connection
    desk: Desk
    subject: Subject
    post: Post
    composed: Composed

    def run(self) -> None:
        """Drop what is not wanted any more, make the rest anew, and see that the series goes on."""
        accounts = () if self.composed.draft else self.composed.accounts
        wanted = {account.id: account for account in accounts}
        for delivery in self.subject.deliveries:
            if delivery.status in (S.SCHEDULED, S.RETRYING) and not delivery.out:
                self._bring_into_line(delivery, wanted.get(delivery.account_id))
        for account in accounts:
            self._go_on(account)

    @property
    def _same_times(self) -> bool:
        return self.composed.schedule == self.subject.schedule

    def _bring_into_line(self, delivery: Delivery, account: Account | None) -> None:
        if account is None or not self._stays(delivery):
            self._drop(delivery)
            return
        leads = delivery.leads and (self._same_times or self._is_first(delivery, account))
        if delivery.leads and not leads and self._can_be_forgotten(delivery):
            plans.forget(self.connection, delivery)  # the series comes to it again
            return
        occasion = Occasion(
            delivery.occurrence, delivery.number, leads=leads, wording=delivery.wording
        )
        planned = self.desk.planner.row(self.post, account, occasion, self.desk.now())
        due = (
            delivery.due_at
            if _is_moved(self.desk, self.subject, delivery, account)
            else planned.due
        )
        after = replace(delivery, due_at=due, next_at=due)
        if delivery.status is S.RETRYING:
            after, due = delivery, self._first_due(delivery, planned.due)
        after = replace(after, grace_until=self._grace_until(delivery, due))
        plans.rewrite_plan(self.connection, delivery, after, planned)

    def _first_due(self, delivery: Delivery, planned: datetime) -> datetime:
        """When it was due before it was tried."""
        until = delivery.grace_until
        return until - self.subject.post.grace if until else planned

    def _grace_until(self, delivery: Delivery, due: datetime) -> datetime | None:
        """By the grace that the post has now; what a person sent again has none."""
        again = delivery.grace_until is None and self.subject.post.missed is not Missed.LATE
        return None if again else grace_until(self.post, due)

    def _stays(self, delivery: Delivery) -> bool:
        """Whether the series names it as before; what has been tried is finished in any case."""
        if self._same_times or delivery.status is S.RETRYING:
            return True
        if delivery.number is None:  # what went out once has no place in a series
            return False
        return _names(self.composed.schedule, delivery.occurrence)

    def _is_first(self, delivery: Delivery, account: Account) -> bool:
        """Whether it is the first to come of the series as it is now."""
        return delivery.occurrence == self.composed.at(account)

    def _can_be_forgotten(self, delivery: Delivery) -> bool:
        """Whether it is still to come, and nothing is told of it."""
        return delivery.occurrence > self.desk.now() and not self._has_past(delivery)

    def _has_past(self, delivery: Delivery) -> bool:
        """Whether it was tried, or something is told of it."""
        tried = delivery.attempts or delivery_rows.attempts_of(self.connection, delivery.id)
        return delivery.status is not S.SCHEDULED or bool(tried)

    def _drop(self, delivery: Delivery) -> None:
        """Take it out; one that was tried keeps its row and its attempts, cancelled."""
        if not self._has_past(delivery):
            plans.forget(self.connection, delivery)
            return
        chains.unlead(self.connection, [delivery.id])
        drop(self.connection, delivery, self.desk.now())

    def _go_on(self, account: Account) -> None:
        """Plan the next for an account, unless one leads already."""
        now, first = self.desk.now(), self.composed.at(account)
        if first is None:  # the series is over, but for what waits
            return
        if not self.composed.schedule.recurs:
            plans.plan(
                self.connection, [self.desk.planner.row(self.post, account, Occasion(first), now)]
            )
            return
        if chains.has_leader(self.connection, self.post.id, account.id):
            return
        tail = chains.tail(self.connection, self.post.id, account.id, now)
        chain = Chain(self.post, account, self.composed.schedule, self.desk.planner)
        chain.plan_after(self.connection, first - MICROSECOND, tail.number if tail else 0, now)


def _names(schedule: Schedule, occurrence: datetime) -> bool:
    from postsched.domain.recurrence import next_occurrence

    found = next_occurrence(schedule, occurrence - MICROSECOND)
    return found is not None and found.instant == occurrence


def _is_moved(desk: Desk, subject: Subject, delivery: Delivery, account: Account) -> bool:
    """Whether a person gave it another time than the one at which the series had it go out."""
    if delivery.leads or delivery.due_at == delivery.occurrence:
        return False
    turn = turn_of(subject.post, account)
    return delivery.due_at != desk.planner.timing.due(
        subject.post, account, delivery.occurrence, turn
    )


def _is_arranged(desk: Desk, subject: Subject, delivery: Delivery, account: Account) -> bool:
    """Whether a person skipped it, moved it, or gave it a text of its own."""
    if delivery.status is S.SCHEDULED:
        return delivery.wording is not None or _is_moved(desk, subject, delivery, account)
    return delivery.status is S.CANCELLED
