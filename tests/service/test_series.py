"""A series, and a person who changes it: what is over, what waits still, and what is said of it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from postsched.domain.delivery import Delivery, DeliveryStatus
from postsched.domain.draft import Draft
from postsched.domain.errors import NotAllowed
from postsched.planning.taking import take_up
from postsched.service import deliveries, drafts, editing, occurrences, posts
from postsched.service.compose import Composed
from postsched.service.deliveries import Which
from postsched.service.desk import Desk
from postsched.store import deliveries as delivery_rows
from postsched.store import queue
from postsched.testing import FakeClock
from tests.service.desk import claim, desk_at, publish

S = DeliveryStatus
START = datetime(2026, 11, 2, 8, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Person:
    """Someone at a desk, with the accounts `me` and `work`."""

    def __init__(self, desk: Desk, clock: FakeClock) -> None:
        self.desk, self.clock = desk, clock

    def add(self, to: str = "me", **words: Any) -> int:
        """A new series, daily at 09:00 UTC unless it says otherwise; its post."""
        words = {"at": "09:00", "repeat": "daily", **words}
        added = posts.add(self.desk, Draft("n {{n}}", tuple(to.split(",")), **words)).id
        assert added is not None
        return added

    def edit(self, post: int, **changes: Any) -> Composed:
        """Change it."""
        before = drafts.draft_of(self.desk, post)
        return editing.edit(self.desk, post, before, replace(before, **changes))

    def rows(self, post: int) -> list[Delivery]:
        """Its deliveries."""
        with self.desk.database.read() as connection:
            return list(delivery_rows.of_posts(connection, [post])[post])

    def wait(self, length: timedelta) -> None:
        """Let the time pass, and all that is due then go out."""
        self.clock.advance(length)
        ids = [one.id for one in claim(self.desk)]
        with self.desk.database.write() as connection:
            works = queue.load(connection, ids)
            taken = take_up(connection, self.desk.planner, works, self.clock.now())
        for work in taken.works:
            publish(self.desk, work.delivery)


@pytest.fixture
def person() -> Iterator[Person]:
    clock = FakeClock(START)
    with tempfile.TemporaryDirectory() as folder, desk_at(Path(folder), clock) as desk:
        yield Person(desk, clock)


def test_a_series_that_is_over_says_so_and_what_to_do(person: Person) -> None:
    post = person.add(count=1)
    person.wait(HOUR)
    for changes in ({"text": "x"}, {"tags": ("t",)}, {"to": ("me", "work")}):
        with pytest.raises(NotAllowed, match=r"series of post 1 is over.*--until.*edit 1 --at"):
            person.edit(post, **changes)
    person.edit(post, count=2, text="more")
    assert [one.status for one in person.rows(post)] == [S.PUBLISHED, S.SCHEDULED]


def test_the_last_of_a_series_that_waits_still_can_be_changed(person: Person) -> None:
    """Its time has passed, but it was moved to a later one."""
    post = person.add(count=1)
    (last,) = person.rows(post)
    later = last.occurrence + DAY
    occurrences.change(person.desk, post, Which(occurrence=last.occurrence), later, None)
    person.wait(HOUR)
    assert person.edit(post, text="Other").notes == ()
    (note,) = person.edit(post, to=("me", "work")).notes
    assert note == "The series is over: nothing of it is to come for work"
    assert [(one.account, one.due_at) for one in person.rows(post)] == [("me", later)]
    person.edit(post, to=("work",))
    assert person.rows(post) == []


def test_one_occurrence_changes_for_those_for_whom_it_waits(person: Person) -> None:
    """Who is left out is said; nobody is changed while it may be going out to one of them."""
    post = person.add("me,work")
    at = person.rows(post)[0].occurrence
    which, later = Which(occurrence=at), at + HOUR / 2
    deliveries.cancel(person.desk, [post], Which(frozenset({"work"}), at))
    once = occurrences.change(person.desk, post, which, later, "once")
    assert [(one.account, one.due_at) for one in once.changed] == [("me", later)]
    assert once.notes == ("it is cancelled on work, and that stays so",)
    with pytest.raises(NotAllowed, match="can't be changed: it is cancelled on work"):
        occurrences.change(person.desk, post, Which(frozenset({"work"}), at), later, None)
    person.clock.advance(later - START)
    assert claim(person.desk)
    with pytest.raises(NotAllowed, match="it is publishing on me"):
        occurrences.change(person.desk, post, which, later + HOUR, None)


def test_new_bounds_leave_what_leads_in_the_lead(person: Person) -> None:
    """No occurrence of the series is told apart from it, and none is lost."""
    post = person.add(jitter="50m", count=9)
    for changes in ({"until": "2026-12-01", "count": None}, {"except_": ("2026-11-03",)}):
        person.edit(post, **changes)
        (row,) = person.rows(post)
        assert (row.leads, row.number, row.occurrence) == (True, 1, START + HOUR)
    person.edit(post, except_=("2026-11-02",))
    person.edit(post, except_=())  # the next comes sooner than the one that leads
    (row,) = person.rows(post)
    assert (row.leads, row.number, row.occurrence) == (True, 1, START + HOUR)


def test_a_text_of_its_own_follows_the_jitter_of_its_post(person: Person) -> None:
    post = person.add(jitter="50m")
    (row,) = person.rows(post)
    assert row.due_at != row.occurrence
    occurrences.change(person.desk, post, Which(occurrence=row.occurrence), None, "own")
    person.edit(post, jitter=None)
    assert all(one.due_at == one.occurrence for one in person.rows(post))
    assert person.edit(post, at="10:00").notes != ()


def test_one_that_is_skipped_has_its_number(person: Person) -> None:
    post = person.add(repeat=None, at=None, rrule="FREQ=SECONDLY")
    deliveries.cancel(person.desk, [post], Which(occurrence=START + HOUR))
    first, skipped = person.rows(post)
    assert skipped.number == (skipped.occurrence - first.occurrence).total_seconds() + 1


@pytest.mark.slow
def test_what_is_too_far_ahead_to_be_counted_is_refused(person: Person) -> None:
    post = person.add(repeat=None, at=None, rrule="FREQ=SECONDLY")
    with pytest.raises(NotAllowed, match="more than 100,000 occurrences of post 1 come before"):
        deliveries.cancel(person.desk, [post], Which(occurrence=START + 365 * DAY))
