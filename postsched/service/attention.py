"""What needs a hand: all that waits for a person, with what a person must know to decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from postsched.domain.account import Account, AccountState
from postsched.domain.delivery import Delivery, Role
from postsched.domain.holding import Hold
from postsched.domain.post import Post
from postsched.service.desk import Desk
from postsched.service.state import State, read_state
from postsched.store import attention
from postsched.store import posts as post_rows
from postsched.store.attention import FOR_PEOPLE
from postsched.store.holds import Wait

SOON = timedelta(days=7)
"""How long before its end a login is told of."""
MOST = 50
"""How many deliveries of a kind are shown; the counts are of all."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A delivery that waits for a person; `said` is the text that is not out, or may be."""

    delivery: Delivery
    said: str


@dataclass(frozen=True, slots=True)
class Attention:
    """All of it. `logins` are refused or end soon, `held` is what is left alone until when (by
    account), `broken` the services that don't answer: platform, URL, and why. `drafts` wait for
    an approval."""

    state: State
    waiting: Sequence[Waiting]
    logins: Sequence[Account]
    held: Sequence[tuple[Account, Wait]]
    broken: Sequence[tuple[str, str, Hold]]
    drafts: Sequence[Post]

    @property
    def count(self) -> int:
        """How many things there are."""
        deliveries = sum(self.state.counts[status] for status in FOR_PEOPLE)
        return deliveries + len(self.logins) + len(self.broken) + len(self.drafts)

    @property
    def runs(self) -> bool:
        """Whether anything sends posts."""
        return any(worker.kind == "run" for worker in self.state.present.living)


def read(desk: Desk) -> Attention:
    """What needs a hand now. Raises StoreUnavailable."""
    state = read_state(desk)
    with desk.database.read() as connection:
        found = attention.waiting(connection, MOST)
        drafts = attention.drafts(connection, MOST)
        posts = post_rows.get(connection, list({one.post_id for one in found} | set(drafts)))
    held = [
        (account, state.limits.held[account.id])
        for account in state.accounts
        if account.id in state.limits.held
    ]
    return Attention(
        state,
        [Waiting(one, _said(one, posts)) for one in found if one.post_id in posts],
        [account for account in state.accounts if _needs_login(account, state)],
        held,
        state.limits.broken,
        [posts[number] for number in drafts if number in posts],
    )


def _needs_login(account: Account, state: State) -> bool:
    if account.state is AccountState.LOGIN:
        return True
    ends = account.token_expires_at
    return ends is not None and ends - state.at < SOON


def _said(delivery: Delivery, posts: Mapping[int, Post]) -> str:
    """The text of the step that it stopped at."""
    content = posts[delivery.post_id].content
    texts = [part.text for part in content.parts(delivery.account)]
    index = delivery.next_step or 0
    if delivery.steps and delivery.steps[min(index, len(delivery.steps) - 1)].role is Role.COMMENT:
        return content.comment or ""
    return texts[min(index, len(texts) - 1)]
