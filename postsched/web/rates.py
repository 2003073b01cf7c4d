"""How often somebody may ask: a bucket for each user, and one for each address that fails to say
who it is. Who knows a token is not kept out by somebody at the same address who does not.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from starlette.exceptions import HTTPException

from postsched.domain.setting import Rate

REMEMBERED = 10_000
"""How many users and addresses are remembered: the ones that asked last."""
FAILURES = Rate(30, timedelta(minutes=1))
"""How often an address may fail to say who it is."""


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class Buckets:
    """At most `rate` for each name, spread evenly after a first burst. `monotonic` is in
    seconds; called from several threads."""

    def __init__(self, rate: Rate, monotonic: Callable[[], float]) -> None:
        self.rate, self._monotonic = rate, monotonic
        self._each = rate.per.total_seconds() / rate.count
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, name: str) -> int:
        """Take one; how many are left. Raises HTTPException 429 where there is none."""
        with self._lock:
            bucket = self._filled(name)
            if bucket.left < 1:
                raise too_often(math.ceil((1 - bucket.left) * self._each))
            bucket.left -= 1
            return int(bucket.left)

    def _filled(self, name: str) -> _Bucket:
        now, most = self._monotonic(), self.rate.count
        bucket = self._buckets.setdefault(name, _Bucket(most, now))
        bucket.left = min(most, bucket.left + (now - bucket.at) / self._each)
        bucket.at = now
        self._buckets.move_to_end(name)
        while len(self._buckets) > REMEMBERED:
            self._buckets.popitem(last=False)
        return bucket


def too_often(seconds: int) -> HTTPException:
    """The answer to whoever asks too often."""
    wait = max(1, seconds)
    return HTTPException(
        429, f"too many requests: try again in {wait} s", {"Retry-After": str(wait)}
    )
