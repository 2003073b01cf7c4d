"""Instants that a person names to look for something: past ones too, and whole days."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from postsched.domain.errors import InvalidInput

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


def instant(text: str, now: datetime, zone: ZoneInfo) -> datetime:
    """The instant (UTC) that those words mean. Raises InvalidInput."""
    from postsched.domain.when import PastTime, understand  # few commands need it: start-up time

    try:
        return understand(text, now, zone).instant
    except PastTime as past:
        return past.moment.instant


def bound(text: str, now: datetime, zone: ZoneInfo, *, end: bool = False) -> datetime:
    """The same, or of a bare date its first moment, or (`end`) its last."""
    word = text.strip()
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", word):
        return instant(text, now, zone)
    try:
        day = datetime.fromisoformat(word)
    except ValueError:
        raise InvalidInput(f"there is no such day as {word}", "Give one like 2026-12-01") from None
    try:
        if end:
            day += timedelta(days=1, microseconds=-1)
        return day.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError:  # a day at an end of the calendar
        return day.replace(tzinfo=UTC)
