"""The time of day in a phrase, and the part of the day that says which half of it is meant."""

from __future__ import annotations

import re
from datetime import time

from postsched.domain.when.moment import NotUnderstood
from postsched.domain.when.words import PARTS_OF_DAY

_HOURS_OF = {
    "morning": (time(1), time(11, 59, 59, 999_999)),
    "afternoon": (time(12), time(17, 59, 59, 999_999)),
    "evening": (time(17), time(23, 59, 59, 999_999)),
    "night": (time(18), time(23, 59, 59, 999_999)),
}
"""The times that a part of the day surely has; 1am is of this night to some, of the last to others,
so it is in none."""

_CLOCK = (
    r"(?:(?:(?P<quarter>quarter|half|[0-9]{1,2}(?: minutes)?) (?P<side>past|to) )?"
    r"(?:(?P<word>noon|midnight)"
    r"|(?P<hour>[0-9]{1,2})"
    r"(?:(?P<point>[:.])(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,9}))?)?)?"
    r"(?P<oclock> oclock)?(?: ?(?P<half>am|pm))?)"
    rf"(?: (?:in the (?P<part>{'|'.join(PARTS_OF_DAY[:3])})|at (?P<late>night)))?)"
)
_AT_END = re.compile(rf"(?:(?:at )?|(?P<rest>.+?),? (?:at )?){_CLOCK}")
_AT_START = re.compile(rf"(?P<at>at )?{_CLOCK},? (?P<rest>.+)")


class Clock:
    """A time of day as it is written: `text`, and `word` where it is noon or midnight."""

    def __init__(self, match: re.Match[str]) -> None:
        rest = match["rest"] or ""
        self.text = match[0].removeprefix(rest).removesuffix(rest).strip(" ,").removeprefix("at ")
        self.word: str | None = match["word"]
        self._match = match

    def at(self, part: str | None) -> time:
        """The one time that is meant on a day of which that part is named, or none.

        Raises NotUnderstood if it isn't one for certain, ValueError for what no clock shows.
        """
        own = self._match["part"] or self._match["late"]
        if part and own:
            raise NotUnderstood(f"{part!r} and {own!r}", "Name one part of the day")
        part = part or own
        low, high = _HOURS_OF[part] if part else (time.min, time.max)
        written = self._times(halves=bool(part))
        times = [one for one in written if low <= one <= high]
        if len(times) == 1:
            return times[0]
        if not times:
            raise NotUnderstood(f"{self.text!r} is not for certain in the {part}")
        raise NotUnderstood(
            f"{self.text!r} may be am or pm",
            f"Write {' or '.join(f'{one:%H:%M}' for one in times)}",
        )

    def _times(self, *, halves: bool) -> tuple[time, ...]:
        """The times that it may mean; `halves`: 8:30 may be in either half of the day."""
        match, text = self._match, self._match["hour"]
        if self.word:
            return (time(12 if self.word == "noon" else 0),)
        hour, minute = int(text), int(match["minute"] or 0)
        microsecond = int((match["fraction"] or "0").ljust(6, "0")[:6])
        last = (int(match["second"] or 0), microsecond)
        in_halves = 1 <= hour <= 12 and not text.startswith("0")
        if match["half"]:
            if not 1 <= hour <= 12:
                raise ValueError
            return (_aside(match, time(hour % 12 + 12 * (match["half"] == "pm"), minute, *last)),)
        if match["minute"] and not (halves and in_halves):
            return (time(hour, minute, *last),)
        if not in_halves:
            raise NotUnderstood(repr(self.text), "Write a time of day like 09:00")
        return tuple(_aside(match, time(hour % 12 + half, minute, *last)) for half in (0, 12))


def split_clock(phrase: str) -> list[tuple[Clock, str]]:
    """Each way to part the phrase in a time of day and the rest (the day, empty if none)."""
    end, start = _AT_END.fullmatch(phrase), _AT_START.fullmatch(phrase)
    found = [end] if end and _is_time(end) else []
    if start and _is_time(start) and (start["at"] or _is_plain(start)):
        found.append(start)
    return [(Clock(match), match["rest"] or "") for match in found]


def _is_plain(match: re.Match[str]) -> bool:
    """Whether it is a time of day by itself, rather than a number that may be anything."""
    names = ("word", "side", "minute", "half", "oclock", "part", "late")
    return any(match[name] for name in names)


def _is_time(match: re.Match[str]) -> bool:
    """Whether what is written together belongs together."""
    if match["side"]:
        return not (match["word"] or match["minute"] or match["oclock"])
    if match["point"] == ".":
        return bool(match["half"]) and not match["second"] and not match["oclock"]
    return not (match["oclock"] and match["minute"])


def _aside(match: re.Match[str], full: time) -> time:
    """The time that lies past or before the full hour, if the phrase says so."""
    if not match["side"]:
        return full
    quarter = match["quarter"]
    minutes = {"quarter": 15, "half": 30}.get(quarter) or int(quarter.removesuffix(" minutes"))
    if not 1 <= minutes <= 30 or (quarter == "half" and match["side"] == "to"):
        raise NotUnderstood(f"'{quarter} {match['side']}'")
    total = full.hour * 60 + (minutes if match["side"] == "past" else -minutes)
    if total < 0:
        raise NotUnderstood(f"{match['side']!r} midnight, of which day isn't certain")
    return time(total // 60, total % 60)
