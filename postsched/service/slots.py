"""Weekly slots: giving them to accounts and groups, and finding the next free one of an account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from postsched.domain.account import Account
from postsched.domain.errors import InvalidInput, NotAllowed
from postsched.domain.schedule import SLOT
from postsched.domain.slots import Slot, instants, next_free
from postsched.domain.timing import Pace
from postsched.service.desk import Desk, unknown_account
from postsched.store import accounts as account_rows
from postsched.store import slots as slot_rows
from postsched.store.slots import Owned

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from postsched.service.compose import Composed

NONE_KEPT: Mapping[int, datetime] = {}
FIRST_LOOK, FARTHEST = timedelta(days=2), timedelta(days=36_500)
"""How far ahead it is looked at first what is due, and how far where there is no end."""
MOST = 1000
"""How many slots an account or group has at the most."""


@dataclass(frozen=True, slots=True)
class Removed:
    """The slots that were taken away, and how many posts sit in them: they keep their time."""

    slots: tuple[Owned, ...]
    posts: int


def add(desk: Desk, name: str, days: Sequence[int], times: Sequence[time], tz: str) -> list[Owned]:
    """Give an account or group a slot on each of those days at each of those times (local in `tz`);
    what it has already stays. All of its slots.

    Raises NotFound, and InvalidInput for more than MOST.
    """
    wanted = {Slot(day, at, tz) for day in days for at in times}
    with desk.database.write() as connection:
        _check_name(connection, name)
        there = {one.slot for one in _of(connection, name)}
        if len(there | wanted) > MOST:
            raise InvalidInput(
                f"{name} would have {len(there | wanted):,} slots", f"{MOST:,} are the most"
            )
        slot_rows.insert(connection, name, sorted(wanted - there))
        return _of(connection, name)


def remove(desk: Desk, name: str, days: Sequence[int], times: Sequence[time]) -> Removed:
    """Take away the slots on those days at those times, where none are given all. What sits in them
    stays where it is.

    Raises NotFound, and InvalidInput where there are none such.
    """
    with desk.database.write() as connection:
        _check_name(connection, name)
        gone = [
            one
            for one in _of(connection, name)
            if (not days or one.slot.day in days) and (not times or one.slot.at in times)
        ]
        if not gone:
            raise InvalidInput(f"{name} has no such slot", f"See them: postsched slots list {name}")
        members = _members(connection, name)
        before = _sitters(connection, desk, members)
        slot_rows.remove(connection, [one.id for one in gone])
        return Removed(tuple(gone), len(before - _sitters(connection, desk, members)))


def of(connection: Connection, name: str | None) -> list[Owned]:
    """The slots of an account or group, or all. Raises NotFound."""
    if name is None:
        return slot_rows.every(connection)
    _check_name(connection, name)
    return _of(connection, name)


@dataclass(frozen=True, slots=True)
class _Due:
    """When anything is due for an account, up to an instant (None: the end), `ahead` of now."""

    instants: Sequence[datetime]
    ahead: timedelta
    until: datetime | None


class Allotment:
    """Gives out slots, each account the next one that is free, and none twice.

    What it has given out it remembers; what others have taken it looks up once: what it gave out
    is written in the same transaction, or checked there.
    """

    def __init__(self, connection: Connection, now: datetime) -> None:
        self._connection, self._now = connection, now
        self._slots: dict[int, list[Slot]] | None = None
        self._taken: dict[int, set[datetime]] = {}
        self._due: dict[int, _Due] = {}
        self._given: dict[int, set[datetime]] = {}
        self._last: dict[int, datetime] = {}

    def next_for(self, account: Account, pace: Pace) -> datetime:
        """The next free slot of an account, which is taken from now on. Raises InvalidInput where
        the account has none."""
        if self._slots is None:
            self._slots = slot_rows.of_accounts(self._connection)
        mine = self._slots.get(account.id)
        if not mine:
            raise _no_slots(account)
        if account.id not in self._taken:
            there = slot_rows.sitting(self._connection, account.id, self._now)
            self._taken[account.id] = {one.occurrence for one in there}
        taken = self._taken[account.id]
        found = self._next(account, mine, pace)
        if found is None:
            raise InvalidInput(f"no slot of {account.name} is free", "Give it more: slots add")
        taken.add(found)
        self._given.setdefault(account.id, set()).add(found)
        self._last[account.id] = found
        return found

    def _next(self, account: Account, mine: Sequence[Slot], pace: Pace) -> datetime | None:
        after = self._last.get(account.id, self._now)  # what is before it stays taken
        taken = self._taken[account.id]
        if not pace.spacing:
            return next_free(mine, after, taken)
        while True:  # what is due at any time may be too close: no more of it is read than may be
            due = self._due.get(account.id) or self._read(account, pace, FIRST_LOOK)
            found = next_free(mine, after, taken, due.instants, pace.spacing)
            if due.until is None or (found is not None and found <= due.until):
                return found
            self._read(account, pace, due.ahead * 4)

    def _read(self, account: Account, pace: Pace, ahead: timedelta) -> _Due:
        """What is due for an account so long ahead, and beside it."""
        until = self._now + ahead if ahead < FARTHEST else None
        end = until + pace.spacing if until else None
        there = slot_rows.sitting(self._connection, account.id, self._now, end, in_slots=False)
        self._due[account.id] = due = _Due([one.due_at for one in there], ahead, until)
        return due

    def check_still_free(self, connection: Connection) -> None:
        """Raise NotAllowed where somebody else has taken since what was given out here. To be
        called in the transaction that it is written in, before it is."""
        for account_id, given in self._given.items():
            there = slot_rows.sitting(connection, account_id, self._now)
            if given & {one.occurrence for one in there if one.by_slot}:
                raise NotAllowed("somebody else was faster with a slot", "Try again")


def allotted(
    connection: Connection, desk: Desk, composed: Composed, kept: Mapping[int, datetime] = NONE_KEPT
) -> Composed:
    """The same with the slots that are free now, in the transaction that it is written in: nobody
    else can take them meanwhile. Accounts (by id) keep those that are `kept`.

    Raises InvalidInput for an account without slots.
    """
    if composed.schedule.kind != SLOT or composed.draft:
        return composed
    allotment, pace = Allotment(connection, desk.now()), desk.planner.timing.pace
    times = {
        one.id: kept.get(one.id) or allotment.next_for(one, pace(one)) for one in composed.accounts
    }
    return replace(composed, times=times, occurrence=min(times.values(), default=None))


def _no_slots(account: Account) -> InvalidInput:
    error = InvalidInput(
        f"{account.name} has no slots",
        f"Give it some: postsched slots add {account.name} mon-fri 09:00 17:30",
    )
    error.field = "slot"
    return error


def _of(connection: Connection, name: str) -> list[Owned]:
    return [one for one in slot_rows.every(connection) if one.name == name]


def _check_name(connection: Connection, name: str) -> None:
    known = [account.name for account in account_rows.every(connection)]
    known += [group.name for group in account_rows.all_groups(connection)]
    if name not in known:
        raise unknown_account(name, known)


def _members(connection: Connection, name: str) -> list[Account]:
    groups = {group.name: group.accounts for group in account_rows.all_groups(connection)}
    names = groups.get(name, (name,))
    return [account for account in account_rows.every(connection) if account.name in names]


def _sitters(
    connection: Connection, desk: Desk, members: Sequence[Account]
) -> set[tuple[int, int]]:
    """The posts, by account, that sit in a slot which the account has."""
    now = desk.now()
    mine = slot_rows.of_accounts(connection, {account.id for account in members})
    found: set[tuple[int, int]] = set()
    for account in members:
        there = {
            one.occurrence: one.post_id
            for one in slot_rows.sitting(connection, account.id, now)
            if one.by_slot
        }
        last = max(there, default=now)
        for instant in instants(mine.get(account.id, ()), now):
            if instant > last:
                break
            if instant in there:
                found.add((account.id, there[instant]))
    return found


def slot_documents(found: Sequence[Owned], now: datetime) -> list[dict[str, Any]]:
    """Slots as JSON: those of the same time in one, with when they come next."""
    from postsched.domain.weekdays import day_names
    from postsched.transfer.documents import rfc3339

    together: dict[tuple[str, bool, time, str], list[Slot]] = {}
    for one in found:
        key = one.name, one.is_group, one.slot.at, one.slot.tz
        together.setdefault(key, []).append(one.slot)
    return [
        {
            "name": name,
            "group": is_group,
            "days": [day_names([slot.day]) for slot in mine],
            "time": mine[0].clock,
            "tz": tz,
            "next": rfc3339(next(instants(mine, now), None)),
        }
        for (name, is_group, _, tz), mine in together.items()
    ]
