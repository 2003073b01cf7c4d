"""Firings as an iCalendar file (RFC 5545).

Every firing is an event of its own, at one instant in UTC. Its UID stays the same as long as it is
the same occurrence of the same post to the same account, so that reading a newer file updates what
was read before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from postsched.domain.delivery import DeliveryStatus
from postsched.domain.firing import Firing

S = DeliveryStatus
OCTETS = 75
"""The longest line without its break (RFC 5545, section 3.1)."""
SUMMARY = 120
"""Characters of a text that make a title."""
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
"""What no text may have (section 3.3.11, CONTROL)."""
SAID = {
    S.FAILED: "failed",
    S.MISSED: "missed",
    S.UNCONFIRMED: "unconfirmed",
    S.PUBLISHED: "published",
}


def calendar(firings: Iterable[Firing], now: datetime) -> Iterator[bytes]:
    """The lines of the file, each with its break. `now` is when the file is made."""
    head = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//postsched//postsched//EN",
            "CALSCALE:GREGORIAN", "X-WR-CALNAME:postsched"]  # fmt: skip
    for line in head:
        yield _folded(line)
    for firing in firings:
        for line in _event(firing, now):
            yield _folded(line)
    yield _folded("END:VCALENDAR")


def _event(firing: Firing, now: datetime) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{_uid(firing)}"
    yield f"DTSTAMP:{_time(now)}"
    yield f"DTSTART:{_time(firing.due_at)}"
    yield f"SUMMARY:{_escaped(_summary(firing))}"
    yield f"DESCRIPTION:{_escaped(_description(firing))}"
    yield f"CATEGORIES:{_escaped(firing.account)}"
    if firing.url:
        yield f"URL:{CONTROLS.sub('', firing.url)}"
    yield f"STATUS:{'TENTATIVE' if firing.paused else 'CONFIRMED'}"
    yield "TRANSP:TRANSPARENT"  # nobody is busy while a post goes out
    yield "END:VEVENT"


def _uid(firing: Firing) -> str:
    at = firing.occurrence.astimezone(UTC)
    fraction = f".{at.microsecond:06}" if at.microsecond else ""
    return f"{firing.post_uid}-{firing.account_uid}-{at:%Y%m%dT%H%M%S}{fraction}Z@postsched"


def _time(instant: datetime) -> str:
    at = instant.astimezone(UTC)
    return f"{at.year:04}{at:%m%dT%H%M%SZ}"


def _summary(firing: Firing) -> str:
    words = " ".join(firing.text.split())
    short = words if len(words) <= SUMMARY else f"{words[: SUMMARY - 1].rstrip()}…"
    notes = [SAID[firing.status]] if firing.status in SAID else []
    notes += ["paused"] if firing.paused and not notes else []
    return f"{firing.account}: {short}{''.join(f' ({note})' for note in notes)}"


def _description(firing: Firing) -> str:
    return f"{firing.text}\n\nPost {firing.post_id} to {firing.account} ({firing.platform})"


def _escaped(text: str) -> str:
    """A value of the type TEXT (section 3.3.11)."""
    text = CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    for character in "\\;,":
        text = text.replace(character, f"\\{character}")
    return text.replace("\n", "\\n")


def _folded(line: str) -> bytes:
    """The line with its break; a long one in pieces that begin with a blank, no character cut."""
    rest, pieces = line.encode(), []
    room = OCTETS
    while len(rest) > room:
        end = room
        while rest[end] & 0xC0 == 0x80:  # within a character of UTF-8
            end -= 1
        pieces.append(rest[:end])
        rest, room = rest[end:], OCTETS - 1
    return b"\r\n ".join([*pieces, rest]) + b"\r\n"
