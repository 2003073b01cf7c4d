"""Text from anywhere, made fit for a terminal or a log."""

from __future__ import annotations

from typing import TextIO


def printable(text: str, stream: TextIO) -> str:
    """The text without control characters, and without what the stream's encoding can't say."""
    encoding = stream.encoding or "utf-8"
    return without_controls(text).encode(encoding, "backslashreplace").decode(encoding)


def without_controls(text: str) -> str:
    """The text with control characters shown, as they would move a terminal's cursor."""
    return "".join(c if c in "\n\t" or c.isprintable() or c == " " else _escape(c) for c in text)


def _escape(character: str) -> str:
    """A character that does not print: formatting ones (joiners, selectors) stay, for emoji are
    made with them; control characters are shown."""
    import unicodedata

    if unicodedata.category(character) in ("Cf", "Zs", "Zl", "Zp", "Co", "Cn"):
        return character
    return character.encode("unicode_escape").decode("ascii")
