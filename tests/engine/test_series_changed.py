"""A series under way, and a person who changes it: nothing is lost, sent twice, or goes unsaid."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from postsched.domain.delivery import Delivery, DeliveryStatus
from postsched.domain.draft import Draft, DraftPart
from postsched.domain.errors import NotAllowed
from postsched.domain.outcome import ErrorKind
from postsched.platforms.base import PlatformError
from postsched.service import deliveries, drafts, editing, occurrences, pausing, posts
from postsched.service.deliveries import Which
from postsched.service.desk import Desk
from postsched.testing import FakeClock, FakePlatform
from tests.engine.conftest import MakeRig
from tests.engine.rig import Rig
from tests.engine.test_series import DAY, HOUR, MINUTE, chain, live, said

S = DeliveryStatus
REFUSED = PlatformError(ErrorKind.PERMANENT, "no", http_status=422)


@pytest.fixture
def rig(make: MakeRig, fake: FakePlatform) -> Rig:
    """An account `me` on `outbox`, which the person's side knows, too."""
    made = make(platforms={"outbox": fake})
    made.account("me", "outbox")
    return made


@pytest.fixture
def desk(rig: Rig) -> Desk:
    return Desk(rig.database, rig.settings, rig.clock.now, ZoneInfo("UTC"))


def hourly(desk: Desk, **more: Any) -> int:
    """An hourly series from the next hour on; its post."""
    added = posts.add(desk, replace(Draft("Hello", ("me",), cron="0 * * * *"), **more))
    assert added.id
    return added.id


def edit(desk: Desk, post_id: int, **changes: Any) -> None:
    before = drafts.draft_of(desk, post_id)
    editing.edit(desk, post_id, before, replace(before, **changes))


def leader(rig: Rig) -> Delivery:
    (found,) = (one for one in chain(rig) if one.leads)
    return found


def test_what_waits_after_a_sleep_outlives_new_bounds(
    rig: Rig, desk: Desk, clock: FakeClock, fake: FakePlatform
) -> None:
    """It carries the line of what was missed, but was not tried."""
    post_id = hourly(desk, catch_up="none")
    clock.advance(10 * HOUR)
    live(rig, MINUTE)
    waiting = leader(rig).occurrence
    assert said(rig)
    edit(desk, post_id, until=f"{clock.now() + 3 * DAY:%Y-%m-%d}")
    live(rig, 2 * HOUR)
    assert waiting in [one.occurrence for one in chain(rig) if one.status is S.PUBLISHED]
    assert S.CANCELLED not in [one.status for one in chain(rig)]
    assert said(rig)


def test_one_that_was_moved_far_keeps_its_grace(
    rig: Rig, desk: Desk, clock: FakeClock, fake: FakePlatform
) -> None:
    post_id = hourly(desk, grace="30m")
    moved = leader(rig).occurrence
    occurrences.change(desk, post_id, Which(occurrence=moved), moved + DAY, None)
    edit(desk, post_id, text="Other")
    live(rig, 2 * HOUR)
    (one,) = (one for one in chain(rig) if one.occurrence == moved)
    assert one.status is S.SCHEDULED
    assert one.grace_until == moved + DAY + HOUR / 2


def test_one_that_is_sent_again_has_no_grace_after_an_edit(
    rig: Rig, desk: Desk, clock: FakeClock, fake: FakePlatform
) -> None:
    post_id = hourly(desk, grace="30m")
    fake.will("publish", REFUSED)
    first = leader(rig).occurrence
    live(rig, 2 * HOUR)
    pausing.pause(desk, [post_id])
    deliveries.retry(desk, [post_id], Which())
    edit(desk, post_id, text="Other")
    pausing.resume(desk, [post_id])
    live(rig, MINUTE)
    assert {one.occurrence: one.status for one in chain(rig)}[first] is S.PUBLISHED


