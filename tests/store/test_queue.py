"""The queue over a real SQLite file: its statements make the moves of the domain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, event, text, update

from postsched.domain import moves
from postsched.domain.account import Account, AccountState
from postsched.domain.capabilities import FOREVER, Guarantee
from postsched.domain.delivery import (
    WAITING,
    Attempt,
    Claim,
    Delivery,
    DeliveryStatus,
    Role,
    Step,
)
from postsched.domain.outcome import ErrorKind, Problem, Published
from postsched.store import accounts as account_rows
from postsched.store import chains, graces, lanes, outlook, pauses, plans, queue
from postsched.store import deliveries as delivery_rows
from postsched.store.columns import micros
from postsched.store.database import Database
from postsched.store.lanes import Lane, share_out
from postsched.store.plans import Planned
from postsched.store.tables import accounts, deliveries
from tests.store import rows
from tests.store.rows import NOON, claim_of, every, opened, read, the_lane

S = DeliveryStatus
SURE = Guarantee(FOREVER)
SOON = NOON + timedelta(minutes=10)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = opened(tmp_path)
    yield found
    found.close()


def planned(database: Database, count: int = 1, **more: Any) -> list[int]:
    """So many posts to one new account, a second apart."""
    with database.write() as connection:
        me = rows.account(connection)
        return [
            rows.post(connection, f"post {n}", [me], NOON + timedelta(seconds=n), **more)[0]
            for n in range(count)
        ]


def take(
    connection: Connection, limit: int = 10, upto: datetime = SOON, **claim: Any
) -> tuple[list[int], list[int]]:
    """Claim from the only lane, at noon."""
    return queue.claim(connection, the_lane(connection), limit, upto, NOON, rows.claim_of(**claim))


def prepare(connection: Connection, limit: int = 1) -> list[int]:
    """Claim what is to be prepared at noon, for whatever account."""
    account_ids = [one.account_id for one in outlook.look(connection, 1).unprepared]
    return queue.claim_to_prepare(connection, account_ids, limit, NOON, rows.claim_of())


class TestClaiming:
    """One statement; what it does to a row is what the domain does to a delivery."""

    @pytest.mark.parametrize("seed", range(40))
    def test_it_makes_the_moves_of_the_domain(self, database: Database, seed: int) -> None:
        rng = Random(seed)
        _random_rows(database, rng)
        before = {found.id: found for found in every(database)}
        paused = _paused(database)
        upto, now = NOON, NOON - timedelta(milliseconds=250)
        limit, held = rng.randint(1, 6), claim_of(at=now)
        with database.write() as connection:
            found = lanes.waiting_lanes(connection)
            assert {(lane.account_id, lane.priority): lane.next_at for lane in found} == _lanes(
                before.values(), paused, database
            )
            expected = dict(before)
            for lane in found:
                taken, late = queue.claim(connection, lane, limit, upto, now, held)
                chosen = _first(before.values(), paused, lane, upto, limit)
                for delivery in chosen:
                    expected[delivery.id] = _moved(delivery, now, held)
                assert sorted(taken) == sorted(d.id for d in chosen if expected[d.id].claim)
                assert sorted(late) == sorted(d.id for d in chosen if not expected[d.id].claim)
        assert {found.id: found for found in every(database)} == expected

    @pytest.mark.parametrize("seed", range(20))
    def test_claiming_to_prepare_leaves_all_but_the_claim(
        self, database: Database, seed: int
    ) -> None:
        rng = Random(seed)
        _random_rows(database, rng)
        before = {found.id: found for found in every(database)}
        with database.write() as connection:
            found = connection.execute(
                text(
                    "SELECT d.id FROM deliveries d JOIN accounts a ON a.id = d.account_id"
                    " WHERE d.prepare_at <= :noon AND d.paused = 0 AND d.claim IS NULL"
                    " AND a.paused = 0 AND a.state <> 'login'"
                ),
                {"noon": micros(NOON)},
            )
            wanted = set(found.scalars())
            held = claim_of()
            taken = prepare(connection, 100)
            assert set(taken) == wanted
        after = {found.id: found for found in every(database)}
        assert after == {
            one.id: replace(one, claim=held) if one.id in wanted else one for one in before.values()
        }

    def test_first_come_first_served(self, database: Database) -> None:
        ids = planned(database, 5)
        with database.write() as connection:
            assert sorted(take(connection, 2)[0]) == ids[:2]
            assert sorted(take(connection, 2)[0]) == ids[2:4]
            assert sorted(take(connection, 2)[0]) == ids[4:]
            assert lanes.waiting_lanes(connection) == []

    def test_nothing_before_its_instant(self, database: Database) -> None:
        ids = planned(database, 2)
        with database.write() as connection:
            assert take(connection, upto=NOON - timedelta(microseconds=1)) == ([], [])
            assert take(connection, upto=NOON) == (ids[:1], [])

    def test_an_instant_is_exact_to_the_microsecond(self, database: Database) -> None:
        (delivery,) = planned(database)
        assert read(database, delivery).occurrence == NOON

    @pytest.mark.parametrize("hold", ["post", "account", "login", "all", "claim"])
    def test_nothing_that_is_held(self, database: Database, hold: str) -> None:
        (delivery,) = planned(database)
        with database.write() as connection:
            if hold == "post":
                pauses.set_paused(connection, read(database, delivery).post_id, paused=True)
            elif hold == "all":
                pauses.set_all_paused(connection, paused=True)
                assert pauses.all_paused(connection)
            elif hold == "claim":
                take(connection)
            else:
                values: dict[str, Any] = {"paused": 1} if hold == "account" else {"state": "login"}
                connection.execute(update(accounts).values(values))
            assert lanes.waiting_lanes(connection) == []

    def test_what_is_past_its_grace_is_missed(self, database: Database) -> None:
        (delivery,) = planned(database, grace=timedelta(seconds=5))
        with database.write() as connection:
            lane = the_lane(connection)
            at = NOON + timedelta(seconds=5)
            assert queue.claim(connection, lane, 1, at, at, claim_of())[0] == [delivery]
            connection.rollback()
        with database.write() as connection:
            at = NOON + timedelta(seconds=5, microseconds=1)
            assert queue.claim(connection, lane, 1, at, at, claim_of()) == ([], [delivery])
        after = read(database, delivery)
        assert (after.status, after.attempts, after.next_at, after.claim) == (
            S.MISSED,
            0,
            None,
            None,
        )

    def test_without_grace_nothing_is_missed(self, database: Database) -> None:
        (delivery,) = planned(database, grace=None)
        with database.write() as connection:
            at = NOON + timedelta(days=4000)
            lane = the_lane(connection)
            assert queue.claim(connection, lane, 1, at, at, claim_of())[0] == [delivery]


def _random_rows(database: Database, rng: Random) -> None:
    """Accounts and deliveries in every condition."""
    with database.write() as connection:
        known = [rows.account(connection, f"a{n}") for n in range(4)]
        connection.execute(update(accounts).where(accounts.c.id == known[2].id).values(paused=1))
        connection.execute(
            update(accounts).where(accounts.c.id == known[3].id).values(state="login")
        )
        for number in range(30):
            due = NOON + timedelta(seconds=rng.randint(-90, 30))
            (delivery,) = rows.post(connection, f"post {number}", [rng.choice(known)], due)
            _disturb(connection, delivery, rng, due)


def _disturb(connection: Connection, delivery: int, rng: Random, due: datetime) -> None:
    status = rng.choice([*S, S.SCHEDULED, S.RETRYING, S.CONFIRMING])
    waits = status in WAITING
    held = status is S.PUBLISHING or (waits and rng.random() < 0.2)
    values: dict[str, Any] = {
        "status": status.value,
        "next_at": due + timedelta(seconds=rng.randint(0, 40)) if waits or held else None,
        "priority": rng.choice([0, 0, 5, -1]),
        "paused": int(rng.random() < 0.2),
        "attempts": rng.randint(0, 3),
        "grace_until": rng.choice([None, due + timedelta(seconds=30)]),
        "sent_at": due if status in (S.CONFIRMING, S.UNCONFIRMED) else None,
        "prepare_at": rng.choice([None, due, due - timedelta(seconds=60)]),
    }
    if held:
        values |= {
            "claim": "x", "claim_worker": 9, "claimed_at": NOON,
            "claim_until": NOON + timedelta(seconds=rng.randint(-30, 30)),
        }  # fmt: skip
    connection.execute(update(deliveries).where(deliveries.c.id == delivery).values(values))


def _paused(database: Database) -> set[int]:
    with database.read() as connection:
        found = connection.exec_driver_sql("SELECT id FROM deliveries WHERE paused = 1")
        return set(found.scalars())


def _priorities(database: Database) -> dict[int, int]:
    with database.read() as connection:
        found = connection.exec_driver_sql("SELECT id, priority FROM deliveries")
        return {row[0]: row[1] for row in found}


def _lanes(found: Any, paused: set[int], database: Database) -> dict[tuple[int, int], datetime]:
    """The lanes there must be, by plain Python."""
    with database.read() as connection:
        known = {account.id: account for account in account_rows.every(connection)}
    lanes: dict[tuple[int, int], datetime] = {}
    priorities = _priorities(database)
    for delivery in found:
        account = known[delivery.account_id]
        if account.paused or account.state is AccountState.LOGIN:
            continue
        if delivery.next_at and not delivery.claim and delivery.id not in paused:
            lane = (delivery.account_id, priorities[delivery.id])
            lanes[lane] = min(lanes.get(lane, delivery.next_at), delivery.next_at)
    _PRIORITIES.update(priorities)
    return lanes


_PRIORITIES: dict[int, int] = {}


def _first(found: Any, paused: set[int], lane: Lane, upto: datetime, limit: int) -> list[Delivery]:
    """What a claim on the lane must take, by plain Python."""
    fitting = [
        delivery
        for delivery in found
        if delivery.account_id == lane.account_id
        and _PRIORITIES[delivery.id] == lane.priority
        and delivery.id not in paused
        and delivery.claim is None
        and delivery.next_at is not None
        and delivery.next_at <= upto
    ]
    return sorted(fitting, key=lambda delivery: (delivery.next_at, delivery.id))[:limit]


def _moved(delivery: Delivery, now: datetime, held: Claim) -> Delivery:
    if delivery.status is S.CONFIRMING:
        return moves.claim_to_ask(delivery, held)
    if delivery.grace_until and delivery.grace_until < now:
        return moves.miss(delivery)
    return moves.claim(delivery, held)


LANES = st.lists(
    st.builds(
        Lane,
        st.integers(1, 50),
        st.sampled_from(["a", "b", "c"]),
        st.integers(0, 2),
        st.just(NOON),
    ),
    max_size=12,
    unique_by=lambda lane: (lane.account_id, lane.priority),
)


class TestSharing:
    """Hands are shared out in turn, so that no account stands in another's way."""

    @given(LANES, st.dictionaries(st.sampled_from(["a", "b", "c"]), st.integers(0, 9)),
           st.integers(0, 20))  # fmt: skip
    def test_never_more_than_there_are_and_never_fewer(
        self, lanes: list[Lane], hands: dict[str, int], total: int
    ) -> None:
        shares = share_out(lanes, hands, total)
        used = Counter[str]()
        for lane, share in shares.items():
            assert share > 0
            used[lane.platform] += share
        assert all(used[name] <= hands.get(name, 0) for name in used)
        wanted = sum(hands.get(name, 0) for name in {lane.platform for lane in lanes})
        assert used.total() == min(total, wanted)

    @given(LANES, st.integers(0, 9), st.integers(0, 20))
    def test_equals_differ_by_one_at_the_most(
        self, lanes: list[Lane], hands: int, total: int
    ) -> None:
        lanes = [replace(lane, platform="a", priority=0) for lane in lanes]
        lanes = list({lane.account_id: lane for lane in lanes}.values())
        shares = share_out(lanes, {"a": hands}, total)
        counts = [shares.get(lane, 0) for lane in lanes]
        assert not counts or max(counts) - min(counts) <= 1

    @given(LANES, st.integers(1, 9), st.integers(1, 20))
    def test_the_higher_priority_first(self, lanes: list[Lane], hands: int, total: int) -> None:
        lanes = [replace(lane, platform="a") for lane in lanes]
        shares = share_out(lanes, {"a": hands}, total)
        if lanes:
            top = max(lane.priority for lane in lanes)
            given_to = {lane.priority for lane in shares}
            assert top in given_to

    def test_a_long_backlog_does_not_stand_in_the_way(self, database: Database) -> None:
        with database.write() as connection:
            one, two = rows.account(connection, "one"), rows.account(connection, "two")
            for number in range(50):
                rows.post(connection, "x", [one], NOON + timedelta(seconds=number))
            (late,) = rows.post(connection, "y", [two], NOON + timedelta(seconds=60))
            found = lanes.waiting_lanes(connection)
            shares = share_out(found, {"fake": 4}, 4)
            taken = [
                found
                for lane, share in shares.items()
                for found in queue.claim(connection, lane, share, SOON, NOON, claim_of())[0]
            ]
        assert late in taken


