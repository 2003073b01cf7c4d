"""How a series begins: its first occurrence, worked out of what is said of its time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from postsched.domain.errors import PostschedError
from postsched.domain.recurrence.cron import expression
from postsched.domain.recurrence.expansion import Expansion
from postsched.domain.recurrence.occurrence import Occurrence, occurrence
from postsched.domain.recurrence.pattern import Calendar, Pattern, days_of
from postsched.domain.recurrence.rule import Rule, clean, rule
from postsched.domain.recurrence.wishes import (
    MOST_EVERY,
    Wishes,
    clock_times,
    number,
    on_words,
    refused,
)
from postsched.domain.schedule import CRON, DAILY, RRULE
from postsched.domain.weekdays import clock_text
from postsched.domain.when import Moment, PastTime, understand
from postsched.domain.when.moment import day_text, time_text
from postsched.domain.zones import zone_named

_TIMES_HINT = "Give times of day, --at 09:00,17:30, or the first time, --at 2026-12-01T09:00"
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a plan is made: at which instant (UTC), for which zone, and from which day on."""

    now: datetime
    zone: ZoneInfo
    from_: date | None = None

    @property
    def local_now(self) -> datetime:
        """The local time, naive."""
        return self.now.astimezone(self.zone).replace(tzinfo=None)

    @property
    def first_day(self) -> date:
        """The first day on which anything may go out."""
        today = self.local_now.date()
        return max(today, self.from_) if self.from_ else today

    def first_of(self, pattern: Pattern, start: datetime) -> Occurrence | None:
        """The first of the pattern that is still to come."""
        for local in pattern.times(start):
            if (one := occurrence(local, self.zone)).instant > self.now:
                return one
        return None


@dataclass(frozen=True, slots=True)
class Beginning:
    """The first occurrence (with cron: from when it runs), its zone, what it adds to the rule of
    the schedule, and notes."""

    first: Occurrence
    zone: ZoneInfo
    rule: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def begin(kind: str, wishes: Wishes, setting: Setting) -> Beginning:
    """How the recurrence of that kind begins. Raises InvalidInput with the field at fault."""
    if kind == CRON:
        return _cron(wishes, setting)
    if kind == RRULE:
        return _rrule(wishes, setting)
    return _calendar(kind, wishes, setting)


def understood(at: str, setting: Setting) -> Moment:
    """What `at` means; the errors name the field."""
    try:
        return understand(at, setting.now, setting.zone)
    except PostschedError as error:
        error.field = "at"
        raise


def _calendar(kind: str, wishes: Wishes, setting: Setting) -> Beginning:
    """A daily, weekly, monthly or yearly recurrence."""
    if wishes.at is None or not wishes.at.strip():
        raise refused("at", f"the time of day of {kind} isn't said", _TIMES_HINT)
    on = on_words(wishes.on, kind)
    every = number("every", wishes.every, MOST_EVERY)
    clock = clock_times(wishes.at)
    made = _by_clock(kind, on, clock, setting) if clock else _by_first(kind, on, wishes.at, setting)
    said = {"every": every, **made.rule, "on": on}
    return replace(made, rule={name: value for name, value in said.items() if value})


def _by_clock(kind: str, on: list[str], clock: list[time], setting: Setting) -> Beginning:
    """Only the times of day are said: the next day that fits begins the series."""
    day = setting.first_day
    pattern = Calendar(days_of(kind if on else DAILY, day, 1, on), clock)
    first = setting.first_of(pattern, datetime.combine(day, time.min))
    if first is None:
        raise refused("from", "the calendar ends before it begins", "Give an earlier --from")
    notes = []
    if not on and kind != DAILY:
        notes = [f"It isn't said on which days: {kind} from {day_text(first.local)} on"]
    return Beginning(
        first, setting.zone, {"times": [clock_text(one) for one in clock]}, tuple(notes)
    )


def _by_first(kind: str, on: list[str], at: str, setting: Setting) -> Beginning:
    """The first occurrence is said, and maybe further times of day."""
    moment, further = _first_and_clock(at, setting)
    made = _literal(moment, setting)
    local = made.first.local
    clock = local.time() if moment.local else local.time().replace(microsecond=0)
    times = [clock_text(one) for one in sorted({clock, *further})]
    notes = made.notes
    if on and next(days_of(kind, local.date(), 1, on)(local.date()), None) != local.date():
        notes = (*notes, _unnamed(local, f"no day of --on {','.join(on)}"))
    return replace(made, rule={"times": times}, notes=notes)


def _literal(moment: Moment, setting: Setting) -> Beginning:
    """That moment is the first, or where a cron begins."""
    local = moment.local or moment.instant.astimezone(setting.zone).replace(tzinfo=None)
    if setting.from_ and local.date() < setting.from_:
        raise refused(
            "from",
            f"the first, {day_text(local)}, is before from, {setting.from_}",
            "Give --at without a date, or leave --from away",
        )
    notes = (moment.note,) if moment.note else ()
    return Beginning(Occurrence(moment.instant, local), setting.zone, notes=notes)


