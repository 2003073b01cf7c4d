"""A worker to be killed: `python -m tests.engine.victim FOLDER`. It takes what is due, says so, and
hangs in the middle of the request."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from postsched.engine.scheduler import run
from postsched.store.queue import Work
from postsched.testing import FakePlatform
from postsched.testing.platform import Held
from tests.engine.rig import Rig


async def main(folder: Path) -> None:
    """Hang."""
    fake = FakePlatform()
    fake.will("publish", *[Held() for _ in range(100)])
    rig = Rig(folder, {"fake": fake})
    engine = rig.engine()

    def told(word: str, work: Work) -> None:
        print(word, work.delivery.id, flush=True)

    engine.dispatcher.on_event = told
    await run(engine, started=lambda: print("up", flush=True))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
