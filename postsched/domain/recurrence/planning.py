"""Planning: the schedule that a person's wishes come to, and what they should know of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from postsched.domain.clock_changes import Change, clock_changes
from postsched.domain.recurrence.beginning import Setting, begin, understood
from postsched.domain.recurrence.days import month_day
from postsched.domain.recurrence.occurrence import Occurrence, written
from postsched.domain.recurrence.series import Series, next_occurrence, occurrences, series
from postsched.domain.recurrence.wishes import Wishes, bounds, quoted, refused
from postsched.domain.schedule import CRON, MONTHLY, ONCE, REPEATS, RRULE, YEARLY, Schedule
from postsched.domain.when.moment import at_local
from postsched.domain.zones import zone_named

BOUNDS = ("from", "until", "count", "except", "ends")
"""What of a rule bounds it."""
_INSTANT, _DAY, _YEAR = timedelta(microseconds=1), timedelta(days=1), timedelta(days=366)
_MOST_IN_A_DAY = 3_000
"""How many are looked at around a change of the clocks: those of each minute."""


def plan(wishes: Wishes, now: datetime, zone: ZoneInfo) -> tuple[Schedule, tuple[str, ...]]:
    """The schedule of those wishes at `now` (aware), for someone in `zone`; and notes, sentences
    that a person should know. Raises InvalidInput with the field that is at fault."""
    kind, now = _kind(wishes), now.astimezone(UTC)
    if kind == ONCE:
        return _once(wishes, now, zone)
    within = bounds(wishes)
    from_ = date.fromisoformat(within["from"]) if "from" in within else None
    made = begin(kind, wishes, Setting(now, zone, from_))
    at = written(made.first, made.zone)
    schedule = _with_end(Schedule(kind, at, made.zone.key, {**made.rule, **within}), made.zone)
    _check_to_come(schedule, now, made.zone)
    notes = (
        *made.notes, *_about_days(schedule, made.first.local), *_about_end(schedule),
        *_about_clocks(schedule, now, made.zone), *_idle_exceptions(schedule),
    )  # fmt: skip
    return schedule, tuple(dict.fromkeys(notes))


def bounded(schedule: Schedule, wishes: Wishes, now: datetime) -> Schedule:
    """A recurrence with the bounds of those wishes (`from`, `until`, `count`, `except`) in place of
    its own; it begins where it began. Raises InvalidInput with the field that is at fault."""
    zone = zone_named(schedule.tz)
    kept = {name: one for name, one in schedule.rule.items() if name not in BOUNDS}
    changed = _with_end(replace(schedule, rule={**kept, **bounds(wishes)}), zone)
    _check_to_come(changed, now.astimezone(UTC), zone)
    return changed


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
            raise refused(further[0], f"{further[0]!r} belongs to a post that recurs", hint)
        return ONCE
    if given[0] != "repeat":
        for name in [name for name in further if name in ("every", "on")]:
            raise refused(name, f"{name!r} doesn't go with {given[0]}", f"Say it in the {given[0]}")
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
    moment = understood(wishes.at, Setting(now, zone))
    at = moment.local or moment.instant.astimezone(zone)
    return Schedule(ONCE, at.isoformat(), zone.key), (moment.note,) if moment.note else ()


def _about_days(schedule: Schedule, first: datetime) -> tuple[str, ...]:
    """What months and years that lack such a day have."""
    notes, on = [], schedule.rule.get("on") or ()
    if schedule.kind == MONTHLY:
        found = [day for word in on if (day := month_day(word))]
        late = {day.nth for day in found if day.weekday is None and day.nth > 28}
        late |= {first.day} - set(range(29)) if not on else set()
        if late:
            named = " or ".join(str(day) for day in sorted(late))
            notes.append(f"A month without a {named} has its last day instead")
        if any(day.weekday is not None and day.nth == 5 for day in found):
            notes.append("A month without a fifth such weekday has none")
    leap_day = "02-29" in on or (not on and (first.month, first.day) == (2, 29))
    if schedule.kind == YEARLY and leap_day:
        notes.append("A year without 29 February has 28 February instead")
    return tuple(notes)


def _about_end(schedule: Schedule) -> tuple[str, ...]:
    """Which end comes first, of until and count."""
    until, count = schedule.rule.get("until"), schedule.rule.get("count")
    if not until or not count:
        return ()
    made = series(schedule)
    counted = sum(1 for _ in made.named(None))
    if counted < count:
        return (f"It ends after {counted} of {count}, by --until {until}",)
    return ()


def _about_clocks(schedule: Schedule, now: datetime, zone: ZoneInfo) -> tuple[str, ...]:
    """What the next change of the clocks makes of a time, if it does, within a year."""
    if series(schedule).pattern.by_clock:
        return ()
    near = (
        one for change in clock_changes(zone, now, now + _YEAR) for one in _near(schedule, change)
    )
    changed = next((one for one in near if one.change), None)
    note = at_local(changed.local, zone).note if changed else None
    return (note,) if note else ()


def _near(schedule: Schedule, change: Change) -> Iterator[Occurrence]:
    """The occurrences less than a day from a change of the clocks."""
    found = islice(occurrences(schedule, change.instant - _DAY), _MOST_IN_A_DAY)
    return takewhile(lambda one: one.instant < change.instant + _DAY, found)


def _with_end(schedule: Schedule, zone: ZoneInfo) -> Schedule:
    """With the end of its count worked out, so that nothing is counted again."""
    last = series(schedule).last_counted() if "count" in schedule.rule else None
    if last is None:
        return schedule
    return replace(schedule, rule={**schedule.rule, "ends": written(last, zone)})


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
