"""What the live view knows of the queue: read seldom, and only after the engine has changed it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from postsched.domain.account import Account, AccountState
from postsched.domain.duration import distance
from postsched.domain.errors import StoreUnavailable
from postsched.service import endings
from postsched.store import accounts as account_rows
from postsched.store import holds, pauses
from postsched.store.holds import Wait
from postsched.store.upcoming import BEGINNING, MANY, Coming, Upcoming, upcoming

if TYPE_CHECKING:
    from datetime import datetime

    from postsched.engine.assembly import Engine
    from postsched.store.queue import Work

EVERY = 1.0
"""Seconds between two readings at the least."""
READ = 20
"""How many of the next deliveries are read."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What was read: what is to come, the accounts, whether everything is paused, and which
    accounts have to wait, by id."""

    upcoming: Upcoming
    accounts: Sequence[Account]
    paused: bool
    waits: Mapping[int, Wait]


class Lookout:
    """Remembers what was read last, and what has happened since. `note` is for the event loop, the
    rest for the thread that draws."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._outlook = Outlook(Upcoming(), (), False, {})
        self._trouble: StoreUnavailable | None = None
        self._changed = True
        self._touched: set[int] = set()
        self._read_at = float("-inf")

    def note(self, delivery_id: int | None = None) -> None:
        """Something changed; of this delivery, what was read is not true any more."""
        self._changed = True
        if delivery_id is not None:
            self._touched.add(delivery_id)

    def look(self) -> None:
        """Read the database if something changed, and not too lately."""
        now = self._engine.clock.monotonic()
        if not self._changed or now - self._read_at < EVERY:
            return
        self._changed, self._touched, self._read_at = False, set(), now
        try:
            with self._engine.database.read() as connection:
                self._outlook = Outlook(
                    upcoming(connection, READ),
                    account_rows.every(connection),
                    pauses.all_paused(connection),
                    holds.waits(connection),
                )
            self._trouble = None
        except StoreUnavailable as error:
            self._trouble, self._changed = error, True

    def waiting(self) -> list[Coming]:
        """What waits for its instant, soonest first; what this process has claimed for it too."""
        hands = self._engine.dispatcher.hands
        held = [_coming(held.work) for held in [*hands.held.values()]]
        gone = self._touched | set(hands.flying) | {one.delivery_id for one in held}
        read = [one for one in self._outlook.upcoming.first if one.delivery_id not in gone]
        return sorted([*held, *read])

    @property
    def beyond(self) -> int:
        """How many more wait than were read."""
        return self._outlook.upcoming.waiting - len(self._outlook.upcoming.first)

    @property
    def many(self) -> bool:
        """Whether there are still more, which were not counted."""
        return self._outlook.upcoming.waiting >= MANY

    def notes(self) -> list[tuple[str, str]]:
        """What is in the way: a label and a sentence for each."""
        found = []
        if trouble := self._engine.dispatcher.cycle.trouble or self._trouble:
            found.append(("database", f"{trouble.message}; nothing more goes out until it works"))
        if self._outlook.paused:
            found.append(("paused", "everything. Release it with: postsched resume --all"))
        shut = [*self._engine.dispatcher.access.shut.values()]
        found += [("waiting", f"{one.account.name}: {one.problem.message}") for one in shut]
        now = self._engine.clock.now()
        for one in self._outlook.accounts:
            found += [*_in_the_way(one, now), *self._limit(one, now)]
        return found

    def _limit(self, account: Account, now: datetime) -> Iterable[tuple[str, str]]:
        wait = self._outlook.waits.get(account.id)
        if wait and wait.until and wait.until > now:
            yield "limit", f"{account.name} goes on {distance(wait.until - now)}: {wait.message}"


def _in_the_way(account: Account, now: datetime) -> Iterable[tuple[str, str]]:
    end = account.token_expires_at
    if account.state is AccountState.LOGIN:
        yield "held", f"{account.name}: {account.state_message or 'its login is refused'}"
    elif end is not None and endings.is_soon(end, now):
        word = "ended" if end <= now else "ends"
        yield "login", f"{account.name} {word} {distance(end - now)}: {endings.command_of(account)}"
    if account.paused:
        yield "paused", f"{account.name}: postsched resume --account {account.name}"


def _coming(work: Work) -> Coming:
    d = work.delivery
    text = work.post.content.text[:BEGINNING]
    return Coming(d.next_at or d.due_at, d.id, d.post_id, d.account, d.status, text)
