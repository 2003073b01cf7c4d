"""A database that was put back to an earlier state: nothing that went out since goes out again."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from postsched.domain.capabilities import Capabilities, CommentAs, Guarantee
from postsched.domain.delivery import Delivery, DeliveryStatus
from postsched.highwater import HighWater
from postsched.recognition import Rewound
from postsched.testing import FakeClock, FakePlatform
from tests.engine.rig import Rig, Simulation, play
from tests.servers import postgres
from tests.store import rows

S = DeliveryStatus
ASKED = Guarantee(None, can_look_up=True, look_ups=(0.0,))


def _able(guarantee: Guarantee) -> Capabilities:
    return Capabilities(guarantee=guarantee, thread=True, comment=CommentAs.REPLY)


class World:
    """Three networks, which stay as they are whatever becomes of the database."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = FakeClock()
        now = self.clock.now
        self.networks = {
            "keys": FakePlatform(now=now),
            "asked": FakePlatform(_able(ASKED), now=now),
            "dumb": FakePlatform(_able(Guarantee()), now=now),
        }
        rig = Rig(folder, self.networks, self.clock)
        due = now() + timedelta(minutes=1)
        with rig.database.write() as connection:
            self.accounts = {name: rows.account(connection, name, name) for name in self.networks}
        for name, account in self.accounts.items():
            rig.post(f"due on {name}", account, due, then=["two"], comment="and")
            rig.post(f"later on {name}", account, due + timedelta(minutes=10))
        rig.close()
        self.rewound: Rewound | None = None
        self.file = folder / "posts.db"
        self.copy = folder / "copy.db"

    def let_go(self, minutes: float = 3, **settings: Any) -> Mapping[str, Delivery]:
        """Let an engine run for so long; what has become of what was due, by network."""
        rig = Rig(self.folder, self.networks, self.clock, **settings)

        async def scene() -> None:
            sim = Simulation(rig)
            self.rewound = sim.engine.rewound
            await sim.go(minutes * 60)
            await sim.end()

        play(scene)
        found = {d.account: d for d in rows.every(rig.other) if d.occurrence < self.clock.now()}
        rig.close()
        return found

    def keep(self) -> None:
        """Copy the file, as anyone might."""
        if postgres.is_used():
            postgres.copy(self.file, self.copy)
            return
        shutil.copy(self.file, self.copy)

    def put_back(self) -> None:
        """Copy it back, as anyone might."""
        if postgres.is_used():
            postgres.copy(self.copy, self.file)
            return
        for end in ("-wal", "-shm"):
            self.file.with_name(self.file.name + end).unlink(missing_ok=True)
        shutil.copy(self.copy, self.file)

    def marks(self) -> dict[Path, bytes]:
        """The marks, as they are in its state folder."""
        folder = self.folder / "state"
        return {path: path.read_bytes() for path in folder.glob("*.mark")}

    def check_once(self) -> None:
        """Nothing is out twice."""
        for name, fake in self.networks.items():
            texts = [post.text for post in fake.posts]
            assert len(texts) == len(set(texts)), (name, texts)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_what_went_out_since_is_in_doubt_and_not_sent_again(world: World) -> None:
    world.keep()
    before = world.let_go()
    assert {d.status for d in before.values()} == {S.PUBLISHED}
    world.put_back()
    after = world.let_go()
    world.check_once()
    assert {name: d.status for name, d in after.items()} == {
        "keys": S.PUBLISHED, "asked": S.PUBLISHED, "dumb": S.UNCONFIRMED,
    }  # fmt: skip
    assert len(world.networks["asked"].posts) == 3
    said = str(world.rewound)
    assert "2 that may be out are asked for and 1 must be looked at" in said
    assert "postsched list --status unconfirmed" in said
    # Once only, and what is due later goes out as if nothing had been.
    world.let_go(12)
    assert world.rewound is None
    assert all(f"later on {n}" in [p.text for p in f.posts] for n, f in world.networks.items())
    world.check_once()


def test_a_process_that_dies_between_a_commit_and_the_mark_raises_no_alarm(world: World) -> None:
    """The mark says less than the database then, and nothing was sent."""
    world.let_go()
    before = world.marks()
    world.let_go(12)
    after = world.marks()
    assert after != before
    for path in after:
        path.unlink()
    for path, content in before.items():
        path.write_bytes(content)
    world.let_go()
    assert world.rewound is None
    world.check_once()


def test_one_of_its_ages_tells_a_copy(world: World) -> None:
    """What was sent by a worker that came later is known, whatever the others have not done."""
    world.let_go(3)
    world.keep()
    before = world.marks()
    world.let_go(12)
    world.put_back()
    found = world.let_go()
    assert found["dumb"].status is S.UNCONFIRMED
    world.let_go()
    assert world.rewound is None
    assert all(world.marks()[path] >= content for path, content in before.items())
    world.check_once()


def test_clocks_that_are_set_change_nothing(world: World) -> None:
    """What was claimed while the clock was wrong is known by the mark, not by the clock."""
    world.keep()
    world.let_go()
    world.put_back()
    world.clock.set_wall(world.clock.now() - timedelta(minutes=4))
    found = world.let_go(6)
    assert found["dumb"].status is S.UNCONFIRMED
    world.check_once()


@pytest.mark.sqlite  # elsewhere the bells are in that folder, and nothing goes on without it
def test_a_state_folder_that_can_not_be_written_is_said_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    (world.folder / "file").write_text("in the way")
    after = world.let_go(state_dir=world.folder / "file" / "state")
    assert {d.status for d in after.values()} == {S.PUBLISHED}
    assert caplog.text.count("will not know what went out since") == 1


def test_a_mark_that_can_not_be_read_is_said_and_made_anew(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.let_go()
    for mark in world.marks():
        mark.write_bytes(b"nonsense")
    world.let_go(12)
    assert caplog.text.count("can't be used") == 1
    assert all(HighWater(one.parent, one.stem).read() for one in world.marks())
