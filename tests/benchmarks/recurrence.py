"""How many occurrences a second are worked out, beside the least that they take: adding a day and
resolving the local time in its zone. CPU time, so other work on the machine does not count.

    python -m tests.benchmarks.recurrence [--rounds 7] [--check]

Goals: 20,000 occurrences a second for a daily rule, at most 2 times the floor; the next occurrence
of a rule 20 years after its beginning at most 4 times that a day after it, about a millisecond.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from statistics import median
from time import process_time
from zoneinfo import ZoneInfo

from postsched.domain.recurrence import next_occurrence, occurrences
from postsched.domain.schedule import CRON, DAILY, MONTHLY, RRULE, WEEKLY, Schedule
from postsched.domain.zones import resolve

ZONE = ZoneInfo("Europe/Berlin")
BEGIN = datetime(2026, 1, 1, 9, tzinfo=ZONE).replace(tzinfo=None)
COUNT = 7300
"""Twenty years of days."""
LEAST_A_SECOND, MOST_OVER_FLOOR, MOST_OVER_NEAR = 20_000, 2.0, 4.0


@dataclass(frozen=True, slots=True)
class Case:
    """A schedule whose first occurrences are worked out."""

    name: str
    kind: str
    rule: dict[str, object]

    @property
    def schedule(self) -> Schedule:
        return Schedule(self.kind, BEGIN.isoformat(), ZONE.key, self.rule)


CASES = (
    Case("daily", DAILY, {"times": ["09:00"]}),
    Case("daily, three times", DAILY, {"times": ["02:30", "09:00", "17:30"]}),
    Case("weekly on two days", WEEKLY, {"times": ["09:00"], "on": ["mon", "thu"]}),
    Case("monthly on 1, 15, last", MONTHLY, {"times": ["09:00"], "on": ["1", "15", "last"]}),
    Case("cron, daily", CRON, {"rule": "0 9 * * *"}),
    Case("cron, every 15 minutes", CRON, {"rule": "*/15 * * * *"}),
    Case("rrule, daily", RRULE, {"rule": "FREQ=DAILY"}),
    Case("rrule, weekly on two days", RRULE, {"rule": "FREQ=WEEKLY;BYDAY=MO,TH"}),
    Case("rrule, every 15 minutes", RRULE, {"rule": "FREQ=MINUTELY;INTERVAL=15"}),
)


def floor() -> None:
    """The same days, added and resolved."""
    local, day = BEGIN, timedelta(days=1)
    for _ in range(COUNT):
        resolve(local, ZONE)
        local += day


def seconds(work: Callable[[], object], rounds: int) -> float:
    """The median of its CPU times."""
    times = []
    for _ in range(rounds):
        begun = process_time()
        work()
        times.append(process_time() - begun)
    return median(times)


def walk(case: Case) -> None:
    """The first occurrences of a case."""
    for _ in islice(occurrences(case.schedule), COUNT):
        pass


def jumps(case: Case, years: int) -> None:
    """The next occurrence, some years and a day after the beginning."""
    after = datetime(2026 + years, 1, 2, 12, tzinfo=UTC)
    for second in range(50):
        next_occurrence(case.schedule, after + timedelta(seconds=second))


def main() -> int:
    """Prints a line a case; with --check it fails where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    least = seconds(floor, given.rounds)
    print(f"floor: {COUNT / least:,.0f} a second")
    missed = []
    for case in CASES:
        took = seconds(lambda case=case: walk(case), given.rounds)  # type: ignore[misc]
        far = seconds(lambda case=case: jumps(case, 20), given.rounds)  # type: ignore[misc]
        near = seconds(lambda case=case: jumps(case, 0), given.rounds)  # type: ignore[misc]
        print(
            f"{case.name:28} {COUNT / took:>10,.0f} a second, {took / least:5.2f} x floor; "
            f"next after 20 years {far / near:5.2f} x next after a day ({near / 50 * 1e3:.2f} ms)"
        )
        slow = COUNT / took < LEAST_A_SECOND or took / least > MOST_OVER_FLOOR
        if (case.kind == DAILY and slow) or far / near > MOST_OVER_NEAR:
            missed.append(case.name)
    if missed:
        print(f"missed: {', '.join(missed)}")
    return 1 if missed and given.check else 0


if __name__ == "__main__":
    sys.exit(main())
