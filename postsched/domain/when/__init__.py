"""WHEN: the text by which a person names a time, the instant it means, and saying that back.

Whatever is not understood as a whole is refused, never guessed. `forms` reads the usual forms and
is loaded with the first text; `phrases` reads freer English, with a library for the days, and is
loaded only for what the forms don't read.
"""

from __future__ import annotations

import re
from datetime import UTC
from typing import TYPE_CHECKING

from postsched.domain.errors import InvalidInput
from postsched.domain.when.moment import (
    EXAMPLES,
    MONTHS,
    WEEKDAYS,
    Moment,
    NotUnderstood,
    PastTime,
    describe,
)

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

__all__ = [
    "EXAMPLES",
    "MONTHS",
    "WEEKDAYS",
    "Moment",
    "PastTime",
    "describe",
    "is_fixed",
    "understand",
]

_FIRST_YEAR, _LAST_YEAR = 2, 9998  # so that no offset leads past an end of the calendar
_MOST_CHARACTERS = 100
_HINT = f"Give a time such as {EXAMPLES}"
_FIXED = re.compile(
    r"\s*(?:@|[0-9]{4}-|[0-9]{8}t)"
    r"|(?=.*\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)).*\b[0-9]{4}\b(?!:)"
)
"""A date with its year, before anything or beside a month."""


def understand(text: str, now: datetime, zone: ZoneInfo) -> Moment:
    """The moment that `text` means at `now` (aware) for someone in `zone`.

    Raises PastTime for a time before `now`, InvalidInput for what is no time.
    """
    moment = _read(text, now.astimezone(UTC), zone)
    if moment.instant < now:
        said = describe(moment.instant, now, zone)
        raise PastTime(f"{_quoted(text)} is past: {said}", moment)
    return moment


def is_fixed(text: str) -> bool:
    """Whether the text means the same instant whenever it is read: it names a date."""
    return _FIXED.match(text.lower()) is not None


def _read(text: str, now: datetime, zone: ZoneInfo) -> Moment:
    """Raises InvalidInput, with the part that is at fault where that is known."""
    if len(text) > _MOST_CHARACTERS:
        raise _refusal(text, f"it has {len(text)} characters")
    from postsched.domain.when.forms import read_form

    phrase = " ".join(text.split())
    try:
        moment = read_form(phrase.lower(), now, zone) if phrase.isascii() else None
        if moment is None:
            from postsched.domain.when.phrases import read_phrase

            moment = read_phrase(phrase, now, zone)
    except NotUnderstood as fault:
        raise _refusal(text, fault.part, fault.hint) from None
    except (ValueError, OverflowError):
        raise _no_such(text) from None
    if not _FIRST_YEAR <= moment.instant.year <= _LAST_YEAR:
        raise _no_such(text)
    return moment


def _refusal(text: str, part: str | None, hint: str | None = None) -> InvalidInput:
    why = f": {part}" if part else ""
    return InvalidInput(f"{_quoted(text)} is not understood as a time{why}", hint or _HINT)


def _no_such(text: str) -> InvalidInput:
    return InvalidInput(f"there is no such time as {_quoted(text)}", _HINT)


def _quoted(text: str) -> str:
    return repr(text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}…")
