"""What waits when the rules of its zone change: the local time stays, and nothing is lost."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from postsched.domain import zone_files
from postsched.domain.delivery import Delivery, DeliveryStatus
from postsched.domain.draft import Draft
from postsched.domain.post import Content, Post
from postsched.domain.schedule import Schedule
from postsched.domain.zones import zone_named
from postsched.planning import zone_rules
from postsched.planning.chain import revive
from postsched.service import deliveries, occurrences, pausing, posts, slots
from postsched.service.deliveries import Which
from postsched.service.desk import Desk
from postsched.store import bulk, chains, zone_notes
from postsched.store import deliveries as delivery_rows
from postsched.testing import FakeClock
from tests.planning.tz_database import BERLIN, SUMMER_FOR_EVER, TOKYO, TzDatabase, tz_database
from tests.service.desk import claim, desk_at, publish

S = DeliveryStatus
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]  # whole numbers, in order


class Table:
    """A desk in Berlin, and the zones of its world."""

    def __init__(self, desk: Desk, clock: FakeClock, zones: TzDatabase) -> None:
        self.desk, self.clock, self.zones = desk, clock, zones

    def add(self, to: str = "me", tz: str = "Europe/Berlin", **words: Any) -> int:
        """A new post."""
        found = posts.add(self.desk, Draft(f"Hello {words}", tuple(to.split(",")), tz=tz, **words))
        assert found.id is not None
        return found.id

    def start(self) -> int:
        """What an engine does at its start; how many were moved."""
        moved = zone_rules.follow(self.desk.database, self.desk.planner, self.clock.now())
        with self.desk.database.write() as connection:
            revive(connection, self.desk.planner, self.clock.now())
        return moved

    def change(self, rule: str, zone: str = "Europe/Berlin") -> int:
        """The rules change, and an engine starts."""
        self.zones.change(zone, rule)
        return self.start()

    def rows(self, post_id: int, account: str = "me") -> list[Delivery]:
        """The deliveries of a post to an account."""
        with self.desk.database.read() as connection:
            found = delivery_rows.of_posts(connection, [post_id])[post_id]
        return [one for one in found if one.account == account]

    def row(self, post_id: int, account: str = "me") -> Delivery:
        """The only one."""
        (found,) = self.rows(post_id, account)
        return found

    def said(self, delivery: Delivery) -> list[str]:
        """What is on record of its moves."""
        with self.desk.database.read() as connection:
            found = delivery_rows.attempts_of(connection, delivery.id)
        return [one.evidence or "" for one in found if one.action == "moved"]

    def leader(self, post_id: int) -> Delivery:
        """The row that leads."""
        (found,) = [one for one in self.rows(post_id) if one.leads]
        return found


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Table]:
    clock = FakeClock()
    with tz_database(tmp_path / "zones") as zones, desk_at(tmp_path, clock) as desk:
        yield Table(desk, clock, zones)


def test_a_local_time_stays_that_local_time(table: Table, caplog: pytest.LogCaptureFixture) -> None:
    local = table.add(at="2027-01-10T09:00", to="me,work", spread="10m")
    instant = table.add(at="2027-01-10T09:00+01:00")
    soon = table.add(at="in 2h")
    elsewhere = table.add(at="2027-01-10T09:00", tz="Asia/Kolkata")
    summer = table.add(at="2027-07-10T09:00")
    paused = table.add(at="2027-01-10T10:00")
    pausing.pause(table.desk, [paused])
    before = {n: table.row(n) for n in (instant, soon, elsewhere, summer)}
    work = table.row(local, "work")
    assert table.start() == 0
    with caplog.at_level(logging.INFO, "postsched"):
        assert table.change(SUMMER_FOR_EVER) == 3
    row = table.row(local)
    assert row.occurrence == row.due_at == row.next_at == utc(2027, 1, 10, 7)
    assert row.grace_until == row.due_at + DAY
    assert table.row(local, "work").due_at == work.due_at - HOUR
    assert work.due_at != work.occurrence
    assert table.said(row) == [
        "the rules of Europe/Berlin have changed: from 2027-01-10T08:00:00Z to 2027-01-10T07:00:00Z"
    ]
    assert table.row(paused).due_at == utc(2027, 1, 10, 8)
    assert {n: table.row(n) for n in before} == before
    (line,) = [record.getMessage() for record in caplog.records]
    assert line == (
        "the rules of Europe/Berlin have changed: 3 posts moved, the first, "
        f"post {local} to me, from 2027-01-10 08:00:00 to 2027-01-10 07:00:00 UTC"
    )
    assert table.start() == 0
    assert table.change(BERLIN) == 3
    assert table.row(local).occurrence == utc(2027, 1, 10, 8)


def test_what_moves_into_the_past_is_due_now(table: Table) -> None:
    post = table.add(at="2026-11-27T10:30")  # half an hour from now
    assert table.change(SUMMER_FOR_EVER) == 1
    row = table.row(post)
    assert row.due_at == table.clock.now() - 30 * MINUTE
    assert row.grace_until == row.due_at + DAY
    assert [one.id for one in claim(table.desk)] == [row.id]


def test_what_is_under_way_or_was_asked_for_anew_stays(table: Table) -> None:
    sent, again, waiting = (table.add(at=f"2026-11-27T10:3{n}") for n in range(3))
    deliveries.cancel(table.desk, [again], Which())
    table.clock.advance(HOUR)
    deliveries.retry(table.desk, [again], Which())
    taken = claim(table.desk)
    assert {one.post_id for one in taken} == {sent, again, waiting}
    with table.desk.database.write() as connection:  # two of them were given back by their worker
        connection.execute(
            text("UPDATE deliveries SET status='scheduled', claim=NULL, attempts=0, next_at=due_at"
                 f" WHERE post_id IN ({again}, {waiting})")
        )  # fmt: skip
    before = [table.row(sent), table.row(again)]
    assert table.change("WET0") == 1
    assert [table.row(sent), table.row(again)] == before
    assert table.row(waiting).due_at == utc(2026, 11, 27, 10, 32)


def test_what_was_prepared_is_discarded(table: Table) -> None:
    post = table.add(at="2027-01-10T09:00")
    with table.desk.database.write() as connection:
        connection.execute(
            text("UPDATE deliveries SET claim='held', claim_worker=1, claimed_at=0, claim_until=1,"
                 """ steps='[{"role": "part", "n": 1, "prepared": {"a": 1}, "at": 5}]'""")
        )  # fmt: skip
    table.change(SUMMER_FOR_EVER)
    row = table.row(post)
    assert (row.steps, row.claim, row.revision) == ((), None, 1)


class TestSeries:
    """The row that leads goes where the series names it now."""

    @pytest.mark.parametrize("rule", [SUMMER_FOR_EVER, "WET0", TOKYO, "X-12", "IST-5:30"])
    def test_it_leads_on_at_its_local_time(self, table: Table, rule: str) -> None:
        post = table.add(repeat="daily", at="2026-11-28T09:00")
        times = table.add(repeat="daily", at="2026-11-28T09:00,10:00,17:00")
        table.change(rule.replace("X", "XXX"))
        offset = {"EET-2": 2, "WET0": 0, "JST-9": 9, "X-12": 12, "IST-5:30": 5.5}[rule]
        for one in (post, times):
            assert table.leader(one).occurrence == utc(2026, 11, 28, 9) - offset * HOUR
            assert len(table.rows(one)) == 1
        assert table.start() == 0

    def test_the_next_in_line_is_neither_said_twice_nor_left_out(self, table: Table) -> None:
        """One of 10:00, 11:00, 12:00 is out; the clocks are an hour behind from now on."""
        table.clock.set_wall(utc(2026, 11, 28, 8, 59))
        post = table.add(repeat="daily", at="2026-11-28T10:00,11:00,12:00")
        _publish_next(table, post)
        assert table.leader(post).occurrence == utc(2026, 11, 28, 10)
        table.change("WET0")
        assert table.leader(post).occurrence == utc(2026, 11, 28, 11)
        _publish_next(table, post)
        assert table.leader(post).occurrence == utc(2026, 11, 28, 12)

    def test_the_next_in_line_is_due_now_where_its_time_has_passed(self, table: Table) -> None:
        """10:00 is out; by the rules of now, 10:30 was half an hour ago already."""
        table.clock.set_wall(utc(2026, 11, 28, 8, 59))
        post = table.add(repeat="daily", at="2026-11-28T10:00,10:30")
        _publish_next(table, post)
        table.change(SUMMER_FOR_EVER)
        assert table.leader(post).due_at == utc(2026, 11, 28, 8, 30) < table.clock.now()
        table.clock.advance(10 * MINUTE)
        (held,) = claim(table.desk)
        assert held.occurrence == utc(2026, 11, 28, 8, 30)

    def test_one_whose_instant_another_took_is_right_behind_it(self, table: Table) -> None:
        """10:00 is out; by the rules of now, it was 11:00 then, which is out neither way."""
        table.clock.set_wall(utc(2026, 11, 28, 8, 59))
        post = table.add(repeat="daily", at="2026-11-28T10:00,11:00,12:00")
        _publish_next(table, post)
        table.change(SUMMER_FOR_EVER)
        behind = table.leader(post)
        assert behind.due_at - utc(2026, 11, 28, 9) == timedelta(microseconds=1)
        assert table.change(BERLIN) == 1
        assert table.leader(post).occurrence == utc(2026, 11, 28, 10)
        table.change(SUMMER_FOR_EVER)
        _publish_next(table, post)
        assert table.leader(post).occurrence == utc(2026, 11, 28, 10)
        _publish_next(table, post)
        assert table.leader(post).occurrence == utc(2026, 11, 29, 8)

    @pytest.mark.parametrize("rule", [SUMMER_FOR_EVER, "WET0", TOKYO])
    def test_what_runs_by_the_hour_goes_on_by_the_hour(self, table: Table, rule: str) -> None:
        post = table.add(cron="0 * * * *")
        _publish_next(table, post)
        leads = table.leader(post).occurrence
        assert table.change(rule) == 0
        assert table.leader(post).occurrence == leads

    def test_what_a_person_arranged_moves_along(self, table: Table) -> None:
        post = table.add(repeat="daily", at="2026-11-28T09:00")
        days = [Which(occurrence=utc(2026, 11, 28 + n, 8)) for n in range(3)]
        deliveries.cancel(table.desk, [post], days[0])
        moved_to = utc(2026, 11, 29, 20)
        occurrences.change(table.desk, post, days[1], moved_to, None)
        occurrences.change(table.desk, post, days[2], None, "Own words")
        assert table.leader(post).occurrence == utc(2026, 12, 1, 8)
        assert table.change(SUMMER_FOR_EVER) == 4
        rows = table.rows(post)
        assert [one.occurrence for one in rows] == [
            utc(2026, 11, 28, 7) + n * DAY for n in range(4)
        ]
        assert [one.status for one in rows] == [S.CANCELLED, S.SCHEDULED, S.SCHEDULED, S.SCHEDULED]
        assert [one.due_at for one in rows[1:]] == [
            moved_to, utc(2026, 11, 30, 7), utc(2026, 12, 1, 7)
        ]  # fmt: skip
        assert rows[2].wording == {"parts": ["Own words"]}
        assert [one.leads for one in rows] == [False, False, False, True]
        assert [one.number for one in rows] == [1, 2, 3, 4]

    def test_one_by_its_minutes_moves_into_places_of_others(self, table: Table) -> None:
        """By the half hour, and by the local time of a rule: each takes the place of another."""
        post = table.add(cron="*/30 9,10,11,12 * * *")
        first = table.leader(post).occurrence
        occurrences.change(table.desk, post, Which(occurrence=first), None, "one")
        occurrences.change(table.desk, post, Which(occurrence=first + 30 * MINUTE), None, "two")
        for rule, step in ((SUMMER_FOR_EVER, -HOUR), (BERLIN, HOUR)):
            before = [one.occurrence for one in table.rows(post)]
            table.change(rule)
            assert [one.occurrence for one in table.rows(post)] == [at + step for at in before]

    def test_one_that_is_over_or_stopped_stays_so(self, table: Table) -> None:
        stopped = table.add(repeat="daily", at="2026-11-28T09:00")
        last = table.add(repeat="daily", at="2026-11-28T09:00", count=1)
        deliveries.cancel(table.desk, [stopped], Which())
        table.change(SUMMER_FOR_EVER)
        assert not [one for one in table.rows(stopped) if one.leads]
        assert table.leader(last).occurrence == utc(2026, 11, 28, 7)


def berlin() -> datetime:
    """A winter's day there, as this process sees it."""
    return datetime(2027, 1, 1, tzinfo=zone_named("Europe/Berlin"))


