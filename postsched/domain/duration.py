"""Lengths of time as people write them: `250ms`, `30s`, `1h30m`, `7d`, and "in 5 days"."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

from postsched.domain.errors import InvalidInput

LONGEST = timedelta(days=36525)
"""A hundred years: nothing longer is meant."""

EXPECTED = "a duration such as 250ms, 30s, 2m, 24h, 7d or 1h30m"

_MICROSECONDS = {
    "w": 604_800_000_000,
    "d": 86_400_000_000,
    "h": 3_600_000_000,
    "m": 60_000_000,
    "s": 1_000_000,
    "ms": 1_000,
}
_PIECE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(ms|[wdhms])")
_MOST_CHARACTERS = 60


def parse_duration(text: str) -> timedelta:
    """The length of time that `text` names, never negative.

    Units are w, d, h, m, s and ms, joined from large to small, each with a fraction if wished.
    Raises InvalidInput for anything else, and for more than a hundred years.
    """
    total, unread, last = Decimal(0), text.strip(), ""
    if len(unread) > _MOST_CHARACTERS:
        raise InvalidInput(f"a text of {len(unread)} characters is no duration", _hint())
    while unread:
        piece = _PIECE.match(unread)
        if piece is None or (last and _MICROSECONDS[piece[2]] >= _MICROSECONDS[last]):
            break
        total += Decimal(piece[1]) * _MICROSECONDS[piece[2]]
        unread, last = unread[piece.end() :], piece[2]
    if unread or not last:
        raise InvalidInput(f"{text!r} is no duration", _hint())
    if total > LONGEST // timedelta(microseconds=1):
        raise InvalidInput(f"{text!r} is more than a hundred years", "Give a shorter duration")
    return timedelta(microseconds=round(total))


def _hint() -> str:
    return f"Give {EXPECTED}"


def format_duration(length: timedelta) -> str:
    """A length of time, not negative, as `parse_duration` reads it: `1h30m`."""
    rest, text = length // timedelta(microseconds=1), ""
    for unit in ("d", "h", "m", "s"):
        count, rest = divmod(rest, _MICROSECONDS[unit])
        text += f"{count}{unit}" if count else ""
    if rest:
        text += f"{Decimal(rest) / 1000:f}ms"
    return text or "0s"


def distance(length: timedelta) -> str:
    """How far off an instant is, in words: "in 5 days", "now", "2 minutes 5 seconds ago".

    The next smaller unit is said too where the larger one alone would mislead (below 3).
    """
    seconds = round(abs(length) / timedelta(seconds=1))
    if not seconds:
        return "now"
    words = _two_units(seconds)
    return f"in {words}" if length > timedelta(0) else f"{words} ago"


def _two_units(seconds: int) -> str:
    units = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"), (1, ""))
    for (size, name), (smaller, smaller_name) in pairwise(units):
        count = seconds // size
        if count >= 3:
            return _counted(round(seconds / size), name)
        if count:
            count, more = divmod(round(seconds / smaller), size // smaller)
            return _counted(count, name) + (f" {_counted(more, smaller_name)}" if more else "")
    raise AssertionError("a second is the smallest unit")


def _counted(count: int, name: str) -> str:
    return f"{count} {name}" if count == 1 else f"{count} {name}s"