def test_one_of_which_a_part_is_out_is_not_begun_anew(
    rig: Rig, desk: Desk, clock: FakeClock, fake: FakePlatform
) -> None:
    post_id = hourly(desk, then=(DraftPart("More"),), count=1)
    fake.will("publish", lambda call: fake._put(call.prepared, call.key), REFUSED)
    at = leader(rig).occurrence
    live(rig, 2 * HOUR)
    assert [one.status for one in chain(rig)] == [S.FAILED]
    pausing.pause(desk, [post_id])
    deliveries.retry(desk, [post_id], Which())
    for text, to in (("Other", None), (None, clock.now() + HOUR)):
        with pytest.raises(NotAllowed, match="part"):
            occurrences.change(desk, post_id, Which(occurrence=at), to, text)
    pausing.resume(desk, [post_id])
    live(rig, MINUTE)
    assert [seen.text for seen in fake.posts] == ["Hello", "More"]


def spread_out(rig: Rig, desk: Desk, clock: FakeClock, **more: Any) -> Delivery:
    """An hourly series to `me`, later to `work`, whose row that leads is returned; then `me` has
    it no more."""
    rig.account("work", "outbox")
    post_id = hourly(desk, to=("me", "work"), spread="50m", **more)
    deliveries.cancel(desk, [post_id], Which(frozenset({"me"})))
    first = leader(rig)
    assert first.due_at - first.occurrence > 15 * MINUTE
    return first


def test_what_is_caught_up_with_is_not_before_it_is_due(
    rig: Rig, desk: Desk, clock: FakeClock, fake: FakePlatform
) -> None:
    """The newest that has passed is due later, for it is spread: it waits, in nobody's hands."""
    first = spread_out(rig, desk, clock)
    clock.advance(first.occurrence + 10 * HOUR + MINUTE - clock.now())
    live(rig, MINUTE)
    assert [one.status for one in chain(rig) if one.account == "work"] == [S.SCHEDULED]
    assert clock.now() < leader(rig).due_at < clock.now() + HOUR
    assert not fake.called("publish")
    live(rig, HOUR)
    assert len(fake.called("publish")) == 1


def test_all_are_within_their_grace_by_when_they_are_due(
    rig: Rig, desk: Desk, clock: FakeClock, fake: FakePlatform
) -> None:
    first = spread_out(rig, desk, clock, grace="70m", catch_up="all")
    clock.advance(first.due_at + 65 * MINUTE - clock.now())
    live(rig, MINUTE)
    assert len(fake.called("publish")) == 2
    assert not said(rig)


@pytest.mark.parametrize("catch_up", ["none", "newest"])
def test_what_was_missed_is_said_where_the_next_is_skipped(
    rig: Rig, desk: Desk, clock: FakeClock, fake: FakePlatform, catch_up: str
) -> None:
    """The row of what is to be sent after a sleep is there already, for a person skipped it: the
    series passes it over, and what tells of the rest is not lost."""
    post_id = hourly(desk, catch_up=catch_up)
    chosen = leader(rig).occurrence + (4 if catch_up == "none" else 3) * HOUR
    deliveries.cancel(desk, [post_id], Which(occurrence=chosen))
    clock.advance(leader(rig).occurrence + 3 * HOUR + 30 * MINUTE - clock.now())
    live(rig, MINUTE)
    assert not fake.called("publish")
    assert said(rig)
    assert leader(rig).occurrence > clock.now()
    assert leader(rig).occurrence != chosen
    live(rig, 2 * HOUR)
    assert len(fake.called("publish")) == 2 - (catch_up == "none")


def test_what_goes_out_once_and_is_sent_again_has_no_grace_either(
    rig: Rig, desk: Desk, clock: FakeClock, fake: FakePlatform
) -> None:
    added = posts.add(desk, Draft("Hello", ("me",), "in 1h", grace="30m"))
    fake.will("publish", REFUSED)
    live(rig, 2 * HOUR)
    assert added.id
    pausing.pause(desk, [added.id])
    deliveries.retry(desk, [added.id], Which())
    edit(desk, added.id, text="Other")
    pausing.resume(desk, [added.id])
    live(rig, MINUTE)
    assert [one.status for one in chain(rig)] == [S.PUBLISHED]
