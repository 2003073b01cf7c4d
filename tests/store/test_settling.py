"""Settling, renewing, giving back, and what becomes of claims that ran out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Connection

from postsched.domain import moves
from postsched.domain.capabilities import FOREVER, Guarantee
from postsched.domain.delivery import Attempt, Delivery, DeliveryStatus, Role, Step
from postsched.domain.outcome import ErrorKind, Problem, Published
from postsched.store import deliveries as delivery_rows
from postsched.store import lanes, outlook, plans, queue
from postsched.store.columns import micros
from postsched.store.database import Database
from tests.store.rows import NOON, SOON, claim_of, every, planned, prepare, read, take

S = DeliveryStatus
SURE = Guarantee(FOREVER)


class TestSettling:
    """Only who holds the token may settle."""

    def attempt(self) -> Attempt:
        problem = Problem(ErrorKind.TRANSIENT, "it rains", 503, "Wait")
        return Attempt(1, NOON, SOON, "publish", "part 1", "retry", problem, "seen")

    def test_with_the_token(self, database: Database) -> None:
        (delivery,) = planned(database)
        with database.write() as connection:
            take(connection)
            (work,) = queue.load(connection, [delivery])
            out = Published("7", "http://x/7", {"cid": "b"})
            after = moves.step_out(work.delivery, out, SOON)
            assert queue.settle(connection, after, "t1", SOON, self.attempt())
            assert not queue.settle(connection, after, "t1", SOON, self.attempt())
        assert read(database, delivery) == after
        with database.read() as connection:
            assert delivery_rows.attempts_of(connection, delivery) == [self.attempt()]
            row = connection.exec_driver_sql("SELECT finished_at, claim_worker FROM deliveries")
            assert row.one() == (micros(SOON), None)

    def test_without_it_nothing_changes(self, database: Database) -> None:
        (delivery,) = planned(database)
        with database.write() as connection:
            take(connection)
            (work,) = queue.load(connection, [delivery])
            after = moves.let_go(work.delivery)
            assert not queue.settle(connection, after, "other", SOON, self.attempt())
            assert not queue.save_steps(connection, after, "other")
            assert not queue.give_back(connection, after, "other", None)
            assert delivery_rows.attempts_of(connection, delivery) == []
        assert read(database, delivery).status is S.PUBLISHING

    def test_after_a_takeover_the_first_changes_nothing(self, database: Database) -> None:
        (delivery,) = planned(database)
        with database.write() as connection:
            take(connection, token="first", worker=1)
            (work,) = queue.load(connection, [delivery])
            queue.expire(connection, NOON, [1], lambda account: SURE)
            take(connection, token="second", worker=2)
            out = moves.step_out(work.delivery, Published("7"), SOON)
            assert not queue.settle(connection, out, "first", SOON)
        assert read(database, delivery).claim == claim_of("second", 2)

    def test_every_column_comes_back(self, database: Database) -> None:
        (delivery,) = planned(database)
        step = Step(Role.PART, 1, {"text": "ü", "nested": {"a": [1, None]}}, None, SOON)
        out = Step(Role.COMMENT, 1, {}, Published("9", None, {"k": "v"}), NOON)
        with database.write() as connection:
            take(connection)
            found = replace(
                read_in(connection, delivery),
                due_at=SOON, next_at=SOON, attempts=3, asked=2, not_there=1, sent_at=NOON,
                steps=(step, out), started_at=NOON, lateness=timedelta(microseconds=-3),
                came_from=S.RETRYING, grace_until=SOON, revision=4,
                problem=Problem(ErrorKind.AUTH, "no", 401, "Log in"),
            )  # fmt: skip
            assert queue.settle(connection, found, "t1", SOON)
        assert read(database, delivery) == found


def read_in(connection: Connection, delivery: int) -> Delivery:
    found = delivery_rows.get(connection, delivery)
    assert found is not None
    return found


class TestRenewing:
    """Claims are prolonged by token: an old one of the same worker does not count."""

    def test_only_what_is_still_held(self, database: Database) -> None:
        ids = planned(database, 3)
        later = SOON + timedelta(hours=1)
        with database.write() as connection:
            take(connection, 2)
            held = {(ids[0], "t1"), (ids[1], "older"), (ids[2], "t1")}
            assert queue.renew(connection, held, later) == {(ids[0], "t1")}
        untils = [found.claim and found.claim.until for found in every(database)]
        assert untils == [later, claim_of().until, None]

    def test_nothing_at_all(self, database: Database) -> None:
        planned(database)
        with database.write() as connection:
            assert queue.renew(connection, set(), SOON) == set()


class TestExpiring:
    """Claims that ran out, and those of the dead."""

    def test_what_ran_out(self, database: Database) -> None:
        ids = planned(database, 2)
        with database.write() as connection:
            take(connection, 1)
            take(connection, 1, token="t2", at=NOON + timedelta(seconds=1))
            at = claim_of().until
            early = queue.expire(connection, at - timedelta(microseconds=1), [], lambda a: SURE)
            assert early == []
            ((before, after),) = queue.expire(connection, at, [], lambda account: SURE)
        assert (before.id, after.status) == (ids[0], S.SCHEDULED)
        assert read(database, ids[0]) == after
        assert read(database, ids[1]).claim is not None

    def test_the_dead(self, database: Database) -> None:
        ids = planned(database, 2)
        with database.write() as connection:
            take(connection, 1, worker=1)
            take(connection, 1, worker=2, token="t2")
            changes = queue.expire(connection, NOON, [2, 3], lambda account: SURE)
        assert [before.id for before, _ in changes] == [ids[1]]

    def test_what_is_in_hand_does_not_run_out(self, database: Database) -> None:
        """A laptop that slept: its own worker renews it, or lets it go."""
        ids = planned(database, 2)
        with database.write() as connection:
            take(connection, 2)
            mine = {(ids[0], "t1"), (ids[1], "older")}
            changes = queue.expire(connection, SOON, [], lambda account: SURE, mine)
        assert [before.id for before, _ in changes] == [ids[1]]

    def test_it_is_settled_as_the_domain_says_and_leaves_an_attempt(
        self, database: Database
    ) -> None:
        (delivery,) = planned(database)
        with database.write() as connection:
            take(connection)
            (work,) = queue.load(connection, [delivery])
            laid = (replace(work.delivery.steps[0], prepared={"text": "x"}),)
            assert queue.save_steps(connection, replace(work.delivery, steps=laid), "t1")
            held = read_in(connection, delivery)
            queue.expire(connection, SOON, [1], lambda account: SURE)
            (attempt,) = delivery_rows.attempts_of(connection, delivery)
        assert read(database, delivery) == moves.claim_ran_out(held, SURE, SOON)
        assert (attempt.action, attempt.outcome) == ("expire", "confirming")

    def test_a_preparation_leaves_the_status_as_it_is(self, database: Database) -> None:
        (delivery,) = planned(database, prepare_at=NOON)
        before = read(database, delivery)
        with database.write() as connection:
            assert prepare(connection) == [delivery]
            assert lanes.waiting_lanes(connection) == []
            queue.expire(connection, NOON, [1], lambda account: SURE)
        assert read(database, delivery) == before


class TestGivingBack:
    """The end of a preparation ahead."""

    def test_what_was_prepared_stays(self, database: Database) -> None:
        (delivery,) = planned(database, prepare_at=NOON)
        with database.write() as connection:
            prepare(connection)
            (work,) = queue.load(connection, [delivery])
            laid = (replace(work.delivery.steps[0], prepared={"text": "x"}),)
            prepared = replace(work.delivery, steps=laid)
            assert queue.give_back(connection, prepared, "t1", None)
        after = read(database, delivery)
        assert (after.claim, after.steps, after.status) == (None, laid, S.SCHEDULED)

    def test_a_cancelled_one_takes_it_no_more(self, database: Database) -> None:
        (delivery,) = planned(database, prepare_at=NOON)
        with database.write() as connection:
            prepare(connection)
            (work,) = queue.load(connection, [delivery])
            before = read_in(connection, delivery)
            assert plans.rewrite(connection, moves.cancel(before), before, NOON)
            assert not queue.give_back(connection, work.delivery, "t1", NOON)
            assert outlook.look(connection, 1).unprepared == []
        after = read(database, delivery)
        assert (after.status, after.steps) == (S.CANCELLED, ())
