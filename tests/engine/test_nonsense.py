"""A platform that raises, hangs or talks nonsense hurts its own delivery and nothing else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from postsched.domain.capabilities import Capabilities, Guarantee
from postsched.domain.delivery import DeliveryStatus
from postsched.domain.errors import InvalidInput
from postsched.domain.outcome import ErrorKind, Published
from postsched.platforms.base import PlatformError, Unknown
from postsched.testing import FakeClock, FakePlatform
from postsched.testing.platform import Call, LostAnswer
from tests.engine.conftest import MakeRig
from tests.engine.rig import Rig, Simulation, play

pytestmark = pytest.mark.slow

S = DeliveryStatus
SURROGATE = "half a \ud800 smile"
NO_ANSWER: dict[str, Any] = {
    "RuntimeError": RuntimeError("oops"),
    "AssertionError": AssertionError(),
    "KeyError": KeyError("id"),
    "RecursionError": RecursionError(),
    "MemoryError": MemoryError(),
    "StopIteration": StopIteration(),
    "json": json.JSONDecodeError("no", "doc", 0),
    "surrogates": RuntimeError(SURROGATE),
    "cancelled by itself": asyncio.CancelledError(),
    "SystemExit": SystemExit(3),
    "ours": InvalidInput("an adapter may call our own functions"),
    "TimeoutError": TimeoutError(),
    "OSError": OSError(5, "a disk of its own"),
    "httpx": httpx.ReadError(""),
    "refusal with surrogates": PlatformError(ErrorKind.TRANSIENT, SURROGATE, sent=True),
    "refusal in bytes": PlatformError(ErrorKind.TRANSIENT, b"no", sent=True),  # type: ignore[arg-type]
    "status in words": PlatformError(
        ErrorKind.TRANSIENT, "no", http_status="teapot", sent=True  # type: ignore[arg-type]
    ),
    "absurd wait": PlatformError(ErrorKind.RATE_LIMIT, "slow down", after=float("inf")),
    "a novel": PlatformError(ErrorKind.TRANSIENT, "so " * 100_000, sent=True),
}  # fmt: skip
NO_POST: dict[str, Any] = {
    "None": None,
    "text": "123",
    "a number as id": Published(17),  # type: ignore[arg-type]
    "an empty id": Published(""),
    "evidence that is no text": Published("", evidence=7),  # type: ignore[arg-type]
    "an id of bytes": Published(b"17"),  # type: ignore[arg-type]
    "half a character": Published(SURROGATE),
    "objects": Published("17", data={"at": object()}),
    "an url of bytes": Published("17", b"http://x"),  # type: ignore[arg-type]
}
NOT_PREPARED: dict[str, Any] = {
    "None": None,
    "a list": [1],
    "objects": {"file": object()},
    "bytes": {"file": b"123"},
    "half a character": {"text": SURROGATE},
}
NOT_PREPARED["itself"] = {"all": NOT_PREPARED}


def raising(error: BaseException) -> Callable[[Call], Any]:
    """An answer that raises, whatever kind of error it is."""

    def answer(call: Call) -> Any:
        raise error

    return answer


def live(rig: Rig, fake: FakePlatform, seconds: float = 300) -> None:
    """Let an engine run for a while beside a good post, and check that the good one is on time."""
    good = FakePlatform(now=fake._now)
    rig.platforms = {**rig.platforms, "good": good}
    other = rig.post("Good", rig.account("other", "good"), rig.clock.now())

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.go(seconds)
        assert rig.delivery(other).status is S.PUBLISHED
        await sim.end()

    play(scene)
    assert [call.at for call in good.called("publish")] == [rig.delivery(other).due_at]


@pytest.mark.parametrize("name", NO_ANSWER)
def test_a_publish_that_fails_after_it_was_done(
    rig: Rig, clock: FakeClock, fake: FakePlatform, name: str
) -> None:
    """The post is out and the answer is rubbish: it is found, and never sent twice."""
    error = NO_ANSWER[name]

    def done_all_the_same(call: Call) -> Any:
        assert call.prepared is not None
        assert call.key is not None
        fake._put(call.prepared, call.key)
        raise error

    fake.will("publish", done_all_the_same)
    delivery = rig.post("Hello", rig.account(), clock.now())
    live(rig, fake)
    assert len(fake.posts) == 1
    if name != "absurd wait":
        after = rig.delivery(delivery)
        assert (after.status, after.remote_id, after.claim) == (S.PUBLISHED, "1", None)


@pytest.mark.parametrize("name", NO_ANSWER)
def test_a_network_that_remembers_nothing_is_never_sent_the_same_again(
    make: MakeRig, clock: FakeClock, name: str
) -> None:
    fake = FakePlatform(Capabilities(guarantee=Guarantee()), now=clock.now)
    rig = make(platforms={"fake": fake})
    delivery = rig.post("Hello", rig.account(), clock.now())
    fake.will("publish", raising(NO_ANSWER[name]))
    live(rig, fake, 3600)
    if name != "absurd wait":
        after = rig.delivery(delivery)
        assert (after.status, after.claim) == (S.UNCONFIRMED, None)
        assert len(fake.called("publish")) == 1


@pytest.mark.parametrize("name", NO_POST)
def test_a_publish_that_answers_nonsense(
    rig: Rig, clock: FakeClock, fake: FakePlatform, name: str
) -> None:
    """It may be out: asked again, and settled by the first answer that makes sense."""
    fake.will("publish", NO_POST[name], NO_POST[name])
    delivery = rig.post("Hello", rig.account(), clock.now())
    live(rig, fake)
    after = rig.delivery(delivery)
    assert (after.status, after.remote_id) == (S.PUBLISHED, "1")
    assert len(fake.called("publish")) == 3


@pytest.mark.parametrize("name", NO_ANSWER)
def test_a_preparation_that_fails(
    rig: Rig, clock: FakeClock, fake: FakePlatform, name: str
) -> None:
    fake.will("prepare", *[raising(NO_ANSWER[name])] * 50)
    delivery = rig.post("Hello", rig.account(), clock.now())
    live(rig, fake)
    after = rig.delivery(delivery)
    assert after.claim is None
    assert after.status in (S.FAILED, S.RETRYING, S.SCHEDULED)
    assert after.problem is not None
    assert len(fake.called("prepare")) < 10
    assert not fake.called("publish")


@pytest.mark.parametrize("name", NOT_PREPARED)
def test_a_preparation_that_comes_to_nothing(
    rig: Rig, clock: FakeClock, fake: FakePlatform, name: str
) -> None:
    fake.will("prepare", *[NOT_PREPARED[name]] * 50)
    delivery = rig.post("Hello", rig.account(), clock.now())
    live(rig, fake)
    after = rig.delivery(delivery)
    assert (after.status, after.claim) == (S.FAILED, None)
    assert not fake.called("publish")


@pytest.mark.parametrize("name", [*NO_ANSWER, "nonsense", "no words"])
def test_a_look_that_fails(make: MakeRig, clock: FakeClock, name: str) -> None:
    """Asked again until it makes sense."""
    only = Guarantee(None, can_look_up=True)
    fake = FakePlatform(Capabilities(guarantee=only), now=clock.now)
    rig = make(platforms={"fake": fake})
    fake.will("publish", LostAnswer(httpx.ReadTimeout("")))
    odd = {"nonsense": 17, "no words": Unknown(None)}.get(name)  # type: ignore[arg-type]
    fake.will("find", odd if odd is not None else raising(NO_ANSWER[name]))
    delivery = rig.post("Hello", rig.account(), clock.now())
    live(rig, fake)
    after = rig.delivery(delivery)
    if name != "absurd wait":
        assert (after.status, after.remote_id) == (S.PUBLISHED, "1")
    assert len(fake.called("publish")) == 1


def test_capabilities_that_fail_mean_the_weakest_guarantee(make: MakeRig, clock: FakeClock) -> None:
    class Odd(FakePlatform):
        def capabilities(self, facts: object) -> Capabilities:
            raise RuntimeError("oops")

    odd = Odd(now=clock.now)
    rig = make(platforms={"fake": odd})
    delivery = rig.post("Hello", rig.account(), clock.now())
    odd.will("publish", LostAnswer(httpx.ReadTimeout("")))
    live(rig, odd)
    assert rig.delivery(delivery).status is S.UNCONFIRMED
    assert len(odd.posts) == 1


def test_a_platform_that_is_not_installed_any_more(rig: Rig, clock: FakeClock) -> None:
    """The delivery waits, and says why; the others go on."""
    delivery = rig.post("Hello", rig.account("gone", "gone"), clock.now())
    fake = FakePlatform(now=clock.now)
    live(rig, fake)
    after = rig.delivery(delivery)
    assert after.claim is None
    assert after.problem is not None


@pytest.mark.slow
def test_a_call_that_never_ends_is_given_up(make: MakeRig) -> None:
    """It is out, and the adapter waits for ever: broken off, asked about, found."""
    fake = FakePlatform()
    fake.will("publish", LostAnswer(None))
    rig = make(platforms={"fake": fake}, clock=None, timeout=timedelta(milliseconds=10))
    delivery = rig.post("Hello", rig.account(), rig.clock.now())

    async def scene() -> None:
        engine = rig.engine()
        async with asyncio.timeout(20):
            while rig.delivery(delivery).status is not S.PUBLISHED:
                await engine.dispatcher.drain()
                await asyncio.sleep(0.05)
        await engine.stop()
        await engine.close()

    asyncio.run(scene())
    assert len(fake.posts) == 1


def test_watchers_that_fail_stop_nothing(rig: Rig, clock: FakeClock, fake: FakePlatform) -> None:
    delivery = rig.post("Hello", rig.account(), clock.now())

    def on_event(word: str, work: object) -> None:
        raise BrokenPipeError

    async def scene() -> None:
        sim = Simulation(rig)
        sim.dispatcher.on_event = on_event
        await sim.go(1)
        await sim.end()

    play(scene)
    assert rig.delivery(delivery).status is S.PUBLISHED
    assert len(fake.posts) == 1
