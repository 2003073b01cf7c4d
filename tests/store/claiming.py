"""A process that claims from a database until nothing is left: `python -m tests.store.claiming
DATABASE WORKER`. Says when it is ready and begins with the next line of its input; prints the ids
it got, and how many of its settlings were refused."""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable
from datetime import timedelta

from postsched.domain import moves
from postsched.domain.delivery import Claim
from postsched.domain.outcome import Published
from postsched.store import queue
from postsched.store.lanes import share_out, waiting_lanes
from postsched.store.opening import open_database
from tests.store.rows import NOON

LATER = NOON + timedelta(days=1)
SENDING = 0.002
"""Seconds that a request takes, in which the others have the database."""


def share(
    place: str, worker: int, begin: Callable[[], object], most: int = 5
) -> tuple[list[int], int]:
    """Claim some, so many at the `most`, settle them, let some go, until nothing is due. Returns
    the ids that it got, and how many of its settlings were refused."""
    database = open_database(place)
    begin()
    rng = random.Random(worker)
    got: list[int] = []
    refused = turn = 0
    while True:
        turn += 1
        held = Claim(f"{worker}.{turn}", worker, NOON, LATER)
        with database.turn(worker) as connection:
            due = [lane for lane in waiting_lanes(connection) if lane.next_at <= LATER]
            if not due:
                break
            shares = share_out(due, {"fake": rng.randint(1, most)}, most)
            taken = [
                found
                for lane, share in shares.items()
                for found in queue.claim(connection, lane, share, LATER, NOON, held)[0]
            ]
            works = queue.load(connection, taken)
        time.sleep(SENDING)
        with database.turn(worker) as connection:
            for work in works:
                if rng.random() < 0.2:
                    after = moves.let_go(work.delivery)
                else:
                    after = moves.step_out(work.delivery, Published(f"{worker}"), NOON)
                    got.append(work.delivery.id)
                refused += not queue.settle(connection, after, held.token, NOON)
    database.close()
    return got, refused


def main(place: str, worker: int) -> None:
    """Do so in a process of its own."""

    def begin() -> None:
        print("ready", flush=True)
        sys.stdin.readline()

    print(json.dumps(share(place, worker, begin)))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
