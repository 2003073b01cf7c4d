"""RFC 5545 recurrence rules: reading the text, refusing what the RFC doesn't allow.

The text is an RRULE (section 3.3.10), its name may be left out, and lines DTSTART, EXDATE and
RDATE beside it (section 3.8). Times are local, or in UTC with a `Z`; `UNTIL` as a day includes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from postsched.domain.errors import InvalidInput
from postsched.domain.nearest import nearest
from postsched.domain.recurrence.days import LAST_DAY
from postsched.domain.recurrence.sieve import leaves_a_day
from postsched.domain.recurrence.wishes import MOST_COUNT, quoted, refused

FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY")
BY_CLOCK = ("HOURLY", "MINUTELY", "SECONDLY")
"""The frequencies that run by the clock's hours, see `occurrence`."""
RULE_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_LONGEST, _MOST_INTERVAL = 20_000, 1_000_000_000
_LEAST_YEAR = 2
_NUMBERS = {
    "BYSECOND": (0, 59), "BYMINUTE": (0, 59), "BYHOUR": (0, 23), "BYMONTH": (1, 12),
    "BYMONTHDAY": (-31, 31), "BYYEARDAY": (-366, 366), "BYWEEKNO": (-53, 53),
    "BYSETPOS": (-366, 366),
}  # fmt: skip
"""What takes numbers, from the least to the most; where the least is below 0, 0 is none."""
_PARTS = ("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", *_NUMBERS)
_NOT_WITH = {
    "BYMONTHDAY": ("WEEKLY",),
    "BYYEARDAY": ("MONTHLY", "WEEKLY", "DAILY"),
    "BYWEEKNO": FREQUENCIES[1:],
}
"""What the RFC doesn't allow with which frequencies."""
_HINT = "Give a rule as in RFC 5545, such as FREQ=WEEKLY;BYDAY=MO,TH"


@dataclass(frozen=True, slots=True)
class Stamp:
    """A time in a rule: a local time, in UTC if `utc`; or a whole day."""

    time: datetime
    utc: bool = False
    day: bool = False

    def local(self, zone: ZoneInfo) -> datetime:
        """The local time in that zone."""
        if not self.utc:
            return self.time
        return self.time.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)


@dataclass(frozen=True, slots=True)
class Rule:
    """What a text says. `by` are the numbers of its BY parts but BYDAY; `weekdays` those of BYDAY:
    the weekday (0 is Monday) and the nth, 0 for each. `zone` is that of its times, if it says one.
    """

    freq: str
    interval: int = 1
    count: int | None = None
    until: Stamp | None = None
    week_start: int = 0
    weekdays: tuple[tuple[int, int], ...] = ()
    by: Mapping[str, tuple[int, ...]] = field(default_factory=dict, hash=False)
    start: Stamp | None = None
    extra: tuple[Stamp, ...] = ()
    left_out: tuple[Stamp, ...] = ()
    zone: str | None = None

    @property
    def by_clock(self) -> bool:
        """Whether it runs by the clock's hours."""
        return self.freq in BY_CLOCK


_LINE = re.compile(r"(?:(?P<name>[A-Za-z-]+)(?P<parameters>(?:;[^:]*)?):)?(?P<value>.+)")
_NAMES = ("RRULE", "DTSTART", "EXDATE", "RDATE")


@lru_cache(maxsize=128)
def rule(text: str) -> Rule:
    """The rule of a text. Raises InvalidInput, which says the part at fault."""
    unfolded = re.sub(r"\r?\n[ \t]", "", text) if len(text) <= _LONGEST else ""
    lines: dict[str, list[tuple[str, str]]] = {name: [] for name in _NAMES}
    for line in unfolded.split():
        match = _LINE.fullmatch(line)
        name = (match["name"] or "RRULE").upper() if match else ""
        if match is None or name not in lines:
            raise _fault(f"{quoted(line)} is no part of a recurrence rule")
        lines[name].append((match["parameters"] or "", match["value"]))
    if len(lines["RRULE"]) != 1 or len(lines["DTSTART"]) > 1:
        name = "RRULE" if len(lines["RRULE"]) != 1 else "DTSTART"
        raise _fault(f"it has {len(lines[name]) or 'no'} {name}, where one belongs")
    return _with_times(_parsed(lines["RRULE"][0][1].upper()), lines)


def clean(text: str) -> str:
    """The text as it is kept: a line for each part."""
    return "\n".join(re.sub(r"\r?\n[ \t]", "", text).split())


def _with_times(found: dict[str, str], lines: Mapping[str, list[tuple[str, str]]]) -> Rule:
    zones: set[str] = set()
    times = {
        name: tuple(
            _stamp(name, value, parameters, zones)
            for parameters, values in lines[name]
            for value in values.split(",")
        )
        for name in ("DTSTART", "EXDATE", "RDATE")
    }
    if len(zones) > 1:
        raise _fault(f"its times are in several zones, {', '.join(sorted(zones))}")
    start = times["DTSTART"][0] if times["DTSTART"] else None
    if len(times["DTSTART"]) > 1 or (start and start.day):
        raise _fault("its DTSTART is no single time", "Give one as DTSTART:20261201T090000")
    made = Rule(
        freq=found["FREQ"],
        interval=_whole(found, "INTERVAL", _MOST_INTERVAL) or 1,
        count=_whole(found, "COUNT", MOST_COUNT),
        until=_stamp("UNTIL", found["UNTIL"], "", set()) if "UNTIL" in found else None,
        week_start=_weekday("WKST", found.get("WKST", "MO"), plain=True)[0],
        weekdays=tuple(_weekday("BYDAY", word) for word in _list(found, "BYDAY")),
        by={name: _numbers(name, found) for name in _NUMBERS if name in found},
        start=start,
        extra=times["RDATE"],
        left_out=times["EXDATE"],
        zone="UTC" if start and start.utc else next(iter(zones), None),
    )
    _check(made)
    return made


