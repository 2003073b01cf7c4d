"""The schema: as it was released, strict, plain, and changed by a migration only."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from postsched.store import migrations
from postsched.store.columns import Instant, Json, Span, micros
from postsched.store.database import Database
from postsched.store.tables import accounts, deliveries, metadata
from tests.store import rows
from tests.store.rows import NOON, opened

RELEASED = Path(__file__).with_name("schema_v1.sql")
"""The first schema. Once released it never changes: a change of `tables.py` is a step in
`migrations.py`, and this file stays as it is."""
ANY: object = None


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = opened(tmp_path)
    yield found
    found.close()


def dump(raw: sqlite3.Connection) -> list[list[str]]:
    """The clauses of the schema's SQL, in an order that does not depend on when what was made."""
    found = raw.execute(
        "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
        " ORDER BY tbl_name, type DESC, name"
    )
    return [sorted(re.split(r",(?![^()]*\))", re.sub(r"\s+", "", sql))) for (sql,) in found]


def schema_of(path: Path) -> list[list[str]]:
    """The schema of a database file."""
    raw = sqlite3.connect(path)
    try:
        return dump(raw)
    finally:
        raw.close()


@pytest.mark.sqlite
def test_the_first_schema_is_brought_up_to_date(tmp_path: Path) -> None:
    """It becomes what a new database has, or tables.py was changed without a step."""
    raw = sqlite3.connect(tmp_path / "posts.db")
    raw.executescript(RELEASED.read_text())
    raw.execute("INSERT INTO meta VALUES ('schema', '1'), ('uid', 'u')")
    raw.commit()
    raw.close()
    old = opened(tmp_path)
    with old.read() as connection:
        assert migrations.stored_version(connection) == (migrations.latest(), None)
    old.close()
    (tmp_path / "new").mkdir()
    opened(tmp_path / "new").close()
    assert schema_of(tmp_path / "posts.db") == schema_of(tmp_path / "new" / "posts.db")


@pytest.mark.parametrize("table", sorted(metadata.tables))
@pytest.mark.sqlite
def test_tables_are_strict(database: Database, table: str) -> None:
    with database.read() as connection:
        found = connection.exec_driver_sql(f"PRAGMA table_list({table})").one()
    assert found.strict == 1


@pytest.mark.sqlite
def test_a_wrong_type_is_refused_by_the_database(database: Database) -> None:
    with (
        pytest.raises(Exception, match="cannot store TEXT value in INTEGER column"),
        database.write() as connection,
    ):
        connection.exec_driver_sql(
            "INSERT INTO workers (host, boot, pid, kind, mark, since)"
            " VALUES ('h', 'b', 'not a number', 'run', 'm', 0)"
        )


def test_references_are_kept(database: Database) -> None:
    with database.write() as connection:
        rows.post(connection, "Hello", [rows.account(connection)], NOON)
        connection.exec_driver_sql("DELETE FROM posts")
        assert connection.execute(select(deliveries)).all() == []


class TestInstants:
    """Integer microseconds since 1970, UTC; never naive."""

    @given(
        st.datetimes(
            datetime(1, 1, 3),  # noqa: DTZ001 - the strategy makes it aware
            datetime(9999, 12, 29),  # noqa: DTZ001
            timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]),
        )
    )
    def test_they_come_back_as_they_were(self, instant: datetime) -> None:
        kept = Instant().process_bind_param(instant, ANY)  # type: ignore[arg-type]  # unused
        back = Instant().process_result_value(kept, ANY)  # type: ignore[arg-type]  # unused
        assert isinstance(kept, int)
        assert back == instant
        assert back is not None
        assert back.tzinfo is UTC

    @given(st.datetimes(), st.datetimes())
    def test_their_order_is_that_of_time(self, one: datetime, other: datetime) -> None:
        one, other = one.replace(tzinfo=UTC), other.replace(tzinfo=UTC)
        assert (one < other) == (micros(one) < micros(other))

    def test_a_naive_one_is_refused(self, database: Database) -> None:
        naive = datetime(2026, 1, 1)  # noqa: DTZ001 - that is the point
        with pytest.raises(ValueError, match="without a time zone"):
            micros(naive)
        with pytest.raises(Exception, match="without a time zone"), database.read() as connection:
            connection.execute(select(accounts).where(accounts.c.created_at < naive))

    @given(st.timedeltas(timedelta(days=-10_000), timedelta(days=10_000)))
    def test_lengths_of_time_too(self, length: timedelta) -> None:
        kept = Span().process_bind_param(length, ANY)  # type: ignore[arg-type]  # unused
        assert Span().process_result_value(kept, ANY) == length  # type: ignore[arg-type]  # unused


class TestJson:
    """Plain text that any program can read."""

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        ).filter(bool)
    )
    def test_it_comes_back(self, document: object) -> None:
        kept = Json().process_bind_param(document, ANY)  # type: ignore[arg-type]  # unused
        assert isinstance(kept, str)
        assert Json().process_result_value(kept, ANY) == document  # type: ignore[arg-type]  # unused

    @pytest.mark.parametrize("empty", [None, {}, [], ""])
    def test_nothing_is_null(self, empty: object) -> None:
        assert Json().process_bind_param(empty, ANY) is None  # type: ignore[arg-type]  # unused


def test_no_pickles_anywhere() -> None:
    """A data file must never be able to run code."""
    package = Path(migrations.__file__).parents[1]
    pattern = re.compile(r"^\s*(import|from)\s+(pickle|dill|marshal|shelve)\b|PickleType|\beval\(")
    found = [
        f"{path.relative_to(package)}:{number}"
        for path in package.rglob("*.py")
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if pattern.search(line)
    ]
    assert not found


@pytest.mark.sqlite
def test_texts_are_readable_by_any_program(tmp_path: Path, database: Database) -> None:
    with database.write() as connection:
        rows.post(connection, "Grüße 🎉", [rows.account(connection)], NOON, then=["Zwei"])
    raw = sqlite3.connect(tmp_path / "posts.db")
    found = raw.execute('SELECT text, "then" FROM posts').fetchone()
    raw.close()
    assert found == ("Grüße 🎉", '["Zwei"]')
