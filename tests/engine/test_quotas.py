"""Never more in any window than the network takes; none is lost, and none waits for ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from postsched.config import PlatformSettings
from postsched.domain.delivery import DeliveryStatus
from postsched.domain.outcome import ErrorKind
from postsched.domain.quota import Counts, Quota
from postsched.domain.setting import Rate
from postsched.platforms.base import PlatformError
from postsched.store import holds
from postsched.testing import FakeClock, FakePlatform
from postsched.testing.platform import ABLE, Held
from tests.engine.conftest import MakeRig
from tests.engine.rig import Rig, Simulation, play

S = DeliveryStatus
HOUR = timedelta(hours=1)


def network(clock: FakeClock, *quotas: Quota) -> FakePlatform:
    """A network with those quotas."""
    return FakePlatform(replace(ABLE, quotas=quotas), now=clock.now)


def live(rig: Rig, seconds: float) -> None:
    """Let an engine run for so long."""

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.go(seconds)
        await sim.end()

    play(scene)


def most(fake: FakePlatform, per: timedelta) -> int:
    """The most that was published in any window of that length."""
    at = sorted(call.at for call in fake.called("publish") if call.at)
    return max(sum(start <= one < start + per for one in at) for start in at)


def test_as_many_as_there_is_room_for_then_as_they_leave(make: MakeRig, clock: FakeClock) -> None:
    fake = network(clock, Quota(3, HOUR))
    rig = make(platforms={"fake": fake})
    start, me = clock.now(), rig.account()
    ids = rig.posts(me, [start + timedelta(minutes=n) for n in range(8)])
    other = rig.post("other", rig.account("you"), start + timedelta(minutes=7))
    live(rig, 30 * 60)
    assert len(fake.posts) == 4
    assert rig.delivery(other).lateness == timedelta(0)
    after = [rig.delivery(one) for one in ids[3:]]
    assert {(one.status, one.attempts, one.claim) for one in after} == {(S.SCHEDULED, 0, None)}
    with rig.other.read() as connection:
        wait = holds.waits(connection)[me.id]
    assert (wait.until, wait.message) == (start + HOUR, "3 posts in 1 hour are the most")
    live(rig, 3 * 3600)  # another process knows it
    assert {rig.delivery(one).status for one in ids} == {S.PUBLISHED}
    assert most(fake, HOUR) <= 4  # three of me, one of you
    firsts = [rig.delivery(one).started_at for one in ids]
    assert firsts[3:6] == [start + HOUR + timedelta(minutes=n) for n in range(3)]


def test_priority_first_then_what_is_due_first(make: MakeRig, clock: FakeClock) -> None:
    fake = network(clock, Quota(1, HOUR))
    rig = make(platforms={"fake": fake})
    start, me = clock.now(), rig.account()
    for n, (text, priority) in enumerate([("out", 0), ("later", 0), ("last", 0), ("first", 5)]):
        rig.post(text, me, start + timedelta(minutes=n), priority=priority)
    live(rig, 4 * 3600)
    assert [post.text for post in fake.posts] == ["out", "first", "later", "last"]


def test_threads_take_what_they_are_and_what_is_too_much_goes_alone(
    make: MakeRig, clock: FakeClock
) -> None:
    fake = network(clock, Quota(5, HOUR, Counts.MESSAGES))
    rig = make(platforms={"fake": fake})
    start, me = clock.now(), rig.account()
    three = [
        rig.post(f"thread {n}", me, start + timedelta(minutes=n), then=("two",), comment="three")
        for n in range(2)
    ]
    single = rig.post("single", me, start + timedelta(minutes=3))
    huge = rig.post("huge", me, start + timedelta(minutes=4), then=tuple("2345678"))
    live(rig, 50 * 60)
    assert len(fake.posts) == 3
    live(rig, 5 * 3600)
    dones = [rig.delivery(one) for one in (*three, single, huge)]
    assert {one.status for one in dones} == {S.PUBLISHED}
    begun = [(one.started_at or start) - start for one in dones]
    assert begun == [timedelta(0), HOUR, HOUR, 2 * HOUR]


def test_the_setting_rate_takes_its_place(make: MakeRig, clock: FakeClock) -> None:
    fake = network(clock, Quota(1, HOUR))
    rig = make(platforms={"fake": fake})
    set_so = {"fake": PlatformSettings(rate=Rate(4, timedelta(minutes=10)))}
    rig.settings = replace(rig.settings, platforms=set_so)
    rig.posts(rig.account(), [clock.now()] * 6)
    live(rig, 60)
    assert len(fake.posts) == 4


def test_what_is_under_way_or_in_doubt_takes_room_and_what_failed_gives_it_back(
    make: MakeRig, clock: FakeClock
) -> None:
    fake = network(clock, Quota(2, HOUR))
    rig = make(platforms={"fake": fake})
    hangs = Held()
    lost = httpx.ReadTimeout("")
    refusal = PlatformError(ErrorKind.INVALID, "no", http_status=422)

    async def refused(call: object) -> None:
        await hangs.event.wait()
        raise refusal

    fake.will("publish", refused, lost)
    start, me = clock.now(), rig.account()
    rig.posts(me, [start, start + timedelta(seconds=1), start + timedelta(seconds=2)])

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.go(1.5)
        assert len(fake.called("publish")) == 2
        await sim.go(10)  # the one in doubt is asked about, though no room is left
        assert len(fake.posts) == 1
        hangs.event.set()
        await sim.quiet()
        await sim.go(1)
        assert len(fake.posts) == 2
        await sim.end()

    play(scene)


def test_a_question_does_not_wait_for_room(make: MakeRig, clock: FakeClock) -> None:
    fake = network(clock, Quota(1, HOUR))
    rig = make(platforms={"fake": fake})
    fake.will("publish", httpx.ReadTimeout(""))
    start, me = clock.now(), rig.account()
    doubt, waits = rig.posts(me, [start, start])
    live(rig, 10)
    assert rig.delivery(doubt).status is S.PUBLISHED
    assert rig.delivery(waits).status is S.SCHEDULED


@pytest.mark.slow
@given(
    count=st.integers(1, 4),
    dues=st.lists(st.tuples(st.integers(0, 7200), st.integers(0, 2)), min_size=1, max_size=12),
)
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_never_more_than_the_quota_and_none_is_starved(
    make: MakeRig, count: int, dues: list[tuple[int, int]]
) -> None:
    clock = FakeClock()
    fake = network(clock, Quota(count, HOUR))
    rig = make(platforms={"fake": fake}, clock=clock)
    start = clock.now()
    me = rig.account(f"me{id(clock)}")
    for n, (seconds, priority) in enumerate(dues):
        rig.post(f"post {n}", me, start + timedelta(seconds=seconds), priority=priority)
    live(rig, 7200 + 3600 * (1 + len(dues) // count))
    assert len(fake.posts) == len(dues)
    assert most(fake, HOUR) <= count
