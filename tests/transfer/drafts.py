"""Drafts of every kind, for the tests of the formats."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from postsched.domain.draft import Draft, DraftMedia, DraftPart

HOSTILE = (
    "|", "\\|", "a|b", "\\", "\\\\", "C:\\a\\", "\\\\server\\b|c", ",", "a,b", "\"", "\"\"", "'",
    "---", "\n---\n", "\\---", "\r", "\r\n", "a\r\nb", " lead", "trail ", "\n", "\t", "yes", "no",
    "null", "~", "1.0", "0x1f", "14:30", "2026-12-01", "2026-12-01T09:00", "# no comment",
    "a # b", "- a", "a: b", "{a: b}", "[a]", "&a", "*a", "!!int 3", "%", "@", "`", ">", "? a",
    "=1+1", "+1", "@SUM(A1)", "\u0007\u001b[31m", "\u0085", "\u2028", "\ufeff", "🎉",
    "<b>&amp;", "NaN", "true", "\n\n  indented\n", "  \n x", "a\n\n", "\t\n", "#", "...",
    "\u001c",
)  # fmt: skip
QUIET = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Drafts are large, and test machines may be slow: neither is a fault of the code."""
PLAIN = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
PIECE = PLAIN | st.sampled_from(HOSTILE)
TEXT = PIECE | st.tuples(PIECE, PIECE).map("".join)
SAID = TEXT.filter(bool)
ACCOUNT = st.sampled_from(["me", "work", "acme-x", "a.b@c", "2_nd"])
TAG = TEXT.map(str.strip).filter(bool)
PATH = SAID.filter(lambda path: not path.lower().startswith(("http://", "https://")))
ALT = st.none() | SAID
MEDIA = st.builds(DraftMedia, path=PATH, alt=ALT) | st.builds(
    DraftMedia, url=TEXT.map("https://x.example/".__add__), alt=ALT
)
MANY_MEDIA = st.lists(MEDIA, max_size=2).map(tuple)


def drafts(part_media: bool = True) -> st.SearchStrategy[Draft]:
    """Complete drafts; `part_media` gives media to later parts too, which CSV can't hold."""
    more = MANY_MEDIA if part_media else st.just(())
    maybe = st.none() | SAID
    names = (
        "tz", "repeat", "cron", "rrule", "from_", "until", "comment", "link", "title", "visibility",
        "warning", "lang", "missed", "grace", "catch_up", "spread", "jitter",
        "callback", "key",
    )  # fmt: skip
    fields: dict[str, Any] = dict.fromkeys(names, maybe)
    number = st.none() | st.integers(-(2**31) + 1, 2**31 - 1)
    return st.builds(
        Draft,
        text=SAID,
        to=st.lists(ACCOUNT, min_size=1, max_size=2).map(tuple),
        at=SAID,
        media=MANY_MEDIA,
        then=st.lists(st.builds(DraftPart, text=SAID, media=more), max_size=2).map(tuple),
        variants=st.dictionaries(ACCOUNT, SAID, max_size=2),
        tags=st.lists(TAG, max_size=2).map(tuple),
        on=st.lists(TAG, max_size=2).map(tuple),
        except_=st.lists(TAG, max_size=2).map(tuple),
        texts=st.lists(SAID, max_size=2).map(tuple),
        vars=st.dictionaries(ACCOUNT, SAID, max_size=2),
        every=number,
        count=number,
        priority=number,
        slot=st.booleans(),
        draft=st.booleans(),
        **fields,
    )
