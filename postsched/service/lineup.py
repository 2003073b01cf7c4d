"""The queues of accounts for people to look at: a stretch of each, with the slots free in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from postsched.domain.account import Account
from postsched.domain.slots import Slot, instants
from postsched.service.desk import Desk
from postsched.service.queue import FREE_SHOWN, MOST_FREE, Place
from postsched.store import accounts as account_rows
from postsched.store import lineup
from postsched.store import posts as post_rows
from postsched.store import slots as slot_rows
from postsched.store.lineup import Stretch
from postsched.store.said import posts_said

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Line:
    """A stretch of an account's queue: what sits in it and what is free, from the place `skip` on
    (0: the first), and how many posts the whole line has."""

    account: Account
    places: Sequence[Place]
    skip: int
    length: int

    @property
    def shown(self) -> int:
        """How many posts are in the stretch."""
        return sum(place.post is not None for place in self.places)

    @property
    def rest(self) -> int:
        """How many posts come behind it."""
        return self.length - self.skip - self.shown


def lines(desk: Desk, most: int, name: str | None = None, skip: int = 0) -> list[Line]:
    """Of the queue of each account that has posts or slots in it (or of that one, behind the first
    `skip`) up to `most` posts. Raises StoreUnavailable."""
    now = desk.now()
    with desk.database.read() as connection:
        accounts = [one for one in account_rows.every(connection) if name in (None, one.name)]
        only = accounts[0].id if name is not None and accounts else None
        found = lineup.stretches(connection, skip, most, only)
        weekly = slot_rows.of_accounts(connection, {one.id for one in accounts})
        return [
            Line(one, _places(connection, one, stretch, weekly.get(one.id, []), now, skip),
                 skip, stretch.length)
            for one in sorted(accounts, key=lambda one: one.name)
            if (stretch := found.get(one.id, Stretch((), 0))).length or one.id in weekly
        ]  # fmt: skip


def _places(
    connection: Connection,
    account: Account,
    stretch: Stretch,
    slots: Sequence[Slot],
    now: datetime,
    skip: int,
) -> list[Place]:
    mine = stretch.deliveries
    written = post_rows.get(connection, list({one.post_id for one in mine}))
    said = posts_said(connection, mine, written)
    taken = [Place(account.name, d.occurrence, d, p) for d, p in zip(mine, said, strict=True)]
    ends = skip + len(mine) >= stretch.length
    start = mine[0].occurrence if skip and mine else now
    free = _free(connection, account, slots, start, mine[-1].occurrence if mine else now, ends)
    return sorted([*taken, *free], key=lambda place: place.at)


def _free(
    connection: Connection,
    account: Account,
    slots: Sequence[Slot],
    start: datetime,
    last: datetime,
    ends: bool,
) -> list[Place]:
    """The free slots up to the last post of a stretch, and where the line ends a few behind it."""
    if not slots:
        return []
    found: list[Place] = []
    coming = list(islice(instants(slots, start), 3 * MOST_FREE))
    until = coming[-1] if ends and coming else last
    sitting = slot_rows.sitting(connection, account.id, start, until)
    taken = {one.occurrence for one in sitting if one.by_slot}
    behind = 0
    for at in (at for at in coming if at not in taken):
        behind += at > last
        if behind > (FREE_SHOWN if ends else 0):
            break
        found.append(Place(account.name, at))
    return found
