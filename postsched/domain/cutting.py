"""Where a text passes the limit of a network, and where it could be parted so that each piece fits.

Places are offsets in code points. None of them is inside a grapheme or a web address.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import replace

from postsched.domain.capabilities import TextRules
from postsched.domain.counting import byte_length, length

ADDRESS = re.compile(r"https?://\S*[\w/]", re.IGNORECASE)
GAPS = (re.compile(r"\n\s*\n"), re.compile(r"(?<=[.!?…。！？])\s+"), re.compile(r"\s+"))
"""Where a text is parted best: between paragraphs, sentences, words."""
MOST_PIECES = 100
WINDOW = 5_000
"""Characters that are looked at first, so that a text far too long does not take long: more than
any address has."""


def limit_of(rules: TextRules, *, beside_media: bool = False) -> int | None:
    """The limit of a text, in the rules' unit; None where there is none."""
    return rules.caption_limit or rules.limit if beside_media else rules.limit


def fits(text: str, rules: TextRules, *, beside_media: bool = False, warning: str = "") -> bool:
    """Whether a text is within the limits."""
    limit = limit_of(rules, beside_media=beside_media)
    if limit is not None and length(text, rules, warning) > limit:
        return False
    return rules.byte_limit is None or byte_length(text) <= rules.byte_limit


def room(
    text: str, rules: TextRules, *, beside_media: bool = False, warning: str = ""
) -> int | None:
    """How much of the beginning of a text fits; None where all of it does."""

    def over(place: int) -> bool:
        return not fits(text[:place], rules, beside_media=beside_media, warning=warning)

    end = WINDOW + 4 * (limit_of(rules, beside_media=beside_media) or 0)
    while end < len(text) and not over(end):
        end *= 4
    if not over(end):
        return None
    places = _places(text[:end])
    first = bisect_left(places, True, key=over)
    return places[first - 1] if first else 0


def cuts(
    text: str, rules: TextRules, *, beside_media: bool = False, warning: str = ""
) -> tuple[int, ...]:
    """Where the text could be parted into a thread of pieces that fit: each place begins a piece.
    Empty where the text fits, and where no parting helps."""
    if rules.limit is not None and length(text, rules) > MOST_PIECES * rules.limit:
        return ()
    found: list[int] = []
    start, first = 0, rules
    while True:
        rest = text[start:]
        end = room(rest, first, beside_media=beside_media and start == 0, warning=warning)
        if end is None:
            return tuple(found)
        begins = _next_begin(rest, end)
        if not begins or len(found) >= MOST_PIECES:
            return ()
        start += begins
        found.append(start)
        first = replace(rules, caption_limit=None)


def _next_begin(text: str, end: int) -> int:
    """Where the next piece begins, if a piece has room for `end` characters; 0 for nowhere."""
    for gap in GAPS:
        least = 1 if gap is GAPS[-1] else end // 2
        begins = [
            found.end()
            for found in gap.finditer(text, 0, end + 1)
            if least <= found.start() <= end and text[: found.start()].strip()
        ]
        if begins:
            rest = text[begins[-1] :]
            return begins[-1] + len(rest) - len(rest.lstrip())
    return end


def _places(text: str) -> list[int]:
    """The ends of graphemes, but for those inside of addresses."""
    import regex  # only for texts that are too long: it costs start-up time

    inside = [found.span() for found in ADDRESS.finditer(text)]
    ends, at = [], 0
    for found in regex.finditer(r"\X", text):
        while at < len(inside) and inside[at][1] <= found.start():
            at += 1
        if at == len(inside) or not inside[at][0] < found.end() < inside[at][1]:
            ends.append(found.end())
    return ends