def _parsed(text: str) -> dict[str, str]:
    """The parts by their names."""
    found: dict[str, str] = {}
    for part in text.rstrip(";").split(";"):
        name, _, value = part.partition("=")
        if name not in _PARTS:
            meant = nearest(name, _PARTS)
            hint = f"Did you mean {meant}?" if meant else _HINT
            raise _fault(f"{quoted(part)} is no part of a recurrence rule", hint)
        if name in found or not value:
            raise _fault(f"{name} {'is there twice' if name in found else 'has no value'}")
        found[name] = value
    if found.get("FREQ") not in FREQUENCIES:
        said = f"FREQ is {quoted(found['FREQ'])}" if "FREQ" in found else "it has no FREQ"
        raise _fault(said, f"FREQ is one of {', '.join(FREQUENCIES)}")
    return found


def _check(made: Rule) -> None:
    """Refuses what the RFC doesn't allow together."""
    for name, frequencies in _NOT_WITH.items():
        if name in made.by and made.freq in frequencies:
            raise _fault(f"{name} doesn't go with FREQ={made.freq}")
    if any(nth for _, nth in made.weekdays):
        if made.freq not in ("YEARLY", "MONTHLY") or "BYWEEKNO" in made.by:
            raise _fault("BYDAY with a number goes with MONTHLY, or YEARLY without BYWEEKNO")
        if made.freq == "MONTHLY" or "BYMONTH" in made.by:
            for weekday, nth in made.weekdays:
                if abs(nth) > 5:
                    name = f"{nth}{RULE_WEEKDAYS[weekday]}"
                    raise _fault(f"no month has the {name} of BYDAY", "Give 1 to 5, or -1 to -5")
    if not leaves_a_day(made):
        raise _fault("it never comes, no day is left by its BY parts", "Give another day")
    if "BYSETPOS" in made.by and not made.weekdays and len(made.by) == 1:
        raise _fault("BYSETPOS is alone", "It picks of what another BY part names: add one")


def _whole(found: Mapping[str, str], name: str, most: int) -> int | None:
    value = found.get(name)
    if value is None:
        return None
    if not re.fullmatch(r"[0-9]{1,12}", value) or not 1 <= int(value) <= most:
        raise _fault(f"{name} is {quoted(value)}, not a whole number from 1 to {most}")
    return int(value)


def _list(found: Mapping[str, str], name: str) -> list[str]:
    return found[name].split(",") if name in found else []


def _numbers(name: str, found: Mapping[str, str]) -> tuple[int, ...]:
    least, most = _NUMBERS[name]
    numbers = []
    for word in _list(found, name):
        number = int(word) if re.fullmatch(r"[+-]?[0-9]{1,3}", word) else most + 1
        if not least <= number <= most or (number == 0 and least < 0):
            allowed = f"1 to {most}" + (f" or -1 to -{most}" if least < 0 else "")
            allowed = allowed if least else f"0 to {most}"
            raise _fault(f"{quoted(word)} can't be in {name}", f"Give {allowed}")
        numbers.append(number)
    return tuple(sorted(set(numbers)))


def _weekday(name: str, word: str, *, plain: bool = False) -> tuple[int, int]:
    """The weekday, and the nth of it."""
    match = re.fullmatch(rf"([+-]?[0-9]{{1,2}})?({'|'.join(RULE_WEEKDAYS)})", word)
    nth = int(match[1]) if match and match[1] else 0
    if match is None or abs(nth) > 53 or (match[1] and (plain or nth == 0)):
        raise _fault(f"{quoted(word)} can't be in {name}", f"Give {', '.join(RULE_WEEKDAYS)}")
    return RULE_WEEKDAYS.index(match[2]), nth


_STAMP = re.compile(r"([0-9]{8})(?:T([0-9]{6})(Z)?)?", re.IGNORECASE)


def _stamp(name: str, value: str, parameters: str, zones: set[str]) -> Stamp:
    """A time; its zone is added to `zones`."""
    for parameter in filter(None, parameters.split(";")):
        key, _, said = parameter.partition("=")
        if key.upper() == "TZID":
            zones.add(said)
        elif key.upper() != "VALUE" or said.upper() not in ("DATE", "DATE-TIME"):
            raise _fault(f"{quoted(parameter)} of {name} is not understood")
    match = _STAMP.fullmatch(value)
    try:
        if match is None:
            raise ValueError
        time = datetime.strptime(match[1] + (match[2] or "000000"), "%Y%m%d%H%M%S")  # noqa: DTZ007 - local
        if not _LEAST_YEAR <= time.year <= LAST_DAY.year:
            raise ValueError
    except ValueError:
        hint = f"Give it as {name}{'=' if name == 'UNTIL' else ':'}20261201T090000"
        raise _fault(f"{name} {quoted(value)} is no time", hint) from None
    return Stamp(time, utc=bool(match[3]), day=not match[2])


def _fault(message: str, hint: str = _HINT) -> InvalidInput:
    return refused("rrule", f"the rule can't be taken: {message}", hint)
