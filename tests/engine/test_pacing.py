"""Quiet hours and the distance of posts hold whenever something is sent: late ones, retries, by any
process; what waits for them says so, and is missed at the end of its grace."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import httpx
import pytest

from postsched.domain.account import Account
from postsched.domain.delivery import DeliveryStatus
from postsched.domain.holding import Why
from postsched.domain.outcome import ErrorKind
from postsched.domain.post import CatchUp
from postsched.domain.quiet import parse_quiet
from postsched.platforms.base import PlatformError
from postsched.store import accounts as account_rows
from postsched.store import holds
from postsched.testing import FakeClock, FakePlatform
from tests.engine.conftest import MakeRig
from tests.engine.rig import Rig, Simulation, play
from tests.engine.test_quotas import live
from tests.engine.test_series import series

S = DeliveryStatus
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def paced(make: MakeRig, fake: FakePlatform, quiet: str | None, spacing: timedelta) -> Rig:
    """A rig with that pace for all accounts."""
    rig = make(platforms={"fake": fake})
    hours = parse_quiet(quiet) if quiet else None
    rig.settings = replace(rig.settings, quiet_hours=hours, min_spacing=spacing)
    return rig


def begun(rig: Rig, ids: list[int]) -> list[float]:
    """When each was sent, in minutes since the clock's nine o'clock."""
    nine = FakeClock().now()
    return [((rig.delivery(one).started_at or nine) - nine) / MINUTE for one in ids]


def test_no_two_posts_are_closer_whatever_made_them_late(
    make: MakeRig, clock: FakeClock, fake: FakePlatform
) -> None:
    """Three at once, one on time, a retry; and what is planned at the distance is on time."""
    rig = paced(make, fake, None, 30 * MINUTE)
    start, me = clock.now(), rig.account()
    fake.will("publish", PlatformError(ErrorKind.TRANSIENT, "later", after=600))
    first = rig.posts(me, [start, start, start])
    exact = rig.posts(me, [start + 150 * MINUTE, start + 180 * MINUTE])
    other = rig.post("other", rig.account("you"), start)
    live(rig, 5 * 60)
    with rig.other.read() as connection:
        wait = holds.waits(connection)[me.id]
    assert (wait.why, wait.until) == (Why.SPACING, start + 30 * MINUTE)
    assert wait.message == "posts are 30m apart at least (min_spacing)"
    live(rig, 4 * 3600)
    times = sorted(begun(rig, first))
    assert all(later - sooner >= 30 for sooner, later in pairwise(times))
    assert {rig.delivery(one).attempts for one in first} == {1, 2}
    assert begun(rig, [*exact, other]) == [150, 180, 0]
    assert [rig.delivery(one).lateness for one in exact] == [timedelta(0)] * 2


def test_an_account_may_have_its_own(make: MakeRig, clock: FakeClock, fake: FakePlatform) -> None:
    rig = paced(make, fake, "09:00-10:00", HOUR)
    start, me = clock.now(), rig.account()
    own = {"quiet_hours": "none", "min_spacing": "10m"}
    with rig.database.write() as connection:
        account_rows.save(connection, replace(me, settings=own))
    ids = rig.posts(me, [start, start])
    live(rig, 1800)
    assert sorted(begun(rig, ids)) == [0, 10]


def test_what_is_late_waits_for_the_end_of_quiet_hours(
    make: MakeRig, clock: FakeClock, fake: FakePlatform, caplog: pytest.LogCaptureFixture
) -> None:
    """Due at nine, but for the distance, a retry or a sleep it would be later: not from half past
    nine till noon."""
    caplog.set_level("INFO", "postsched.engine")
    rig = paced(make, fake, "09:30-12:00", timedelta(0))
    start, me = clock.now(), rig.account()
    fake.will("publish", PlatformError(ErrorKind.TRANSIENT, "later", after=3600))
    retried = rig.post("retried", me, start)
    short = rig.post("short", me, start + 40 * MINUTE, grace=HOUR)
    live(rig, 61 * 60)
    with rig.other.read() as connection:
        wait = holds.waits(connection)[me.id]
    assert (wait.why, wait.until) == (Why.QUIET, start + 3 * HOUR)
    assert wait.message == "quiet hours (09:30-12:00)"
    assert "me: quiet hours (09:30-12:00); more go out from" in caplog.text
    live(rig, 3 * 3600)
    assert begun(rig, [retried]) == [180]
    assert rig.delivery(short).status is S.MISSED
    assert [post.text for post in fake.posts] == ["retried"]


def test_a_doubt_and_a_thread_that_was_begun_are_finished(
    make: MakeRig, clock: FakeClock, fake: FakePlatform
) -> None:
    rig = paced(make, fake, "09:00:05-12:00", HOUR)
    start, me = clock.now(), rig.account()
    later = PlatformError(ErrorKind.TRANSIENT, "later", after=60)
    fake.will("publish", lambda call: fake._put(call.prepared, call.key), later)
    thread = rig.post("one", me, start, comment="two")
    live(rig, 300)
    assert rig.delivery(thread).status is S.PUBLISHED
    last = fake.called("publish")[-1].at
    assert last
    assert MINUTE <= last - start < 2 * MINUTE
    fake.will("publish", httpx.ReadTimeout(""))
    asked = rig.post("asked", rig.account("you"), start)
    with rig.database.write() as connection:
        account_rows.save(
            connection, replace(rig_account(rig, "you"), settings={"quiet_hours": "none"})
        )
    live(rig, 300)
    assert rig.delivery(asked).status is S.PUBLISHED


def rig_account(rig: Rig, name: str) -> Account:
    """An account by name."""
    with rig.database.read() as connection:
        found = account_rows.by_name(connection, name)
    assert found
    return found


def test_two_processes_keep_the_distance_together(
    make: MakeRig, clock: FakeClock, fake: FakePlatform
) -> None:
    rig = paced(make, fake, None, 10 * MINUTE)
    start, me = clock.now(), rig.account()
    ids = rig.posts(me, [start] * 6)

    async def scene() -> None:
        one, other = Simulation(rig), Simulation(rig)
        for _ in range(80):
            await one.quiet()
            await other.quiet()
            clock.advance(60)
        await one.end()
        await other.end()

    play(scene)
    times = sorted(begun(rig, ids))
    assert {rig.delivery(one).status for one in ids} == {S.PUBLISHED}
    assert all(later - sooner >= 9.9 for sooner, later in pairwise(times))


@pytest.mark.parametrize("why", ["lost", "refused"])
def test_what_did_not_go_out_takes_no_room(
    make: MakeRig, clock: FakeClock, fake: FakePlatform, why: str
) -> None:
    """Of two at once the first is refused: the second need not wait."""
    rig = paced(make, fake, None, HOUR)
    start, me = clock.now(), rig.account()
    refusal = PlatformError(ErrorKind.INVALID, "no", http_status=422)
    fake.will("publish", refusal if why == "refused" else httpx.ReadTimeout(""))
    first, second = rig.posts(me, [start, start])
    live(rig, 60)
    assert rig.delivery(first).status is (S.FAILED if why == "refused" else S.PUBLISHED)
    assert rig.delivery(second).status is (S.PUBLISHED if why == "refused" else S.SCHEDULED)


def test_what_is_due_after_them_is_prepared_in_quiet_hours(
    make: MakeRig, clock: FakeClock, fake: FakePlatform
) -> None:
    rig = paced(make, fake, "09:30-10:30", timedelta(0))
    start, me = clock.now(), rig.account()
    fake.will("publish", PlatformError(ErrorKind.TRANSIENT, "later", after=2400))
    rig.post("late", me, start)
    due = start + 90 * MINUTE
    post = rig.post("prepared", me, due, prepare_at=due - 10 * MINUTE)
    live(rig, 85 * 60)
    assert rig.delivery(post).steps[0].prepared_at == due - 10 * MINUTE
    live(rig, 10 * 60)
    assert rig.delivery(post).lateness == timedelta(0)


@pytest.mark.parametrize("catch_up", list(CatchUp))
def test_what_a_series_names_in_quiet_hours_is_no_storm(
    make: MakeRig, clock: FakeClock, fake: FakePlatform, catch_up: CatchUp
) -> None:
    """An hourly series from ten on, quiet from half past ten to half past three."""
    rig = paced(make, fake, "10:30-15:30", timedelta(0))
    start = clock.now()
    series(rig, [rig.account()], "cron", rule="0 * * * *", catch_up=catch_up, at=start + HOUR)
    live(rig, 8 * 3600 + 60)
    sent = [(call.at - start) / HOUR for call in fake.called("publish") if call.at]
    at_end = [6.5] * (5 if catch_up is CatchUp.ALL else 1)
    assert sent == [1, *at_end, 7, 8]


def test_what_only_the_distance_made_late_was_not_missed(
    make: MakeRig, clock: FakeClock, fake: FakePlatform
) -> None:
    """Two series at the same minute: the second waits for the distance, and goes out."""
    rig = paced(make, fake, None, 30 * MINUTE)
    me = rig.account()
    for every in (1, 2):
        series(rig, [me], every=every, catch_up=CatchUp.NONE)
    live(rig, 1)
    clock.advance(HOUR - timedelta(seconds=10))
    live(rig, 40 * 60)
    assert len(fake.called("publish")) == 2
