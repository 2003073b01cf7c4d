"""A series that a person held, and releases."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from postsched.domain.delivery import DeliveryStatus
from postsched.domain.draft import Draft
from postsched.service import pausing, posts
from postsched.service.desk import Desk
from postsched.testing import FakeClock, FakePlatform
from tests.engine.conftest import MakeRig
from tests.engine.test_series import chain


def test_all_that_was_missed_is_counted_when_it_is_released(
    make: MakeRig, fake: FakePlatform, clock: FakeClock
) -> None:
    rig = make(platforms={"outbox": fake})
    rig.account("me", "outbox")
    desk = Desk(rig.database, rig.settings, rig.clock.now, ZoneInfo("UTC"))
    rule = "FREQ=SECONDLY;INTERVAL=10"
    added = posts.add(desk, Draft("x", ("me",), at="in 10s", rrule=rule, grace="5s"))
    assert added.id
    pausing.pause(desk, [added.id])
    clock.advance(timedelta(seconds=50))
    missed = pausing.resume(desk, [added.id])
    assert [one.number for one in missed] == [1, 2, 3, 4]
    assert {one.status for one in missed} == {DeliveryStatus.MISSED}
    assert [one.number for one in chain(rig) if one.leads] == [5]