class TestPlanning:
    """(post, account, occurrence) is unique: planning twice is harmless."""

    def test_twice(self, database: Database) -> None:
        (delivery,) = planned(database)
        found = read(database, delivery)
        again = Planned(found.post_id, found.account_id, found.occurrence, None)
        other = replace(again, occurrence=SOON)
        with database.write() as connection:
            assert plans.plan(connection, [again]) == 0
            assert plans.plan(connection, [again, other, other]) == 1
            assert plans.plan(connection, []) == 0
        assert read(database, delivery) == found
        assert len(every(database)) == 2

    def test_the_database_itself_refuses_a_double(self, database: Database) -> None:
        planned(database)
        with (
            pytest.raises(Exception, match=r"(?i)unique constraint"),
            database.write() as connection,
        ):
            connection.exec_driver_sql(
                "INSERT INTO deliveries (post_id, account_id, occurrence, due_at, status, priority,"
                " paused, attempts, revision, asked, not_there) SELECT post_id, account_id,"
                " occurrence, due_at, status, 0, 0, 0, 0, 0, 0 FROM deliveries"
            )


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


class TestAPerson:
    """What a person changes, changes nothing that was taken up meanwhile."""

    def test_a_claim_was_faster(self, database: Database) -> None:
        (delivery,) = planned(database)
        before = read(database, delivery)
        with database.write() as connection:
            take(connection)
            assert not plans.rewrite(connection, moves.cancel(before), before, NOON)
        assert read(database, delivery).status is S.PUBLISHING

    def test_another_person_was_faster(self, database: Database) -> None:
        (delivery,) = planned(database)
        before = read(database, delivery)
        with database.write() as connection:
            plans.rewrite_plan(
                connection, before, before, Planned(before.post_id, before.account_id, NOON, None)
            )
            assert not plans.rewrite(connection, moves.cancel(before), before, NOON)
        assert read(database, delivery).revision == 1

    def test_resuming_tells_what_was_missed(self, database: Database) -> None:
        one, two = planned(database, 2, grace=timedelta(seconds=5))
        post_id = read(database, one).post_id
        late = NOON + timedelta(minutes=1)
        with database.write() as connection:
            assert pauses.miss(connection, NOON) == []
            missed = pauses.miss(connection, late, post_ids=[post_id])
            assert [found.id for found in missed] == [one]
            connection.execute(update(deliveries).values(paused=1))
            assert pauses.miss(connection, late) == []
        assert read(database, two).status is S.SCHEDULED

    def test_what_others_still_hold_keeps_its_status(self, database: Database) -> None:
        """`resume --all` releases everything but what a paused account holds."""
        (delivery,) = planned(database, grace=timedelta(seconds=5))
        with database.write() as connection:
            connection.execute(update(accounts).values(paused=1))
            assert pauses.miss(connection, NOON + timedelta(minutes=1)) == []
        assert read(database, delivery).status is S.SCHEDULED


