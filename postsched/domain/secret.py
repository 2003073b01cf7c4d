"""A secret that does not show itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any
from urllib.parse import quote

HIDDEN = "[secret]"
SHORTEST = 6
"""What is shorter is not looked for in texts: it would be found in every other word."""


LONG = 9
"""Characters from which a word is looked for in Base64, too: fewer would leave too little."""
PUBLIC = frozenset({"client_id", "did", "expires_at", "pds"})
"""Members of secrets that are none, and stand in ids and addresses."""


class SecretStore(StrEnum):
    """Where secrets are kept that are not in the environment."""

    AUTO = "auto"
    """In the keyring; where there is none, in the file, once there is one or a passphrase."""
    KEYRING = "keyring"
    FILE = "file"


class Secret:
    """A secret of one account: a string, or a JSON object where one is not enough.

    It shows itself in no repr, log or traceback; `text`, `get` and `reveal` give it out.
    """

    __slots__ = ("_seen_as", "_value")

    def __init__(self, value: str | Mapping[str, Any]) -> None:
        self._value = value
        self._seen_as: tuple[tuple[str, ...], tuple[str, ...]] | None = None

    def __repr__(self) -> str:
        return "<secret>"

    @property
    def text(self) -> str:
        """The secret as one string: itself, or its access token."""
        return self._value if isinstance(self._value, str) else str(self.get("access_token") or "")

    def get(self, name: str) -> Any:
        """A member of the JSON object, None if there is none."""
        return None if isinstance(self._value, str) else self._value.get(name)

    def scrub(self, text: str) -> str:
        """The text without the secret, in case a server's words repeat it: as it is, in an address
        or in Base64, as HTTP Basic sends it."""
        if self._seen_as is None:
            words = sorted(_strings(self._value), key=len, reverse=True)
            plain = [form for word in words if len(word) >= SHORTEST for form in _plain(word)]
            packed = [inside for word in words for inside in _in_base64(word)]
            self._seen_as = tuple(plain), tuple(packed)
        plain_forms, packed_forms = self._seen_as
        for form in plain_forms:
            text = text.replace(form, HIDDEN)
        for inside in packed_forms:
            if inside in text:
                text = re.sub(f"[\\w+/-]*{re.escape(inside)}[\\w+/=-]*", HIDDEN, text)
        return text

    def reveal(self) -> str | Mapping[str, Any]:
        """The bare value, to be written to the keyring."""
        return self._value


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
        if "://" in value:  # an address, of which the end is what is secret
            yield value.rstrip("/").rpartition("/")[2]
    elif isinstance(value, Mapping):
        for name, member in value.items():
            if name not in PUBLIC:
                yield from _strings(member)


def _plain(word: str) -> Iterator[str]:
    """The word as it is, and in an address."""
    yield word
    if (quoted := quote(word, safe="")) != word:
        yield quoted


def _in_base64(word: str) -> Iterator[str]:
    """What of the word is seen when a text that has it is in Base64, wherever it begins there."""
    if len(word) >= LONG:
        from base64 import b64encode

        for before in range(3):
            whole = b64encode(b"x" * before + word.encode("utf-8", "replace")).decode()
            yield whole[-(-before * 4 // 3) : -4]
