"""What is planned, and changed by a person, is never so twice, and nothing taken up meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from postsched.domain import moves
from postsched.domain.delivery import DeliveryStatus
from postsched.store import pauses, plans
from postsched.store.database import Database
from postsched.store.plans import Planned
from postsched.store.tables import accounts, deliveries
from tests.store.rows import NOON, SOON, every, planned, read, take

S = DeliveryStatus


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
