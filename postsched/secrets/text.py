"""A secret as text: the same on standard input, in the environment and in the keyring."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from typing import Any

from postsched.domain.errors import InvalidInput
from postsched.domain.secret import Secret

LONGEST = 64 * 1024
"""Bytes of UTF-8 a secret may have."""
UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode categories that no secret has and that copying brings along: controls, line breaks,
zero-width characters, broken encodings."""


def parse(text: str) -> Secret:
    """The secret that a text is: a string, or a JSON object. One line break at the end goes.

    Raises InvalidInput, without any of the text, for what can't be a secret.
    """
    text = text.removesuffix("\n").removesuffix("\r")
    if not text.strip():
        raise InvalidInput("the secret is empty")
    if len(text.encode(errors="replace")) > LONGEST:
        raise InvalidInput(f"the secret is longer than {LONGEST // 1024} KiB")
    if text.lstrip()[0] in '{["':
        return _parse_json(text)
    _check_characters(text)
    return Secret(text)


def _parse_json(text: str) -> Secret:
    try:
        value = json.loads(text, object_pairs_hook=_no_twins, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise InvalidInput(
            "the secret looks like JSON but is no JSON object",
            'Give a plain string, or an object such as {"access_token": "…"}',
        )
    if not value:
        raise InvalidInput("the secret is an empty JSON object")
    for string in _strings(value):
        _check_characters(string)
    return Secret(value)


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a name twice")
    return dict(pairs)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for member in value.values() if isinstance(value, dict) else value:
            yield from _strings(member)


def _check_characters(text: str) -> None:
    if "\n" in text or "\r" in text:
        raise InvalidInput("the secret has a line break in it", "Give it as one line")
    unseen = next((c for c in text if unicodedata.category(c) in UNSEEN), None)
    if unseen is not None:
        raise InvalidInput(
            f"the secret has a control or invisible character in it (U+{ord(unseen):04X})",
            "Copy it again, without what surrounds it",
        )


def written(secret: Secret) -> str:
    """The secret as it is kept. Raises InvalidInput if it would not come back the same."""
    value = secret.reveal()
    text = value if isinstance(value, str) else json.dumps(dict(value), separators=(",", ":"))
    if parse(text).reveal() != value:
        raise InvalidInput("the secret can't be kept: it would not be read back the same")
    return text
