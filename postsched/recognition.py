"""Whether a database is a copy from before, put back after more was sent from it, and what follows.

It is one if it is younger than one of its marks (`highwater`). Then everything that may have gone
out since is in doubt: the network is asked, or a person where it can't be. Once that is written the
database is older than its marks, and so it happens once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from postsched import highwater, platforms
from postsched.domain.account import Account
from postsched.domain.capabilities import Guarantee
from postsched.domain.delivery import DeliveryStatus
from postsched.highwater import HighWater, Mark
from postsched.store import age as ages
from postsched.store.database import Database

log = logging.getLogger("postsched.database")
S = DeliveryStatus


@dataclass(frozen=True, slots=True)
class Rewound:
    """A database that is a copy from before, by `turns` of the engine. Until `upto` (UTC) anything
    was claimed since. `confirming` and `unconfirmed` are how many deliveries that leaves so."""

    turns: int
    upto: datetime
    confirming: int
    unconfirmed: int

    def __str__(self) -> str:
        """What it means and what to do, in one line."""
        found = f"this database is a copy from before (by {self.turns} turns): posts went out since"
        lost = "What was added or changed since the copy was made is lost"
        asked = f"{self.confirming} that may be out are asked for" if self.confirming else ""
        person = f"{self.unconfirmed} must be looked at" if self.unconfirmed else ""
        said = " and ".join(filter(None, (asked, person))) or "nothing in it is in doubt"
        do = ": postsched list --status unconfirmed" if self.unconfirmed else ""
        return f"{found}. {said}{do}. {lost}"


class Tide:
    """Raises the marks of one database, turn by turn: one mark for each of its ages. That one can't
    be written is said once, and keeps nothing from going out."""

    def __init__(self, folder: Path, uid: str) -> None:
        self.uid = uid
        self._folder = folder
        self._marks: dict[str, HighWater] = {}
        self._trouble = ""

    def read(self) -> dict[str, Mark]:
        """What the marks say, by the names of the ages: those that can be read."""
        found: dict[str, Mark] = {}
        for name in self._kept():
            mark = self._mark(name)
            try:
                said = mark.read()
            except (OSError, ValueError) as error:
                self._complain(mark.path, error)
            else:
                found |= {name: said} if said else {}
        return found

    def _kept(self) -> list[str]:
        try:
            return [ages.AGE + more for more in highwater.kept(self._folder, self.uid)]
        except OSError as error:
            self._complain(self._folder, error)
            return []

    def rise(self, age: int, upto: datetime, name: str = ages.AGE) -> None:
        """The database has come so far: to be called after the commit, and before anything that it
        stands for is sent."""
        mark = self._mark(name)
        try:
            mark.rise(age, upto)
        except (OSError, ValueError) as error:
            self._complain(mark.path, error)
        else:
            self._trouble = ""

    def _mark(self, name: str) -> HighWater:
        if name not in self._marks:
            stem = self.uid + name.removeprefix(ages.AGE)
            self._marks[name] = HighWater(self._folder, stem)
        return self._marks[name]

    def close(self) -> None:
        """No more will be noted by this process."""
        for mark in self._marks.values():
            try:
                mark.close()
            except OSError as error:
                self._complain(mark.path, error)

    def _complain(self, path: Path, error: Exception) -> None:
        said = getattr(error, "strerror", None) or str(error) or type(error).__name__
        if said != self._trouble:
            log.error(
                "%s can't be used: %s. Should this database ever be put back from a copy, it will "
                "not know what went out since; set state_dir to a folder that can be written",
                path, said,
            )  # fmt: skip
        self._trouble = said


def guarantee_of(account: Account) -> Guarantee:
    """How it can be settled whether something of this account is out; the weakest if that can't be
    told."""
    try:
        return platforms.get(account.platform).capabilities(account.facts).guarantee
    except Exception:  # noqa: BLE001 - a plug-in may raise anything
        return Guarantee()


def tide_of(database: Database, folder: Path) -> Tide:
    """The tide of a database. Raises StoreUnavailable."""
    with database.read() as connection:
        uid, _ = ages.of(connection)
    return Tide(folder, uid)


def look(database: Database, folder: Path) -> tuple[int, datetime] | None:
    """How many deliveries are to be put in doubt, and until when (UTC) anything was claimed since
    the copy was made; None where the database is no copy. Changes nothing; raises StoreUnavailable.
    """
    with database.read() as connection:
        uid, found = ages.of(connection)
        marks = Tide(folder, uid).read()
        if not _behind(found, marks):
            return None
        upto = max(mark.upto for mark in marks.values())
        return ages.count_open(connection, upto), upto


def recognise(
    database: Database,
    tide: Tide,
    now: datetime,
    guarantee: Callable[[Account], Guarantee] = guarantee_of,
) -> Rewound | None:
    """If the database is a copy from before, put in doubt what may have gone out since; None if it
    is not. Raises StoreUnavailable."""
    with database.read() as connection:
        _, found = ages.of(connection)
    marks = tide.read()
    if not marks:
        for name, age in found.items():
            tide.rise(age, now, name)
    if not _behind(found, marks):
        return None
    upto = max(mark.upto for mark in marks.values())
    with database.write() as connection:
        _, found = ages.of(connection)
        behind = _behind(found, marks)
        if not behind:
            return None  # another process was faster
        changes = ages.doubt(connection, upto, now, guarantee)
        for name in behind:
            ages.make(connection, marks[name].age + 1, name)
    for name in behind:
        tide.rise(marks[name].age + 1, upto, name)
    new = [after.status for before, after in changes if after.status is not before.status]
    turns = sum(behind.values())
    return Rewound(turns, upto, new.count(S.CONFIRMING), new.count(S.UNCONFIRMED))


def _behind(found: Mapping[str, int], marks: Mapping[str, Mark]) -> dict[str, int]:
    """By how much a database is younger than its marks, in those of its ages in which it is."""
    missing = {name: mark.age - found.get(name, 0) for name, mark in marks.items()}
    return {name: turns for name, turns in missing.items() if turns > 0}
