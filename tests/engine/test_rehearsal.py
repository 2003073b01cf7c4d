"""What the first post would wait for is made ready while nothing is due, and delays nothing."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

from postsched.engine.rehearsal import rehearse
from postsched.testing import FakePlatform
from postsched.transport import tls
from tests.engine.conftest import MakeRig
from tests.engine.rig import Simulation, play, until


def test_it_waits_for_what_is_due(make: MakeRig, fake: FakePlatform) -> None:
    rig = make(platforms={"fake": fake}, environ={"POSTSCHED_TOKEN_ME": "x"})
    me = rig.account()
    number = rig.post("Hello", me, rig.clock.now() + timedelta(seconds=0.9))

    async def scene() -> None:
        simulation = Simulation(rig)
        tls.cache_clear()
        rehearsing = asyncio.create_task(rehearse(simulation.engine))
        await asyncio.sleep(0)  # nothing is known of the queue yet
        await simulation.quiet()
        assert not rehearsing.done()
        assert not tls.cache_info().currsize
        await simulation.go(1)
        assert rig.delivery(number).status == "published"
        await rehearsing
        assert tls.cache_info().currsize
        await simulation.end()

    play(scene)


def test_it_changes_nothing_and_ends_with_its_engine(make: MakeRig, fake: FakePlatform) -> None:
    rig = make(platforms={"fake": fake})
    rig.post("Hello", rig.account(platform="no such"), rig.clock.now() + timedelta(hours=1))

    async def scene() -> None:
        simulation = Simulation(rig)
        await simulation.quiet()
        with rig.other.read() as connection:
            before = connection.exec_driver_sql("SELECT * FROM deliveries").all()
        await rehearse(simulation.engine)
        with rig.other.read() as connection:
            assert connection.exec_driver_sql("SELECT * FROM deliveries").all() == before
        gate = threading.Event()
        held = asyncio.create_task(simulation.engine.turns.run(lambda database: gate.wait(10)))
        late = asyncio.create_task(rehearse(simulation.engine))
        await asyncio.sleep(0)
        late.cancel()
        await until(late.done)
        gate.set()
        await held
        await simulation.end()

    play(scene)
