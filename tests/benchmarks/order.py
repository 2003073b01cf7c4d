"""What a contender is to do: statuses to one server, each at its instant, so many at once.

Read by processes with environments of their own: standard library only.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
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

    @classmethod
    def read(cls, place: Path) -> Self:
        """What was written down."""
        return cls(**json.loads(place.read_text()))


def spread(posts: int, seconds: float, lead: float) -> list[float]:
    """So many instants, evenly over that time, off the whole milliseconds; the first in `lead`
    seconds. Whole microseconds, as databases keep them."""
    start = time.time() + lead
    return [round(start + n * seconds / posts + (n * 0.000137) % 0.001, 6) for n in range(posts)]


def at_once(posts: int, lead: float) -> list[float]:
    """The same instant, in `lead` seconds, so many times."""
    return [round(time.time() + lead, 6)] * posts