def _publish_next(table: Table, post: int) -> None:
    """What leads goes out, and the next is planned as a worker does."""
    from postsched.planning.taking import take_up
    from postsched.store import queue

    leader = table.leader(post)
    table.clock.set_wall(leader.due_at)
    (held,) = claim(table.desk)
    with table.desk.database.write() as connection:
        works = queue.load(connection, [held.id])
        take_up(connection, table.desk.planner, works, table.clock.now())
    publish(table.desk, held)


def test_slots_keep_their_time(table: Table) -> None:
    from datetime import time

    slots.add(table.desk, "me", [0, 2, 4], [time(9), time(17)], "Europe/Berlin")
    slots.add(table.desk, "work", [0], [time(9)], "Asia/Kolkata")
    mine = [table.add(slot=True, at=None) for _ in range(4)]
    other = table.add("work", slot=True)
    before = [table.row(one).occurrence for one in mine]
    slots.remove(table.desk, "me", [0], [time(9)])
    kept = table.row(other, "work")
    assert table.change(SUMMER_FOR_EVER) == 3
    left = [at - HOUR if at.hour != 8 or at.weekday() else at for at in before]
    assert [table.row(one).occurrence for one in mine] == left
    assert table.row(other, "work") == kept
    assert table.start() == 0


class TestNotes:
    """By which rules what waits was planned, whoever planned it."""

    def test_others_may_go_by_other_rules(self, table: Table) -> None:
        """The rules change, posts are added by the new ones, and only then an engine starts."""
        old = table.add(at="2027-01-10T09:00")
        daily = table.add(repeat="daily", at="2027-01-10T09:00,10:00")
        table.zones.change("Europe/Berlin", SUMMER_FOR_EVER)
        new = table.add(at="2027-01-10T09:00", repeat="daily")
        assert table.leader(new).occurrence == utc(2027, 1, 10, 7)
        assert table.start() == 1 + 1
        table.zones.change("Europe/Berlin", SUMMER_FOR_EVER)
        assert table.start() == 0
        assert table.row(old).occurrence == utc(2027, 1, 10, 7)
        assert table.leader(daily).occurrence == utc(2027, 1, 10, 7)
        assert table.leader(new).occurrence == utc(2027, 1, 10, 7)
        with table.desk.database.read() as connection:
            assert zone_notes.is_followed(connection)

    def test_a_worker_that_goes_by_old_rules_reads_them_anew(self, table: Table) -> None:
        """Two workers: one has seen the change, the other runs since before."""
        post = table.add(repeat="daily", at="2026-11-28T09:00")
        table.change(SUMMER_FOR_EVER)
        table.zones.change("Europe/Berlin", BERLIN)  # what the other has read
        assert berlin().utcoffset() == HOUR
        table.zones.write("Europe/Berlin", SUMMER_FOR_EVER)
        assert berlin().utcoffset() == HOUR
        _publish_next(table, post)
        assert table.leader(post).occurrence == utc(2026, 11, 29, 7)
        assert table.start() == 0

    def test_one_that_has_another_database_is_put_right(
        self, table: Table, caplog: pytest.LogCaptureFixture
    ) -> None:
        """As in a container: it can't know better, but it is said."""
        post = table.add(repeat="daily", at="2026-11-28T09:00")
        table.change(SUMMER_FOR_EVER)
        table.zones.change("Europe/Berlin", BERLIN)
        _publish_next(table, post)
        assert "goes by other rules of Europe/Berlin than another" in caplog.text
        assert table.change(SUMMER_FOR_EVER) == 1
        assert table.leader(post).occurrence == utc(2026, 11, 29, 7)

    def test_imported_posts_and_slots_note_their_zones(self, table: Table) -> None:
        from datetime import time

        post = Post(0, "u", Content("Hello"), ("me",), table.clock.now(), table.clock.now())
        schedule = Schedule(at="2027-01-10T09:00", tz="Asia/Kolkata")
        with table.desk.database.write() as connection:
            bulk.write(connection, [bulk.pack(post, "", schedule, [1], [])])
        slots.add(table.desk, "me", [0], [time(9)], "Europe/Berlin")
        for zone in ("Asia/Kolkata", "Europe/Berlin"):
            with table.desk.database.read() as connection:
                assert zone_notes.is_followed(connection)
            table.zones.change(zone, "CET-1")
            with table.desk.database.read() as connection:
                assert [one.zone for one in zone_notes.unsettled(connection)] == [zone]
            table.start()

    def test_an_older_database_is_gone_through_once(self, table: Table) -> None:
        post = table.add(at="2027-01-10T09:00")
        with table.desk.database.write() as connection:
            connection.execute(text("DELETE FROM meta WHERE name LIKE 'zone %'"))
            zone_notes.note_all_in_use(connection)
            assert not zone_notes.is_followed(connection)
        table.change(SUMMER_FOR_EVER)
        assert table.row(post).occurrence == utc(2027, 1, 10, 7)
        with table.desk.database.read() as connection:
            assert zone_notes.is_followed(connection)

    def test_a_zone_that_is_gone_is_said_and_moves_nothing(
        self, table: Table, caplog: pytest.LogCaptureFixture
    ) -> None:
        table.zones.write("Europe/Utopia", BERLIN)
        post = table.add(at="2027-01-10T09:00", tz="Europe/Utopia")
        (table.zones.folder / "Europe/Utopia").unlink()
        zone_files.forget()
        assert table.start() == 0
        assert "no time zone Europe/Utopia any more" in caplog.text
        assert table.change(SUMMER_FOR_EVER, "Europe/Utopia") == 1
        assert table.row(post).occurrence == utc(2027, 1, 10, 7)

    def test_what_was_broken_off_is_done_by_the_next(self, table: Table) -> None:
        ids = [table.add(at=f"2027-01-10T09:{n:02}") for n in range(3)]
        table.zones.change("Europe/Berlin", SUMMER_FOR_EVER)

        def refuse(*args: Any) -> None:
            if "UPDATE meta" in args[2]:
                raise KeyboardInterrupt

        engine = table.desk.database.engine
        event.listen(engine, "before_cursor_execute", refuse)
        with pytest.raises(KeyboardInterrupt):
            table.start()
        event.remove(engine, "before_cursor_execute", refuse)
        assert table.start() == 0
        assert {table.row(one).occurrence.hour for one in ids} == {7}
        assert [len(table.said(table.row(one))) for one in ids] == [1, 1, 1]

    def test_where_nothing_has_changed_no_post_is_read(self, table: Table) -> None:
        table.add(at="2027-01-10T09:00")
        table.start()
        seen: list[str] = []
        engine = table.desk.database.engine
        event.listen(engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
        zone_rules.follow(table.desk.database, table.desk.planner, table.clock.now())
        assert [one for one in seen if " FROM " in one and "FROM meta" not in one] == []


def test_a_rule_becomes_text_and_back(table: Table) -> None:
    kept = zone_files.text_of("Europe/Berlin")
    assert " " not in kept
    zone = zone_files.zone_of(kept, "Europe/Berlin")
    assert datetime(2027, 7, 1, 12, tzinfo=zone).utcoffset() == 2 * HOUR
    assert zone_files.text_of("Europe/Nowhere") == zone_files.text_of("../x") == ""
    with pytest.raises(ValueError, match="no rules"):
        zone_files.zone_of("eHh4", "Europe/Berlin")
    assert zone_files.version() == "unknown"
    (table.zones.folder / "tzdata.zi").write_text("# version 2031x\nR A\n")
    assert zone_files.version() == "2031x"
    (table.zones.folder / "+VERSION").write_text("2032a\n")
    assert zone_files.version() == "2032a"


def test_chains_have_one_leader(table: Table) -> None:
    """Whatever the order of changes, nothing is doubled or lost."""
    series = [
        table.add(repeat="daily", at=f"2026-11-28T{hour:02}:30", to="me,work")
        for hour in (1, 9, 23)
    ]
    for rule in (TOKYO, SUMMER_FOR_EVER, "WET0", TOKYO, BERLIN):
        table.change(rule)
    for one in series:
        assert len(table.rows(one)) == len(table.rows(one, "work")) == 1
    with table.desk.database.read() as connection:
        assert chains.leaderless(connection) == []
