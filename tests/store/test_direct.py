"""Statements given to the driver as they are: what fails is told as everywhere, and who listens
hears of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, exc

from postsched.domain.errors import StoreBusy, StoreRefused, StoreUnavailable
from postsched.store import direct
from postsched.store.database import Database
from postsched.store.opening import open_database
from tests.servers import postgres

MARK = "%s" if postgres.is_used() else "?"
ADD = f"INSERT INTO meta (name, value) VALUES ({MARK}, {MARK})"


@pytest.fixture
def file(tmp_path: Path) -> Any:
    database = open_database(postgres.place(tmp_path / "one.db"), patience=0.1)
    yield database
    database.close()


def test_rows_come_back(file: Database) -> None:
    with file.write() as connection:
        assert direct.fetch(connection, ADD, ("a", "1")) == []
        assert direct.fetch(connection, ADD + " RETURNING value", ("b", "2")) == [("2",)]
        assert direct.change(connection, ADD, [("c", "3"), ("d", "4")]) == 2
    with file.read() as connection:
        found = direct.fetch(
            connection, f"SELECT name FROM meta WHERE name < {MARK} ORDER BY 1", ("c",)
        )
        assert [name for (name,) in found if len(name) == 1] == ["a", "b"]


@pytest.mark.parametrize("heard", [False, True])
def test_what_breaks_the_rules_is_refused_without_a_word_of_it(
    file: Database, *, heard: bool
) -> None:
    seen: list[str] = []
    if heard:
        event.listen(file.engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    for run in (
        lambda one: direct.change(one, ADD, [("x", "secret"), ("x", "secret")]),
        lambda one: direct.fetch(one, ADD, ("x", None)),
    ):
        with pytest.raises(StoreRefused) as caught, file.write() as connection:
            run(connection)
        assert isinstance(caught.value.__cause__, exc.IntegrityError)
        assert "secret" not in f"{caught.value} {caught.value.__cause__}"
    with file.read() as connection:
        assert not direct.fetch(connection, "SELECT 1 FROM meta WHERE name = 'x'")
    assert seen.count(ADD) == (2 if heard else 0)


def test_a_lock_and_a_wrong_statement_are_told_as_such(file: Database, tmp_path: Path) -> None:
    other = open_database(postgres.place(tmp_path / "one.db"), patience=0.1)
    with file.write(), pytest.raises(StoreBusy), other.write():
        pass
    with pytest.raises(StoreUnavailable, match="nowhere"), other.read() as connection:
        direct.fetch(connection, "SELECT 1 FROM nowhere")
    with other.write() as connection:  # and go on
        direct.fetch(connection, ADD, ("y", "1"))
    other.close()


@pytest.mark.skipif(not postgres.is_used(), reason="only to a server connections are lost")
def test_a_connection_that_is_lost_is_not_used_again(file: Database, tmp_path: Path) -> None:
    ours = "SELECT pg_backend_pid()"
    pids: list[int] = []

    def lose(run: Callable[[Connection], object]) -> None:
        with file.write() as connection:
            pids.append(*direct.fetch(connection, ours)[0])
            with postgres.behind(tmp_path / "one.db") as other:
                other.execute("SELECT pg_terminate_backend(?)", pids[-1:])
            run(connection)

    for run in (lambda one: direct.fetch(one, ours), lambda one: direct.change(one, ADD, ["zz"])):
        with pytest.raises(StoreUnavailable, match="can't be reached"):
            lose(run)
    with file.write() as connection:
        assert direct.fetch(connection, ours)[0][0] not in pids