def _unnamed(local: datetime, why: str) -> str:
    return (
        f"The first, {day_text(local)}, {time_text(local.time())}, is {why}: it goes out all the "
        "same, and the pattern goes on after it"
    )


def _first_and_clock(at: str, setting: Setting) -> tuple[Moment, list[time]]:
    """`2026-12-01T09:00`, or `2026-12-01T09:00,17:30` with further times of day."""
    head, comma, tail = at.partition(",")
    further = clock_times(tail) if comma else None
    try:
        return understood(at, setting), []
    except PastTime:
        raise
    except PostschedError:
        if not further:
            raise
    return understood(head, setting), further


def _cron(wishes: Wishes, setting: Setting) -> Beginning:
    """Cron needs no `at`; with one it runs from that time on."""
    text = " ".join(str(wishes.cron).split())
    expression(text)
    if wishes.at is None:
        local = setting.local_now
        if setting.from_ and setting.from_ > local.date():
            first = occurrence(datetime.combine(setting.from_, time.min), setting.zone)
        else:
            first = Occurrence(setting.now, local)
        return Beginning(first, setting.zone, {"rule": text})
    if clock_times(wishes.at):
        hint = "Leave --at away, or give the date and time from which it runs"
        raise refused("at", "the times of day are in the cron expression", hint)
    return replace(_literal(understood(wishes.at, setting), setting), rule={"rule": text})


def _rrule(wishes: Wishes, setting: Setting) -> Beginning:
    """The first is DTSTART, else `at`, else the first that the rule names from now on."""
    said = rule(str(wishes.rrule))
    own = _zone_of(said) or setting.zone
    notes: tuple[str, ...] = ()
    if own.key != setting.zone.key:
        if not said.start:
            hint = f"Give --tz {own.key}, or a DTSTART in the rule"
            raise refused(
                RRULE, f"the times of the rule are in {own.key}, not {setting.zone.key}", hint
            )
        notes = (f"The rule's times are in {own.key}",)
        setting = replace(setting, zone=own)
    clock = clock_times(wishes.at) if wishes.at else None
    if said.start:
        made = _of_dtstart(said, wishes, setting)
    elif wishes.at and not clock:
        made = _literal(understood(wishes.at, setting), setting)
        local = made.first.local.replace(microsecond=0)
        if next(Expansion(said, local, own, literal=False).times(local), None) != local:
            notes = (*notes, _unnamed(local, "not named by the rule"))
    else:
        made = _of_rule(said, clock or [], setting)
    text = clean(str(wishes.rrule))
    return replace(made, rule={"rule": text}, notes=(*notes, *made.notes))


def _zone_of(said: Rule) -> ZoneInfo | None:
    """The zone of a rule's times. Raises InvalidInput for one that is not known."""
    try:
        return zone_named(said.zone) if said.zone else None
    except PostschedError as error:
        error.field = RRULE
        raise


def _of_dtstart(said: Rule, wishes: Wishes, setting: Setting) -> Beginning:
    """The rule says when it begins. Of one that has begun, what lies before now is left out."""
    if wishes.at:
        hint = "Leave --at away, or DTSTART out of the rule"
        raise refused("at", "the rule has a DTSTART, which is its first time", hint)
    assert said.start is not None
    first = occurrence(said.start.local(setting.zone), setting.zone)
    if first.instant >= setting.now:
        return Beginning(first, setting.zone)
    note = f"The rule began on {day_text(first.local)}: what lies before now is left out"
    return Beginning(Occurrence(setting.now, setting.local_now), setting.zone, notes=(note,))


def _of_rule(said: Rule, clock: list[time], setting: Setting) -> Beginning:
    """The first that the rule names, from now or the day of `from` on."""
    if len(clock) > 1:
        raise refused(
            "at", "a rule begins at one time of day", "Give the others in the rule, by BYHOUR"
        )
    start = setting.local_now.replace(second=0, microsecond=0)
    if clock:
        start = datetime.combine(start, clock[0].replace(microsecond=0))
    elif "BYHOUR" in said.by and "BYMINUTE" not in said.by:
        start = start.replace(minute=0)
    else:
        start += _MINUTE
    if setting.first_day > start.date():
        start = datetime.combine(setting.first_day, start.time() if clock else time.min)
    first = setting.first_of(
        Expansion(replace(said, count=None), start, setting.zone, False), start
    )
    if first is None:
        raise refused(RRULE, "the rule names no time to come", "Give another rule")
    when = f"{day_text(first.local)}, {time_text(first.local.time())}"
    return Beginning(first, setting.zone, notes=(f"The rule has no DTSTART: it begins {when}",))
