"""The format of the secrets file: what is in it, and how it is sealed and opened.

A JSON object. In clear: format and version, the parameters of scrypt (RFC 7914) that make a key of
the passphrase, a check value of that key, the names of the accounts. Sealed, in `box`: the secrets
by account. The box is ChaCha20-Poly1305 (RFC 8439) with a nonce of its own at each writing, and
everything in clear is authenticated with it. What a file says is not believed before it is opened,
and costs no more memory and time than `Cost.is_bearable` allows.
"""

from __future__ import annotations

import binascii
import hmac
import json
import os
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from postsched.domain.errors import SecretUnavailable

FORMAT, VERSION = "postsched-secrets", 1
KDF, CIPHER = "scrypt", "chacha20-poly1305"
SALT, CHECK, NONCE, KEY = 16, 16, 12, 32
"""Lengths in bytes."""
LARGEST = 8 * 1024 * 1024
"""Bytes a file may have."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a key costs: 128 * n * r bytes of memory, and time in proportion to n * r * p."""

    n: int = 2**16
    r: int = 8
    p: int = 2

    @property
    def is_bearable(self) -> bool:
        """Whether a file may ask for it: enough to slow down who guesses, and not so much that
        it is an attack itself. At most 256 MiB, and eight times the time of the default."""
        powers = self.n & (self.n - 1) == 0
        limits = 2**14 <= self.n <= 2**20 and 8 <= self.r <= 32 and 1 <= self.p <= 16
        return powers and limits and self.n * self.r <= 2**21 and self.n * self.r * self.p <= 2**23


@dataclass(frozen=True, slots=True)
class Key:
    """What a passphrase comes to with one salt. `check` tells a wrong passphrase from damage."""

    salt: bytes
    cost: Cost
    check: bytes
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A file as it was read; `accounts` are the names that it says it holds secrets of."""

    accounts: frozenset[str]
    salt: bytes
    cost: Cost
    check: bytes
    nonce: bytes
    box: bytes = field(repr=False)
    clear: bytes = field(repr=False)

    def is_of(self, key: Key) -> bool:
        """Whether it was sealed with that key."""
        return hmac.compare_digest(self.check, key.check)

    def opened(self, key: Key, where: object) -> dict[str, str]:
        """The secrets by account. Raises SecretUnavailable where anything was changed in it."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

        try:
            plain = ChaCha20Poly1305(key.secret).decrypt(self.nonce, self.box, self.clear)
        except InvalidTag:
            plain = None
        if plain is None:
            raise damaged(where, "its content is not what was sealed")
        texts: dict[str, str] = json.loads(plain)
        return texts


def new_salt() -> bytes:
    """A salt for a new file."""
    return os.urandom(SALT)


def derived(passphrase: str, salt: bytes, cost: Cost) -> Key:
    """The key of a passphrase; slow by design, a few tenths of a second. Raises SecretUnavailable
    where there is not enough memory."""
    try:
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
    except ImportError as error:
        raise SecretUnavailable(
            f"the secrets file needs the package cryptography, which can't be loaded ({error})",
            "Install postsched anew with pip",
        ) from None
    try:
        kdf = Scrypt(salt=salt, length=KEY + CHECK, n=cost.n, r=cost.r, p=cost.p)
        made = kdf.derive(passphrase.encode())
    except MemoryError:
        megabytes = 128 * cost.n * cost.r // 2**20
        raise SecretUnavailable(
            f"there is not enough memory for the key of the secrets file ({megabytes} MiB)",
            "Allow the process more memory",
        ) from None
    return Key(salt, cost, made[KEY:], made[:KEY])


def sealed(key: Key, texts: Mapping[str, str]) -> bytes:
    """The content of a file with these secrets. Raises SecretUnavailable if there are too many."""
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    nonce = os.urandom(NONCE)
    document: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "kdf": {
            "name": KDF, "salt": _base64(key.salt), "n": key.cost.n, "r": key.cost.r,
            "p": key.cost.p, "check": _base64(key.check),
        },
        "cipher": CIPHER,
        "nonce": _base64(nonce),
        "accounts": sorted(texts),
    }  # fmt: skip
    plain = json.dumps(dict(texts)).encode()
    box = ChaCha20Poly1305(key.secret).encrypt(nonce, plain, _clear(document))
    content = json.dumps({**document, "box": _base64(box)}, indent=1).encode() + b"\n"
    if len(content) > LARGEST:
        raise SecretUnavailable(
            f"the secrets file would be larger than {LARGEST // 2**20} MiB", "Remove some accounts"
        )
    return content


def parsed(content: bytes, where: object) -> Sealed:
    """What a file's content says. Raises SecretUnavailable for what is no such file, is damaged,
    of a newer version, or asks for too much."""
    document = _document(content, where)
    try:
        found = _sealed(document)
    except (KeyError, TypeError, ValueError):
        raise damaged(where, "what it says of itself makes no sense") from None
    if not found.cost.is_bearable:
        raise damaged(where, "the key it asks for costs too little or too much")
    return found


def damaged(where: object, how: str) -> SecretUnavailable:
    """The error for a file that can't be used any more."""
    return SecretUnavailable(
        f"the secrets file {where} is damaged: {how}",
        "Put a copy of it back, or move it away and give the secrets again: "
        "postsched account set NAME --token-stdin",
    )


def _document(content: bytes, where: object) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        document = None
    if document is None:
        raise damaged(where, "it is cut off, or no JSON")
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise SecretUnavailable(
            f"{where} is no secrets file of postsched", "Set secrets_file to another place"
        )
    version = document.get("version")
    if type(version) is int and version > VERSION:
        raise SecretUnavailable(
            f"the secrets file {where} was written by a newer postsched", "Update this one"
        )
    return document


def _sealed(document: dict[str, Any]) -> Sealed:
    kdf, names = document["kdf"], document["accounts"]
    if (document["version"], document["cipher"], kdf["name"]) != (VERSION, CIPHER, KDF):
        raise ValueError
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise TypeError
    return Sealed(
        frozenset(names),
        _bytes(kdf["salt"], SALT),
        _cost(kdf),
        _bytes(kdf["check"], CHECK),
        _bytes(document["nonce"], NONCE),
        _bytes(document["box"]),
        _clear(document),
    )


def _cost(kdf: dict[str, Any]) -> Cost:
    numbers = [kdf[name] for name in ("n", "r", "p")]
    if not all(type(number) is int for number in numbers):
        raise TypeError
    return Cost(*numbers)


def _clear(document: Mapping[str, Any]) -> bytes:
    """What is in clear, in one spelling, to be authenticated."""
    clear = {name: value for name, value in document.items() if name != "box"}
    return json.dumps(clear, sort_keys=True, separators=(",", ":")).encode()


def _base64(content: bytes) -> str:
    return b64encode(content).decode()


def _bytes(text: Any, length: int | None = None) -> bytes:
    try:
        content = b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError from None
    # Its last character has bits that mean nothing: nobody but us may have written it.
    if _base64(content) != text or (length is not None and len(content) != length):
        raise ValueError
    return content
