"""Claiming over a real database: its statements make the moves of the domain."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection, text, update

from postsched.domain import moves
from postsched.domain.account import AccountState
from postsched.domain.delivery import WAITING, Claim, Delivery, DeliveryStatus, Role
from postsched.store import accounts as account_rows
from postsched.store import lanes, pauses, queue
from postsched.store.columns import micros
from postsched.store.database import Database
from postsched.store.lanes import Lane
from postsched.store.tables import accounts, deliveries
from tests.store import rows
from tests.store.rows import NOON, claim_of, every, planned, prepare, read, take, the_lane

S = DeliveryStatus


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
