"""What a contender is to do: statuses to one server, each at its instant, so many at once.

Read by processes with environments of their own: standard library only.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

TOKEN = "tok-of-the-benchmarks"


@dataclass(frozen=True, slots=True)
class Order:
    """Send `post N` at the instant dues[N] (seconds since 1970), at most `concurrency` at once, to
    the server at `url`, with the bearer token."""

    url: str
    dues: list[float]
    concurrency: int
    token: str = TOKEN

    def write(self, folder: Path) -> Path:
        """Write it down for a process."""
        place = folder / "order.json"
        place.write_text(json.dumps(asdict(self)))
        return place

    @property
    def instants(self) -> list[datetime]:
        """When each is due."""
        return [datetime.fromtimestamp(due, UTC) for due in self.dues]

    @classmethod
    def read(cls, place: Path) -> Self:
        """What was written down."""
        return cls(**json.loads(place.read_text()))


MONTH = 30 * 86_400.0
"""Seconds."""


def later(posts: int) -> list[float]:
    """So many instants from a month on, a hundred each minute."""
    start = round(time.time()) + MONTH
    return [start + 60.0 * (n // 100) for n in range(posts)]


def spread(posts: int, seconds: float, start: float) -> list[float]:
    """So many instants, evenly over that time from `start` on, off the whole milliseconds. Whole
    microseconds, as databases keep them."""
    return [round(start + n * seconds / posts + (n * 0.000137) % 0.001, 6) for n in range(posts)]


def at_once(posts: int, instant: float) -> list[float]:
    """The same instant so many times."""
    return [round(instant, 6)] * posts
