"""Workers that are killed while they take over from a dead one: `python -m tests.engine.heirs
FOLDER FIRST STEP`. In the folders FOLDER/FIRST, FOLDER/FIRST+STEP and so on, heir n kills itself at
the nth thing it does with the database; ends, and says how many there were, when one got through.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from postsched import wakeup
from postsched.domain.delivery import Claim
from postsched.engine.scheduler import run
from postsched.engine.worker import register
from postsched.store import queue
from postsched.testing import FakePlatform
from postsched.wakeup import Bell
from tests.engine.faults import Faults
from tests.engine.rig import Rig
from tests.store import rows


class Kills(Faults):
    """At the call to fail, the process is killed."""

    def _count(self, what: str) -> bool:
        if super()._count(what):
            os.kill(os.getpid(), signal.SIGKILL)
        return False


def leave(folder: Path) -> None:
    """A database with a post that a worker claimed before it died."""
    rig = Rig(folder, {"fake": FakePlatform()})
    rig.post("Hello", rig.account(), rig.clock.now())
    mark = wakeup.new_mark()
    bell = Bell(rig.bells, mark)
    now = rig.clock.now()
    with rig.database.write() as connection:
        worker = register(connection, "run", mark, now)
        held = Claim("t1", worker.id, now, now + rig.settings.claim_timeout)
        queue.claim(connection, rows.the_lane(connection), 1, now, now, held)
    bell.take_down(keep=True)
    rig.close()


async def inherit(folder: Path, number: int) -> None:
    """Take over, and be killed at call `number` to the database, if there are so many."""
    rig = Rig(folder, {"fake": FakePlatform()})
    kills = Kills(rig.database.engine)
    kills.at, kills.armed = frozenset({number}), True
    with kills.listening():
        await run(rig.engine(), until_idle=True)
    rig.close()


def in_a_process_of_its_own(folder: Path, number: int) -> int:
    """How the heir's process ended, as os.wait tells it."""
    child = os.fork()
    if child == 0:
        asyncio.run(inherit(folder, number))
        os._exit(0)
    return os.waitpid(child, 0)[1]


def main(folder: Path, first: int, step: int) -> None:
    """Make heirs until one is through."""
    number, status = first, int(signal.SIGKILL)
    while status == signal.SIGKILL:
        place = folder / str(number)
        place.mkdir()
        leave(place)
        status = in_a_process_of_its_own(place, number)
        number += step
    print(number - step if status == 0 else f"ended with {status}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