class TestLooking:
    """What a worker has to know."""

    def test_claims_in_hand_are_not_reported(self, database: Database) -> None:
        ids = planned(database, 3)
        with database.write() as connection:
            take(connection, 2, worker=1)
            take(connection, 1, worker=2, token="t2")
            mine = {(ids[0], "t1"), (ids[1], "t1")}
            assert outlook.look(connection, 1, mine).foreign == {2: claim_of().until}
            assert outlook.look(connection, 2, {(ids[2], "t2")}).foreign == {1: claim_of().until}
            # One that the worker lost hold of is reported, or it would never be found.
            lost = outlook.look(connection, 1, {(ids[0], "t1")})
            assert lost.foreign == {1: claim_of().until, 2: claim_of().until}

    def test_what_is_to_be_prepared_next(self, database: Database) -> None:
        planned(database, prepare_at=NOON - timedelta(minutes=10))
        with database.write() as connection:
            (first,) = outlook.look(connection, 1).unprepared
            assert first.at == NOON - timedelta(minutes=10)
            prepare(connection)
            assert outlook.look(connection, 1).unprepared == []

    @pytest.mark.parametrize("hold", ["paused", "login", "all"])
    def test_what_is_held_is_not_to_be_prepared(self, database: Database, hold: str) -> None:
        planned(database, prepare_at=NOON)
        with database.write() as connection:
            if hold == "all":
                pauses.set_all_paused(connection, paused=True)
            else:
                values: dict[str, Any] = {"paused": 1} if hold == "paused" else {"state": "login"}
                connection.execute(update(accounts).values(values))
            assert outlook.look(connection, 1).unprepared == []
            assert prepare(connection) == []

    def test_who_holds_anything(self, database: Database) -> None:
        planned(database)
        with database.write() as connection:
            take(connection)
            assert outlook.holds_any(connection, 1)
            assert not outlook.holds_any(connection, 2)

    def test_counting(self, database: Database) -> None:
        planned(database, 3)
        with database.write() as connection:
            take(connection, 1)
            counts = outlook.count_by_status(connection)
        assert counts[S.SCHEDULED] == 2
        assert counts[S.PUBLISHING] == 1
        assert set(counts) == set(S)

    def test_what_waits_of_some_accounts(self, database: Database) -> None:
        planned(database, 4)
        with database.write() as connection:
            me = the_lane(connection).account_id
            take(connection, 1)
            other = rows.account(connection, "other")
            rows.post(connection, "another", [other], NOON)
            later = NOON + timedelta(seconds=2)
            assert outlook.count_waiting(connection, [me]) == {me: 3}
            assert outlook.count_waiting(connection, [me, other.id], later) == {me: 2, other.id: 1}
            assert outlook.count_waiting(connection, [me], NOON) == {}

    def test_held_by_login(self, database: Database) -> None:
        planned(database, 2)
        with database.write() as connection:
            assert outlook.held_by_login(connection, NOON) == []
            connection.execute(update(accounts).values(state="login"))
            ((account, count),) = outlook.held_by_login(connection, NOON)
        assert isinstance(account, Account)
        assert (account.name, count) == ("me", 1)


