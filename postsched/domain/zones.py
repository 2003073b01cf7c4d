"""Time zones by their names in the tz database (`Europe/Berlin`), and what clock changes do."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING

from postsched.domain.errors import InvalidInput
from postsched.domain.zone_files import remember

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_LONGEST_NAME = 64


class ClockChange(Enum):
    """What a change of the clocks did to a local time."""

    SKIPPED = "skipped"
    REPEATED = "repeated"


def resolve(local: datetime, zone: ZoneInfo) -> tuple[datetime, ClockChange | None]:
    """The instant (UTC) of a naive local time, and what a clock change did to it, if any.

    A time that is skipped moves forward by the gap; one that is repeated means the first.
    Raises OverflowError at the ends of the calendar.
    """
    first = local.replace(tzinfo=zone, fold=0)
    instant = first.astimezone(UTC)  # PEP 495: in a gap, fold=0 counts with the offset before it
    if instant.astimezone(zone).replace(tzinfo=None, fold=0) != local.replace(fold=0):
        return instant, ClockChange.SKIPPED
    if first.utcoffset() != first.replace(fold=1).utcoffset():
        return instant, ClockChange.REPEATED
    return instant, None


def zone_named(name: str) -> ZoneInfo:
    """The zone of that name; raises InvalidInput with the nearest names if there is none."""
    from zoneinfo import ZoneInfo

    if 0 < len(name) <= _LONGEST_NAME and name.isascii():
        try:
            found = ZoneInfo(name)
            remember(name)
            return found
        except (KeyError, ValueError, OSError):  # not found; no name; a folder such as Europe
            pass
    raise InvalidInput(f"{name[:_LONGEST_NAME]!r} is no time zone", _hint(name))


def _hint(name: str) -> str:
    from zoneinfo import available_timezones

    known = sorted(available_timezones())
    if not known:
        return "This system has no time zones: install the package tzdata"
    meant = _alike(name[:_LONGEST_NAME], known)
    return f"Did you mean {' or '.join(meant)}?" if meant else "Give a name like Europe/Berlin"


def _alike(name: str, known: list[str]) -> list[str]:
    """Up to three zones whose whole name or whose city is like `name`."""
    import difflib

    whole = {zone.lower(): zone for zone in known}
    cities = {zone.rpartition("/")[2].lower(): zone for zone in known}
    word = name.strip().lower().replace(" ", "_")
    city = word.rpartition("/")[2]
    found = [cities[city]] if city in cities else []
    found += [whole[match] for match in difflib.get_close_matches(word, whole, 3, 0.8)]
    found += [cities[match] for match in difflib.get_close_matches(city, cities, 3, 0.8)]
    return list(dict.fromkeys(found))[:3]
