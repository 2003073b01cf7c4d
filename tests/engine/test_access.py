"""A worker claims only for accounts whose secret it can read: another may be able to send the rest,
and on time."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from sqlalchemy import delete

from postsched.domain.delivery import DeliveryStatus
from postsched.domain.errors import NotFound, SecretUnavailable
from postsched.domain.secret import Secret
from postsched.engine.access import AGAIN, SOON
from postsched.engine.scheduler import run
from postsched.login import FRESH
from postsched.store.tables import accounts, deliveries
from postsched.testing import FakeClock, FakePlatform
from tests.engine.conftest import MakeRig
from tests.engine.rig import Rig, Simulation, play, until
from tests.secrets.fake import FakeSecrets

S = DeliveryStatus
TEN = timedelta(seconds=10)


class Secretive(FakePlatform):
    """A network whose accounts have secrets."""

    needs_secret: ClassVar[bool] = True


class Lockable(FakeSecrets):
    """A keyring with a lock for each account."""

    def __init__(self, *locked: str) -> None:
        super().__init__(ring=dict.fromkeys(("me", "you", "they"), "secret"))
        self.locked = set(locked)
        self.read_of: list[str] = []

    def read(self, account: str) -> Secret | None:
        self.read_of.append(account)
        if account in self.locked:
            raise SecretUnavailable("the keyring is locked", "Unlock it")
        return super().read(account)


@pytest.fixture
def fake(clock: FakeClock) -> FakePlatform:
    return Secretive(now=clock.now)


@pytest.fixture
def blind(make: MakeRig) -> Rig:
    """A worker that can't read the secret of `me`."""
    return make(secrets=Lockable("me"))


@pytest.fixture
def seeing(make: MakeRig) -> Rig:
    """A worker beside it that can read them all."""
    return make(secrets=Lockable())


def at(fake: FakePlatform, account: str) -> list[Any]:
    """When posts of the account were sent."""
    return [call.at for call in fake.called("publish") if call.login.account == account]


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]


def test_what_no_worker_can_send_is_missed_at_the_end_of_its_grace(
    blind: Rig, clock: FakeClock, fake: FakePlatform
) -> None:
    late = blind.post("Hello", blind.account(), clock.now(), grace=timedelta(minutes=1))

    async def scene() -> None:
        sim = Simulation(blind)
        await sim.go(61)
        await sim.end()

    play(scene)
    assert blind.delivery(late).status is S.MISSED
    assert "missed" in blind.words()


def test_the_one_that_can_read_it_sends_it_on_time(
    blind: Rig, seeing: Rig, clock: FakeClock, fake: FakePlatform
) -> None:
    me, due = blind.account(), clock.now() + TEN
    ahead = blind.post("Hello", me, due, prepare_at=clock.now() + timedelta(seconds=1))

    async def scene() -> None:
        first, second = Simulation(blind), Simulation(seeing)
        for step in (1, 9.9, 10):
            instant = due - TEN + timedelta(seconds=step)
            await first.go_to(instant)
            claim = blind.delivery(ahead).claim
            assert claim is None or claim.worker == second.engine.worker.id
            assert not first.dispatcher.hands.everything()
            await second.go_to(instant)
        await first.end()
        await second.end()

    play(scene)
    after = seeing.delivery(ahead)
    assert (after.status, after.attempts) == (S.PUBLISHED, 1)
    assert at(fake, "me") == [due]
    assert fake.called("prepare")[0].at == due - TEN + timedelta(seconds=1)


def test_the_first_post_is_not_late_and_its_secret_is_read_once(
    make: MakeRig, clock: FakeClock, fake: FakePlatform
) -> None:
    rig = make(secrets=Lockable())
    ids = rig.posts(rig.account(), [clock.now(), clock.now() + TEN])

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.go(11)
        await sim.end()

    play(scene)
    assert at(fake, "me") == [rig.delivery(one).due_at for one in ids]
    assert rig.secrets.read_of == ["me"]


