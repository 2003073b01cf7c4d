"""Moving everything from one database to another, SQLite or PostgreSQL, whole or not at all.

What waits must go out once. So the database that is left behind is marked as moved, and nothing can
be written to it any more; that is committed before the other one comes to life, right before it. A
process that dies between the two leaves one that is marked and one that is empty: the same call
again completes it. A mere copy instead, of a database that stays in use, is paused as a whole and
is a database of its own.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from postsched import presence, recognition, wakeup
from postsched.domain.errors import InvalidInput, NotAllowed, StoreUnavailable
from postsched.domain.post import Media
from postsched.media.kept import MediaStore
from postsched.service.places import Target, arriving, opened
from postsched.store import age as ages
from postsched.store import copies, moved, outlook, pauses, pouring, workers
from postsched.store.database import Database
from postsched.store.moved import Moved
from postsched.store.naming import plain
from postsched.store.sharing import take_time

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from postsched.config import Settings

OF_THE_ORIGINAL = frozenset({"hosted", "leases", "notifications"})
"""Tables that a mere copy does not get: what is still to be told or to be removed at the media host
the original sees to."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied, as numbers of rows by table. `missing` are media files that posts name and
    that are gone or damaged. `silent` are the hosts and numbers of processes of which nothing was
    heard. `resumed` is whether an earlier call had done it all."""

    source: str
    target: str
    rows: dict[str, int] = field(default_factory=dict)
    media: int = 0
    missing: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class Copying:
    """A copy that is to be made: `source` and `target` are the settings with either database,
    `keep` leaves the source in use. `now` gives the instant (UTC); `told` is called with how many
    rows of how many are done."""

    source: Settings
    target: Settings
    now: Callable[[], datetime]
    told: Callable[[int, int], None]
    keep: bool = False

    def run(self) -> Copied:
        """Make it.

        Raises InvalidInput for places that can't be source and target, NotAllowed while a worker
        lives or holds posts, StoreUnavailable; then both are as they were.
        """
        with opened(self.source) as source:
            before = self._look(source)
            with arriving(self.target) as target:
                if before and target.token == before.token:
                    return Copied(source.name, target.name, resumed=True)
                if before and target.name != before.to:
                    raise before.refusal(source.name)
                self._compare(source, target)
                return self._fill(source, target, before)

    def _look(self, source: Database) -> Moved | None:
        with source.read() as connection:
            before = moved.of(connection)
            self._refuse_workers(connection, self.source)
        if before and self.keep:
            raise before.refusal(source.name)
        return before

    def _compare(self, source: Database, target: Target) -> None:
        """Before anything is locked, for of one database that would wait for itself."""
        with source.read() as here, target.database.read() as there:
            if not pouring.is_empty(there) and ages.of(there)[0] == ages.of(here)[0]:
                raise InvalidInput(f"{target.name} is the same database", "Name another")
            self._refuse_content(there, target)

    def _fill(self, source: Database, target: Target, before: Moved | None) -> Copied:
        gone = Moved(target.name, self.now(), before.token if before else secrets.token_hex(16))
        left = False
        try:
            with target.database.write() as there:
                with source.write() as here:
                    take_time(here)
                    take_time(there)  # of many media, say
                    silent = self._refuse_workers(here, self.source)
                    self._refuse_content(there, target)
                    without = OF_THE_ORIGINAL if self.keep else frozenset[str]()
                    rows = pouring.pour(here, there, self.told, without)
                    media, missing = self._copy_media(here)
                    age = self._part(here, there, gone)
                left = not self.keep
                self._raise_mark(source, age)
            target.appear()
        except BaseException as error:
            if left and not before:
                self._take_back(source, target, gone, error)
            raise
        return Copied(source.name, target.name, rows, media, missing, silent)

    def _part(self, here: Connection, there: Connection, gone: Moved) -> int:
        """Make them two: one that has moved and one that it has become, or two of their own."""
        if self.keep:
            ages.separate(there, secrets.token_hex(16))
            pauses.set_all_paused(there, paused=False)
            pauses.set_all_paused(there, paused=True)
            return 0
        age = ages.of(here)[1][ages.AGE] + 1
        for connection in (here, there):  # a backup from before is known for what it is
            ages.make(connection, age)
        moved.mark(here, gone)
        moved.arrive(there, gone.token)
        return age

    def _raise_mark(self, source: Database, age: int) -> None:
        if age:
            tide = recognition.tide_of(source, self.source.state_folder)
            tide.rise(age, self.now())
            tide.close()

    def _take_back(
        self, source: Database, target: Target, gone: Moved, error: BaseException
    ) -> None:
        """The other did not come to life: go on with this one. Where that can't be known, as the
        connection was lost, it stays marked."""
        if not target.is_surely_not_there(gone.token, error):
            raise StoreUnavailable(
                f"the connection to the database {target.name} was lost while the copy was "
                f"completed: whether it is there is not known, and {source.name} is no more used",
                "Run the same again: it sees, and completes it",
            ) from error
        with source.write() as here:
            moved.clear(here)

    def _refuse_workers(self, connection: Connection, settings: Settings) -> tuple[str, ...]:
        found = presence.present(workers.every(connection), wakeup.folder_for(settings), self.now())
        if found.living:
            names = ", ".join(f"process {one.pid} on {one.host}" for one in found.living)
            raise NotAllowed(
                f"postsched is running on {plain(settings.database)} ({names})",
                "Stop it, and copy then",
            )
        if held := outlook.count_claimed(connection):
            what = "a post is" if held == 1 else f"{held} posts are"
            raise NotAllowed(
                f"{what} still in the hands of a process that ended, or of which nothing is heard",
                "Settle that first: postsched publish-due, after claim_timeout at the latest",
            )
        return tuple(f"process {one.pid} on {one.host}" for one in found.silent)

    def _refuse_content(self, there: Connection, target: Target) -> None:
        if not pouring.is_empty(there):
            raise target.in_use()
        self._refuse_workers(there, self.target)

    def _copy_media(self, here: Connection) -> tuple[int, tuple[str, ...]]:
        """Have the files that posts name where the other looks for them, too."""
        digests = copies.digests(here)
        if digests and (fault := self.target.media_fault):
            raise InvalidInput(*fault)
        # With media_dir set for the other, what this one has kept may still lie beside it.
        places = dict.fromkeys((self.source.media_folder, self.source.data_folder / "media"))
        to = MediaStore(self.target.media_folder)
        copied, missing = 0, []
        for digest in digests:
            if _is_there(to, digest):
                continue
            place = next((one for one in map(MediaStore, places) if _is_there(one, digest)), None)
            if place is None:
                missing.append(digest)
                continue
            with place.path_of(Media(sha256=digest)).open("rb") as content:
                to.put_back(content, digest)
            copied += 1
        return copied, tuple(missing)


def _is_there(kept: MediaStore, digest: str) -> bool:
    try:
        kept.verify(Media(sha256=digest))
    except StoreUnavailable:
        return False
    return True


def release(settings: Settings) -> Moved:
    """Let a database be used again that has moved; everything in it is paused, for some of it may
    be out. Raises NotAllowed where it has not moved, StoreUnavailable."""
    with opened(settings) as database, database.write() as connection:
        before = moved.of(connection)
        if before is None:
            raise NotAllowed(f"{database.name} was not moved: it is in use as it is")
        moved.clear(connection)
        pauses.set_all_paused(connection, paused=True)
    return before
