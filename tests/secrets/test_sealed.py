"""The format of the secrets file: what comes back, and every way it can be broken."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from postsched.domain.errors import SecretUnavailable
from postsched.secrets.sealed import LARGEST, Cost, Key, derived, new_salt, parsed, sealed

CHEAP = Cost(2**14, 8, 1)
TEXTS = {"me": "SESAME", "wörk": '{"access_token": "SESAME2"}'}
FILE = "the/file"


@pytest.fixture(scope="module")
def key() -> Key:
    """A key, made once."""
    return derived("open up", new_salt(), CHEAP)


def refused(content: bytes, key: Key) -> SecretUnavailable:
    """The refusal of a content, which names the file and no secret."""
    with pytest.raises(SecretUnavailable) as caught:
        parsed(content, FILE).opened(key, FILE)
    error = caught.value
    assert FILE in error.message
    assert error.hint
    assert "SESAME" not in str(error)
    assert "\n" not in str(error)
    return error


def test_what_is_sealed_comes_back(key: Key) -> None:
    content = sealed(key, TEXTS)
    found = parsed(content, FILE)
    assert found.is_of(key)
    assert found.accounts == {"me", "wörk"}
    assert found.opened(key, FILE) == TEXTS
    assert found.opened(derived("open up", found.salt, found.cost), FILE) == TEXTS
    assert b"SESAME" not in content
    assert "SESAME" not in repr((found, key))
    assert repr(key.secret) not in repr(key)


def test_no_two_files_are_alike(key: Key) -> None:
    assert sealed(key, TEXTS) != sealed(key, TEXTS)
    assert not parsed(sealed(key, TEXTS), FILE).is_of(derived("another", key.salt, CHEAP))
    assert derived("open up", new_salt(), CHEAP).secret != key.secret


@pytest.mark.parametrize("length", [0, 1, 2, 40, 200, -3, -20])
def test_a_file_that_is_cut_off(key: Key, length: int) -> None:
    assert "is damaged" in refused(sealed(key, TEXTS)[:length], key).message


def test_no_byte_can_be_changed(key: Key) -> None:
    content = sealed(key, TEXTS)
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1
        try:
            found = parsed(bytes(changed), FILE)
            same = found.is_of(key) and found.opened(key, FILE) == TEXTS
        except SecretUnavailable:
            continue
        # A wrong check value says "wrong passphrase"; blanks are of no account.
        assert not same or json.loads(changed) == json.loads(content), place


def edited(key: Key, edit: Callable[[dict[str, Any]], object]) -> bytes:
    """A file with something changed in it."""
    document = json.loads(sealed(key, TEXTS))
    edit(document)
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    "edit",
    [
        lambda d: d.update(accounts=["me"]),
        lambda d: d.update(accounts=["me", "other"]),
        lambda d: d.update(more=1),
        lambda d: d.update(nonce="A" * 16),
    ],
)
def test_what_is_in_clear_is_authenticated(key: Key, edit: Callable[[Any], object]) -> None:
    assert "not what was sealed" in refused(edited(key, edit), key).message


@pytest.mark.parametrize(
    "edit",
    [
        lambda d: d.pop("kdf"),
        lambda d: d.update(kdf=[]),
        lambda d: d.update(kdf=None),
        lambda d: d["kdf"].pop("n"),
        lambda d: d["kdf"].update(n=True),
        lambda d: d["kdf"].update(n="65536"),
        lambda d: d["kdf"].update(n=65536.0),
        lambda d: d["kdf"].update(name="none"),
        lambda d: d["kdf"].update(salt=""),
        lambda d: d["kdf"].update(salt="ü"),
        lambda d: d["kdf"].update(salt=7),
        lambda d: d["kdf"].update(check="AAAA"),
        lambda d: d.update(cipher="rot13"),
        lambda d: d.update(version=0),
        lambda d: d.update(version="1"),
        lambda d: d.update(version=None),
        lambda d: d.update(nonce="AAAA"),
        lambda d: d.update(box="A"),
        lambda d: d.update(box=None),
        lambda d: d.pop("box"),
        lambda d: d.pop("accounts"),
        lambda d: d.update(accounts="me"),
        lambda d: d.update(accounts=[1]),
        lambda d: d.update(accounts=[["me"]]),
    ],
)
def test_what_makes_no_sense_is_damaged(key: Key, edit: Callable[[Any], object]) -> None:
    assert "makes no sense" in refused(edited(key, edit), key).message


@pytest.mark.parametrize(
    "cost",
    [
        {"n": 2}, {"n": 0}, {"n": -(2**16)}, {"n": 2**16 + 1}, {"n": 2**13}, {"n": 2**21},
        {"n": 2**60}, {"n": 10**400}, {"r": 0}, {"r": 1}, {"r": 2**30}, {"p": 0}, {"p": 10**9},
        {"n": 2**20, "r": 8}, {"n": 2**17, "r": 32}, {"n": 2**18, "r": 8, "p": 16},
    ],
)  # fmt: skip
def test_a_hostile_cost_is_refused_unpaid(key: Key, cost: dict[str, int]) -> None:
    content = edited(key, lambda d: d["kdf"].update(cost))
    assert "costs too little or too much" in refused(content, key).message


def test_the_default_cost_is_bearable_and_dear() -> None:
    default = Cost()
    assert default.is_bearable
    assert 128 * default.n * default.r == 64 * 2**20
    assert Cost(2**18, 8, 4).is_bearable
    assert not Cost(2**18, 8, 8).is_bearable


@pytest.mark.parametrize("version", [2, 99, 10**50])
def test_a_newer_version_says_what_to_do(key: Key, version: int) -> None:
    def edit(document: dict[str, Any]) -> None:
        document.clear()
        document.update(format="postsched-secrets", version=version, kdf={"new": 1})

    error = refused(edited(key, edit), key)
    assert "newer postsched" in error.message
    assert error.hint == "Update this one"


@pytest.mark.parametrize(
    "content",
    [b"{}", b"[]", b"1", b'"x"', b'{"format": "x"}', b'{"format": 1}', b'{"type": "service"}'],
)
def test_the_file_of_another_program(key: Key, content: bytes) -> None:
    assert "is no secrets file of postsched" in refused(content, key).message


@pytest.mark.parametrize(
    "content", [b"\0" * 100, b"\xff\xfe", b"[" * 100_000, b"null", b"9" * 10_000, b'{"a": NaN']
)
def test_what_is_no_json(key: Key, content: bytes) -> None:
    assert "it is cut off, or no JSON" in refused(content, key).message


def test_too_many_secrets_are_not_sealed(key: Key) -> None:
    with pytest.raises(SecretUnavailable, match="larger than 8 MiB"):
        sealed(key, {str(n): "x" * 60_000 for n in range(LARGEST // 60_000)})
