"""A worker whose database is on a server, when what is between them does not do what it should."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from postsched.domain.delivery import Claim, DeliveryStatus
from postsched.domain.errors import StoreUnavailable
from postsched.domain.quota import Quota
from postsched.engine.assembly import Engine
from postsched.engine.scheduler import run
from postsched.store import accounts as account_rows
from postsched.store import deliveries as delivery_rows
from postsched.store import lanes, queue
from postsched.store.sharing import take_time
from postsched.testing import FakePlatform
from postsched.testing.platform import ABLE, Held
from tests.engine.remote import RemoteRig, host
from tests.engine.rig import play, until
from tests.servers import postgres
from tests.servers.between import COMMIT, Lost
from tests.store import rows

S = DeliveryStatus
LEASE = 2.0
SECOND = timedelta(seconds=1)
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
async def daemon(rig: RemoteRig) -> AsyncIterator[Engine]:
    """A daemon there; in the end it is stopped in order."""
    stop, up = asyncio.Event(), asyncio.Event()
    engine = rig.engine()
    task = asyncio.create_task(run(engine, stop=stop, started=up.set))
    await up.wait()
    try:
        yield engine
    finally:
        stop.set()
        await task


def attempts(rig: RemoteRig, delivery: int) -> list[str]:
    """What was done for a delivery, with what came of it."""
    with rig.other.read() as connection:
        made = delivery_rows.attempts_of(connection, delivery)
    return [f"{one.action}: {one.outcome}" for one in made]


def look(rig: RemoteRig) -> None:
    """Read something."""
    with rig.database.read() as connection:
        connection.execute(text("SELECT 1"))


def test_answers_to_commits_are_lost(tmp_path: Path) -> None:
    """Written or not: each post is out once, and told of once, as published."""
    fake = FakePlatform()
    with alone(tmp_path, fake, 60) as rig:
        me, posts = rig.account(), list[int]()

        async def scene() -> None:
            async with daemon(rig) as engine:
                for reaches, since in TURNS:
                    rig.between.lose(Lost(COMMIT, since, reaches=reaches))
                    with rig.other.write() as connection:
                        posts.extend(rows.post(connection, "Hi", [me], rig.clock.now()))
                    engine.dispatcher.kick()
                    await until(lambda: len(rig.events) == 2 * len(posts))
                    assert not rig.between.wanted

        play(scene, 60)
        assert len(fake.posts) == len(posts)
        assert rig.words() == ["sending", "published"] * len(posts)
        assert {rig.delivery(n).attempts for n in posts} == {1}
        assert {tuple(attempts(rig, n)) for n in posts} == {("publish: published",)}


def test_results_wait_for_no_worker_that_counts(tmp_path: Path) -> None:
    """They are recorded while another one keeps the account to itself, whatever else is due."""
    fake, held = FakePlatform(replace(ABLE, quotas=(Quota(100, timedelta(hours=1)),))), Held()
    with alone(tmp_path, fake, 60) as rig:
        me = rig.account()
        first = rig.post("first", me, rig.clock.now())
        fake.will("publish", held)

        async def scene() -> None:
            async with daemon(rig) as engine:
                await until(lambda: fake.called("publish"))
                second = rig.post("second", me, rig.clock.now())
                with rig.other.turn(engine.worker.id + 1) as connection:
                    take_time(connection)
                    account_rows.lock(connection, [me.id])
                    engine.dispatcher.kick()
                    held.event.set()
                    await until(lambda: rig.delivery(first).status is S.PUBLISHED, 15)
                    assert rig.delivery(second).status is S.SCHEDULED
                await until(lambda: rig.delivery(second).status is S.PUBLISHED)

        play(scene, 60)
        assert len(fake.posts) == 2


def test_one_that_is_cut_off_is_taken_over_within_the_lease(tmp_path: Path) -> None:
    """And when it is back, it changes nothing any more."""
    fake, held = FakePlatform(), Held()
    with alone(tmp_path, fake) as rig, host(tmp_path / "there", {"fake": fake}, LEASE) as other:
        delivery = rig.post("Hello", rig.account(), rig.clock.now())
        fake.will("publish", held)

        async def scene() -> None:
            async with daemon(rig):
                await until(lambda: fake.called("publish"))
                async with daemon(other):
                    rig.between.stall()
                    claim = rig.delivery(delivery).claim
                    assert claim is not None
                    await until(lambda: rig.delivery(delivery).status is S.PUBLISHED)
                    assert rig.clock.now() - claim.until < timedelta(seconds=2)
                rig.between.flow()
                held.event.set()
                await until(lambda: len(rig.events) > 1)

        play(scene, 60)
        assert len(fake.posts) == 1
        assert rig.delivery(delivery).status is S.PUBLISHED
        assert attempts(rig, delivery)[0] == "expire: confirming"


def test_claims_that_nobody_told_of_are_known_before_they_run_out(tmp_path: Path) -> None:
    fake = FakePlatform()
    with alone(tmp_path, fake) as rig:
        me = rig.account()

        async def scene() -> None:
            async with daemon(rig) as engine:
                now = rig.clock.now()
                claim = Claim("elsewhere.1", engine.worker.id + 1, now, now + LEASE * SECOND)
                with rig.other.turn(claim.worker) as connection:  # of which no worker is told
                    (delivery,) = rows.post(connection, "Hello", [me], now)
                    (lane,) = lanes.waiting_lanes(connection)
                    queue.claim(connection, lane, 1, now, now, claim)
                await until(lambda: rig.delivery(delivery).status is S.PUBLISHED, 15)
                assert rig.clock.now() - claim.until < 2 * SECOND

        play(scene, 60)


@pytest.mark.slow
def test_a_connection_on_which_nothing_comes_is_given_up(tmp_path: Path) -> None:
    """What is due goes out over another one; the transaction that hung keeps nothing locked."""
    fake = FakePlatform()
    with alone(tmp_path, fake, 60) as rig:
        me = rig.account()

        async def scene() -> None:
            async with daemon(rig) as engine:
                rig.between.lose(Lost(COMMIT, hangs=True))
                with rig.other.write() as connection:
                    rows.post(connection, "Hi", [me], rig.clock.now())
                engine.dispatcher.kick()
                await until(lambda: fake.posts, 40)

        play(scene, 60)
        assert len(fake.posts) == 1


@pytest.mark.slow
def test_it_ends_although_the_server_stalls(tmp_path: Path) -> None:
    """Also where a thread that nobody waits for any more still waits for the server."""
    fake = FakePlatform()
    with alone(tmp_path, fake, 60) as rig:
        rig.post("Hi", rig.account(), rig.clock.now() + timedelta(hours=1))
        rig.settings = replace(rig.settings, shutdown_timeout=timedelta(seconds=1))

        async def scene() -> None:
            async with daemon(rig) as engine:
                rig.between.stall()
                engine.dispatcher.kick()
                begun = asyncio.create_task(asyncio.to_thread(look, rig))
            with suppress(StoreUnavailable):
                await begun

        play(scene, 60)
        rig.between.flow()