def test_other_accounts_are_sent_and_it_is_said_once(
    blind: Rig, clock: FakeClock, fake: FakePlatform, caplog: pytest.LogCaptureFixture
) -> None:
    blind.post("Hello", blind.account("me"), clock.now())
    dues = [clock.now() + n * timedelta(minutes=1) for n in range(10)]
    blind.posts(blind.account("you"), dues)

    async def scene() -> None:
        sim = Simulation(blind)
        await sim.go(600)
        await sim.end()

    play(scene)
    assert at(fake, "you") == dues
    assert at(fake, "me") == []
    (said,) = errors(caplog)
    assert said.startswith("me: the keyring is locked. Unlock it.")
    assert blind.secrets.read_of.count("me") == 11, "each minute"


@pytest.mark.parametrize("rung", [False, True], ids=["by itself", "by the bell"])
def test_it_is_tried_again(blind: Rig, clock: FakeClock, fake: FakePlatform, rung: bool) -> None:
    blind.post("Hello", blind.account(), clock.now())
    begun = clock.now()

    async def scene() -> None:
        sim = Simulation(blind)
        await sim.go(30)
        blind.secrets.locked.clear()
        if rung:
            sim.dispatcher.kick()
        await sim.go(60)
        await sim.end()

    play(scene)
    waited = 30.0 if rung else AGAIN
    assert at(fake, "me") == [begun + timedelta(seconds=waited)]


def test_a_bell_that_rings_all_the_time_asks_no_more_than_once_a_second(
    blind: Rig, clock: FakeClock
) -> None:
    blind.post("Hello", blind.account(), clock.now())

    async def scene() -> None:
        sim = Simulation(blind)
        for _ in range(100):
            sim.dispatcher.kick()
            await sim.go(0.1)
        await sim.end()

    play(scene)
    assert len(blind.secrets.read_of) <= 10 / SOON + 1


def test_a_keyring_that_hangs_stops_no_other(make: MakeRig) -> None:
    """Nor the end of the worker."""
    secrets, fake = Lockable(), Secretive()
    secrets.gate, secrets.environ["you"] = threading.Event(), "secret"
    rig = make(secrets=secrets, clock=None, platforms={"fake": fake})
    hanging = [rig.account(f"hangs{n}") for n in range(40)]
    ids = [rig.post("Hello", one, rig.clock.now()) for one in hanging]
    begun = rig.clock.now() + timedelta(seconds=1)
    sent = rig.posts(rig.account("you"), [begun + timedelta(seconds=n / 10) for n in range(5)])

    async def scene() -> None:
        stop = asyncio.Event()
        daemon = asyncio.create_task(run(rig.engine(), stop=stop))
        await until(lambda: len(fake.posts) == len(sent))
        stop.set()
        async with asyncio.timeout(5):
            await daemon

    play(scene)
    assert {rig.delivery(one).attempts for one in ids} == {0}
    lateness = [rig.delivery(one).lateness for one in sent]
    assert max(late for late in lateness if late is not None) < timedelta(seconds=5)
    secrets.gate.set()
    for thread in threading.enumerate():
        if thread.name.startswith("secret of"):
            thread.join(10)


def test_one_that_is_locked_later_is_given_back_at_once(
    make: MakeRig, seeing: Rig, clock: FakeClock, fake: FakePlatform
) -> None:
    """It is claimed, and turns out to be unreadable: another worker sends it on time."""
    rig = make(secrets=Lockable())
    me = rig.account()
    due = clock.now() + 2 * FRESH
    first, second = (rig.post(text, me, at) for text, at in (("One", clock.now()), ("Two", due)))

    async def scene() -> None:
        sim, other = Simulation(rig), Simulation(seeing)
        await sim.go(1)
        assert rig.delivery(first).status is S.PUBLISHED
        rig.secrets.locked.add("me")
        await sim.go_to(due)
        given_back = rig.delivery(second)
        assert (given_back.status, given_back.claim, given_back.attempts) == (S.SCHEDULED, None, 0)
        assert given_back.next_at == due
        await other.go_to(due)
        await sim.end()
        await other.end()

    play(scene)
    assert rig.delivery(second).status is S.PUBLISHED
    assert at(fake, "me")[1] == due


