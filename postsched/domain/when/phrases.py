"""Freer English phrases, each understood as a whole: a day, a time of day, and where.

The phrase is brought to one spelling, every word of it must be known, and it is parted in zone,
time of day and day. What is left over, or may mean two times, is refused with the part that is at
fault. Local times follow the same clock-change rules as the usual forms.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING

from postsched.domain.when.clocks import Clock, split_clock
from postsched.domain.when.days import Calendar, read_day
from postsched.domain.when.forms import midnight_of, read_form
from postsched.domain.when.moment import Moment, NotUnderstood
from postsched.domain.when.places import Place, split_place
from postsched.domain.when.stamps import read_stamp, with_plain_week
from postsched.domain.when.words import MONTH, PARTS_OF_DAY, UNIT, check_ascii, check_words, spelled

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_PART = re.compile(rf"(?P<day>.+?)(?: in the)? (?P<part>{'|'.join(PARTS_OF_DAY)})")
_AMOUNTS = re.compile(rf"(?:in )?(?P<amounts>(?:an?|[0-9]).*(?<![a-z]){UNIT})(?: from now)?")
_NUMERIC_DATE = re.compile(r"\b(?:[0-9]{1,4}([/.-])[0-9]{1,2}\1[0-9]{1,4}|[0-9]{1,2}/[0-9]{1,2})\b")
_FULL_DATE = re.compile(rf"[0-9]{{4}}-|(?=.*\b{MONTH}\b)(?!.* (?:from|after) ).*\b[0-9]{{4}}\b")
_RUN_TOGETHER = re.compile(r"\b([01]?[0-9]|2[0-3])(?:(?<=[0-9]{2})|h)([0-5][0-9])$")
_SAMPLE_TIMES = {"morning": "09:00", "afternoon": "15:00", "evening": "19:00", "night": "21:00"}
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def read_phrase(phrase: str, now: datetime, zone: ZoneInfo) -> Moment:
    """The moment of a phrase (single spaces) that is no usual form.

    Raises NotUnderstood or InvalidInput for what isn't understood as a whole, ValueError and
    OverflowError for a time that doesn't exist.
    """
    check_ascii(phrase)
    moment = read_stamp(phrase, now, zone)
    if moment is not None:
        return moment
    rest, place = split_place(phrase, now, zone)
    rest = spelled(with_plain_week(rest.lower()))
    check_words(rest)
    if not place.named:
        moment = read_form(rest, now, zone) or _span(rest, now, zone)
    return moment or _day_and_clock(rest, place)


def _span(phrase: str, now: datetime, zone: ZoneInfo) -> Moment | None:
    """In half an hour, two days from now, a fortnight from now: counted from this moment."""
    match = _AMOUNTS.fullmatch(phrase)
    if match is None or not (phrase.startswith("in ") or phrase.endswith(" from now")):
        return None
    amounts = match["amounts"]
    moment = read_form(f"in {amounts}", now, zone)
    if moment is not None:
        return moment
    local = now.astimezone(zone).replace(tzinfo=None)
    day = read_day(f"in {amounts}", Calendar(local.date(), lambda _: True))
    if day is None:
        return None
    return Place(now, zone, zone, named=False).moment(datetime.combine(day, local.time()))


def _day_and_clock(phrase: str, place: Place) -> Moment:
    """The moment of a day and a time of day, in whichever order."""
    doubt: NotUnderstood | None = None
    for clock, words in split_clock(phrase):
        try:
            moment = _moment(clock, words, place)
        except NotUnderstood as fault:
            doubt = doubt or fault
            continue
        if moment is not None:
            return moment
    raise doubt or _unread(phrase, place)


def _moment(clock: Clock, words: str, place: Place) -> Moment | None:
    """The moment, None if the words are no day."""
    day_words, part = _split_part(words)
    if read_day(day_words, _from_today(place)) is None:
        return None
    if clock.word == "midnight" and words:
        raise midnight_of(words)
    time = clock.at(part)
    now = place.now

    def comes(day: date) -> bool:
        return place.moment(datetime.combine(day, time)).instant > now

    day = read_day(day_words, Calendar(place.today, comes))
    if day is None:
        return None
    _check_place(words, place)
    return place.moment(datetime.combine(day, time))


def _from_today(place: Place) -> Calendar:
    today = place.today
    return Calendar(today, lambda day: day >= today)


def _split_part(words: str) -> tuple[str, str | None]:
    """The day, and the part of it that is named: "friday evening", "tonight"."""
    if words == "tonight":
        return "today", "night"
    match = _PART.fullmatch(words)
    if match is None:
        return words, None
    return "today" if match["day"] == "this" else match["day"], match["part"]


def _check_place(words: str, place: Place) -> None:
    """Raises NotUnderstood where the day depends on whether it is counted here or there."""
    if not place.named or _FULL_DATE.search(words):
        return
    if place.is_offset:
        raise NotUnderstood("an offset without a date", "Write the date, such as 2026-12-01")
    if words and place.elsewhere:
        raise NotUnderstood(
            f"it is another day there, so {words!r} may be two",
            "Write the date, such as 2026-12-01",
        )


def _unread(phrase: str, place: Place) -> NotUnderstood:
    """Why a phrase of known words is no time."""
    numeric = _NUMERIC_DATE.search(phrase)
    if numeric and not _ISO_DATE.fullmatch(numeric[0]):
        return NotUnderstood(repr(numeric[0]), "Write a date as year-month-day: 2026-12-01")
    words, part = _split_part(phrase)
    if words and read_day(words, _from_today(place)) is not None:
        sample = _SAMPLE_TIMES[part or "morning"]
        return NotUnderstood(f"{phrase!r} is a day without a time", f"Add one: '{phrase} {sample}'")
    joined = _RUN_TOGETHER.search(phrase)
    if joined:
        return NotUnderstood(repr(joined[0]), f"Did you mean {joined[1]}:{joined[2]}?")
    rests = [rest for _, rest in split_clock(phrase) if rest]
    return NotUnderstood(f"{rests[0]!r} is no day" if rests else None)
