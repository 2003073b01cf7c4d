"""The clock and the platform that the engine's tests use."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pytest

from postsched.domain.outcome import ErrorKind, Failed, Lost, Published
from postsched.platforms.base import Login, PlatformError, Unknown
from postsched.testing import FakeClock, FakePlatform
from postsched.testing.platform import Held, LostAnswer
from postsched.testing.sender import Sender, message

LOGIN = Login("me", "http://127.0.0.1:1", None)


def test_the_clock_goes_only_when_told() -> None:
    clock = FakeClock()
    wall, steady = clock.now(), clock.monotonic()
    assert (clock.now(), clock.monotonic()) == (wall, steady)
    clock.advance(1.5)
    assert (clock.now() - wall, clock.monotonic() - steady) == (timedelta(seconds=1.5), 1.5)
    clock.suspend(timedelta(hours=1))
    assert (clock.now() - wall, clock.monotonic() - steady) == (timedelta(seconds=3601.5), 1.5)
    clock.set_wall(wall)
    assert (clock.now(), clock.monotonic() - steady) == (wall, 1.5)
    with pytest.raises(AssertionError):
        clock.advance(-1)


def test_the_platform_follows_its_script() -> None:
    clock = FakeClock()
    fake = FakePlatform(now=clock.now)
    refusal = PlatformError(ErrorKind.INVALID, "no")
    fake.will("publish", refusal, LostAnswer(httpx.ReadTimeout("")), lambda call: Published("7"))
    fake.will("find", Unknown("not yet"))

    async def scene() -> None:
        async with httpx.AsyncClient() as http:
            sender = Fakes(fake, http)
            one = message("Hello")
            prepared = await sender.prepare(one)
            assert isinstance(await sender.publish(prepared, one.key), Failed)
            assert not fake.posts
            assert isinstance(await sender.publish(prepared, one.key), Lost)
            assert [post.key for post in fake.posts] == [one.key]
            assert await sender.publish(prepared, one.key) == Published("7")
            assert isinstance(await sender.find(prepared, one.key), Unknown)
            found = await sender.find(prepared, one.key)
            assert isinstance(found, Published)
            assert found.remote_id == fake.posts[0].remote_id

    asyncio.run(scene())
    assert [call.verb for call in fake.calls] == [
        "prepare", "publish", "publish", "publish", "find", "find"
    ]  # fmt: skip
    assert {call.at for call in fake.calls} == {clock.now()}


def test_a_call_can_be_held() -> None:
    fake = FakePlatform()

    async def scene() -> None:
        held = Held()
        fake.will("publish", held)
        async with httpx.AsyncClient() as http:
            sending = asyncio.create_task(Fakes(fake, http).send(message("Hello")))
            while not fake.called("publish"):
                await asyncio.sleep(0)
            assert not fake.posts
            held.event.set()
            assert isinstance(await sending, Published)

    asyncio.run(scene())


class Fakes(Sender):
    """A sender whose platform is one fake."""

    def __init__(self, fake: FakePlatform, http: httpx.AsyncClient) -> None:
        super().__init__(FakePlatform, LOGIN, http)
        self._fake = fake

    @property
    def platform(self) -> FakePlatform:
        return self._fake
