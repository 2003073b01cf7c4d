"""Times as machines write them: ISO 8601 in its basic form and by weeks, RFC 9557, the epoch."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from postsched.domain.when.forms import read_form
from postsched.domain.when.moment import Moment, NotUnderstood
from postsched.domain.when.places import zone_of

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_EPOCH = re.compile(r"@([0-9]{1,12})(?:\.([0-9]{1,9}))?")
_BASIC = re.compile(
    r"([0-9]{4})([0-9]{2})([0-9]{2})t([0-9]{2})([0-9]{2})([0-9]{2}(?:[.,][0-9]{1,9})?)?"
    r"(z|[+-][0-9]{2}(?:[0-9]{2})?)?"
)
_WEEK = re.compile(r"([0-9]{4})(-?)w([0-9]{2})\2([1-7])(?=[t ,])")
_BRACKETED = re.compile(r"([0-9]{4}-[^\[]+?)(z|[+-][0-9]{2}:?[0-9]{2})?\[([^\]]+)\]")


def read_stamp(phrase: str, now: datetime, zone: ZoneInfo) -> Moment | None:
    """The moment of such a time, None if the phrase is none.

    Raises as `read_form` does, and NotUnderstood where an offset isn't the zone's.
    """
    lower = phrase.lower()
    epoch, basic = _EPOCH.fullmatch(lower), _BASIC.fullmatch(lower)
    if epoch:
        microseconds = int((epoch[2] or "0").ljust(6, "0")[:6])
        since = timedelta(seconds=int(epoch[1]), microseconds=microseconds)
        return Moment(datetime(1970, 1, 1, tzinfo=UTC) + since)
    if basic:
        year, month, day, hour, minute, second, offset = basic.groups()
        clock = f"{hour}:{minute}" + (f":{second}" if second else "")
        return read_form(f"{year}-{month}-{day}t{clock}{offset or ''}", now, zone)
    plain = with_plain_week(lower)
    if plain != lower:
        return read_form(plain, now, zone)
    bracketed = _BRACKETED.fullmatch(phrase)
    return _bracketed(bracketed, now) if bracketed else None


def with_plain_week(phrase: str) -> str:
    """The phrase (lower case) with a day such as 2026-w49-2 as a date; raises ValueError for a
    week that the year doesn't have."""
    return _WEEK.sub(
        lambda match: date.fromisocalendar(int(match[1]), int(match[3]), int(match[4])).isoformat(),
        phrase,
    )


def _bracketed(match: re.Match[str], now: datetime) -> Moment | None:
    """A local time with its zone, and the offset that it has there (RFC 9557, section 4.1)."""
    local, offset, name = match[1].lower(), (match[2] or "").lower(), match[3]
    zone = zone_of(name)
    there = read_form(local, now, zone)
    exact = read_form(local + offset, now, zone) if offset else there
    if there is None or exact is None or there.local is None:
        return None
    shown = exact.instant.astimezone(zone).replace(tzinfo=None)
    if offset not in ("", "z") and shown != there.local:
        raise NotUnderstood(f"{offset!r} is not the offset of {zone.key} then")
    return Moment(exact.instant, None if offset else there.note)
