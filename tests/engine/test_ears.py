"""What a worker hears of a database server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from postsched.engine import ears
from postsched.engine.ears import ServerBell
from postsched.store.listening import Listener
from postsched.testing import FakePlatform
from postsched.wakeup import Bell
from tests.engine.remote import RemoteRig, host
from tests.engine.rig import play, until
from tests.servers import postgres

pytestmark = pytest.mark.skipif(postgres.missing() is not None, reason=f"needs: {postgres.WHY}")


@asynccontextmanager
async def listening(rig: RemoteRig) -> AsyncIterator[list[None]]:
    """What rings there."""
    rung: list[None] = []
    bell = ServerBell(Bell(rig.bells, "here"), Listener(rig.settings.database))
    bell.hang(asyncio.get_running_loop(), lambda: rung.append(None))
    await until(lambda: rung)  # it listens: something may have changed before
    yield rung
    bell.silence(asyncio.get_running_loop())
    bell.take_down(keep=False)


def tell(rig: RemoteRig) -> None:
    """Write something, as another host does."""
    with rig.other.write():
        pass


async def hears(rig: RemoteRig, rung: list[None]) -> None:
    """What is written is told."""
    rung.clear()
    tell(rig)
    await until(lambda: rung, 5)


def test_it_is_told_of_what_others_write_also_after_a_reset(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> None:
        with host(tmp_path / "here", {"fake": FakePlatform()}, 10) as rig:
            async with listening(rig) as rung:
                await hears(rig, rung)
                rung.clear()
                rig.between.reset()
                await until(lambda: rung)  # what was told meanwhile nobody knows
                await hears(rig, rung)
                rig.between.refuse()
                rig.between.reset()
                await until(lambda: rig.between.done["refused"])
                rig.between.flow()
                rung.clear()
                await until(lambda: rung)

    play(scene)
    assert {one.getMessage() for one in caplog.records} == {
        "the database server is not heard any more; until it is, it is asked every 30 s"
    }


@pytest.mark.slow
def test_it_finds_that_a_connection_is_of_no_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ears, "SILENCE", 0.5)
    monkeypatch.setattr(ears, "ANSWER", 0.5)

    async def scene() -> None:
        with host(tmp_path / "here", {"fake": FakePlatform()}, 10) as rig:
            async with listening(rig) as rung:
                rung.clear()
                rig.between.freeze()
                await until(lambda: rung)
                await hears(rig, rung)
                rig.between.stall()
                await asyncio.to_thread(tell, rig)
                rung.clear()
                rig.between.flow()
                await until(lambda: rung)

    play(scene)