def test_loading_lays_out_the_steps(database: Database) -> None:
    with database.write() as connection:
        me = rows.account(connection)
        ids = rows.post(connection, "One\n---\nTwo", [me], NOON, then=["Three"], comment="And")
        (work,) = queue.load(connection, ids)
    assert [(step.role, step.n) for step in work.delivery.steps] == [
        (Role.PART, 1), (Role.PART, 2), (Role.PART, 3), (Role.COMMENT, 1)
    ]  # fmt: skip
    assert work.account.name == "me"
    assert work.post.content.text == "One\n---\nTwo"


def test_a_naive_instant_is_refused(database: Database) -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - that is the point
    with (
        pytest.raises(ValueError, match="without a time zone"),
        database.write() as connection,
    ):
        queue.claim(connection, Lane(1, "fake", 0, NOON), 1, naive, NOON, claim_of())


LARGE = ("deliveries", "d", "posts", "targets", "attempts")
"""Tables, and names of them in statements, that have a row for each post."""


@pytest.mark.sqlite
def test_every_statement_of_the_engine_goes_by_index(tmp_path: Path) -> None:
    """With 100,000 rows none of them may be gone through one by one."""
    database = opened(tmp_path)
    _many(database, 100_000)
    seen: list[tuple[str, Any]] = []
    event.listen(
        database.engine,
        "before_cursor_execute",
        lambda connection, cursor, statement, parameters, context, many: seen.append(
            (statement, parameters)
        ),
    )
    with database.write() as connection:
        held = claim_of(at=NOON - timedelta(days=1))
        outlook.look(connection, 1, {(1, "t")})
        (lane, *_) = lanes.waiting_lanes(connection)
        taken, _ = queue.claim(connection, lane, 10, SOON, NOON, held)
        prepare(connection, 10)
        (work, *_) = queue.load(connection, taken)
        queue.save_steps(connection, work.delivery, "t1")
        queue.settle(connection, moves.let_go(work.delivery), "t1", NOON)
        queue.give_back(connection, work.delivery, "t1", None)
        queue.renew(connection, {(one, "t1") for one in taken}, SOON)
        queue.expire(connection, NOON, [7], lambda account: SURE)
        outlook.held_by_login(connection, NOON)
        outlook.count_waiting(connection, [1], NOON)
        outlook.holds_any(connection, 1)
        assert chains.leaderless(connection) == []
        assert len(graces.miss(connection, NOON + timedelta(days=2), 7)) == 7
    plans = _plans(database, seen)
    database.close()
    assert len(plans) > 12
    used, names = set(), {"queue", "preparing", "graces", "claims"}
    for statement, plan in plans:
        for line in plan:
            scans = line.startswith(tuple(f"SCAN {name} " for name in LARGE))
            assert not scans or "INDEX claims" in line, (statement, line)
            used |= {name for name in names if f"INDEX {name}" in line}
    assert used == names


