"""Moving everything from one database to another: whole, once, or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import text

from postsched import wakeup
from postsched.config import Settings
from postsched.domain.errors import InvalidInput, NotAllowed, StoreMoved, StoreUnavailable
from postsched.engine.worker import register
from postsched.recognition import look
from postsched.service import copying
from postsched.service.copying import Copied, Copying
from postsched.store import moved, pauses, pouring, workers
from postsched.store.database import Database
from postsched.store.opening import open_database
from tests.servers import postgres
from tests.servers.between import COMMIT, Between, Lost
from tests.service.filling import fill

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
WAYS = [("file", "server"), ("file", "file"), ("server", "server"), ("server", "file")]
needs_server = pytest.mark.skipif(postgres.missing() is not None, reason=postgres.WHY)


class Places:
    """Where databases are: by name, as files or on a server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def at(self, engine: str, name: str) -> Settings:
        """The settings with the database of that name; a file is not made."""
        folder = self.folder / name
        place = str(folder / "posts.db") if engine == "file" else postgres.database(str(folder))
        return Settings(place, media_dir=folder / "media", state_dir=self.folder / "state")


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A folder of one's own."""
    return Places(tmp_path)


@contextmanager
def database(settings: Settings) -> Iterator[Database]:
    """An open one."""
    with closing(open_database(settings.database)) as found:
        yield found


def copy(old: Settings, new: Settings, *, keep: bool = False) -> Copied:
    """Copy, an hour after it was filled."""
    return Copying(old, new, lambda: NOW + timedelta(hours=1), lambda done, of: None, keep).run()


def content(settings: Settings) -> dict[str, list[tuple[Any, ...]]]:
    """All that was taken along, but for what belongs to a database as such."""
    with database(settings) as found, found.read() as connection:
        tables = {
            table.name: [row for batch in pouring.batches(connection, table) for row in batch]
            for table in pouring.tables()
        }
    tables["meta"] = [row for row in tables["meta"] if row[0] not in ("age", "paused", "uid")]
    return tables


@needs_server
@pytest.mark.parametrize(("old", "new"), WAYS)
def test_everything_arrives_and_only_the_new_one_goes_on(
    places: Places, old: str, new: str
) -> None:
    here, there = places.at(old, "old"), places.at(new, "new")
    fill(here, NOW)
    before = content(here)
    done = copy(here, there)
    assert content(there) == before == content(here)
    assert (done.rows["posts"], done.media) == (len(before["posts"]), 1)
    assert all(before[name] for name in before), "a table of which nothing is tried"

    with database(here) as left:
        assert left.moved is not None
        for doing in (left.write(), left.turn(7)):
            with pytest.raises(StoreMoved, match="was moved to"), doing:
                pytest.fail("it can still be written to")
        with left.read() as connection:  # a look is no harm
            assert moved.of(connection)
    with database(there) as found:
        with found.write() as connection:  # numbers go on where they were
            query = text("INSERT INTO groups (name) VALUES ('newest') RETURNING id")
            assert connection.scalar(query) == 1 + max(row[0] for row in before["groups"])
        assert look(found, there.state_dir or Path()) is None, "it is taken for an old copy"
    assert copy(here, there).resumed, "the same call again"


def test_a_mere_copy_is_paused_and_a_database_of_its_own(places: Places) -> None:
    here, there = places.at("file", "old"), places.at("file", "new")
    fill(here, NOW)
    copy(here, there, keep=True)
    with database(here) as one, database(there) as other:
        assert one.moved is None
        with one.write() as mine, other.write() as its:
            assert not pauses.all_paused(mine)
            assert pauses.all_paused(its)
            uids = [each.scalar(text("SELECT value FROM meta WHERE name = 'uid'"))
                    for each in (mine, its)]  # fmt: skip
            assert uids[0] != uids[1]
            assert its.scalar(text("SELECT count(*) FROM notifications")) == 0, "told twice"
            assert its.scalar(text("SELECT count(*) FROM hosted")) == 0, "removed by the other"


def test_it_is_refused_where_it_would_lose_or_double_something(places: Places) -> None:
    here, there = places.at("file", "old"), places.at("file", "new")
    with pytest.raises(StoreUnavailable, match="there is no database"):
        copy(here, there)
    fill(here, NOW)
    before = content(here)
    fill(there, NOW)
    with pytest.raises(InvalidInput, match="is in use already"):
        copy(here, there)
    with pytest.raises(InvalidInput, match="is the same database"):
        copy(here, here)
    empty = places.at("file", "empty")
    with database(empty):
        pass  # one that was only opened once is as good as none
    bells = wakeup.folder_for(here)
    bell = wakeup.Bell(bells, "living")
    with database(here) as found, found.write() as connection:
        worker = register(connection, "run", "living", NOW)
    with pytest.raises(NotAllowed, match=rf"running on .*process {os.getpid()} on"):
        copy(here, empty)
    bell.take_down(keep=True)
    with database(here) as found, found.write() as connection:
        connection.execute(text("UPDATE deliveries SET claim = 'x', claim_worker = 1 "
                                "WHERE id = (SELECT min(id) FROM deliveries)"))  # fmt: skip
    with pytest.raises(NotAllowed, match="a post is still in the hands of a process"):
        copy(here, empty)
    with database(here) as found, found.write() as connection:
        connection.execute(text("UPDATE deliveries SET claim = NULL, claim_worker = NULL"))
        workers.remove(connection, [worker.id])
    assert content(here) == before, "the source is as it was"
    copy(here, empty)
    with pytest.raises(StoreMoved):
        copy(here, places.at("file", "third"))


