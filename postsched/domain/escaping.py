r"""Escaping: text in which some characters mean something to the network unless a backslash is
before them.

Which characters, and which pieces of text are meant as they are (hashtags, mentions), is data of
the account's `TextRules`. What is escaped is what is sent, and what is counted.
"""

from __future__ import annotations

import re
from functools import cache

from postsched.domain.capabilities import TextRules


def escaped(text: str, rules: TextRules) -> str:
    """The text as a network with these rules wants it: a backslash before each character of
    `rules.escapes`, but for what `rules.unescaped` matches. Of that, only a group named `inner` is
    escaped in its turn."""
    if not rules.escapes:
        return text
    reserved, meant = _patterns(rules.escapes, rules.unescaped)

    def one(match: re.Match[str]) -> str:
        if match["meant"] is None:
            return f"\\{match[0]}"
        return _with_inner(match, reserved)

    return meant.sub(one, text)


def _with_inner(match: re.Match[str], reserved: re.Pattern[str]) -> str:
    """What is meant as it is, its inner part escaped."""
    inner = match.groupdict().get("inner")
    if inner is None:
        return match[0]
    start, end = (at - match.start() for at in match.span("inner"))
    return match[0][:start] + reserved.sub(r"\\\g<0>", inner) + match[0][end:]


@cache
def _patterns(characters: str, unescaped: str | None) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """A reserved character; and either what is meant as it is, or a reserved character."""
    reserved = f"[{re.escape(characters)}]"
    meant = unescaped or r"(?!)"  # matches nothing
    return re.compile(reserved), re.compile(f"(?P<meant>{meant})|{reserved}")
