"""account login against a LinkedIn on loopback: no PKCE, a client secret, and a token that ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from postsched.testing import Answer as HttpAnswer
from postsched.testing.linkedin import TOKEN, LinkedInServer
from postsched.testing.wire import Request
from tests.cli.calling import Caller
from tests.cli.logins import Door
from tests.servers.visitor import visit

pytestmark = pytest.mark.slow
"""The crash matrix and the contract of adapters go through the same in the gate."""

APP = {"client_id": "86abc", "client_secret": "WPL_AP1.secret=="}
SCOPES = {"openid", "profile", "w_member_social"}


class Portal(LinkedInServer):
    """One can log in to it (fact sheet, section 2): who asks for more than the app has is refused,
    and a code is good once."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.codes: dict[str, str] = {}

    def answer(self, request: Request) -> HttpAnswer:
        """The two addresses of a login, and all the others."""
        if request.path == "/oauth/v2/authorization":
            return self._consent(request)
        if request.path == "/oauth/v2/accessToken":
            return self._trade({name: value.decode() for name, (_, value) in request.form.items()})
        return super().answer(request)

    def _consent(self, request: Request) -> HttpAnswer:
        query = request.query
        assert query["response_type"] == "code"
        assert query["client_id"] == APP["client_id"]
        assert "code_challenge" not in query
        back = {"state": query["state"]}
        if set(query["scope"].split()) == SCOPES:
            code = f"AQT-{len(self.codes)}-code"
            self.codes[code] = query["redirect_uri"]
            back["code"] = code
        else:
            back["error"] = "unauthorized_scope_error"
        return HttpAnswer(302, b"", {"Location": f"{query['redirect_uri']}?{urlencode(back)}"})

    def _trade(self, form: dict[str, str]) -> HttpAnswer:
        redirect = self.codes.pop(form.get("code", ""), None)
        wanted = {**APP, "grant_type": "authorization_code", "redirect_uri": redirect}
        if redirect is None or {**form, "code": None} != {**wanted, "code": None}:
            return HttpAnswer(400, {"error": "invalid_request", "error_description": "no"})
        return HttpAnswer(200, {"access_token": TOKEN, "expires_in": 5184000,
                                "scope": ",".join(sorted(SCOPES))})  # fmt: skip


@pytest.fixture
def server() -> Iterator[Portal]:
    """A LinkedIn with one member."""
    with Portal() as running:
        yield running


@pytest.fixture
def door(call: Caller, server: Portal, tmp_path: Path) -> Door:
    """A person with the account `me` there, not logged in."""
    added = call("account", "add", "me", "--platform", "linkedin", "--url", server.url)
    assert added.code == 0
    return Door(call, tmp_path)


OPTIONS = ("me", "--client-id", APP["client_id"], "--client-secret-stdin")


@pytest.mark.slow
def test_in_the_browser(door: Door, call: Caller) -> None:
    answer = door.browse(*OPTIONS, stdin=APP["client_secret"])
    assert answer.code == 0, answer.err
    assert " is logged in; its login ends " in answer.out
    assert answer.out.count(" days") == 1
    assert "in 59 days" in answer.out or "in 60 days" in answer.out
    assert f"localhost%3A{door.port}" in answer.err
    kept = json.loads(door.kept("me") or "")
    assert set(kept) == {"access_token", "expires_at", *APP}
    ends = call("account", "show", "me", "--json").json["token_expires_at"]
    left = datetime.fromisoformat(ends) - datetime.now(UTC)
    assert timedelta(days=59) < left < timedelta(days=60)


def test_by_paste(door: Door) -> None:
    answer = door.paste(
        *OPTIONS, first=f"{APP['client_secret']}\n",
        answer=lambda url: visit(url, until="/callback?")[0],
    )  # fmt: skip
    assert answer.code == 0, answer.err


def test_a_wrong_secret(door: Door) -> None:
    answer = door.paste(
        *OPTIONS, first="wrong-secret-5\n",
        answer=lambda url: visit(url, until="/callback?")[0],
    )  # fmt: skip
    assert answer.code == 1
    assert "the login of me failed: no" in answer.err
    assert door.kept("me") is None
