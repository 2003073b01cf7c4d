"""Which settings there are, and what the value of each may be, in TOML or in the environment."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, cast

from postsched.domain.duration import LONGEST, format_duration, parse_duration
from postsched.domain.errors import InvalidInput
from postsched.domain.post import CatchUp, Missed
from postsched.domain.secret import SecretStore
from postsched.domain.timing import MOST_SPACING, quiet_of
from postsched.domain.zones import zone_named

if TYPE_CHECKING:
    from postsched.domain.quiet import QuietHours


@dataclass(frozen=True, slots=True)
class Kind:
    """What a setting may be.

    `expected` says it in words. `read` turns a TOML value into ours and raises ValueError, or
    InvalidInput where it knows more than `expected`. `from_text` turns a variable's text into
    what TOML would have said.
    """

    expected: str
    read: Callable[[Any], Any]
    from_text: Callable[[str], Any] = str


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` requests in any `per`: `300/5m`."""

    count: int
    per: timedelta


def text() -> Kind:
    """A string that is not empty and of one line."""
    return Kind("a text of one line", _line)


def duration(least: timedelta, most: timedelta = LONGEST) -> Kind:
    """A length of time within bounds, both included."""

    def read(value: Any) -> timedelta:
        length = _length(value)
        if not least <= length <= most:
            raise ValueError
        return length

    bounds = f"from {format_duration(least)} to {format_duration(most)}"
    return Kind(f'a duration {bounds}, such as "30s" or "1h30m"', read)


def number(least: int, most: int) -> Kind:
    """A whole number within bounds, both included."""

    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError
        return value

    return Kind(f"a whole number from {least} to {most}", read, _digits)


def choice(words: type[StrEnum]) -> Kind:
    """One of a few words."""
    return Kind(" or ".join(f'"{word}"' for word in words), words)


def yes_or_no() -> Kind:
    """True or false."""

    def read(value: Any) -> bool:
        if not isinstance(value, bool):
            raise ValueError
        return value

    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    return Kind("true or false", read, lambda written: words.get(written.lower(), written))


def zone() -> Kind:
    """The name of a time zone; the value stays a string."""

    def read(value: Any) -> str:
        name = _line(value)
        zone_named(name)
        return name

    return Kind('the name of a time zone, such as "Europe/Berlin"', read)


def quiet_hours() -> Kind:
    """Times of the week at which nothing goes out."""

    def read(value: Any) -> QuietHours | None:
        return quiet_of(_line(value))

    return Kind("quiet hours such as 22:00-07:00", read)


def rate() -> Kind:
    """A number of requests in a length of time."""

    def read(value: Any) -> Rate:
        count, _, per = _line(value).partition("/")
        length = _length(per)
        if not count.isascii() or not count.isdigit() or not 0 < int(count) <= 1_000_000:
            raise ValueError
        if not length:
            raise ValueError
        return Rate(int(count), length)

    return Kind('requests in a duration, such as "300/5m"', read)


FOREVER = "forever"


def keeping(least: timedelta) -> Kind:
    """How long something is kept, at the least so long; None for ever."""
    bounded = duration(least)

    def read(value: Any) -> timedelta | None:
        return None if value == FOREVER else cast("timedelta", bounded.read(value))

    return Kind(f'{bounded.expected}, or "{FOREVER}"', read)


BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")
REGION = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,62}")


def word(pattern: re.Pattern[str], expected: str) -> Kind:
    """A string of a given form."""

    def read(value: Any) -> str:
        if not pattern.fullmatch(written := _line(value)):
            raise ValueError
        return written

    return Kind(expected, read)


LOOPBACK = re.compile(r"localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1")


def address() -> Kind:
    """The address of a service: https, or plain http to this machine; no slash at the end."""
    return Kind("an https address without a login in it (plain http only to localhost)", _address)


def _address(value: Any) -> str:
    from urllib.parse import urlsplit

    written = _line(value)
    parts = urlsplit(written)
    safe = parts.scheme == "https" or (
        parts.scheme == "http" and LOOPBACK.fullmatch(parts.hostname or "")
    )
    if not safe or not parts.hostname or "@" in parts.netloc or parts.port == 0:
        raise ValueError
    if parts.query or parts.fragment or re.search(r"\s", written):
        raise ValueError
    return written.rstrip("/")


def _length(value: Any) -> timedelta:
    try:
        return parse_duration(_line(value))
    except InvalidInput:
        raise ValueError from None  # `expected` says more: the bounds


def _line(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ValueError
    return value.strip()


def _digits(written: str) -> int | str:
    plain = written.isascii() and written.isdigit() and len(written) < 20
    return int(written) if plain else written


def unfit(where: str, kind: Kind, value: Any, error: Exception) -> InvalidInput:
    """The error for a value that its kind refused; `where` names the key and its source."""
    if isinstance(error, InvalidInput):
        return InvalidInput(f"{where}: {error.message}", error.hint)
    shown = re.sub(r"//[^/@\s]*@", "//…@", f"{value!r}")  # a login in an address is a secret
    shown = shown if len(shown) <= 80 else f"{shown[:79]}…"
    return InvalidInput(f"{where} can't be {shown}", f"Give {kind.expected}")


_ZERO, _TINY, _DAY = timedelta(0), timedelta(milliseconds=10), timedelta(days=1)

KEYS: Mapping[str, Kind] = {
    "timezone": zone(),
    "misfire_grace": duration(_ZERO),
    "missed": choice(Missed),
    "catch_up": choice(CatchUp),
    "concurrency": number(1, 1_000),
    "concurrency_total": number(1, 10_000),
    "attempts": number(1, 100),
    "retry_delay": duration(_TINY, 7 * _DAY),
    "timeout": duration(_TINY, _DAY),
    "claim_timeout": duration(timedelta(seconds=3), _DAY),
    "claim_ahead": duration(_ZERO, timedelta(seconds=10)),
    "prepare_ahead": duration(_ZERO, _DAY),
    "shutdown_timeout": duration(_ZERO, _DAY),
    "require_alt_text": yes_or_no(),
    "quiet_hours": quiet_hours(),
    "min_spacing": duration(_ZERO, MOST_SPACING),
    "close_gaps": yes_or_no(),
    "media_dir": text(),
    "state_dir": text(),
    "keep": keeping(35 * _DAY),
    "archive": yes_or_no(),
    "archive_dir": text(),
    "secrets": choice(SecretStore),
    "secrets_file": text(),
    "callback_port": number(1, 65_535),
    "allow_plaintext_keyring": yes_or_no(),
    "allow_private_addresses": yes_or_no(),
}
PLATFORM_KEYS: Mapping[str, Kind] = {
    "url": address(),
    "authorize_url": address(),
    "token_url": address(),
    "client_id": text(),
    "api_version": text(),
    "rate": rate(),
}
MEDIA_HOST_KEYS: Mapping[str, Kind] = {
    "url": address(),
    "bucket": word(BUCKET, "the name of a bucket: letters, digits, and . _ - between them"),
    "region": word(REGION, 'the name of a region, such as "eu-central-1"'),
    "public_url": address(),
}
