"""What a draft says of its time, and a schedule: from one to the other and back.

A series that is changed goes on from now: what it had sent stays sent, and where only its bounds
change, it begins where it began, so that its days and its count stay what they were.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from postsched.domain.draft import Draft
from postsched.domain.errors import InvalidInput
from postsched.domain.schedule import CRON, MONTHLY, REPEATS, RRULE, SLOT, YEARLY, Schedule, once
from postsched.domain.zones import zone_named

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from postsched.domain.recurrence import Wishes

PATTERN = ("repeat", "every", "on", "cron", "rrule")
BOUNDS = ("except_", "from_", "until", "count")
RECURRENCE = (*PATTERN, *BOUNDS)
NOTHING = Draft()
MICROSECOND = timedelta(microseconds=1)


def words_of(schedule: Schedule) -> dict[str, Any]:
    """What a draft says that is meant so, by the fields of a draft."""
    words: dict[str, Any] = {"at": schedule.at, "tz": schedule.tz, "slot": schedule.kind == SLOT}
    if not schedule.recurs:
        return words
    rule = schedule.rule
    words["at"] = _with_times(schedule.at or "", rule)
    words |= {
        "every": rule.get("every"),
        "on": tuple(rule.get("on") or ()),
        "except_": tuple(rule.get("except") or ()),
        "from_": rule.get("from"),
        "until": rule.get("until"),
        "count": rule.get("count"),
    }
    if schedule.kind in REPEATS:
        return words | {"repeat": schedule.kind}
    return words | {schedule.kind: rule.get("rule")}


def wishes_of(draft: Draft) -> Wishes:
    """What a draft says of a recurrence."""
    from postsched.domain.recurrence import Wishes

    return Wishes(
        at=draft.at, repeat=draft.repeat, every=draft.every, on=draft.on, cron=draft.cron,
        rrule=draft.rrule, except_=draft.except_, from_=draft.from_, until=draft.until,
        count=draft.count,
    )  # fmt: skip


def slot_schedule(draft: Draft, zone: ZoneInfo) -> Schedule:
    """The schedule of what goes out by slots. Raises InvalidInput where a time is named too."""
    if draft.at or draft.recurs:
        error = InvalidInput("a slot and a time are both given", "Give --slot alone, or the time")
        error.field = "slot"
        raise error
    return Schedule(SLOT, None, zone.key)


def changed(schedule: Schedule, before: Draft, after: Draft, now: datetime) -> Schedule | Draft:
    """What becomes of a schedule, of which a draft read `before`, by what it reads now: a schedule,
    or a draft to make a new one of. Raises InvalidInput."""
    if after.slot and not before.slot:
        return replace(after, at=None, **{name: getattr(NOTHING, name) for name in RECURRENCE})
    if before.slot and (after.at or after.recurs):
        return replace(after, slot=False)
    if _differ(before, after, ("at", "slot")):
        return after
    if _differ(before, after, PATTERN):
        return replace(after, at=_times(schedule) if after.repeat else None)
    zone = after.tz or before.tz
    if _differ(before, after, BOUNDS) and not schedule.recurs:
        return after  # which is refused: what goes out once has no bounds
    if _differ(before, after, BOUNDS):
        from postsched.domain.recurrence import bounded

        schedule = bounded(schedule, wishes_of(after), now)
    if zone is None or zone == before.tz:
        return schedule
    if schedule.recurs:
        return replace(schedule, tz=zone_named(zone).key)
    first = schedule.first()
    return once(first, zone_named(zone).key) if first else Schedule(tz=zone_named(zone).key)


def from_now_on(schedule: Schedule, now: datetime) -> dict[str, Any] | None:
    """What a draft says that names the occurrences of a series still to come, wherever and whenever
    it is read; None if there are none."""
    from postsched.domain.recurrence import counted, next_occurrence

    words, rule = words_of(schedule), schedule.rule
    coming = next_occurrence(schedule, now)
    if coming is None:
        return None
    words["at"], since = _with_times(coming.local.isoformat(), rule), coming.instant - MICROSECOND
    if _begins_by_itself(schedule, now):
        words["at"], since = None, now
    if schedule.kind in (MONTHLY, YEARLY) and not words["on"] and schedule.at:
        first = datetime.fromisoformat(schedule.at)
        words["on"] = (f"{first:%m-%d}" if schedule.kind == YEARLY else str(first.day),)
    if (
        words["from_"]
        and words["from_"] <= now.astimezone(zone_named(schedule.tz)).date().isoformat()
    ):
        words["from_"] = None
    if words["count"] or _counts_from_at(schedule):
        words["count"] = counted(schedule, since)
    return words


def _begins_by_itself(schedule: Schedule, now: datetime) -> bool:
    """Whether its text names what is to come without `at`: a rule that says when it begins, and a
    cron that has begun."""
    if schedule.kind == CRON:
        first = schedule.first()
        return first is not None and first <= now
    return schedule.kind == RRULE and "DTSTART" in schedule.rule["rule"].upper()


def _counts_from_at(schedule: Schedule) -> bool:
    """Whether its rule would count anew from another `at`."""
    if schedule.kind != RRULE:
        return False
    text = schedule.rule["rule"].upper()
    return "COUNT=" in text and "DTSTART" not in text


def _differ(before: Draft, after: Draft, names: tuple[str, ...]) -> bool:
    return any(getattr(before, name) != getattr(after, name) for name in names)


def _times(schedule: Schedule) -> str | None:
    """The times of day of a schedule, without a day."""
    times = schedule.rule.get("times")
    if not times and schedule.at:
        times = [datetime.fromisoformat(schedule.at).time().isoformat()]
    return ",".join(times) if times else None


def _with_times(at: str, rule: Mapping[str, Any]) -> str:
    """A local time, with the further times of day of a rule."""
    local = datetime.fromisoformat(at)
    clock = local.time()
    further = [
        one
        for one in rule.get("times") or ()
        if datetime.fromisoformat(f"2000-01-01T{one}").time() != clock
    ]
    return ",".join([at, *further])