ZERO = dict.fromkeys(("paused", "attempts", "revision", "asked", "not_there"), 0)
MANY: dict[str, dict[str, Any]] = {
    "posts": {
        "uid": "'p' || n", "text": "'x'", "missed": "'ask'", "grace": 0, "catch_up": "'newest'",
        "priority": 0, "draft": 0, "paused": 0, "created_at": 0, "updated_at": 0,
    },
    "deliveries": {
        **ZERO, "post_id": "n", "account_id": ":account", "occurrence": ":first + n",
        "due_at": ":first + n", "next_at": ":first + n", "grace_until": ":first + 86400000000 + n",
        "prepare_at": ":first + n - 600000000", "status": "'scheduled'", "priority": "n % 3",
    },
}  # fmt: skip
"""The columns of row n of many."""


def _many(database: Database, count: int) -> None:
    with database.write() as connection:
        me = rows.account(connection)
        for table, values in MANY.items():
            statement = (
                "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers"
                f" WHERE n < {count}) INSERT INTO {table} ({', '.join(values)})"
                f" SELECT {', '.join(map(str, values.values()))} FROM numbers"
            )
            raw: Any = connection.connection
            raw.execute(statement, {"account": me.id, "first": micros(NOON)})


def _plans(database: Database, seen: list[tuple[str, Any]]) -> list[tuple[str, list[str]]]:
    plans = []
    with database.read() as connection:
        raw: Any = connection.connection
        for statement, parameters in seen:
            if statement.split()[0] in ("SELECT", "UPDATE", "WITH", "DELETE"):
                found = raw.execute("EXPLAIN QUERY PLAN " + statement, parameters).fetchall()
                plans.append((statement, [row[-1] for row in found]))
    return plans
