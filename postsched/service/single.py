"""A post that goes out once was changed: at most one delivery to each account, at its new time.

What was tried keeps its row, and a delivery that failed or was missed stays so unless it gets a new
time. What was prepared is made anew.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from postsched.domain import moves
from postsched.domain.account import Account
from postsched.domain.delivery import Delivery, DeliveryStatus
from postsched.domain.errors import InvalidInput
from postsched.domain.post import Missed, Post
from postsched.service import posts
from postsched.service.compose import Composed
from postsched.service.desk import Desk
from postsched.service.subject import Subject, drop
from postsched.store import deliveries as delivery_rows
from postsched.store import plans
from postsched.store.plans import Planned

if TYPE_CHECKING:
    from sqlalchemy import Connection

S = DeliveryStatus


def replan(
    connection: Connection, desk: Desk, subject: Subject, post: Post, composed: Composed
) -> None:
    """Bring the deliveries of a post that is no series, and was none, into line with what it has
    become. The post is written already; `subject` is how it was before."""
    _Replanning(connection, desk, subject, post, composed).run()


@dataclass(frozen=True, slots=True)
class _Replanning:
    connection: Connection
    desk: Desk
    subject: Subject
    post: Post
    composed: Composed

    def run(self) -> None:
        """Drop what is not wanted any more, then move or plan the rest."""
        accounts = self.composed.accounts if self.composed.occurrence else ()
        wanted = {account.id for account in accounts}
        for delivery in self.subject.changeable:
            if delivery.account_id not in wanted:
                self._drop(delivery)
        for account in accounts:
            (planned,) = posts.planned_for(self.desk, self.post, self.composed, [account])
            self._place(account, planned)

    def _place(self, account: Account, planned: Planned) -> None:
        """The account's one delivery at its time: kept, moved, taken up again, or new."""
        mine = [d for d in self.subject.deliveries if d.account_id == account.id]
        if not mine:
            self._refuse_past(account, planned)
            plans.plan(self.connection, [planned])
        for delivery in mine:
            if delivery in self.subject.changeable:
                self._rewrite(delivery, self._moved(delivery, planned), planned)
            elif self._is_wanted_again(account, delivery):
                self._refuse_past(account, planned)
                self._rewrite(delivery, _at(delivery, planned), planned)

    def _moved(self, delivery: Delivery, planned: Planned) -> Delivery:
        """The delivery at the planned time; where that has not changed it stays as it is."""
        retimed = self._is_retimed and delivery.status is S.SCHEDULED
        if delivery.occurrence != planned.occurrence or retimed:
            return _at(delivery, planned)
        missed = self.subject.post.missed
        if (
            delivery.status is S.SCHEDULED
            and not delivery.grace_until
            and missed is not Missed.LATE
        ):
            return delivery  # a person sent it again, and it has no grace
        return replace(delivery, grace_until=planned.grace_until)

    @property
    def _is_retimed(self) -> bool:
        """Whether its accounts are spread out, or delayed, otherwise than they were."""
        before, after = self.subject.post, self.post
        ways = (before.spread, before.jitter) != (after.spread, after.jitter)
        return ways or (after.spread is not None and before.accounts != after.accounts)

    def _is_wanted_again(self, account: Account, delivery: Delivery) -> bool:
        """Whether a cancelled delivery is to go out after all: its account has come back, or the
        post was a draft. What is out stays out once; what a person cancelled stays cancelled."""
        if delivery.out or delivery.status is not S.CANCELLED:
            return False
        return self.subject.post.draft or account.name not in self.subject.post.accounts

    def _rewrite(self, before: Delivery, after: Delivery, planned: Planned) -> None:
        plans.rewrite_plan(self.connection, before, after, planned)

    def _drop(self, delivery: Delivery) -> None:
        """Take a delivery out; one that was tried keeps its row and its attempts, cancelled."""
        tried = delivery.attempts or delivery_rows.attempts_of(self.connection, delivery.id)
        if delivery.status is S.SCHEDULED and not tried:
            plans.forget(self.connection, delivery)
        else:
            drop(self.connection, delivery, self.desk.now())

    def _refuse_past(self, account: Account, planned: Planned) -> None:
        if planned.occurrence < self.desk.now():
            raise InvalidInput(
                f"the time of post {self.post.id} has passed, so it can't go to {account.name}",
                "Give it a new time with --at",
            )


def _at(delivery: Delivery, planned: Planned) -> Delivery:
    """The delivery at another time, with its tries before it."""
    if delivery.status is S.RETRYING:
        delivery = moves.cancel(delivery)
    if delivery.status is not S.SCHEDULED:
        delivery = moves.retry(delivery, planned.due)
    return replace(
        delivery,
        occurrence=planned.occurrence,
        due_at=planned.due,
        next_at=planned.due,
        grace_until=planned.grace_until,
        problem=None,
    )
