"""The firings of a month or a week, or of the year to come, all of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from postsched.domain.errors import InvalidInput
from postsched.service.firings import MOST, day_windows
from postsched.transfer.documents import rfc3339
from postsched.transfer.firings import firing_document

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from postsched.domain.firing import Firing
    from postsched.domain.spans import Span
    from postsched.service.firings import Outlook

AHEAD = timedelta(days=366)
"""How far is looked ahead, if no month is named."""


def listed(outlook: Outlook, zone: ZoneInfo, span: Span | None, most: int = MOST) -> list[Firing]:
    """What is to come; all of a span of local days, if there is one. At most so many."""
    if span is None:
        return list(outlook.coming(outlook.now + AHEAD, most))
    windows = day_windows(span.first, span.count, zone)
    return list(outlook.between(windows[0].start, windows[-1].end, most))


def whole(outlook: Outlook, zone: ZoneInfo, span: Span | None, most: int = MOST) -> list[Firing]:
    """The same, or none: raises InvalidInput where there are more than so many."""
    found = listed(outlook, zone, span, most + 1)
    if len(found) > most:
        raise InvalidInput(
            f"more than {most:,} posts go out in that time",
            "Ask for a week, for one account, or for one tag",
        )
    return found


def calendar_document(found: Sequence[Firing], zone: ZoneInfo, span: Span) -> dict[str, Any]:
    """The firings of a span by local day; the shape is in the README."""
    windows = day_windows(span.first, span.count, zone)
    days: dict[str, list[dict[str, Any]]] = {
        (span.first + timedelta(days=number)).isoformat(): [] for number in range(span.count)
    }
    for firing in found:
        days[firing.due_at.astimezone(zone).date().isoformat()].append(firing_document(firing))
    return {
        "from": rfc3339(windows[0].start),
        "until": rfc3339(windows[-1].end),
        "tz": zone.key,
        "days": [{"date": day, "firings": firings} for day, firings in days.items()],
    }