def test_no_secret_at_all_is_no_reason_to_wait(blind: Rig, clock: FakeClock) -> None:
    """That is for a person to mend, whoever finds it."""
    blind.secrets.locked, blind.secrets.ring = set(), {}
    blind.post("Hello", blind.account(), clock.now())

    async def scene() -> None:
        sim = Simulation(blind)
        await sim.go(1)
        assert not sim.dispatcher.access.shut
        await sim.end()

    play(scene)
    with blind.database.read() as connection:
        assert connection.scalar(accounts.select().with_only_columns(accounts.c.state)) == "login"


def test_a_platform_that_is_not_installed_here_is_left_to_others(
    make: MakeRig, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    class Some(dict[str, FakePlatform]):
        def __missing__(self, name: str) -> FakePlatform:
            raise NotFound(f"there is no platform {name!r}")

    rig = make(platforms=Some())
    delivery = rig.post("Hello", rig.account(), clock.now())

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.go(300)
        await sim.end()

    play(scene)
    after = rig.delivery(delivery)
    assert (after.status, after.attempts, after.claim) == (S.SCHEDULED, 0, None)
    assert len(errors(caplog)) == 1


@pytest.mark.sqlite  # elsewhere no number is given twice
def test_another_account_with_its_number_is_another_account(
    blind: Rig, clock: FakeClock, fake: FakePlatform
) -> None:
    me = blind.account("me")
    blind.post("Hello", me, clock.now())

    async def scene() -> None:
        sim = Simulation(blind)
        await sim.go(1)
        with blind.database.write() as connection:
            connection.execute(delete(deliveries))
            connection.execute(delete(accounts))
        you = blind.account("you")
        assert you.id == me.id
        blind.post("Hello", you, clock.now())
        sim.dispatcher.kick()
        await sim.go(2)
        await sim.end()

    play(scene)
    assert len(at(fake, "you")) == 1


class TestTheEnd:
    """What can't be sent from here keeps nobody."""

    def test_of_publish_due(self, make: MakeRig) -> None:
        """And it asks for no secret but those of what is due."""
        rig = make(secrets=Lockable("me", "they"), clock=None, platforms={"fake": Secretive()})
        waiting = rig.post("Hello", rig.account("me"), rig.clock.now())
        sent = rig.post("Hello", rig.account("you"), rig.clock.now())
        rig.post("Later", rig.account("they"), rig.clock.now() + timedelta(hours=1))

        async def scene() -> None:
            engine = rig.engine("publish-due")
            await engine.dispatcher.drain()
            assert [one.account.name for one in engine.dispatcher.access.shut.values()] == ["me"]
            await engine.stop()
            await engine.close()

        play(scene)
        assert rig.delivery(sent).status is S.PUBLISHED
        assert (rig.delivery(waiting).status, rig.delivery(waiting).attempts) == (S.SCHEDULED, 0)
        assert set(rig.secrets.read_of) == {"me", "you"}

    def test_of_run_until_idle(self, make: MakeRig) -> None:
        rig = make(secrets=Lockable("me"), clock=None, platforms={"fake": Secretive()})
        rig.post("Hello", rig.account("me"), rig.clock.now())
        rig.post("Later", rig.account("they"), rig.clock.now() + timedelta(seconds=0.5))
        play(lambda: run(rig.engine(), until_idle=True))
        with rig.database.read() as connection:
            found = connection.scalars(deliveries.select().with_only_columns(deliveries.c.status))
            assert sorted(found) == ["published", "scheduled"]


def test_it_waits_without_spinning(blind: Rig, clock: FakeClock) -> None:
    """The lane is long due, and nothing of it can begin."""
    blind.posts(blind.account(), [clock.now()] * 5, prepare_at=clock.now())

    async def scene() -> None:
        sim = Simulation(blind)
        await sim.go(1)
        before = sim.calls
        await sim.go(300)
        assert sim.calls - before < 60
        await sim.end()

    play(scene)
