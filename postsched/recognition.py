"""Whether a database is a copy from before, put back after more was sent from it, and what follows.

It is one if it is younger than its mark (`highwater`). Then everything that may have gone out since
is in doubt: the network is asked, or a person where it can't be. Once that is written the database
is older than its mark, and so it happens once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from postsched import platforms
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
    """Raises the mark of one database, turn by turn. That the mark can't be written is said once,
    and keeps nothing from going out."""

    def __init__(self, folder: Path, uid: str) -> None:
        self.uid = uid
        self._mark = HighWater(folder, uid)
        self._trouble = ""

    def read(self) -> Mark | None:
        """What the mark says, None if there is none that can be read."""
        try:
            return self._mark.read()
        except (OSError, ValueError) as error:
            self._complain(error)
            return None

    def rise(self, age: int, upto: datetime) -> None:
        """The database has come so far: to be called after the commit, and before anything that it
        stands for is sent."""
        try:
            self._mark.rise(age, upto)
        except (OSError, ValueError) as error:
            self._complain(error)
        else:
            self._trouble = ""

    def close(self) -> None:
        """No more will be noted by this process."""
        try:
            self._mark.close()
        except OSError as error:
            self._complain(error)

    def _complain(self, error: Exception) -> None:
        said = getattr(error, "strerror", None) or str(error) or type(error).__name__
        if said != self._trouble:
            log.error(
                "%s can't be used: %s. Should this database ever be put back from a copy, it will "
                "not know what went out since; set state_dir to a folder that can be written",
                self._mark.path, said,
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
        uid, age = ages.of(connection)
        mark = Tide(folder, uid).read()
        if mark is None or age >= mark.age:
            return None
        return ages.count_open(connection, mark.upto), mark.upto


def recognise(
    database: Database,
    tide: Tide,
    now: datetime,
    guarantee: Callable[[Account], Guarantee] = guarantee_of,
) -> Rewound | None:
    """If the database is a copy from before, put in doubt what may have gone out since; None if it
    is not. Raises StoreUnavailable."""
    with database.read() as connection:
        _, age = ages.of(connection)
    mark = tide.read()
    if mark is None:
        tide.rise(age, now)
        return None
    if age >= mark.age:
        return None
    with database.write() as connection:
        _, age = ages.of(connection)
        if age >= mark.age:
            return None  # another process was faster
        changes = ages.doubt(connection, mark.upto, now, guarantee)
        ages.make(connection, mark.age + 1)
    tide.rise(mark.age + 1, mark.upto)
    new = [after.status for before, after in changes if after.status is not before.status]
    return Rewound(mark.age - age, mark.upto, new.count(S.CONFIRMING), new.count(S.UNCONFIRMED))
