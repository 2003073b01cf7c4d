"""The next of a series that has none: planned anew where it should be, and only there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import text

from postsched.domain.draft import Draft
from postsched.planning.chain import revive
from postsched.service import deliveries, editing, posts
from postsched.service.deliveries import Which
from postsched.service.drafts import draft_of
from postsched.service.proposing import discard
from postsched.store import chains
from postsched.testing import FakeClock
from tests.service.desk import desk_at


def test_a_series_goes_on_and_a_cancelled_draft_of_one_does_not_begin(tmp_path: Path) -> None:
    clock = FakeClock(datetime(2026, 11, 27, 9, 10, tzinfo=UTC))
    with desk_at(tmp_path, clock) as desk:

        def add(words: str, *, draft: bool) -> int:
            said = Draft(words, ("me",), at="10:00", tz="UTC", repeat="daily", draft=draft)
            found = posts.add(desk, said, author="bot" if draft else None).id
            assert found is not None
            return found

        going = add("Goes on", draft=False)
        rejected, discarded = add("Rejected", draft=True), add("Discarded", draft=True)
        add("Waits for a person", draft=True)
        deliveries.cancel(desk, [rejected], Which())
        discard(desk, discarded, "bot")
        with desk.database.write() as connection:
            connection.execute(text("UPDATE deliveries SET leads = 0, status = 'published'"))
        clock.advance(timedelta(days=1))
        with desk.database.write() as connection:
            assert revive(connection, desk.planner, clock.now()) == 1
            waiting = text("SELECT post_id FROM deliveries WHERE status = 'scheduled'")
            assert list(connection.scalars(waiting)) == [going]
        before = draft_of(desk, rejected)
        editing.edit(desk, rejected, before, replace(before, draft=True))
        editing.approve(desk, [rejected])
        with desk.database.read() as connection:
            assert chains.stopped(connection, rejected) == set()
            assert chains.stopped(connection, discarded)
