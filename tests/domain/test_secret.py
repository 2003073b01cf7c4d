"""A secret shows itself nowhere, and is found in what others say."""

from __future__ import annotations

from base64 import b64encode
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postsched.domain.secret import HIDDEN, Secret

TOKEN = "tok-2b7e/1516+28aed2=a6"


def test_it_shows_itself_nowhere() -> None:
    for value in (TOKEN, {"access_token": TOKEN, "previous": {"access_token": TOKEN}}):
        secret = Secret(value)
        assert TOKEN not in f"{secret!r} {secret!s} {[secret]} { ({1: secret}) }"


@pytest.mark.parametrize(
    "value", [TOKEN, {"access_token": TOKEN}, {"previous": {"refresh_token": TOKEN}}]
)
@pytest.mark.parametrize("told", [str, lambda word: quote(word, safe="")])
def test_it_is_found_in_words(value: Any, told: Any) -> None:
    assert Secret(value).scrub(f"no: {told(TOKEN)}!") == f"no: {HIDDEN}!"


@given(st.text(st.characters(codec="ascii"), max_size=9),
       st.text(st.characters(codec="ascii"), max_size=9))  # fmt: skip
def test_it_is_found_in_base64(before: str, after: str) -> None:
    whole = f"{before}{TOKEN}{after}".encode()
    for code in (b64encode(whole).decode(), b64encode(whole).decode().rstrip("=")):
        assert Secret(TOKEN).scrub(f"Basic {code} no") == f"Basic {HIDDEN} no"


def test_what_is_no_secret_stays() -> None:
    """It stands in ids and addresses."""
    public = {"did": "did:plc:abcdefgh", "client_id": "our-app", "pds": "https://pds.example"}
    words = "at://did:plc:abcdefgh/1 of our-app at https://pds.example"
    assert Secret({"access_token": TOKEN, **public}).scrub(words) == words


def test_short_words_are_not_looked_for() -> None:
    assert Secret("a").scrub("a cat") == "a cat"
    assert Secret({"access_token": ""}).scrub("a cat") == "a cat"


def test_the_end_of_an_address_is_a_secret_too() -> None:
    secret = Secret({"webhook_url": "https://discord.com/api/webhooks/1/to-ken_of_it"})
    assert "to-ken_of_it" not in secret.scrub("GET /api/v10/webhooks/1/to-ken_of_it?wait=true")
    assert secret.scrub("https://discord.com/api/webhooks") == "https://discord.com/api/webhooks"
