"""Several hosts on one PostgreSQL for some minutes, and everything that can go wrong in between.

    python -m tests.benchmarks.servers [--minutes 3] [--workers 3] [--seed N]

Daemons are killed, stopped for longer than their claims hold and started again; PostgreSQL is
restarted, in order and as by a crash; a proxy before it stalls, freezes, resets and refuses
connections, cuts them, slows them down, and loses answers to COMMIT; networks lose answers, refuse,
hang and break off; and a user does what users do. In the end everything is let go its way. Judged
from outside, as the soak is: nothing twice, nothing lost, nothing early, and each part is out
exactly where postsched says so. What a killed daemon held must be taken over, while there is a
database, 2 seconds after its claim has run out at the latest. Exit 1 if not.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from random import Random

from tests.servers.postmaster import Postmaster
from tests.soak.judging import faults
from tests.soak.servers import Hosts, Troubles
from tests.soak.town import Town
from tests.soak.user import User

SLACK = 2.0
"""Seconds for a daemon to see that a claim has run out: one, and one for a machine that is busy."""
LEAST = 10
"""Posts of the user's, without which it shows nothing."""
IMPORTED = 40
"""Posts in a file of the user's."""
SHARED = 0.2
"""The share of the user's commands that go through the proxy."""
NO_DATABASE = frozenset({4})


def measure(given: argparse.Namespace) -> bool:
    """Let it all happen; whether nothing was wrong in the end."""
    rng = random.Random(given.seed)
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory())).resolve()
        server = stack.enter_context(Postmaster())
        town = Town(home, rng)
        town.environment["POSTSCHED_DB"] = server.direct
        town.environment["POSTSCHED_MEDIA_DIR"] = str(home / "media")
        # Ours take more than the real ones, and the end would be a long wait.
        for name in ("MASTODON", "BLUESKY", "X", "TELEGRAM", "DISCORD"):
            town.environment[f"POSTSCHED_PLATFORMS_{name}_RATE"] = "1000000/5m"
        stack.enter_context(town)
        _note_workers(server.direct)
        hosts = stack.enter_context(Hosts(town, given.workers, server.url))
        user = User(town, rng)
        user.away, user.imported = NO_DATABASE, IMPORTED
        troubles = Troubles(town, hosts, server, Random(given.seed + 1))
        with troubles:
            end = time.monotonic() + given.minutes * 60
            while time.monotonic() < end and troubles.failed is None:
                town.trouble()
                # Now and then the user has the same trouble as the hosts.
                place = server.url if rng.random() < SHARED else server.direct
                town.environment["POSTSCHED_DB"] = place
                user.act()
        town.environment["POSTSCHED_DB"] = server.direct
        hosts.look_after()
        took = hosts.stop()
        town.peace()
        user.away = frozenset()
        try:
            user.settle()
        except AssertionError as error:
            troubles.failed = error
            print(*_left(server.direct), sep="\n")
        bad = faults(town, user)
        overs = _taken_over(server.direct, hosts.killed)
        if troubles.failed is not None:
            bad.append(f"the test itself failed: {troubles.failed!r}")
        bad += _late(overs, troubles.away)
        if len(user.accepted) < LEAST:
            bad.append("next to nothing was done: the machine is too slow for it; it shows nothing")
        if given.keep:
            _keep(home, Path(given.keep))
    for fault in bad:
        print(fault, flush=True)
    done = ", ".join(f"{count} x {what}" for what, count in sorted(troubles.done.items()))
    print(
        f"{given.minutes:g} minutes, {given.workers} hosts, seed {given.seed}: {user.summary()}; "
        f"{done}; {len(overs)} claims of the killed taken over, the last after "
        f"{max((seconds for _, seconds in overs), default=0):.1f} s since it ran out; ended in "
        f"{max(took):.1f} s, by themselves: {dict(hosts.ended)}; {town.summary()}: "
        f"{len(bad)} faults"
    )
    return not bad


def _note_workers(url: str) -> None:
    """Have the database remember which process every daemon was, and when claims ended."""
    import psycopg

    with psycopg.connect(url) as connection:
        connection.execute(
            "CREATE TABLE noted_workers (id bigint, pid bigint);"
            "CREATE TABLE noted_ends (worker bigint, until bigint, at timestamptz);"
            "CREATE FUNCTION note_end() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO "
            "noted_ends VALUES (OLD.claim_worker, OLD.claim_until, clock_timestamp()); "
            "RETURN NEW; END $$;"
            "CREATE TRIGGER note_end AFTER UPDATE ON deliveries FOR EACH ROW "
            "WHEN (OLD.claim IS NOT NULL AND NEW.claim IS NULL) EXECUTE FUNCTION note_end();"
            "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "INSERT INTO noted_workers VALUES (NEW.id, NEW.pid); RETURN NEW; END $$;"
            "CREATE TRIGGER note AFTER INSERT ON workers FOR EACH ROW EXECUTE FUNCTION note()"
        )


def _taken_over(url: str, killed: dict[int, float]) -> list[tuple[float, float]]:
    """For each claim of a killed daemon that another ended: when, in wall time, and how many
    seconds after it had run out. Before that, only the daemon itself can have, on its way out."""
    import psycopg

    query = (
        "SELECT w.pid, extract(epoch FROM e.at)::float8, e.until / 1e6::float8 FROM noted_ends e "
        "JOIN noted_workers w ON w.id = e.worker"
    )
    with psycopg.connect(url) as connection:
        found = connection.execute(query).fetchall()
    return [(at, at - until) for pid, at, until in found if at > max(until, killed.get(pid, at))]


def _left(url: str) -> list[tuple[object, ...]]:
    """The deliveries that still wait for something."""
    import psycopg

    query = (
        "SELECT d.id, a.name, d.status, d.attempts, d.paused, d.claim, d.claim_worker, "
        "to_timestamp(d.next_at / 1e6), to_timestamp(d.claim_until / 1e6), now() "
        "FROM deliveries d JOIN accounts a ON a.id = d.account_id "
        "WHERE d.next_at IS NOT NULL OR d.claim IS NOT NULL ORDER BY d.id LIMIT 20"
    )
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


def _late(overs: Sequence[tuple[float, float]], away: Sequence[tuple[float, float]]) -> list[str]:
    """What was taken over too late, though the database was there all the time."""
    return [
        f"a claim was taken over {seconds:.1f} s after it had run out"
        for at, seconds in overs
        if seconds > SLACK and not any(since < at and until > at - seconds for since, until in away)
    ]


def _keep(home: Path, place: Path) -> None:
    place.mkdir(parents=True, exist_ok=True)
    for log in home.glob("log*"):
        (place / log.name).write_bytes(log.read_bytes())


def main() -> int:
    """Measure and print; 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--keep", metavar="FOLDER", help="copy the logs there")
    return 0 if measure(parser.parse_args()) else 1


if __name__ == "__main__":
    sys.exit(main())
