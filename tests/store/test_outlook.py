"""What a worker has to know of the queue."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from postsched.domain.account import Account
from postsched.domain.delivery import DeliveryStatus
from postsched.store import outlook, pauses
from postsched.store.database import Database
from postsched.store.tables import accounts
from tests.store import rows
from tests.store.rows import NOON, claim_of, planned, prepare, take, the_lane

S = DeliveryStatus


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
