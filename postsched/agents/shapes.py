"""JSON Schemas (2020-12) of what tools take: the names and meanings of posts as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from postsched.domain.post import CatchUp, Missed, Visibility
from postsched.domain.schedule import REPEATS
from postsched.service.choice import DELIVERY_STATUSES, STATUSES
from postsched.service.desk import LARGEST_ID

Shape = dict[str, Any]
LONGEST = 200_000
"""Characters of one text; every network takes far fewer, and says so."""
MOST = 200
"""Elements of one list."""
WHEN = (
    "A time: 2026-12-01T09:00, 14:30, tomorrow 9am, in 2 hours, now. Without an offset it is in "
    "tz, else in the zone of the person."
)
DURATION = "A duration, such as 30s, 2m, 24h or 1h30m."


def text(description: str, longest: int = LONGEST) -> Shape:
    """A text."""
    return {"type": "string", "maxLength": longest, "description": description}


def word(description: str) -> Shape:
    """A short text."""
    return text(description, 2000)


def whole(description: str, least: int, most: int) -> Shape:
    """A whole number."""
    return {"type": "integer", "minimum": least, "maximum": most, "description": description}


def flag(description: str) -> Shape:
    """True or false."""
    return {"type": "boolean", "description": description}


def words(description: str, most: int = MOST) -> Shape:
    """A list of short texts."""
    return {"type": "array", "items": word(""), "maxItems": most, "description": description}


def one_of(description: str, *values: str) -> Shape:
    """One of those words."""
    return {"type": "string", "enum": list(values), "description": description}


def mapping(description: str) -> Shape:
    """An object of texts."""
    texts = {"type": "string", "maxLength": LONGEST}
    return {"type": "object", "additionalProperties": texts, "maxProperties": MOST,
            "description": description}  # fmt: skip


MEDIUM: Shape = {
    "type": "object",
    "properties": {
        "url": word("A public https:// address that the network fetches."),
        "path": word("A file below the folder of --media-dir, relative to it."),
        "alt": text("What can be seen, for people who can't see it."),
    },
    "additionalProperties": False,
}
MEDIA: Shape = {"type": "array", "items": MEDIUM, "maxItems": MOST}
ID = whole("The id of a post.", 1, LARGEST_ID)
IDS: Shape = {"type": "array", "items": ID, "minItems": 1, "maxItems": MOST,
              "description": "The ids of posts."}  # fmt: skip
ACCOUNTS = words("Only these accounts or groups.")
POST: Mapping[str, Shape] = {
    "text": text("The text. A line with only --- parts a thread."),
    "to": words("Accounts or groups, by name (see list_accounts)."),
    "at": word(WHEN),
    "tz": word("The time zone, such as Europe/Vienna."),
    "repeat": one_of("A series.", *sorted(REPEATS)),
    "every": whole("Every so many days, weeks, months or years.", 1, 1000),
    "on": words("Days of the series: mon, 15, last, 1mon."),
    "cron": word("A series by a cron expression."),
    "rrule": word("A series by an RRULE of RFC 5545."),
    "except": words("Days on which the series is silent, such as 2026-12-24."),
    "from": word("The first day of the series."),
    "until": word("The last day of the series."),
    "count": whole("How many times the series goes out.", 1, 1_000_000),
    "slot": flag("Goes out in the next free weekly slot of each account."),
    "media": {**MEDIA, "description": "Pictures or films of the first part."},
    "then": {
        "type": "array",
        "maxItems": MOST,
        "items": {
            "type": "object",
            "properties": {"text": text("The text."), "media": MEDIA},
            "required": ["text"],
            "additionalProperties": False,
        },
        "description": "Further parts of a thread.",
    },
    "comment": text("The first comment."),
    "link": word("A link that is shown as a card."),
    "title": word("A title, where the network has one."),
    "variants": mapping("Another text for single accounts: {account: text}."),
    "tags": words("Labels of the person's own; never sent."),
    "visibility": one_of("Who may see it.", *(one.value for one in Visibility)),
    "warning": word("A content warning."),
    "lang": word("The language, such as en."),
    "missed": one_of("What if its time is long over.", *(one.value for one in Missed)),
    "catch_up": one_of("What of a series is sent late.", *(one.value for one in CatchUp)),
    "grace": word(f"How late it may go out. {DURATION}"),
    "spread": word(f"Accounts follow one another within this time. {DURATION}"),
    "jitter": word(f"Up to so much later, by chance. {DURATION}"),
    "texts": {
        "type": "array",
        "items": text("A text."),
        "maxItems": 1000,
        "description": "Texts that a series says in turn.",
    },
    "vars": mapping("Values for {{name}} in texts."),
    "priority": whole("Higher goes first; usually 0.", -1000, 1000),
}
KEY = word("Any word of yours: the same post with the same key is written once, however often.")
NEW: Mapping[str, Shape] = {**POST, "key": KEY}


def clearable(shape: Shape) -> Shape:
    """The same, or null to take it away."""
    return {"anyOf": [shape, {"type": "null"}], "description": shape.get("description", "")}


CHANGES: Mapping[str, Shape] = {name: clearable(shape) for name, shape in POST.items()}
LOOKING: Mapping[str, Shape] = {
    "account": ACCOUNTS,
    "from": word("Not before this day or time."),
    "until": word("Not after this day or time."),
    "tag": word("Only with this tag."),
    "search": word("Only with this in the text."),
    "limit": whole("At the most so many (20).", 1, MOST),
}
STATUS: Mapping[str, Shape] = {
    "status": {"type": "array", "items": {"type": "string", "enum": list(STATUSES)}}
}
ENDED: Mapping[str, Shape] = {
    "status": {"type": "array", "items": {"type": "string", "enum": list(DELIVERY_STATUSES)}}
}


def answering(**members: str) -> Shape:
    """The schema of a document with those members, by the JSON type of each."""
    properties = {name: {"type": kind} for name, kind in members.items()}
    return {"type": "object", "properties": properties, "required": list(members)}


A_POST = answering(id="integer", status="string", text="string", deliveries="array")
