"""Signatures in what networks say of the host's addresses."""

from __future__ import annotations

from html import escape
from json import dumps
from urllib.parse import quote

import pytest

from postsched.domain.hosting import MediaHost
from postsched.hosting import without_signatures

PLACE = MediaHost("https://s3.example.org", "media", public_url="https://cdn.example.org/m")


@pytest.mark.parametrize("told", [str, quote, lambda url: quote(url, safe=""), dumps, escape])
def test_no_signature_is_left(told: type[str]) -> None:
    query = "X-Amz-Algorithm=A&X-Amz-Credential=k1%2Fs3&X-Amz-Signature=0f1e&X-Amz-Expires=9"
    said = without_signatures(
        told(f"no image at https://s3.example.org/media/a.jpg?{query}"), PLACE
    )
    assert "0f1e" not in said
    assert "k1" not in said
    assert "a.jpg" in said
    assert "X-Amz-Expires" in said
    cdn = "https://cdn.example.org/m/a.jpg?Policy=p0l&Signature=s1g~_&Key-Pair-Id=K2&token=t0k&w=8"
    said = without_signatures(told(cdn), PLACE)
    assert not [word for word in ("p0l", "s1g", "K2", "t0k") if word in said]


def test_what_is_elsewhere_stays() -> None:
    words = "the token=x at https://a.example/?token=1&sig=2 is wrong"
    assert without_signatures(words, PLACE) == words
