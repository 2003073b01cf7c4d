"""`publish-due`: what is due now, and its answers; not what comes later."""

from __future__ import annotations

import time
from datetime import timedelta

import httpx
import pytest

from postsched.domain.delivery import DeliveryStatus
from postsched.domain.errors import StoreUnavailable
from postsched.engine.assembly import Engine
from postsched.testing import FakePlatform
from postsched.testing.platform import LostAnswer
from tests.engine.conftest import MakeRig
from tests.engine.faults import Faults
from tests.engine.rig import Rig, play

S = DeliveryStatus


@pytest.fixture
def fake() -> FakePlatform:
    return FakePlatform()


@pytest.fixture
def rig(make: MakeRig, fake: FakePlatform) -> Rig:
    return make(platforms={"fake": fake}, clock=None)


def drain(rig: Rig, patience: float = 20.0) -> float:
    """Do what `publish-due` does; how long it took, in seconds."""
    begun = time.monotonic()

    async def scene() -> None:
        engine: Engine = rig.engine("publish-due")
        try:
            await engine.dispatcher.drain(patience)
        finally:
            await engine.stop()
            await engine.close()

    play(scene)
    return time.monotonic() - begun


def test_nothing_due_ends_at_once(rig: Rig, fake: FakePlatform) -> None:
    later = rig.post("Hello", rig.account(), rig.clock.now() + timedelta(hours=1))
    assert drain(rig) < 3
    assert fake.calls == []
    assert rig.delivery(later).status is S.SCHEDULED


def test_everything_due_goes_out(rig: Rig, fake: FakePlatform) -> None:
    me, now = rig.account(), rig.clock.now()
    ids = rig.posts(me, [now - timedelta(minutes=n) for n in range(40)])
    thread = rig.post("One", me, now, then=["Two"], comment="And")
    drain(rig)
    assert {rig.delivery(one).status for one in [*ids, thread]} == {S.PUBLISHED}
    assert len(fake.posts) == 43
    assert not any(rig.delivery(one).claim for one in [*ids, thread])


def test_a_retry_is_not_waited_for(rig: Rig, fake: FakePlatform) -> None:
    fake.will("publish", httpx.ConnectError("no"))
    delivery = rig.post("Hello", rig.account(), rig.clock.now())
    assert drain(rig) < 10
    assert rig.delivery(delivery).status is S.RETRYING
    assert rig.words() == ["sending", "retrying"]


def test_a_read_back_is_not_waited_for(rig: Rig, fake: FakePlatform) -> None:
    fake.will("publish", LostAnswer(httpx.ReadTimeout("")))
    delivery = rig.post("Hello", rig.account(), rig.clock.now())
    assert drain(rig) < 10
    assert rig.delivery(delivery).status is S.CONFIRMING


def test_what_is_missed_is_told(rig: Rig, fake: FakePlatform) -> None:
    rig.post("Hello", rig.account(), rig.clock.now() - timedelta(days=2))
    drain(rig)
    assert rig.words() == ["missed"]


def test_a_refused_account_is_not_waited_for(rig: Rig) -> None:
    delivery = rig.post("Hello", rig.account(), rig.clock.now())
    with rig.database.write() as connection:
        connection.exec_driver_sql("UPDATE accounts SET state = 'login'")
    assert drain(rig) < 3
    assert rig.delivery(delivery).status is S.SCHEDULED


def test_a_short_lock_is_waited_for(rig: Rig, fake: FakePlatform) -> None:
    rig.post("Hello", rig.account(), rig.clock.now())
    faults = Faults(rig.database.engine)
    faults.at, faults.name, faults.armed = range(1, 7), "busy", True

    async def scene() -> None:
        engine: Engine = rig.engine("publish-due")
        with faults.listening():
            await engine.dispatcher.drain()
        await engine.stop()
        await engine.close()

    play(scene)
    assert len(faults.hit) == 6
    assert len(fake.posts) == 1


def test_a_database_that_can_not_be_used_is_an_error(rig: Rig, fake: FakePlatform) -> None:
    rig.post("Hello", rig.account(), rig.clock.now())

    async def scene() -> None:
        engine = rig.engine("publish-due")
        faults = Faults(rig.database.engine)
        faults.at, faults.armed = range(1, 10**9), True
        with faults.listening(), pytest.raises(StoreUnavailable):
            await engine.dispatcher.drain(0.3)
        await engine.stop()
        await engine.close()

    play(scene)
    assert fake.posts == []
