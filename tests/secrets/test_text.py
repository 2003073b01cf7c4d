"""What may be a secret, and that a refused one is not shown."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postsched.domain.errors import InvalidInput
from postsched.domain.secret import Secret
from postsched.secrets import parse
from postsched.secrets.text import LONGEST, written


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_one_line_break_at_the_end_goes(end: str) -> None:
    assert parse(f"token{end}").reveal() == "token"
    assert parse(f'{{"access_token": "token"}}{end}').reveal() == {"access_token": "token"}


@pytest.mark.parametrize("token", ["123", "true", "a b", " a", "ключ", "x" * LONGEST, "a=b&c", "-"])
def test_a_plain_string_stays_as_it_is(token: str) -> None:
    assert parse(token).reveal() == token


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("\n", "empty"),
        ("  \n", "empty"),
        ("{}", "empty JSON object"),
        ("SESAME\n\n", "line break"),
        ("SESAME\nSESAME", "line break"),
        ("SESAME\rSESAME", "line break"),
        ("SESAME\x00", r"U\+0000"),
        ("SESAME\t", r"U\+0009"),
        ("SESAME\x1b[0m", r"U\+001B"),
        ("\ufeffSESAME", r"U\+FEFF"),
        ("SES\u200bAME", r"U\+200B"),
        ("SESAME\u2028", r"U\+2028"),
        ("SESAME\udcff", r"U\+DCFF"),
        ("SESAME" + "x" * LONGEST, "64 KiB"),
        ('["SESAME"]', "no JSON object"),
        ('"SESAME"', "no JSON object"),
        ('{"a": "SESAME"', "no JSON object"),
        ('{"a": "SESAME"} x', "no JSON object"),
        ('{"a": "SESAME", "a": "b"}', "no JSON object"),
        ('{"a": NaN, "b": "SESAME"}', "no JSON object"),
        ('{"a": "SESAME\\n"}', "line break"),
        ('{"a": [{"b": "SESAME\\u0000"}]}', r"U\+0000"),
        ('{"a": ' * 10_000, "no JSON object"),
        ('{"a": ' + "9" * 5000 + "}", "no JSON object"),
    ],
)
def test_what_is_no_secret_is_refused_unseen(text: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words) as caught:
        parse(text)
    shown = f"{caught.value!r} {caught.value} {caught.value.__context__!r}"
    assert "SESAME" not in shown
    assert caught.value.__context__ is None, "what it comes from may hold the secret"


def test_an_object_may_be_laid_out() -> None:
    assert parse('{\n  "a": "b",\n  "n": 1\n}\n').reveal() == {"a": "b", "n": 1}


@settings(deadline=None)
@given(
    st.text(max_size=20)
    | st.dictionaries(st.text(max_size=5), st.text(max_size=20) | st.integers(), max_size=3)
)
def test_what_is_written_comes_back(value: str | dict[str, str | int]) -> None:
    try:
        text = written(Secret(value))
    except InvalidInput:
        return
    assert parse(text).reveal() == value
    assert "\n" not in text


def test_a_string_that_would_come_back_as_something_else_is_refused() -> None:
    for value in (json.dumps({"a": "b"}), "token\n"):
        with pytest.raises(InvalidInput, match="can't be kept"):
            written(Secret(value))
