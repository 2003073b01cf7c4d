"""A process that lets leave what is old, step by step, and says how far it is: to be killed.

python -m tests.retention.victim DATABASE NOW ARCHIVE
"""

from __future__ import annotations

import sys
from datetime import datetime

from postsched.config import load
from postsched.retention.sweep import Sweep
from postsched.store.opening import open_database


def main(place: str, now: datetime, archive: str) -> None:
    """Make a step at each line of stdin."""
    settings = load(None, place, {"POSTSCHED_CONFIG": "", "POSTSCHED_ARCHIVE_DIR": archive})
    database = open_database(place)
    sweep = Sweep(database, settings, lambda: now, most=1)
    assert sweep.begin(anew=True)
    print("ready", flush=True)
    while sys.stdin.readline() and (step := sweep.take()):
        print("archived", flush=True)
        sys.stdin.readline()
        with database.write() as connection:
            sweep.leave(connection, step)
        print("left", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], datetime.fromisoformat(sys.argv[2]), sys.argv[3])
