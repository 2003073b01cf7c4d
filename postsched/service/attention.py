"""What needs a hand: all that waits for a person, with what a person must know to decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

from postsched.domain.account import Account, AccountState
from postsched.domain.delivery import Attempt, Delivery, DeliveryStatus, Role
from postsched.domain.firing import Firing
from postsched.domain.holding import Hold
from postsched.domain.hook import Hook
from postsched.domain.post import Post
from postsched.service import approvals, hooks
from postsched.service.approvals import Proposed
from postsched.service.desk import Desk
from postsched.service.firings import Outlook
from postsched.service.limits import Limits, held_now
from postsched.service.state import State, workers_now
from postsched.store import accounts as account_rows
from postsched.store import attention, outlook, retention
from postsched.store import posts as post_rows
from postsched.store.attention import FOR_PEOPLE
from postsched.store.firing_rows import FiringRows
from postsched.store.holds import Wait, broken
from postsched.store.pauses import all_paused
from postsched.store.upcoming import next_due

if TYPE_CHECKING:
    from sqlalchemy import Connection

SOON = timedelta(days=7)
"""How long before its end a login is told of."""
MOST = 20
"""How many deliveries of a kind, drafts and callbacks are shown; the counts are of all."""
NEXT = 5
"""How many of those that come next are shown."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Deliveries of one post that wait for a person for the same reason; an unconfirmed one is
    alone. `said` is the text that is not out, or may be; `attempts` are all that were made, of an
    unconfirmed one."""

    deliveries: tuple[Delivery, ...]
    account: Account | None
    said: str
    attempts: Sequence[Attempt] = ()

    @property
    def first(self) -> Delivery:
        """One of them; all but the account is the same."""
        return self.deliveries[0]


@dataclass(frozen=True, slots=True)
class Attention:
    """All of it. `logins` are refused or end soon, `held` is what is left alone until when (by
    account), `broken` the services that don't answer: platform, URL, and why. `drafts` wait for
    an approval, `untaken` are callbacks that were given up. `more` says how many more there are of
    what is shown in part. `next` is what goes out next."""

    state: State
    waiting: Sequence[Waiting]
    logins: Sequence[Account]
    held: Sequence[tuple[Account, Wait]]
    broken: Sequence[tuple[str, str, Hold]]
    drafts: Sequence[Proposed]
    draft_count: int
    untaken: Sequence[Hook]
    untaken_count: int
    next: Sequence[Firing]

    @property
    def count(self) -> int:
        """How many things there are."""
        deliveries = sum(self.state.counts[status] for status in FOR_PEOPLE)
        others = len(self.logins) + len(self.broken) + self.draft_count + self.untaken_count
        return deliveries + others

    @property
    def runs(self) -> bool:
        """Whether anything sends posts."""
        return any(worker.kind == "run" for worker in self.state.present.living)

    @property
    def more(self) -> Mapping[DeliveryStatus, int]:
        """How many more deliveries of each kind wait than are shown."""
        shown = [one.status for group in self.waiting for one in group.deliveries]
        rest = {status: self.state.counts[status] - shown.count(status) for status in FOR_PEOPLE}
        return {status: count for status, count in rest.items() if count > 0}


def read(desk: Desk) -> Attention:
    """What needs a hand now. Raises StoreUnavailable."""
    with desk.database.read() as connection:
        state = _state(desk, connection)
        there = [status for status in FOR_PEOPLE if state.counts[status]]
        found = attention.waiting(connection, there, MOST)
        drafts = approvals.newest(connection, MOST)
        draft_count = attention.draft_count(connection) if len(drafts) == MOST else len(drafts)
        posts = post_rows.get(connection, list({one.post_id for one in found}))
        waiting = _waiting(connection, [one for one in found if one.post_id in posts], posts, state)
        untaken = attention.untaken(connection, MOST)
        full = len(untaken) == MOST
        untaken_count = attention.untaken_count(connection) if full else len(untaken)
        ahead = Outlook(FiringRows(connection), desk.now(), lambda: desk.planner.timing)
        coming = list(islice(ahead.coming(most=NEXT), NEXT))
    held = [
        (account, state.limits.held[account.id])
        for account in state.accounts
        if account.id in state.limits.held
    ]
    return Attention(
        state,
        waiting,
        [account for account in state.accounts if _needs_login(account, state)],
        held,
        state.limits.broken,
        drafts,
        draft_count,
        [hooks.addressed(desk, one) for one in untaken],
        untaken_count,
        coming,
    )


def _state(desk: Desk, connection: Connection) -> State:
    """The state without what is left of the limits of each account: nobody asks for that here."""
    now = desk.now()
    return State(
        at=now,
        present=workers_now(connection, desk.bells, now),
        counts=outlook.count_by_status(connection),
        first_due=next_due(connection),
        accounts=account_rows.every(connection),
        paused=all_paused(connection),
        limits=Limits({}, held_now(connection, now), broken(connection)),
    )


def _needs_login(account: Account, state: State) -> bool:
    if account.state is AccountState.LOGIN:
        return True
    ends = account.token_expires_at
    return ends is not None and ends - state.at < SOON


def _waiting(
    connection: Connection, found: Sequence[Delivery], posts: Mapping[int, Post], state: State
) -> list[Waiting]:
    """Those of one post with the same reason together, in the order of the first of each."""
    doubtful = [one.id for one in found if one.status is DeliveryStatus.UNCONFIRMED]
    attempts = retention.attempts_of(connection, doubtful)
    accounts = {account.id: account for account in state.accounts}
    groups: dict[tuple[object, ...], Waiting] = {}
    for one in found:
        alone = one.id if one.id in attempts else None
        why = one.problem.message if one.problem else None
        key = (one.post_id, one.status, one.occurrence, why, alone)
        if key in groups:
            before = groups[key]
            groups[key] = replace(before, deliveries=(*before.deliveries, one))
        else:
            tried = attempts.get(one.id, ())
            account = accounts.get(one.account_id)
            groups[key] = Waiting((one,), account, _said(one, posts), tried)
    return list(groups.values())


def _said(delivery: Delivery, posts: Mapping[int, Post]) -> str:
    """The text of the step that it stopped at."""
    content = posts[delivery.post_id].content
    texts = [part.text for part in content.parts(delivery.account)]
    index = delivery.next_step or 0
    if delivery.steps and delivery.steps[min(index, len(delivery.steps) - 1)].role is Role.COMMENT:
        return content.comment or ""
    return texts[min(index, len(texts) - 1)]
