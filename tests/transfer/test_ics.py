"""iCalendar files: as RFC 5545 wants them, and as another library reads them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import icalendar
from hypothesis import example, given
from hypothesis import strategies as st

from postsched.domain.delivery import DeliveryStatus
from postsched.domain.firing import Firing
from postsched.transfer.ics import calendar

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
DUE = datetime(2026, 12, 1, 9, 0, 0, 250_000, tzinfo=UTC)
FIRING = Firing(DUE, DUE, 7, "p" * 32, 1, "me", "a" * 32, "mastodon", "Hello")


def events(*firings: Firing) -> list[Any]:
    """What another library reads of the file."""
    read = icalendar.Calendar.from_ical(b"".join(calendar(firings, NOW)))
    assert not read.errors
    found = read.walk("VEVENT")
    assert all(not one.errors for one in found)
    return list(found)


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300),
    st.sampled_from(["https://example.org/1", None, "https://example.org/ü?a;b,c"]),
)
@example("Hello\r", None)
def test_any_text_arrives_as_it_was(text: str, url: str | None) -> None:
    written = b"".join(calendar([replace(FIRING, text=text, url=url)], NOW))
    assert written.endswith(b"END:VCALENDAR\r\n")
    lines = written.split(b"\r\n")
    assert all(len(line) <= 75 for line in lines)
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    for line in lines:
        line.decode()  # no character is cut in two
    (event,) = events(replace(FIRING, text=text, url=url))
    whole = f"{text}\n\nPost 7 to me (mastodon)"  # a carriage return at the end is one line's
    kept = "".join(c for c in whole.replace("\r\n", "\n").replace("\r", "\n") if _may_be(c))
    assert str(event["DESCRIPTION"]) == kept
    assert event["DTSTART"].dt == DUE.replace(microsecond=0)
    assert event["DTSTAMP"].dt == NOW
    assert (str(event["URL"]) if url else event.get("URL")) == url


def _may_be(character: str) -> bool:
    return character in "\n\t" or not (character < " " or character == "\x7f")


def test_every_firing_is_known_again() -> None:
    moved = replace(FIRING, due_at=NOW, text="changed")
    others = (
        replace(FIRING, account_uid="b" * 32, account="work"),
        replace(FIRING, occurrence=DUE.replace(microsecond=0)),
        replace(FIRING, post_uid="q" * 32),
    )
    first, again, *rest = (str(one["UID"]) for one in events(FIRING, moved, *others))
    assert first == again
    assert len({first, *rest}) == 4


def test_what_became_of_it_is_in_the_title() -> None:
    titles = [
        str(one["SUMMARY"])
        for one in events(
            replace(FIRING, status=DeliveryStatus.FAILED),
            replace(FIRING, paused=True),
            replace(FIRING, text="a\nb; c, d " + "x" * 200),
        )
    ]
    assert titles[:2] == ["me: Hello (failed)", "me: Hello (paused)"]
    assert titles[2].startswith("me: a b; c, d xxx")
    assert titles[2].endswith("…")
    assert len(titles[2]) < 130
