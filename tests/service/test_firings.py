"""What fires: rows as they are, series beyond them, in order, and no more work than is asked."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, event

from postsched.domain.delivery import Delivery
from postsched.domain.draft import Draft
from postsched.domain.firing import Firing
from postsched.domain.quiet import parse_quiet
from postsched.domain.zones import ClockChange
from postsched.planning.chain import Chain
from postsched.service import deliveries, occurrences, pausing, posts
from postsched.service.deliveries import Which
from postsched.service.desk import Desk
from postsched.service.firings import Day, Outlook
from postsched.store import accounts as account_rows
from postsched.store import chains, reading
from postsched.store import deliveries as delivery_rows
from postsched.store.firing_rows import Among, FiringRows
from postsched.store.tables import deliveries as deliveries_table
from postsched.store.tables import posts as posts_table
from postsched.testing import FakeClock
from tests.service.desk import desk_at

BERLIN = ZoneInfo("Europe/Berlin")
EVERY = Among()
START = datetime(2026, 10, 20, 10, 0, tzinfo=UTC)
"""A Tuesday, five days before the clocks go back in Berlin."""


class Table:
    """A desk, and what can be seen from it."""

    def __init__(self, desk: Desk, clock: FakeClock) -> None:
        self.desk, self.clock = desk, clock

    def add(self, text: str, to: str = "me", **words: Any) -> int:
        """A new post, in the time of Berlin."""
        draft = Draft(text, tuple(to.split(",")), tz="Europe/Berlin", **words)
        found = posts.add(self.desk, draft).id
        assert found is not None
        return found

    def coming(self, most: int = 50, days: int | None = None, among: Among = EVERY) -> list[Firing]:
        """What is to come."""
        until = None if days is None else self.clock.now() + timedelta(days=days)
        with self.outlook(among) as outlook:
            return list(outlook.coming(until, most))

    def days(self, first: date, count: int, most: int = 40) -> list[Day]:
        """Days in Berlin."""
        with self.outlook(EVERY) as outlook:
            return outlook.days(first, count, BERLIN, most)

    @contextmanager
    def outlook(self, among: Among) -> Iterator[Outlook]:
        """What there is to see now."""
        with self.desk.database.read() as connection:
            rows = FiringRows(connection, among)
            yield Outlook(rows, self.clock.now(), lambda: self.desk.planner.timing)


@pytest.fixture
def table() -> Iterator[Table]:
    """An empty one."""
    clock = FakeClock(START)
    with tempfile.TemporaryDirectory() as folder, desk_at(Path(folder), clock) as desk:
        yield Table(desk, clock)


def local(firing: Firing) -> str:
    return f"{firing.due_at.astimezone(BERLIN):%d %H:%M} {firing.account} {firing.text}"


def test_series_and_posts_are_one_list_in_the_order_of_time(table: Table) -> None:
    table.add("n {{n}}", "work,me", repeat="daily", at="09:00", count=4)
    table.add("once", at="2026-10-22 09:00")
    table.add("gap", at="2027-03-28 02:30")
    found = table.coming()
    assert [local(one) for one in found] == [
        "21 09:00 me n 1", "21 09:00 work n 1",
        "22 09:00 me n 2", "22 09:00 work n 2", "22 09:00 me once",
        "23 09:00 me n 3", "23 09:00 work n 3", "24 09:00 me n 4", "24 09:00 work n 4",
        "28 03:30 me gap",
    ]  # fmt: skip
    assert [one.delivery_id is not None for one in found] == [True, True, False, False, True,
                                                              *[False] * 4, True]  # fmt: skip
    assert [one.number for one in found] == [1, 1, 2, 2, None, 3, 3, 4, 4, None]
    assert found[-1].change is ClockChange.SKIPPED
    assert table.coming(3) == found[:3]
    assert table.coming(days=2) == found[:5]
    assert {one.account for one in table.coming(among=Among([2]))} == {"work"}


def test_what_a_clock_change_does_is_told_of_rows_and_of_what_comes_after(table: Table) -> None:
    table.add("night", repeat="daily", at="02:30")
    changes = {one.due_at.astimezone(BERLIN).date(): one.change for one in table.coming(170)}
    marked = {day: change for day, change in changes.items() if change}
    assert marked == {
        date(2026, 10, 25): ClockChange.REPEATED, date(2027, 3, 28): ClockChange.SKIPPED,
    }  # fmt: skip
    table.clock.set_wall(datetime(2026, 10, 24, 23, tzinfo=UTC))
    table.add("in a row", at="2026-10-25 02:45")
    assert [one.change for one in table.coming(2)][1] is ClockChange.REPEATED


def test_one_occurrence_that_is_skipped_moved_or_reworded(table: Table) -> None:
    post = table.add("n {{n}}", repeat="daily", at="09:00")

    def which(day: int) -> Which:
        return Which(None, datetime(2026, 10, day, 7, tzinfo=UTC), None)

    deliveries.cancel(table.desk, [post], which(22))
    occurrences.change(table.desk, post, which(23), datetime(2026, 10, 23, 18, tzinfo=UTC), None)
    occurrences.change(table.desk, post, which(24), None, "own {{n}}")
    found = table.coming(5)
    assert [local(one) for one in found] == [
        "21 09:00 me n 1", "23 20:00 me n 3", "24 09:00 me own {{n}}", "25 09:00 me n 5",
        "26 09:00 me n 6",
    ]  # fmt: skip
    assert [one.moved for one in found] == [False, True, False, False, False]
    assert [one.reworded for one in found] == [False, False, True, False, False]
    assert [day.count for day in table.days(date(2026, 10, 21), 6)] == [1, 0, 1, 1, 1, 1]


def test_a_series_that_was_cancelled_fires_no_more_and_a_held_one_is_shown(table: Table) -> None:
    post = table.add("x", "me,work", repeat="daily", at="09:00")
    deliveries.cancel(table.desk, [post], Which(frozenset({"me"}), None, None))
    assert {one.account for one in table.coming(9)} == {"work"}
    pausing.pause(table.desk, [post])
    assert all(one.paused for one in table.coming(3))


def test_what_has_passed_is_not_made_up_for_but_with_catch_up_all(table: Table) -> None:
    for catch_up in ("newest", "none", "all"):
        table.add(catch_up, repeat="daily", at="09:00", catch_up=catch_up, grace="36h")
    table.clock.suspend(timedelta(days=30))
    found = table.coming(7)
    assert [(one.text, (one.due_at - table.clock.now()).days) for one in found] == [
        ("newest", -30), ("none", -30), ("all", -30), ("all", -2), ("all", -1),
        ("newest", 0), ("none", 0),
    ]  # fmt: skip


def test_texts_take_their_turns_however_far_away(table: Table) -> None:
    table.add("", repeat="daily", at="09:00", texts=("a", "b", "c"))
    (day,) = table.days(date(2027, 6, 1), 1)
    since = (date(2027, 6, 1) - date(2026, 10, 21)).days
    assert [one.text for one in day.firings] == ["abc"[since % 3]]
    assert [one.text for one in table.coming(4)] == ["a", "b", "c", "a"]


def test_days_agree_with_the_list(table: Table) -> None:
    table.add("d", "me,work", repeat="daily", at="00:30,23:30")
    table.add("w", repeat="weekly", on=("mon", "sun"), at="12:00")
    table.add("once", at="2026-10-25 02:30")
    first = date(2026, 10, 20)
    days = table.days(first, 14)
    listed = table.coming(500, days=16)
    for day in days:
        mine = [one for one in listed if one.due_at.astimezone(BERLIN).date() == day.date]
        assert (day.count, list(day.firings)) == (len(mine), mine)
    assert table.days(first, 14, most=3)[3].firings == days[3].firings[:3]
    assert table.days(first, 14, most=3)[3].count == days[3].count == 4


def test_what_is_spread_out_stays_in_order(table: Table) -> None:
    table.add("n {{n}}", "me,work", cron="*/30 * * * *")
    with table.desk.database.write() as connection:
        connection.execute(posts_table.update().values(spread=timedelta(hours=1, minutes=30)))
    found = [local(one) for one in table.coming(9)]
    assert found == [
        "20 12:00 me n 1", "20 12:00 work n 1", "20 12:30 me n 2", "20 13:00 me n 3",
        "20 13:30 me n 4", "20 14:00 me n 5", "20 14:00 work n 2", "20 14:30 me n 6",
        "20 14:30 work n 3",
    ]  # fmt: skip
    (day,) = table.days(date(2026, 10, 21), 1, most=4)
    assert [local(one)[:13] for one in day.firings] == [
        "21 00:00 me n", "21 00:00 work", "21 00:30 me n", "21 00:30 work",
    ]  # fmt: skip


def test_a_minutely_series_is_bounded_work(table: Table) -> None:
    table.add("m", cron="* * * * *")
    table.clock.suspend(timedelta(days=365))
    began = time.process_time()
    found = table.coming(20)
    assert len(found) == 20
    assert {later.due_at - sooner.due_at for sooner, later in pairwise(found[1:])} == {
        timedelta(minutes=1)
    }
    days = table.days(date(2027, 11, 1), 30)
    assert time.process_time() - began < 3
    assert days[10].crowded
    assert days[10].count < 1440


def test_of_a_long_queue_only_what_is_shown_is_read(table: Table) -> None:
    post = table.add("x", at="2026-11-01 09:00")
    ahead = 2500
    with table.desk.database.write() as connection:
        names = [column.name for column in deliveries_table.c if column.name != "id"]
        moved = ("occurrence", "due_at", "next_at")
        shifted = [
            f"{name} + CAST(i AS BIGINT) * 30000000" if name in moved else name for name in names
        ]
        connection.exec_driver_sql(
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ahead}) "
            f"INSERT INTO deliveries ({', '.join(names)}) SELECT {', '.join(shifted)} "
            f"FROM deliveries, n WHERE post_id = {post}"
        )
    read = 0

    def count(*args: Any) -> None:
        nonlocal read
        read += 1

    event.listen(table.desk.database.engine, "before_cursor_execute", count)
    assert len(table.coming(10)) == 10
    assert read < 10
    read = 0
    days = table.days(date(2026, 11, 1), 30, most=4)
    assert [(day.count, len(day.firings)) for day in days[:2]] == [(1800, 4), (ahead + 1 - 1800, 4)]
    assert read < 10


@pytest.mark.parametrize(
    "words",
    [
        {"repeat": "daily", "at": "02:30,20:00", "spread": "3h"},
        {"cron": "*/40 * * * *", "jitter": "2h"},
        {"repeat": "weekly", "on": ("mon", "thu"), "at": "23:30", "count": 5, "jitter": "30m"},
    ],
)
def test_it_is_what_the_series_plans_when_its_time_has_come(
    table: Table, words: dict[str, Any]
) -> None:
    settings = replace(table.desk.settings, quiet_hours=parse_quiet("22:00-07:00"))
    table.desk = replace(table.desk, settings=settings)
    post = table.add("{{n}} {{date}}", "me,work", **words)
    predicted = table.coming(30)
    planned: list[tuple[datetime, str, int | None]] = []
    with table.desk.database.write() as connection:
        filed = reading.file_posts(connection, [post])[0]
        by_name = {one.name: one for one in account_rows.every(connection)}
        for first in filed.deliveries:
            chain = Chain(filed.post, by_name[first.account], filed.schedule, table.desk.planner)
            at: datetime | None = first.occurrence
            for number in range(1, 41):
                if at is None:
                    break
                chains.unlead(connection, [one.id for one in _rows(connection, post, first)])
                at = chain.plan_after(connection, at, number, table.clock.now())
            planned += [(one.due_at, one.account, one.number)
                        for one in _rows(connection, post, first)]  # fmt: skip
    assert [(one.due_at, one.account, one.number) for one in predicted] == sorted(planned)[:30]


def _rows(connection: Connection, post: int, like: Delivery) -> list[Delivery]:
    found = delivery_rows.of_posts(connection, [post])[post]
    return [one for one in found if one.account_id == like.account_id]
