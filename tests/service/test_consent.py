"""What counts as the answer to a login, from the browser or pasted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postsched.domain.account import Account
from postsched.domain.errors import InvalidInput, NotAllowed
from postsched.platforms.base import Login
from postsched.platforms.oauth import OAuth
from postsched.service.logging_in import Consent, described
from postsched.testing import FakePlatform

STATE = "state-of-this-login"
OAUTH = OAuth("https://a.example/auth", "https://a.example/token", ("read",))
CONSENT = Consent(
    Account(1, "u", "me", "x", datetime(2026, 1, 1, tzinfo=UTC)), OAUTH, Login("me", "", None),
    "http://127.0.0.1:8765/callback", "https://a.example/auth?…", STATE, "v" * 64,
)  # fmt: skip


@pytest.mark.parametrize(
    ("query", "code"),
    [
        (f"code=abc&state={STATE}", "abc"),
        (f"state={STATE}&code=a%2Fb%3D&iss=https%3A%2F%2Fa.example", "a/b="),
        (f"code=abc&state={STATE}&scope=a+b", "abc"),
    ],
)
def test_a_code(query: str, code: str) -> None:
    assert CONSENT.code_in(query) == code


@pytest.mark.parametrize(
    "query",
    [
        "", "code=abc", "code=abc&state=", "code=abc&state=other", f"code=abc&state={STATE}x",
        f"code=abc&state={STATE}&state={STATE}", f"code=a&code=b&state={STATE}", f"state={STATE}",
        f"code=&state={STATE}", f"code=a%00b&state={STATE}", f"code=a%20b&state={STATE}",
        f"code={'a' * 5000}&state={STATE}", "error=access_denied", "error=x&state=other",
        "code=abc&state=%ff", "code=abc&state=é", "&".join(["a=b"] * 500),
    ],
)  # fmt: skip
def test_no_answer(query: str) -> None:
    with pytest.raises(InvalidInput):
        CONSENT.code_in(query)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("error=access_denied", "access_denied"),
        ("error=access_denied&error_description=You+said+no", "You said no"),
        ("error=x&error_description=a%0D%0A%1b[31mb", "a [31mb"),
        ("error=", "it gives no reason"),
        ("error=access_denied&code=abc", "access_denied"),
    ],
)
def test_a_refusal(query: str, words: str) -> None:
    with pytest.raises(NotAllowed, match="the login was refused: ") as caught:
        CONSENT.code_in(f"{query}&state={STATE}")
    assert caught.value.message.endswith(words)


def test_a_long_reason_is_cut() -> None:
    with pytest.raises(NotAllowed) as caught:
        CONSENT.code_in(f"error=x&error_description={'y' * 9000}&state={STATE}")
    assert len(caught.value.message) < 300


@pytest.mark.parametrize(
    "text",
    [
        f"http://127.0.0.1:8765/callback?code=abc&state={STATE}",
        f"  https://any.example/page?state={STATE}&code=abc#_=_\r\n",
        f"127.0.0.1:8765/callback?code=abc&state={STATE}",
        f"?code=abc&state={STATE}",
        f"code=abc&state={STATE}",
        "abc",
    ],
)
def test_pasted(text: str) -> None:
    assert CONSENT.code_pasted(text) == "abc"


@pytest.mark.parametrize(
    "text", ["", "two words", "a\nb", "https://any.example/", "?code=abc", "é", "x" * 5000,
             "https://[bad?code=abc"],
)  # fmt: skip
def test_pasted_nonsense(text: str) -> None:
    with pytest.raises(InvalidInput):
        CONSENT.code_pasted(text)


@given(st.text(max_size=200))
def test_anything_is_judged(text: str) -> None:
    for judge in (CONSENT.code_in, CONSENT.code_pasted):
        try:
            assert judge(text)
        except (InvalidInput, NotAllowed) as error:
            assert error.message  # noqa: PT017 - it need not be raised


def test_it_does_not_show_its_secrets() -> None:
    assert STATE not in repr(CONSENT)
    assert "v" * 64 not in repr(CONSENT)


WRONG: list[dict[str, Any]] = [{"scopes": "read"}, {"scopes": (None,)}, {"token_url": None}]


@pytest.mark.parametrize(
    "nonsense",
    [
        {"authorize_url": "https://a.example"}, 5, KeyError("no"),
        *(replace(OAUTH, **wrong) for wrong in WRONG),
    ],
)  # fmt: skip
def test_an_adapter_that_describes_no_login_is_blamed(nonsense: Any) -> None:
    class Mumbling(FakePlatform):
        name = "mumbling"

        def oauth(self, login: Login) -> OAuth | None:
            if isinstance(nonsense, Exception):
                raise nonsense
            return nonsense  # type: ignore[no-any-return]  # that is the point

    with pytest.raises(NotAllowed, match="'mumbling' fails to say how one logs in"):
        described(Mumbling(), CONSENT.login)
