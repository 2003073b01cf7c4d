"""A worker whose database is on a server, when what is between them does not do what it should."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from postsched.domain.delivery import DeliveryStatus
from postsched.engine.scheduler import run
from postsched.store import deliveries as delivery_rows
from postsched.testing import FakePlatform
from postsched.testing.platform import Held
from tests.engine.remote import RemoteRig, host
from tests.engine.rig import play, until
from tests.servers import postgres
from tests.servers.between import COMMIT, Lost

S = DeliveryStatus
LEASE = 2.0
RESULT = b"INSERT INTO attempts"
TURNS = (True, b""), (False, b""), (True, RESULT), (False, RESULT)
"""Turns of which the answer is lost: whether they are made all the same, and what they say."""
pytestmark = [
    pytest.mark.skipif(postgres.missing() is not None, reason=f"needs: {postgres.WHY}"),
]


@contextmanager
def alone(tmp_path: Path, fake: FakePlatform, lease: float = LEASE) -> Iterator[RemoteRig]:
    with host(tmp_path / "here", {"fake": fake}, lease) as rig:
        yield rig


@asynccontextmanager
async def daemon(rig: RemoteRig) -> Any:
    """A daemon there; in the end it is stopped in order."""
    stop, up = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(run(rig.engine(), stop=stop, started=up.set))
    await up.wait()
    try:
        yield
    finally:
        stop.set()
        await task


def attempts(rig: RemoteRig, delivery: int) -> list[str]:
    """What was done for a delivery, with what came of it."""
    with rig.other.read() as connection:
        made = delivery_rows.attempts_of(connection, delivery)
    return [f"{one.action}: {one.outcome}" for one in made]


def test_answers_to_commits_are_lost(tmp_path: Path) -> None:
    """Written or not: each post is out once, and told of once, as published."""
    rng = Random(7)
    fake = FakePlatform()
    with alone(tmp_path, fake, 20) as rig:
        me = rig.account()
        start = rig.clock.now() + timedelta(seconds=0.7)
        posts = rig.posts(me, [start + timedelta(milliseconds=60 * n) for n in range(15)])

        async def scene() -> None:
            async with daemon(rig):
                for reaches, since in TURNS:
                    rig.between.lose(Lost(COMMIT, since, reaches=reaches))
                    await until(lambda: not rig.between.wanted)
                    await asyncio.sleep(rng.random() / 5)
                await until(lambda: len(rig.events) == 30)

        play(scene)
        assert sorted(post.text for post in fake.posts) == sorted(f"post {n}" for n in range(15))
        assert [rig.delivery(n).attempts for n in posts] == [1] * 15
        assert {tuple(attempts(rig, n)) for n in posts} == {("publish: published",)}
        assert sorted(rig.words()) == ["published"] * 15 + ["sending"] * 15


def test_one_that_is_cut_off_is_taken_over_within_the_lease(tmp_path: Path) -> None:
    """And when it is back, it changes nothing any more."""
    fake, held = FakePlatform(), Held()
    with alone(tmp_path, fake) as rig, host(tmp_path / "there", {"fake": fake}, LEASE) as other:
        delivery = rig.post("Hello", rig.account(), rig.clock.now())
        fake.will("publish", held)

        async def scene() -> None:
            async with daemon(rig):
                await until(lambda: fake.called("publish"))
                rig.between.stall()
                since = time.monotonic()
                async with daemon(other):
                    await until(lambda: rig.delivery(delivery).status is S.PUBLISHED)
                    assert time.monotonic() - since < LEASE + 1
                rig.between.flow()
                held.event.set()
                await until(lambda: "publishing" in rig.words() or len(rig.events) > 1)

        play(scene)
        assert len(fake.posts) == 1
        assert rig.delivery(delivery).status is S.PUBLISHED
