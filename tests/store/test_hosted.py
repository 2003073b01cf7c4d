"""What is on record of objects at the media host, and which of them nobody needs any more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from postsched.domain.delivery import DeliveryStatus
from postsched.store import hosted
from postsched.store.columns import micros
from postsched.store.database import Database
from postsched.store.hosted import Hosted
from tests.store import rows
from tests.store.rows import NOON, opened

S = DeliveryStatus
MINUTE = timedelta(minutes=1)
UNTIL = NOON + 15 * MINUTE
PLACE = "https://s3.example media"
NEEDED = {S.SCHEDULED, S.PUBLISHING, S.RETRYING, S.CONFIRMING, S.UNCONFIRMED}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = opened(tmp_path)
    yield found
    found.close()


@pytest.fixture
def c(database: Database) -> Iterator[Connection]:
    """A transaction that is left open."""
    with database.write() as connection:
        yield connection


@pytest.fixture
def delivery(c: Connection) -> int:
    (made,) = rows.post(c, "Look", [rows.account(c)], NOON)
    return made


def take(c: Connection, delivery: int, new: str = "a", at: int = 0, digest: str = "d1") -> Hosted:
    """Ask for an object, so many minutes after noon."""
    now = NOON + at * MINUTE
    return hosted.take(c, delivery, digest, PLACE, new, now, now + 15 * MINUTE)


def status(c: Connection, delivery: int, word: DeliveryStatus) -> None:
    c.execute(text("UPDATE deliveries SET status = :s WHERE id = :d"), {"s": word, "d": delivery})


def test_it_is_on_record_first_and_used_again_once_it_is_there(
    c: Connection, delivery: int
) -> None:
    made = take(c, delivery)
    assert (made.name, made.busy_until, made.stored_at) == ("a", UNTIL, None)
    assert hosted.every(c) == [made]
    assert hosted.stored(c, made, NOON + MINUTE)
    again = take(c, delivery, "b", at=2)
    assert (again.name, again.stored_at) == ("a", NOON + MINUTE)
    assert take(c, delivery, "c", at=2, digest="d2").name == "c"


def test_what_was_begun_is_taken_over(c: Connection, delivery: int) -> None:
    first = take(c, delivery)
    again = take(c, delivery, "b", at=1)  # who began it has lost the delivery
    assert (again.id, again.busy_until) == (first.id, UNTIL + MINUTE)
    status(c, delivery, S.PUBLISHED)
    hosted.to_remove(c, UNTIL + MINUTE)
    assert hosted.begin(c, first, UNTIL) is None


def test_what_surely_was_not_stored_is_forgotten(c: Connection, delivery: int) -> None:
    hosted.not_stored(c, take(c, delivery), maybe=False)
    assert hosted.every(c) == []
    hosted.not_stored(c, take(c, delivery), maybe=True)
    (kept,) = hosted.every(c)
    assert kept.busy_until is None
    hosted.stored(c, kept, NOON)
    (there,) = hosted.every(c)
    hosted.not_stored(c, there, maybe=False)  # of an earlier time it may still be there
    assert len(hosted.every(c)) == 1


@pytest.mark.parametrize("word", list(S))
def test_it_is_removed_when_its_delivery_is_settled(
    c: Connection, delivery: int, word: DeliveryStatus
) -> None:
    made = take(c, delivery)
    hosted.stored(c, made, NOON)
    status(c, delivery, word)
    assert hosted.is_due(c, NOON) is (word not in NEEDED)
    found = hosted.to_remove(c, NOON)
    assert [one.name for one in found] == ([] if word in NEEDED else ["a"])
    if found:
        assert take(c, delivery, "b").name == "b", "it is never used again"
        hosted.removed(c, found[0])
        assert [one.name for one in hosted.every(c)] == ["b"]


def test_it_is_removed_when_its_post_is_deleted_or_put_off(c: Connection, delivery: int) -> None:
    hosted.stored(c, take(c, delivery), NOON)
    c.execute(text("UPDATE deliveries SET prepare_at = :at"), {"at": micros(NOON + MINUTE)})
    assert not hosted.is_due(c, NOON)
    later = NOON + timedelta(days=1)
    c.execute(text("UPDATE deliveries SET prepare_at = :at"), {"at": micros(later)})
    assert hosted.is_due(c, NOON)
    c.execute(text("DELETE FROM posts"))
    (found,) = hosted.to_remove(c, NOON)
    assert found.delivery_id is None


def test_what_is_being_stored_is_not_removed_before(c: Connection, delivery: int) -> None:
    made = take(c, delivery)
    status(c, delivery, S.CANCELLED)
    assert hosted.to_remove(c, NOON + MINUTE) == []
    assert hosted.next_instant(c) == UNTIL
    assert [one.id for one in hosted.to_remove(c, UNTIL)] == [made.id]


def test_one_that_is_stored_after_all_is_removed_again(c: Connection, delivery: int) -> None:
    """By a process that slept while another took its delivery over, and settled it."""
    made = take(c, delivery)
    status(c, delivery, S.PUBLISHED)
    (found,) = hosted.to_remove(c, UNTIL)
    assert not hosted.stored(c, made, UNTIL + MINUTE)
    hosted.removed(c, found)
    assert [one.id for one in hosted.every(c)] == [made.id]
    (again,) = hosted.to_remove(c, UNTIL + MINUTE)
    hosted.removed(c, again)
    assert hosted.every(c) == []
    assert not hosted.stored(c, made, UNTIL + MINUTE)
    assert [one.name for one in hosted.to_remove(c, UNTIL + MINUTE)] == [made.name]


def test_a_removal_that_fails_is_tried_again(c: Connection, delivery: int) -> None:
    hosted.stored(c, take(c, delivery), NOON)
    status(c, delivery, S.FAILED)
    (found,) = hosted.to_remove(c, NOON)
    hosted.not_removed(c, found, "it is down", NOON + MINUTE)
    assert hosted.to_remove(c, NOON) == []
    assert hosted.next_instant(c) == NOON + MINUTE
    (again,) = hosted.to_remove(c, NOON + MINUTE)
    assert (again.tries, again.problem) == (1, "it is down")
    assert replace(again, tries=0, problem=None, remove_at=NOON) == found
