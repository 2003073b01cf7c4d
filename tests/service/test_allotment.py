"""The next free slot of an account whose posts are to be apart, however much is due before it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from postsched.domain.draft import Draft
from postsched.service import posts, slots
from postsched.service.slots import Allotment
from postsched.store import accounts
from postsched.store import slots as slot_rows
from postsched.testing import FakeClock
from tests.service.desk import desk_at


@pytest.mark.parametrize("days", [1, 2, 3, 8, 40])
def test_what_is_due_beside_a_slot_keeps_it(tmp_path: Path, days: int) -> None:
    clock = FakeClock(datetime(2026, 11, 23, 8, tzinfo=UTC))
    with desk_at(tmp_path, clock) as desk:
        slots.add(desk, "me", range(7), [time(9)], "UTC")
        for day in range(days):  # half an hour after each slot, or before it
            due = clock.now() + timedelta(days=day, hours=1, minutes=30 if day % 2 else -30)
            posts.add(desk, Draft(text=f"post {day}", to=("me",), at=due.isoformat()))
        with desk.database.write() as connection:
            (me,) = (one for one in accounts.every(connection) if one.name == "me")
            spaced = replace(me, settings={**me.settings, "min_spacing": "1h"})
            accounts.save(connection, spaced)
        with desk.database.read() as connection:
            allotment, pace = Allotment(connection, desk.now()), desk.planner.timing.pace(spaced)
            first = datetime(2026, 11, 23, 9, tzinfo=UTC) + timedelta(days=days)
            found = [allotment.next_for(me, pace) for _ in range(3)]
            assert found == [first + timedelta(days=n) for n in range(3)]
            assert len(slot_rows.sitting(connection, me.id, desk.now(), in_slots=False)) == days
            near = clock.now() + timedelta(days=1)
            some = slot_rows.sitting(connection, me.id, desk.now(), near, in_slots=False)
            assert all(one.due_at <= near for one in some)
