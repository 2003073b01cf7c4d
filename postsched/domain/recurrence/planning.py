"""Planning: the schedule that a person's wishes come to, and what they should know of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from postsched.domain.errors import PostschedError
from postsched.domain.recurrence.days import month_day
from postsched.domain.recurrence.occurrence import Occurrence, occurrence, written
from postsched.domain.recurrence.pattern import Calendar, days_of
from postsched.domain.recurrence.series import Series, next_occurrence, series
from postsched.domain.recurrence.wishes import (
    MOST_EVERY,
    Wishes,
    bounds,
    clock_text,
    clock_times,
    number,
    on_words,
    quoted,
    refused,
)
from postsched.domain.schedule import CRON, DAILY, MONTHLY, ONCE, REPEATS, RRULE, YEARLY, Schedule
from postsched.domain.when import Moment, PastTime, understand

_INSTANT = timedelta(microseconds=1)
_TIMES_HINT = "Give times of day, --at 09:00,17:30, or the first time, --at 2026-12-01T09:00"


@dataclass(frozen=True, slots=True)
class Plan:
    """A schedule being made: its kind, its first occurrence, the rule, the notes."""

    kind: str
    first: Occurrence
    rule: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def plan(wishes: Wishes, now: datetime, zone: ZoneInfo) -> tuple[Schedule, tuple[str, ...]]:
    """The schedule of those wishes at `now` (aware), for someone in `zone`; and notes, sentences
    that a person should know. Raises InvalidInput with the field that is at fault."""
    kind, now = _kind(wishes), now.astimezone(UTC)
    if kind == ONCE:
        return _once(wishes, now, zone)
    within = bounds(wishes)
    made = _calendar(kind, wishes, within, now, zone)
    schedule = Schedule(kind, written(made.first, zone), zone.key, {**made.rule, **within})
    schedule, counted = _with_end(schedule, zone)
    _check_to_come(schedule, now, zone)
    return schedule, (*made.notes, *counted, *_idle_exceptions(schedule))


def _kind(wishes: Wishes) -> str:
    """The kind; refuses what does not go together."""
    given = [name for name in ("repeat", CRON, RRULE) if getattr(wishes, name) is not None]
    if len(given) > 1:
        raise refused(
            given[1],
            f"{given[0]} and {given[1]} are both given",
            "A post has one schedule: give one",
        )
    further = [
        name.strip("_")
        for name in ("every", "on", "except_", "from_", "until", "count")
        if getattr(wishes, name) not in (None, ())
    ]
    if not given:
        if further:
            hint = "Add --repeat daily, weekly, monthly or yearly, or --cron, or --rrule"
            raise refused(further[0], f"{further[0]} belongs to a post that recurs", hint)
        return ONCE
    if given[0] != "repeat":
        for name in {"every", "on"} & set(further):
            raise refused(name, f"{name} doesn't go with {given[0]}", f"Say it in the {given[0]}")
        return given[0]
    word = str(wishes.repeat).strip().lower()
    if word not in REPEATS:
        raise refused(
            "repeat", f"{quoted(word)} is no way to repeat", f"Give one of {', '.join(REPEATS)}"
        )
    return word


def _once(wishes: Wishes, now: datetime, zone: ZoneInfo) -> tuple[Schedule, tuple[str, ...]]:
    if wishes.at is None:
        raise refused("at", "it isn't said when this goes out", "Give --at WHEN or --in DURATION")
    moment = _understood(wishes.at, now, zone)
    at = moment.local or moment.instant.astimezone(zone)
    return Schedule(ONCE, at.isoformat(), zone.key), (moment.note,) if moment.note else ()


def _calendar(
    kind: str, wishes: Wishes, within: dict[str, Any], now: datetime, zone: ZoneInfo
) -> Plan:
    """The plan of a daily, weekly, monthly or yearly recurrence."""
    if wishes.at is None or not wishes.at.strip():
        raise refused("at", f"the time of day of {kind} isn't said", _TIMES_HINT)
    on = on_words(wishes.on, kind)
    every = number("every", wishes.every, MOST_EVERY)
    clock = clock_times(wishes.at)
    if clock:
        made = _from_clock(kind, on, clock, within.get("from"), now, zone)
    else:
        made = _from_first(kind, on, wishes.at, within.get("from"), now, zone)
    rule = {**({"every": every} if every else {}), **made.rule, **({"on": on} if on else {})}
    return Plan(kind, made.first, rule, (*made.notes, *_about_days(kind, on, made.first.local)))


def _from_clock(
    kind: str, on: list[str], clock: list[time], from_: str | None, now: datetime, zone: ZoneInfo
) -> Plan:
    """The series of which only the times of day are said: the next day that fits begins it."""
    day = now.astimezone(zone).date()
    day = max(day, date.fromisoformat(from_)) if from_ else day
    by_day = days_of(kind if on else DAILY, day, 1, on)
    times = Calendar(by_day, clock).times(datetime.combine(day, time.min))
    first = next((one for one in (occurrence(t, zone) for t in times) if one.instant > now), None)
    if first is None:
        raise refused("from", "nothing is left of the calendar", "Give an earlier --from")
    notes = () if on or kind == DAILY else (f"{kind} without days: {_taken(kind, first.local)}",)
    return Plan(kind, first, {"times": [clock_text(one) for one in clock]}, notes)


def _taken(kind: str, first: datetime) -> str:
    from postsched.domain.recurrence.describing import day_text

    return f"the day of the first is taken, {day_text(first)}"


def _from_first(
    kind: str, on: list[str], at: str, from_: str | None, now: datetime, zone: ZoneInfo
) -> Plan:
    """The series whose first occurrence is said, and maybe further times of day after it."""
    from postsched.domain.recurrence.describing import day_text

    moment, further = _first_and_clock(at, now, zone)
    local = moment.local or moment.instant.astimezone(zone).replace(tzinfo=None)
    if from_ and local.date() < date.fromisoformat(from_):
        raise refused(
            "from",
            f"the first, {day_text(local)}, is before from, {from_}",
            "Give --at without a date, or leave --from away",
        )
    clock = local.time() if moment.local else local.time().replace(microsecond=0)
    times = [clock_text(one) for one in sorted({clock, *further})]
    notes = [moment.note] if moment.note else []
    if on and next(days_of(kind, local.date(), 1, on)(local.date()), None) != local.date():
        notes.append(
            f"The first, {day_text(local)}, is no day of --on {','.join(on)}: it goes out all the "
            "same, and the pattern goes on after it"
        )
    return Plan(kind, Occurrence(moment.instant, local), {"times": times}, tuple(notes))


def _first_and_clock(at: str, now: datetime, zone: ZoneInfo) -> tuple[Moment, list[time]]:
    """`2026-12-01T09:00`, or `2026-12-01T09:00,17:30` with further times of day."""
    head, comma, tail = at.partition(",")
    further = clock_times(tail) if comma else None
    try:
        return _understood(at, now, zone), []
    except PastTime:
        raise
    except PostschedError:
        if not further:
            raise
    return _understood(head, now, zone), further


def _understood(at: str, now: datetime, zone: ZoneInfo) -> Moment:
    try:
        return understand(at, now, zone)
    except PostschedError as error:
        error.field = "at"
        raise


def _about_days(kind: str, on: list[str], first: datetime) -> tuple[str, ...]:
    """What months and years without such a day come to."""
    notes = []
    if kind == MONTHLY:
        found = [day for word in on if (day := month_day(word))]
        late = {day.nth for day in found if day.weekday is None and day.nth > 28}
        late |= {first.day} - set(range(29)) if not on else set()
        if late:
            named = " and ".join(str(day) for day in sorted(late))
            notes.append(f"A month without a {named} has its last day instead")
        if any(day.weekday is not None and day.nth == 5 for day in found):
            notes.append("A month without a fifth such weekday has none")
    if kind == YEARLY and ("02-29" in on or (not on and (first.month, first.day) == (2, 29))):
        notes.append("A year without 29 February has 28 February instead")
    return tuple(notes)


def _with_end(schedule: Schedule, zone: ZoneInfo) -> tuple[Schedule, tuple[str, ...]]:
    """With the end of its count worked out, so that nothing is counted again."""
    count = schedule.rule.get("count")
    if not count:
        return schedule, ()
    made = series(schedule)
    last = made.last_counted()
    if last is None:
        return schedule, ()
    ended = Schedule(
        schedule.kind, schedule.at, schedule.tz, {**schedule.rule, "ends": written(last, zone)}
    )
    return ended, ()


def _check_to_come(schedule: Schedule, now: datetime, zone: ZoneInfo) -> None:
    """Refuses a series of which nothing is left."""
    if next_occurrence(schedule, now - _INSTANT) is not None:
        return
    until = schedule.rule.get("until")
    if until and until < now.astimezone(zone).date().isoformat():
        raise refused("until", f"until {until} is past", "Give a later --until")
    named = next(series(schedule).named(now - _INSTANT), None)
    if named is not None:
        raise refused("except", "the exceptions leave nothing of it", "Leave some of them away")
    if until:
        hint = "Give a later --until, or leave it away"
        raise refused("until", f"it names nothing until {until}", hint)
    where = schedule.kind if schedule.kind in (CRON, RRULE) else "at"
    raise refused(where, "it names no time to come", "Give another")


def _idle_exceptions(schedule: Schedule) -> tuple[str, ...]:
    """What to know of exceptions that except nothing."""
    made = series(schedule)
    texts = schedule.rule.get("except") or ()
    return tuple(f"Except {text} names nothing of it" for text in texts if not _hits(text, made))


def _hits(text: str, made: Series) -> bool:
    """Whether the pattern names a time that this exception takes out."""
    start = datetime.fromisoformat(text)
    named = next(made.pattern.times(max(start, made.begin)), None)
    if named is None or named > made.end:
        return False
    return named.date() == start.date() if len(text) == len("2026-12-24") else named == start
