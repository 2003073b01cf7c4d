"""What an adapter is told of a step whose answer was lost."""

from __future__ import annotations

from datetime import timedelta

import httpx

from postsched.testing import FakeClock, FakePlatform
from postsched.testing.platform import Held, LostAnswer
from tests.engine.rig import Rig, Simulation, play

LOST = httpx.ReadTimeout("")


def test_the_ids_of_other_posts(rig: Rig, clock: FakeClock, fake: FakePlatform) -> None:
    """So that none of them is taken for the one in doubt."""

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.go(300)
        await sim.end()

    me = rig.account()
    rig.post("One", me, clock.now())
    rig.post("Two", me, clock.now() + timedelta(seconds=60))
    first = Held()
    first.event.set()
    fake.will("publish", first, LostAnswer(LOST))
    play(scene)
    one, lost, again = [call.prepared for call in fake.called("publish")]
    assert one
    assert lost
    assert again
    assert (one.since, lost.since, lost.others) == (None, None, frozenset())
    assert again.since
    assert again.others == {fake.posts[0].remote_id}
    assert not again.removed
