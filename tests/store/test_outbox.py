"""What is to be told is written with what it tells of, once, and only where it is wanted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from postsched.domain import moves
from postsched.domain.account import AccountState
from postsched.domain.capabilities import Guarantee
from postsched.domain.delivery import Delivery, Role, Step
from postsched.domain.errors import StoreUnavailable
from postsched.domain.notice import EVERY, LOUD, Event, Wanted, Way
from postsched.domain.outcome import ErrorKind, Problem, Published
from postsched.domain.post import Missed
from postsched.store import accounts as account_rows
from postsched.store import hooks, outbox, pauses, queue, untold
from postsched.store.database import Database
from postsched.store.outbox import GATHERING, Outlet
from postsched.store.outbox_tables import notifications
from tests.store import rows
from tests.store.rows import NOON, claim_of

DAY = timedelta(days=1)
BLIND = Guarantee(None, can_look_up=False)
STEP = Step(Role.PART, 1, prepared={})
REFUSED = Problem(ErrorKind.PERMANENT, "refused")


def wanted(ways: dict[Way, frozenset[Event]]) -> Outlet:
    return Outlet(Wanted(ways, lambda thing: {"name": getattr(thing, "account", "me")}))


@pytest.fixture
def base(tmp_path: Path) -> Iterator[Database]:
    """A database that tells programs all, and people what is loud."""
    database = rows.opened(tmp_path)
    database.outlet = wanted({Way.WEBHOOK: EVERY, Way.TARGETS: LOUD})
    yield database
    database.close()


def told(database: Database) -> list[tuple[str, str]]:
    """The ways and events that are written, in order."""
    row = notifications.c
    with database.read() as connection:
        return [tuple(one) for one in connection.execute(select(row.way, row.event).order_by("id"))]


def claimed(connection: Connection, number: int) -> tuple[list[int], list[int]]:
    lane = rows.the_lane(connection)
    return queue.claim(connection, lane, number, NOON + 3 * DAY, NOON, claim_of())


def publishing(database: Database) -> int:
    """A delivery that is being sent."""
    with database.write() as connection:
        (number,) = rows.post(connection, "Hello", [rows.account(connection)], NOON)
        claimed(connection, 1)
    return number


def settle_and_fail(connection: Connection, after: Delivery) -> None:
    queue.settle(connection, after, "t1", NOON)
    connection.exec_driver_sql("DROP TABLE nowhere")


@pytest.mark.parametrize(
    ("move", "event", "ways"),
    [
        (lambda d: moves.refuse(d, REFUSED), "failed", ["webhook", "targets"]),
        (lambda d: moves.lose(d, BLIND, NOON, NOON, REFUSED), "unconfirmed",
         ["webhook", "targets"]),
        (lambda d: moves.step_out(replace(d, steps=(STEP,)), Published("1"), NOON), "published",
         ["webhook"]),
        (moves.let_go, "", []),
    ],
)  # fmt: skip
def test_what_a_settled_delivery_is_told_as(
    base: Database, move: object, event: str, ways: list[str]
) -> None:
    number = publishing(base)
    assert callable(move)
    after = move(rows.read(base, number))
    with base.write() as connection:
        assert queue.settle(connection, after, "t1", NOON)
        assert not queue.settle(connection, after, "t1", NOON), "it is held no more"
    assert told(base) == [(way, event) for way in ways]


def test_it_is_undone_with_what_it_tells_of(base: Database) -> None:
    rung: list[int] = []
    assert base.outlet
    base.outlet.ring = lambda: rung.append(1)
    number = publishing(base)
    after = moves.refuse(rows.read(base, number), REFUSED)
    rung.clear()
    with pytest.raises(StoreUnavailable), base.write() as connection:
        settle_and_fail(connection, after)
    assert (told(base), rung) == ([], [])
    with base.write() as connection:
        queue.settle(connection, after, "t1", NOON)
        assert not rung, "nobody could see it yet"
    assert rung == [1]


def test_without_an_outlet_nothing_is_written_or_asked(base: Database) -> None:
    base.outlet = None
    number = publishing(base)
    with base.write() as connection:
        queue.settle(connection, moves.refuse(rows.read(base, number), REFUSED), "t1", NOON)
        outbox.note_missed(connection, NOON, [number])
    assert told(base) == []


def test_what_is_missed_is_told_wherever_that_is_found(base: Database) -> None:
    with base.write() as connection:
        me = rows.account(connection)
        rows.post(connection, "1", [me], NOON - 2 * DAY)
        assert len(claimed(connection, 1)[1]) == 1
        rows.post(connection, "2", [me], NOON - 2 * DAY)
        assert len(pauses.miss(connection, NOON)) == 1
        rows.post(connection, "3", [me], NOON - 2 * DAY, missed=Missed.SKIP)
        assert len(pauses.miss(connection, NOON)) == 1
    assert told(base) == [
        ("webhook", "missed"), ("targets", "missed"),
        ("webhook", "missed"), ("targets", "missed"),
        ("webhook", "missed"),
    ], "people are not told of what they said is only to be reported"  # fmt: skip


def test_a_claim_that_ran_out_is_told(base: Database) -> None:
    number = publishing(base)
    with base.write() as connection:
        sent = replace(rows.read(base, number), sent_at=NOON, steps=(STEP,))
        queue.save_steps(connection, sent, "t1")
        ended = queue.expire(connection, NOON + DAY, [], lambda account: BLIND)
        assert len(ended) == 1
    assert told(base) == [("webhook", "unconfirmed"), ("targets", "unconfirmed")]


def test_a_held_account_is_told_and_its_end_before_that(base: Database) -> None:
    with base.write() as connection:
        me = rows.account(connection)
        for now, end in ((NOON, 8 * DAY), (NOON, 6 * DAY), (NOON, 6 * DAY), (NOON, DAY / 2)):
            account_rows.note_end(connection, me.id, now + end, "it can't be renewed", now)
        ending = account_rows.by_ids(connection, [me.id])[me.id]
        assert not outbox.ending(connection, NOON, [ending]), "that is told already"
        later = replace(ending, token_expires_at=NOON + 2 * DAY)
        assert outbox.ending(connection, NOON, [later]) == [later]
        account_rows.hold(connection, me.id, "revoked", NOON)
        held = account_rows.by_ids(connection, [me.id])[me.id]
        assert not outbox.ending(connection, NOON, [held, replace(later, token_expires_at=NOON)])
    assert held.state is AccountState.LOGIN
    assert told(base) == [
        ("webhook", "login_expiring"), ("targets", "login_expiring"),
        ("webhook", "login_expiring"), ("targets", "login_expiring"),
        ("webhook", "login_expired"), ("targets", "login_expired"),
    ]  # fmt: skip


class TestClaiming:
    """Several processes tell, and each thing is told by one of them."""

    @pytest.fixture
    def full(self, base: Database) -> Database:
        with base.write() as connection:
            me = rows.account(connection)
            for n in range(3):
                rows.post(connection, str(n), [me], NOON - 2 * DAY)
            pauses.miss(connection, NOON)
        return base

    def take(self, base: Database, way: Way, at: timedelta, token: str, most: int = 9) -> list[int]:
        now = NOON + at
        with base.write() as connection:
            until = now + timedelta(minutes=1)
            taken = untold.claim(connection, way, now, now, until, token, most)
        return [one.id for one in taken]

    def next_at(self, base: Database, way: Way) -> object:
        with base.read() as connection:
            return untold.next_at(connection, way)

    def test_a_row_is_held_by_one_until_its_claim_runs_out(self, full: Database) -> None:
        nothing = timedelta(0)
        assert self.next_at(full, Way.WEBHOOK) == NOON
        assert len(self.take(full, Way.WEBHOOK, nothing, "a", 2)) == 2
        assert len(self.take(full, Way.WEBHOOK, nothing, "b")) == 1
        assert self.take(full, Way.WEBHOOK, nothing, "c") == []
        assert self.next_at(full, Way.WEBHOOK) == NOON + timedelta(minutes=1)
        assert len(self.take(full, Way.WEBHOOK, timedelta(minutes=1), "c")) == 3
        with full.write() as connection:
            untold.settle(connection, "a", [1, 3, 5], NOON, None, None)
        assert self.next_at(full, Way.WEBHOOK) is not None, "a holds nothing any more"

    def test_people_are_told_a_little_later_and_all_at_once(self, full: Database) -> None:
        assert self.take(full, Way.TARGETS, GATHERING / 2, "a") == []
        assert len(self.take(full, Way.TARGETS, GATHERING, "a")) == 3

    def test_what_is_let_go_was_not_tried(self, full: Database) -> None:
        taken = self.take(full, Way.WEBHOOK, timedelta(0), "a")
        with full.write() as connection:
            untold.let_go(connection, "a", taken)
            again = untold.claim(connection, Way.WEBHOOK, NOON, NOON, NOON + DAY, "b", 9)
        assert [one.attempts for one in again] == [1, 1, 1]

    def test_what_is_given_up_is_found_and_what_is_old_goes(self, full: Database) -> None:
        taken = self.take(full, Way.WEBHOOK, timedelta(0), "a")
        with full.write() as connection:
            untold.settle(connection, "a", taken[:1], NOON, None, None)
            untold.settle(connection, "a", taken[1:2], NOON, None, "410")
            untold.settle(connection, "a", taken[2:], NOON, NOON + DAY, "500")
            (found,) = untold.backlog(connection, NOON - DAY)
            assert (found.way, found.waiting, found.given_up) == (Way.WEBHOOK, 1, 1)
            assert found.problem == "500"
            (found,) = untold.backlog(connection, NOON + DAY)
            assert (found.waiting, found.given_up) == (1, 0)
            assert not untold.has_old(connection, NOON + 29 * DAY)
            assert untold.has_old(connection, NOON + 31 * DAY)
            assert untold.prune(connection, NOON + 31 * DAY) == 2, "what waits gets its days"
            assert untold.prune(connection, NOON + 33 * DAY) == 4


class TestCallbacks:
    """What becomes of a post that names an address is told there, whatever the settings say."""

    @pytest.mark.parametrize("ways", [{}, {Way.WEBHOOK: EVERY}])
    def test_only_those_that_name_one(
        self, base: Database, ways: dict[Way, frozenset[Event]]
    ) -> None:
        base.outlet = wanted(ways)
        with base.write() as connection:
            me = rows.account(connection)
            long_ago = NOON - 2 * DAY
            for url in ("https://a.example/", None, "https://b.example/"):
                rows.post(connection, "x", [me], long_ago, callback=url, missed=Missed.SKIP)
            assert len(pauses.miss(connection, NOON)) == 3
            query = select(notifications.c.url, notifications.c.post_id)
            calls = query.where(notifications.c.way == Way.CALLBACK.value).order_by("id")
            assert [tuple(one) for one in connection.execute(calls)] == [
                ("https://a.example/", 1), ("https://b.example/", 3),
            ]  # fmt: skip
        assert len(told(base)) == 2 + 3 * len(ways)

    def test_a_settled_one(self, base: Database) -> None:
        base.outlet = wanted({})
        with base.write() as connection:
            me = rows.account(connection)
            for url in ("https://a.example/", None):
                rows.post(connection, "x", [me], NOON, callback=url)
            claimed(connection, 2)
        for number in (1, 2):
            after = moves.refuse(rows.read(base, number), REFUSED)
            with base.write() as connection:
                assert queue.settle(connection, after, "t1", NOON)
        assert told(base) == [("callback", "failed")]

    def test_they_are_listed_and_opened_again(self, base: Database) -> None:
        base.outlet = wanted({})
        with base.write() as connection:
            me = rows.account(connection)
            for _ in range(3):
                rows.post(
                    connection, "x", [me], NOON - 2 * DAY, callback="https://a.example/?s3cret"
                )
            pauses.miss(connection, NOON)
            held = untold.claim(connection, Way.CALLBACK, NOON, NOON, NOON + DAY, "a", 2)
            assert {one.message.url for one in held} == {"https://a.example/?s3cret"}
            untold.settle(connection, "a", [1], NOON, None, "it answers 410", (), 410)
            found = hooks.newest(connection, 9)
            assert [one.state.value for one in found] == ["waiting", "sending", "failed"]
            assert [one.id for one in hooks.newest(connection, 9, before=3)] == [2, 1]
            assert [one.answer for one in hooks.newest(connection, 9, failed=True)] == [410]
            assert "s3cret" not in repr(found) + repr(held[0].message)
            hooks.reopen(connection, [1, 2], NOON + DAY)
            again = hooks.by_ids(connection, [1, 2, 99])
            assert {one.id: one.state.value for one in again.values()} == {
                1: "waiting",
                2: "sending",
            }
            assert again[1].uid == found[2].uid
            (anew,) = untold.claim(
                connection, Way.CALLBACK, NOON + DAY, NOON + DAY, NOON + 2 * DAY, "b", 1, [1]
            )
            assert (anew.id, anew.attempts, anew.first_at) == (1, 1, NOON + DAY), "it has its day"
