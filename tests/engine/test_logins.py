"""A platform whose `stale` or `refresh` raises, hangs or answers nonsense hurts its own deliveries
only; and what it does to a secret."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest

from postsched.domain.delivery import DeliveryStatus
from postsched.domain.outcome import ErrorKind
from postsched.domain.secret import Secret
from postsched.platforms.base import Login, PlatformError, Renewal
from postsched.testing import FakeClock, FakePlatform
from tests.engine.conftest import MakeRig
from tests.engine.rig import Rig, Simulation, play
from tests.engine.test_nonsense import NO_ANSWER, raising
from tests.secrets.fake import FakeSecrets

S = DeliveryStatus
SECRET = "a-secret-of-mine"
NO_RENEWAL: dict[str, Any] = {
    "text": "token",
    "a bare secret": Secret("token"),
    "an empty secret": Renewal(Secret("")),
    "a secret that is none": Renewal("token"),  # type: ignore[arg-type]
    "an end in words": Renewal(Secret("token"), "soon"),  # type: ignore[arg-type]
}


class Stale(FakePlatform):
    """Every secret of it is stale, or telling fails."""

    needs_secret: ClassVar[bool] = True
    telling: BaseException | None = None

    def stale(self, login: Login, now: Any) -> bool:
        if self.telling is not None:
            raise self.telling
        return True


def live(make: MakeRig, clock: FakeClock, odd: Stale, hanging: bool = False) -> tuple[Rig, int]:
    """Let an engine run beside a good post, and check that the good one is on time."""
    good = FakePlatform(now=clock.now)
    secrets = FakeSecrets(ring={"me": SECRET})
    rig = make(platforms={"fake": odd, "good": good}, secrets=secrets,
               **({"timeout": timedelta(milliseconds=10)} if hanging else {}))  # fmt: skip
    mine = rig.post("Hello", rig.account(), clock.now())
    other = rig.post("Good", rig.account("other", "good"), clock.now() + timedelta(seconds=1))

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.go(60)
        assert rig.delivery(other).status is S.PUBLISHED
        await sim.end()

    play(scene)
    assert [call.at for call in good.called("publish")] == [rig.delivery(other).due_at]
    assert secrets.ring["me"] == SECRET, "what is no secret is never kept"
    return rig, mine


@pytest.mark.parametrize("name", NO_ANSWER)
def test_a_refresh_that_fails(make: MakeRig, clock: FakeClock, name: str) -> None:
    odd = Stale(now=clock.now)
    odd.will("refresh", *[raising(NO_ANSWER[name])] * 100)
    rig, mine = live(make, clock, odd)
    after = rig.delivery(mine)
    assert after.claim is None
    assert after.problem is not None
    assert not odd.called("publish")


@pytest.mark.parametrize("name", NO_RENEWAL)
def test_a_refresh_that_answers_nonsense(make: MakeRig, clock: FakeClock, name: str) -> None:
    odd = Stale(now=clock.now)
    odd.will("refresh", *[NO_RENEWAL[name]] * 100)
    rig, mine = live(make, clock, odd)
    after = rig.delivery(mine)
    assert after.claim is None
    assert after.problem is not None
    assert "a login that is none" in after.problem.message
    assert not odd.called("publish")


@pytest.mark.parametrize("name", NO_ANSWER)
def test_a_stale_that_fails(make: MakeRig, clock: FakeClock, name: str) -> None:
    odd = Stale(now=clock.now)
    odd.telling = NO_ANSWER[name]
    rig, mine = live(make, clock, odd)
    assert rig.delivery(mine).claim is None
    assert not odd.called("publish")


def test_a_stale_that_answers_nonsense(make: MakeRig, clock: FakeClock) -> None:
    """Anything may be true or false; that is all that is asked of it."""

    class Odd(Stale):
        def stale(self, login: Login, now: Any) -> Any:
            return "perhaps"

    odd = Odd(now=clock.now)
    rig, mine = live(make, clock, odd)
    assert rig.delivery(mine).status is S.PUBLISHED


class Needing(FakePlatform):
    """One that needs a secret."""

    needs_secret: ClassVar[bool] = True


@pytest.mark.parametrize("verb", ["prepare", "publish", "refresh"])
@pytest.mark.parametrize("error", [
    RuntimeError(SECRET), OSError(5, SECRET), KeyError(SECRET), httpx.ReadError(SECRET),
    PlatformError(ErrorKind.PERMANENT, f"no {SECRET}", hint=f"not {SECRET}"),
    PlatformError(ErrorKind.AUTH, f"no {SECRET}", hint=f"not {SECRET}"),
], ids=lambda error: type(error).__name__)  # fmt: skip
def test_what_a_failing_adapter_says_is_written_without_the_secret(
    make: MakeRig, clock: FakeClock, caplog: pytest.LogCaptureFixture, verb: str, error: Exception,
) -> None:  # fmt: skip
    odd = Stale(now=clock.now) if verb == "refresh" else Needing(now=clock.now)
    odd.will(verb, *[error] * 20)
    rig = make(platforms={"fake": odd}, secrets=FakeSecrets(ring={"me": SECRET}))
    mine = rig.post("Hello", rig.account(), clock.now())

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.go(60)
        await sim.end()

    play(scene)
    assert odd.called(verb)
    assert rig.delivery(mine).status is not S.PUBLISHED
    place = Path(rig.settings.database)
    for path in (place, place.with_name(place.name + "-wal")):
        assert not path.exists() or SECRET.encode() not in path.read_bytes()
    assert SECRET not in caplog.text


@pytest.mark.slow
def test_a_refresh_that_hangs_is_given_up(make: MakeRig) -> None:
    odd = Stale()
    odd.will("refresh", *[lambda call: asyncio.Event().wait()] * 10)
    secrets = FakeSecrets(ring={"me": SECRET})
    rig = make(platforms={"fake": odd}, clock=None, secrets=secrets,
               timeout=timedelta(milliseconds=10))  # fmt: skip
    mine = rig.post("Hello", rig.account(), rig.clock.now())

    async def scene() -> None:
        engine = rig.engine()
        async with asyncio.timeout(40):
            while rig.delivery(mine).problem is None:
                await engine.dispatcher.drain()
                await asyncio.sleep(0.05)
        await engine.stop()
        await engine.close()

    asyncio.run(scene())
    assert not odd.called("publish")
