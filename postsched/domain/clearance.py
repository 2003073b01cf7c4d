"""Whether a text is so plain that no rule of a network can be in its way.

A look that costs next to nothing, for files of a million posts. What it does not clear may fit all
the same, and is judged in full (`domain.fitting`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import fields
from operator import attrgetter

from postsched.domain.capabilities import Capabilities, TextRules, Unit
from postsched.domain.counting import X_URL, byte_length, length
from postsched.domain.post import Content

LONGEST = 10_000
"""Characters; what is longer is judged in full."""
NEVER = ("[\0\ud800-\udfff]", "---", r"\{\{")
"""What no text may have, and what may be a break between parts or a placeholder."""


_BESIDE = attrgetter(*(one.name for one in fields(Content) if one.name != "text"))


def is_only_text(content: Content) -> bool:
    """Whether a content has nothing but a text."""
    return not any(_BESIDE(content))


class Clearance:
    """Clears texts for accounts that can do that: texts of posts that have nothing else that
    counts, such as a link, a content warning, or files."""

    def __init__(self, able: Iterable[Capabilities]) -> None:
        accounts = list(able)
        self._rules = tuple(dict.fromkeys(can.text for can in accounts))
        self._none = any(can.media.needed for can in accounts)
        self._closer = re.compile("|".join([*NEVER, *_counted(accounts)])).search
        self._least = min((_simple_limit(rules) for rules in self._rules), default=LONGEST)
        """Characters of ASCII, without dots and addresses, that are within every limit."""

    def __call__(self, text: str) -> bool:
        """Whether the text is cleared."""
        if self._none or len(text) > LONGEST or not text.strip() or self._closer(text):
            return False
        if len(text) <= self._least and text.isascii() and not ("." in text or "://" in text):
            return True
        return all(_is_within(text, rules) for rules in self._rules)


def _counted(accounts: Iterable[Capabilities]) -> set[str]:
    """How what is counted or told of by an account begins: #tags, mentions, links."""
    found: set[str] = set()
    for can in accounts:
        rules = can.text
        if rules.max_tags is not None or rules.usual_tags is not None or "hashtag" in can.ways:
            found.add("#")
        if rules.max_mentions is not None or "mention" in can.ways:
            found.add("@")
        if rules.max_links is not None:
            found.add("://")
    return found


def _simple_limit(rules: TextRules) -> int:
    """How many characters of ASCII, without dots and addresses, surely fit."""
    limits = [one for one in (rules.limit, rules.byte_limit) if one is not None]
    return min(limits, default=LONGEST) // (2 if rules.escapes else 1)


def _is_within(text: str, rules: TextRules) -> bool:
    limit, size = rules.limit, len(text)
    if rules.byte_limit is not None and 4 * size > rules.byte_limit < byte_length(text):
        return False
    return limit is None or _at_most(text, size, rules) <= limit or length(text, rules) <= limit


def _at_most(text: str, size: int, rules: TextRules) -> int:
    """No less than the text counts."""
    if not text.isascii() and rules.unit not in (Unit.GRAPHEMES, Unit.CODE_POINTS):
        size *= 6  # 2 for each of three that one may be normalised to; 4 bytes are less
    if rules.escapes:
        size *= 2
    if rules.unit is Unit.WEIGHTED:
        return size + (rules.url_length or X_URL) * text.count(".")
    return size + (rules.url_length or 0) * text.count("://")
