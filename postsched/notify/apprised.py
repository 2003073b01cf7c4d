"""Apprise in a process of its own: it loads a hundred services, waits for them in threads, and is
to hold up nobody's posts.

`python -m postsched.notify.apprised` reads `{targets, title, text}` from standard input and prints
for each target null, or why it was not taken; without a text, it only says which of them are no
addresses. What services say goes without what could be a
secret: every piece of the target's address.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from urllib.parse import unquote

SHORTEST = 3
"""What is shorter is not looked for: it would be found in every other word."""


class _Heard(logging.Handler):
    """Keeps what Apprise complains of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.words: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.words.append(record.getMessage())


def scrubbed(words: str, target: str) -> str:
    """The words without any piece of the address."""
    rest = target.partition("://")[2]
    pieces = {piece for text in (rest, unquote(rest)) for piece in re.split(r"[/:@?&=#,\s]+", text)}
    for piece in sorted(pieces, key=len, reverse=True):
        if len(piece) >= SHORTEST:
            words = words.replace(piece, "…")
    return " ".join(words.split())[:200]


def tell(target: str, title: str, text: str | None) -> str | None:
    """Notify one target, where there is a text; why it was not taken, None if it was."""
    import apprise

    log = logging.getLogger("apprise")
    heard = _Heard()
    log.handlers[:], log.propagate = [heard], False
    one = apprise.Apprise()
    if not one.add(target):
        return "apprise knows no such address"
    if text is None:
        return None
    if one.notify(title=title, body=text, body_format=apprise.NotifyFormat.TEXT):
        return None
    return scrubbed(" ".join(heard.words), target) or "it was not taken"


def main() -> None:
    """See above."""
    given = json.load(sys.stdin)
    found = []
    for target in given["targets"]:
        try:
            found.append(tell(target, given["title"], given["text"]))
        except Exception as error:  # noqa: BLE001 - a plug-in may raise anything
            found.append(f"apprise failed ({type(error).__name__})")
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
