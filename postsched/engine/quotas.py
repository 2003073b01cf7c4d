"""No more is claimed than the networks' quotas leave room for.

Highest priority first, then what is due first: once one does not fit, none behind it goes before.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from postsched.domain import moves
from postsched.domain.account import Account
from postsched.domain.delivery import Delivery, DeliveryStatus
from postsched.domain.holding import Why
from postsched.domain.quota import Quota, cost, with_rate
from postsched.platforms.base import Platform
from postsched.store import holds, queue, spent
from postsched.store.queue import Work

if TYPE_CHECKING:
    from postsched.config import Settings

log = logging.getLogger("postsched.engine")
RECOUNT = timedelta(minutes=1)
"""After which what is used is counted anew, whatever is known."""


class Quotas:
    """What networks take in a length of time, and what of it is left. `platform` gives an adapter
    by name."""

    def __init__(self, platform: Callable[[str], Platform], settings: Settings) -> None:
        self._platform = platform
        self._settings = settings
        self._known: dict[tuple[int, Quota], _Window] = {}
        """What was used at the last count, and all that was let in since."""
        self._of: dict[int, tuple[Account, tuple[Quota, ...]]] = {}
        """The quotas of accounts as they were when they were last asked for."""

    def of(self, account: Account) -> tuple[Quota, ...]:
        """The quotas of an account, none if they can't be told."""
        known = self._of.get(account.id)
        if known is not None and known[0] is account:
            return known[1]
        rate = self._settings.platform(account.platform).rate
        try:
            told = self._platform(account.platform).capabilities(account.facts).quotas
        except Exception:  # noqa: BLE001 - a plug-in may raise anything
            return with_rate((), rate)
        self._of[account.id] = (account, with_rate(told, rate))
        return self._of[account.id][1]

    def let_in(
        self,
        connection: Connection,
        works: Sequence[Work],
        token: str,
        now: datetime,
        *,
        alone: bool = False,
    ) -> list[Work]:
        """Of what was just claimed with the token, what there is room for. All else goes back, and
        its account is held until there is. `alone`: no other worker has claimed anything since the
        last time."""
        if not alone:
            self._known.clear()
        doors: dict[int, _Door] = {}
        kept: set[int] = set()
        for work in sorted(works, key=lambda one: -one.post.priority):
            account = work.account
            if account.id not in doors:
                doors[account.id] = self._door(connection, account, works, token, now)
            if doors[account.id].lets_in(work.delivery):
                kept.add(work.delivery.id)
            else:
                queue.settle(connection, moves.let_go(work.delivery), token, now)
        named = {work.account.id: work.account.name for work in works}
        for account_id, door in doors.items():
            for window in door.windows:
                self._known[account_id, window.quota] = replace(window, over=0)
            if door.shut:
                self._hold(connection, account_id, named[account_id], door, now)
        return [work for work in works if work.delivery.id in kept]

    def _door(
        self,
        connection: Connection,
        account: Account,
        works: Sequence[Work],
        token: str,
        now: datetime,
    ) -> _Door:
        """What is used of the account's quotas: counted, unless all would have room even if nothing
        had left its window since the last count."""
        quotas = self.of(account)
        amounts = {
            work.delivery.id: _amounts(quotas, work)
            for work in works
            if quotas and work.account.id == account.id
        }
        windows = []
        for place, quota in enumerate(quotas):
            known = self._known.get((account.id, quota))
            wanted = sum(one[place] for one in amounts.values())
            if (
                known is None
                or not timedelta(0) <= now - known.counted_at < RECOUNT
                or known.used + wanted > quota.count
            ):
                used = spent.used(connection, account.id, quota, now, token)
                known = _Window(quota, used, now)
            windows.append(replace(known))
        return _Door(windows, amounts)

    def _hold(
        self, connection: Connection, account_id: int, name: str, door: _Door, now: datetime
    ) -> None:
        until, window = max(
            ((spent.room_at(connection, account_id, one.quota, now, one.over), one)
             for one in door.shut),
            key=lambda found: found[0],
        )  # fmt: skip
        message = f"{window.quota.count:,} {window.quota.name} are the most"
        holds.hold_for(connection, account_id, until, Why.QUOTA, message)
        log.info("%s: %s; more go out from %s", name, message,
                 f"{until:%Y-%m-%d %H:%M:%S}Z")  # fmt: skip


@dataclass(slots=True)
class _Window:
    """How much of a quota is used, when that was counted (UTC), and by how much too much the first
    is that did not fit."""

    quota: Quota
    used: int
    counted_at: datetime
    over: int = 0


@dataclass(slots=True)
class _Door:
    """Lets in what all quotas of an account have room for, until the first that does not fit.
    `amounts` are what deliveries, by id, take of each of them."""

    windows: list[_Window]
    amounts: Mapping[int, Sequence[int]]
    shut: list[_Window] = field(default_factory=list)

    def lets_in(self, delivery: Delivery) -> bool:
        """Whether it may go out now."""
        if delivery.status is not DeliveryStatus.PUBLISHING or not self.windows:
            return True  # to be asked about: it may be out already, and takes its room
        if self.shut:
            return False
        amounts = self.amounts[delivery.id]
        for window, amount in zip(self.windows, amounts, strict=True):
            window.over = window.used + amount - window.quota.count
            # What is too much for the whole quota goes alone: the network has to say.
            if amount and window.used and window.over > 0:
                self.shut.append(window)
        if not self.shut:
            for window, amount in zip(self.windows, amounts, strict=True):
                window.used += amount
        return not self.shut


def _amounts(quotas: Sequence[Quota], work: Work) -> list[int]:
    """What a delivery takes of each of the quotas."""
    content = work.post.content
    parts = content.parts(work.account.name)
    return [cost(quota.what, parts, comment=content.comment is not None) for quota in quotas]