def test_what_was_moved_is_used_again_only_paused(places: Places) -> None:
    here, there = places.at("file", "old"), places.at("file", "new")
    fill(here, NOW)
    with pytest.raises(NotAllowed, match="was not moved"):
        copying.release(here)
    copy(here, there)
    assert copying.release(here).to == there.database
    with database(here) as found, found.write() as connection:
        assert pauses.all_paused(connection)


def test_media_that_lie_beside_the_old_one_are_found(places: Places) -> None:
    here, there = places.at("file", "old"), places.at("file", "new")
    fill(here, NOW)
    shared = replace(here, media_dir=places.folder / "shared")
    done = copy(shared, replace(there, media_dir=places.folder / "shared"))
    assert (done.media, done.missing) == (1, ())


def test_a_place_that_is_taken_meanwhile_is_not_written_over(places: Places) -> None:
    here, there = places.at("file", "old"), places.at("file", "new")
    fill(here, NOW)
    assert there.database_path is not None

    def told(done: int, of: int) -> None:
        there.database_path.write_text("mine")  # type: ignore[union-attr]  # see above

    with pytest.raises(InvalidInput, match="is in use already"):
        Copying(here, there, lambda: NOW, told).run()
    assert there.database_path.read_text() == "mine"
    with database(here) as found:
        assert found.moved is None, "nothing goes out any more from anywhere"


@needs_server
@pytest.mark.parametrize("reaches", [True, False])
def test_where_it_is_not_known_what_became_of_it_the_same_call_finds_out(
    places: Places, reaches: bool
) -> None:
    here, there = places.at("file", "old"), places.at("server", "new")
    fill(here, NOW)
    before, parts = content(here), urlsplit(there.database)
    with Between(Path(parse_qs(parts.query)["host"][0]) / ".s.PGSQL.5432") as between:
        url = f"postgresql://postgres:@127.0.0.1:{between.port}{parts.path}?sslmode=disable"
        through = replace(there, database=url)
        between.lose(Lost(COMMIT, since=b"COPY posts", reaches=reaches))
        with pytest.raises(StoreUnavailable, match="whether it is there is not known"):
            copy(here, through)
        with database(here) as found:
            assert found.moved is not None, "both might go on"
        assert copy(here, through).resumed == reaches
    assert content(there) == before


BROKEN_OFF = """
import os, signal, sys
from pathlib import Path
from datetime import datetime, UTC
from postsched.config import Settings
from postsched.service.copying import Copying
old, new, folder, point = sys.argv[1:]
def settings(place, name):
    return Settings(place, media_dir=Path(folder, name, "media"), state_dir=Path(folder, "state"))
def told(done, of):
    if done * 10 >= of * int(point):
        os.kill(os.getpid(), signal.SIGKILL)
if point == "11":  # between the two commits
    from postsched.recognition import Tide
    Tide.close = lambda self: os.kill(os.getpid(), signal.SIGKILL)
Copying(settings(old, "old"), settings(new, "new"), lambda: datetime.now(UTC), told).run()
"""


@needs_server
@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize(("new", "point"), [("file", 5), ("server", 9), ("file", 11),
                                            ("server", 11)])  # fmt: skip
def test_one_that_is_killed_leaves_nothing_and_can_be_completed(
    places: Places, new: str, point: int
) -> None:
    here, there = places.at("file", "old"), places.at(new, "new")
    fill(here, NOW)
    before = content(here)
    words = [here.database, there.database, str(places.folder), str(point)]
    died = subprocess.run([sys.executable, "-c", BROKEN_OFF, *words], timeout=60, check=False)
    assert died.returncode == -signal.SIGKILL
    if there.database_path is not None:
        assert not there.database_path.exists()
    else:
        with database(there) as found, found.write() as connection:
            assert pouring.is_empty(connection)
    with database(here) as found:
        assert (found.moved is not None) == (point == 11), "neither may both go on, nor be lost"
    copy(here, there)
    assert content(there) == before
    if there.database_path is not None:
        left = [one.name for one in there.database_path.parent.iterdir()]
        assert sorted(left) == ["media", "posts.db"]
