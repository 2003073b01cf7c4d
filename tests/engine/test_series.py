"""A series under way: the next is always planned, and what was missed is caught up with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from postsched.domain.account import Account
from postsched.domain.delivery import Delivery, DeliveryStatus
from postsched.domain.notice import EVERY, Wanted, Way
from postsched.domain.post import CatchUp, Content, Missed, Post
from postsched.domain.schedule import Schedule
from postsched.store import deliveries as delivery_rows
from postsched.store import posts as post_rows
from postsched.store.outbox import Outlet
from postsched.store.outbox_tables import notifications
from postsched.store.tables import accounts, deliveries, schedules
from postsched.testing import FakeClock, FakePlatform
from tests.engine.conftest import MakeRig
from tests.engine.rig import Rig, Simulation, play
from tests.store import rows

S = DeliveryStatus
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


def series(
    rig: Rig,
    accounts: Sequence[Account],
    kind: str = "daily",
    at: datetime | None = None,
    **rule: Any,
) -> int:
    """A series that begins an hour from now, or then; its post."""
    ways = {name: rule.pop(name) for name in ("catch_up", "missed", "grace") if name in rule}
    at = at or rig.clock.now() + HOUR
    uid = f"u{at}{kind}{len(rows.every(rig.other))}{rule}"  # the jitter is always the same
    post = Post(0, uid, Content("Hello"), (), rig.clock.now(), rig.clock.now(), **ways)
    schedule = Schedule(kind, at.astimezone(UTC).replace(tzinfo=None).isoformat(), "UTC", rule)
    with rig.database.write() as connection:
        return post_rows.insert(connection, post, [one.id for one in accounts], schedule, "")


def live(rig: Rig, length: timedelta) -> None:
    """Let an engine, started anew, run for so long."""

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.go(length.total_seconds())
        await sim.end()

    play(scene)


def turns(rig: Rig, clock: FakeClock, count: int) -> None:
    """Let so many of what is next come due, each while an engine runs for half a minute."""
    for _ in range(count):
        due = min((one.due_at for one in chain(rig) if one.leads), default=None)
        if due is not None:
            clock.advance(max(due - clock.now() - timedelta(seconds=10), timedelta(0)))
        live(rig, timedelta(seconds=30))


def chain(rig: Rig) -> list[Delivery]:
    """All deliveries, by their occurrence."""
    return sorted(rows.every(rig.other), key=lambda one: (one.occurrence, one.account))


def said(rig: Rig) -> list[str]:
    """The lines with the deliveries that say what was skipped."""
    with rig.other.read() as connection:
        found = [a for d in rows.every(rig.other)
                 for a in delivery_rows.attempts_of(connection, d.id)]  # fmt: skip
    return [one.evidence or "" for one in found if one.action == "catch-up"]


def test_the_next_is_there_before_this_one_is_sent(
    rig: Rig, clock: FakeClock, fake: FakePlatform
) -> None:
    series(rig, [rig.account(), rig.account("work")])
    begun = clock.now()
    live(rig, timedelta(seconds=1))
    turns(rig, clock, 3)
    found = chain(rig)
    assert [one.occurrence - begun for one in found if one.account == "me"] == [
        HOUR, HOUR + DAY, HOUR + 2 * DAY, HOUR + 3 * DAY
    ]  # fmt: skip
    assert [one.status for one in found] == [S.PUBLISHED] * 6 + [S.SCHEDULED] * 2
    assert [one.number for one in found] == [1, 1, 2, 2, 3, 3, 4, 4]
    assert [one.leads for one in found] == [False] * 6 + [True] * 2
    assert len(fake.called("publish")) == 6


def test_it_ends_with_its_count(rig: Rig, clock: FakeClock, fake: FakePlatform) -> None:
    at = clock.now() + HOUR
    ends = (at + DAY).replace(tzinfo=None).isoformat()
    series(rig, [rig.account()], at=at, count=2, ends=ends)
    live(rig, timedelta(seconds=1))
    turns(rig, clock, 3)
    assert [one.status for one in chain(rig)] == [S.PUBLISHED] * 2


def test_one_that_fails_or_waits_does_not_delay_the_next(
    rig: Rig, clock: FakeClock, fake: FakePlatform
) -> None:
    fake.will("publish", *[httpx.ConnectError("no route")] * 3)
    series(rig, [rig.account()])
    live(rig, 2 * HOUR)
    turns(rig, clock, 1)
    assert [one.status for one in chain(rig)] == [S.FAILED, S.PUBLISHED, S.SCHEDULED]


@pytest.mark.parametrize("catch_up", list(CatchUp))
def test_after_a_sleep(rig: Rig, clock: FakeClock, fake: FakePlatform, catch_up: CatchUp) -> None:
    """Ten hours of an hourly series asleep."""
    series(rig, [rig.account()], "cron", rule="0 * * * *", catch_up=catch_up, at=clock.now())
    start = clock.now().replace(minute=0, second=0, microsecond=0)
    live(rig, timedelta(seconds=1))
    turns(rig, clock, 2)
    before = len(fake.called("publish"))
    clock.advance(10 * HOUR + 30 * MINUTE)
    live(rig, MINUTE)
    sent = len(fake.called("publish")) - before
    assert sent == {CatchUp.NEWEST: 1, CatchUp.ALL: 10, CatchUp.NONE: 0}[catch_up]
    found = chain(rig)
    assert [one.status for one in found] == [S.PUBLISHED] * (before + sent) + [S.SCHEDULED]
    assert found[-1].occurrence > clock.now()
    assert len(said(rig)) == (catch_up is not CatchUp.ALL)
    if catch_up is CatchUp.NEWEST:
        assert found[-2].occurrence == found[-1].occurrence - HOUR
        assert said(rig)[0].startswith("9 of the series were missed")
    assert start <= found[0].occurrence


def test_a_year_asleep_with_a_minutely_series(
    rig: Rig, clock: FakeClock, fake: FakePlatform
) -> None:
    series(rig, [rig.account()], "cron", rule="* * * * *", at=clock.now())
    live(rig, 3 * MINUTE)
    before = len(fake.called("publish"))
    clock.advance(365 * DAY)
    live(rig, 30 * timedelta(seconds=1))
    assert len(fake.called("publish")) - before <= 2
    assert len(chain(rig)) <= before + 3
    assert said(rig)[0].startswith("1,000 or more of the series were missed")


def test_what_is_past_its_grace_is_missed_once(
    rig: Rig, clock: FakeClock, fake: FakePlatform
) -> None:
    series(rig, [rig.account()], grace=2 * HOUR)
    rig.database.outlet = Outlet(Wanted({Way.WEBHOOK: EVERY}, lambda thing: {"id": thing.id}))
    clock.advance(5 * DAY)  # 23 hours past the newest
    live(rig, MINUTE)
    with rig.other.read() as connection:
        assert list(connection.scalars(select(notifications.c.event))) == ["missed"]
    assert [one.status for one in chain(rig)] == [S.MISSED, S.SCHEDULED]
    assert not fake.called("publish")
    assert rig.words() == ["missed"]
    assert said(rig)[0].startswith("4 of the series were missed")


def test_all_are_sent_that_are_within_their_grace(
    rig: Rig, clock: FakeClock, fake: FakePlatform
) -> None:
    series(rig, [rig.account()], grace=50 * HOUR, catch_up=CatchUp.ALL)
    clock.advance(5 * DAY)
    live(rig, MINUTE)
    assert len(fake.called("publish")) == 2
    assert said(rig)[0].startswith("3 of the series were missed")


def test_without_a_grace_all_are_sent(rig: Rig, clock: FakeClock, fake: FakePlatform) -> None:
    series(rig, [rig.account()], missed=Missed.LATE, catch_up=CatchUp.ALL)
    clock.advance(5 * DAY)
    live(rig, MINUTE)
    assert len(fake.called("publish")) == 5


def test_a_clock_set_back_sends_nothing_again(
    rig: Rig, clock: FakeClock, fake: FakePlatform
) -> None:
    series(rig, [rig.account()])
    live(rig, timedelta(seconds=1))
    turns(rig, clock, 2)
    before = len(fake.called("publish"))
    again = clock.now()
    clock.set_wall(clock.now() - 3 * DAY)
    live(rig, MINUTE)
    clock.set_wall(again)
    live(rig, MINUTE)
    assert len(fake.called("publish")) == before == 2


def test_while_the_account_is_held_nothing_piles_up(
    make: MakeRig, clock: FakeClock, fake: FakePlatform
) -> None:
    """The grace of each ends in turn; one row stands for the newest."""
    rig = make()
    me = rig.account()
    with rig.database.write() as connection:
        connection.execute(update(accounts).values(state="login", state_message="refused"))
    series(rig, [me], "cron", rule="0 * * * *", at=clock.now(), grace=2 * HOUR)
    for _ in range(12):
        live(rig, MINUTE)
        clock.advance(HOUR)
    live(rig, MINUTE)
    found = chain(rig)
    assert not fake.called("publish")
    assert len(found) == 1
    assert found[0].status is S.SCHEDULED
    assert clock.now() - found[0].occurrence <= 2 * HOUR


def test_a_series_without_a_next_gets_one_at_the_start(
    rig: Rig, clock: FakeClock, fake: FakePlatform
) -> None:
    series(rig, [rig.account()])
    live(rig, timedelta(seconds=1))
    turns(rig, clock, 1)
    with rig.database.write() as connection:
        connection.execute(deliveries.delete().where(deliveries.c.leads == 1))
    live(rig, timedelta(seconds=1))
    turns(rig, clock, 1)
    assert [one.number for one in chain(rig)] == [1, 2, 3]
    assert len(fake.called("publish")) == 2


def test_a_zone_that_is_not_known_here_keeps_nothing_back(
    rig: Rig, clock: FakeClock, fake: FakePlatform
) -> None:
    """It goes out, the next is planned once the zone is known, and others are sent."""
    me = rig.account()
    post_id = series(rig, [me])
    live(rig, timedelta(seconds=1))
    with rig.database.write() as connection:
        connection.execute(update(schedules).where(schedules.c.post_id == post_id).values(tz="X/Y"))
    clock.advance(2 * HOUR)
    other = rig.post("other", me, clock.now())
    live(rig, MINUTE)
    assert rig.delivery(other).status is S.PUBLISHED
    assert len(fake.called("publish")) == 2
    with rig.database.write() as connection:
        connection.execute(update(schedules).values(tz="UTC"))
    live(rig, MINUTE)
    assert sum(one.leads for one in chain(rig)) == 1
