"""The settings `[webhook]` and `[notify]`: what the value of each key may be.

Addresses may hold secrets: what can't be one is refused without being shown.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from postsched.domain.errors import InvalidInput
from postsched.domain.nearest import did_you_mean
from postsched.domain.notice import EVERY, Event
from postsched.domain.setting import Kind

BETWEEN = re.compile(r"[\s,]+(?=desktop\b|[A-Za-z0-9+.-]+://)")
"""What parts the targets in a variable: Apprise's addresses may have commas in them."""
TARGET = re.compile(r"desktop|[A-Za-z0-9+.-]+://\S+")


def events() -> Kind:
    """Names of events: a list, or a text with commas."""
    names = ", ".join(sorted(EVERY))

    def read(value: Any) -> frozenset[Event]:
        known = {event.value: event for event in EVERY}
        found = _texts(value.split(",") if isinstance(value, str) else value)
        for one in found:
            if one not in known:
                raise InvalidInput(f"there is no event {one[:80]}", did_you_mean(one, known))
        return frozenset(known[one] for one in found)

    return Kind(f"a list of events: {names}", read)


def targets() -> Kind:
    """The word `desktop` and addresses of Apprise: a list, or a text with spaces or commas."""

    def read(value: Any) -> tuple[str, ...]:
        written = BETWEEN.split(value.strip()) if isinstance(value, str) else value
        try:
            found = _texts(written)
        except ValueError:
            raise InvalidInput("it is no list of texts", HOW) from None
        for place, one in enumerate(found, 1):
            if not TARGET.fullmatch(one):
                raise InvalidInput(f"target {place} is no address", HOW)
        return tuple(dict.fromkeys(found))

    return Kind("a list of targets", read)


HOW = 'Give "desktop", or an address as Apprise has it: https://appriseit.com/services/'


def command() -> Kind:
    """A program and its arguments: a list, or a text as a shell would split it."""

    def read(value: Any) -> tuple[str, ...]:
        words = shlex.split(value) if isinstance(value, str) else list(_texts(value, strip=False))
        if not words or not words[0]:
            raise ValueError
        return tuple(words)

    return Kind('a command, such as "notify.sh --loud", or the list of its words', read)


def called() -> Kind:
    """An address that is called: http or https. It is shown to nobody."""

    def read(value: Any) -> str:
        written = value.strip() if isinstance(value, str) else ""
        try:
            parts = urlsplit(written)
            fine = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            fine = False
        if not fine or "@" in parts.netloc or not re.fullmatch(r"[!-~]+", written):
            raise InvalidInput(
                "it is no address", "Give one with https:// before it, and no login in it"
            )
        return written

    return Kind("an https address", read)


def _texts(value: Any, *, strip: bool = True) -> Sequence[str]:
    """The texts of a list, those that are empty left out. Raises ValueError."""
    if not isinstance(value, list):
        raise ValueError
    if not all(isinstance(one, str) and one.isprintable() for one in value):
        raise ValueError
    return [one.strip() for one in value if one.strip()] if strip else value


WEBHOOK_KEYS: Mapping[str, Kind] = {"url": called(), "events": events()}
NOTIFY_KEYS: Mapping[str, Kind] = {
    "targets": targets(),
    "command": command(),
    "events": events(),
    "heartbeat_url": called(),
}
