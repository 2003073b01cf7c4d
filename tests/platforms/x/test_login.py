"""Logging in to X and staying in: what the adapter describes, and single-use refresh tokens."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from postsched.domain.outcome import ErrorKind
from postsched.domain.secret import Secret
from postsched.platforms import oauth
from postsched.platforms.base import Login, PlatformError, Renewal, Service
from postsched.platforms.x import X
from postsched.testing.sender import Sender, message
from postsched.testing.x import XServer
from postsched.testing.x_oauth import CLIENT_ID, CLIENT_SECRET, KEYS, REFRESH_TOKEN, SCOPE, TOKEN
from tests.platforms.x.playing import out, play

NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
CALLBACK = "http://127.0.0.1:8765/callback"


def secret(**more: Any) -> Secret:
    """A pair of tokens that has not long to go."""
    end = (NOW + timedelta(minutes=4)).isoformat()
    pair = {"access_token": TOKEN, "refresh_token": REFRESH_TOKEN, "expires_at": end}
    return Secret({**pair, "client_id": CLIENT_ID, **more})


def renewed(login: Login, *, refused: bool = False) -> Renewal | None:
    """What a renewal gives."""

    async def scene(sender: Sender) -> Renewal | None:
        return await sender.platform.refresh(login, sender.http, NOW, refused=refused)

    return play(login, scene, inspect=False)


def test_the_addresses_are_those_of_the_sheet_unless_they_are_set() -> None:
    bare = Login("me", "https://api.x.com", None)
    described = X().oauth(bare)
    assert described is not None
    assert described.authorize_url == "https://x.com/i/oauth2/authorize"
    assert described.token_url == "https://api.x.com/2/oauth2/token"
    assert described.scopes == tuple(SCOPE.split())
    assert described.pkce
    proxied = X().oauth(replace(bare, url="http://127.0.0.1:9"))
    assert proxied is not None
    assert proxied.authorize_url == "http://127.0.0.1:9/2/oauth2/authorize"
    assert proxied.token_url == "http://127.0.0.1:9/2/oauth2/token"
    service = Service(authorize_url="https://a.example/authorize", token_url="https://b.example/t")
    given = X().oauth(replace(bare, service=service))
    assert given is not None
    assert (given.authorize_url, given.token_url) == (
        "https://a.example/authorize", "https://b.example/t"
    )  # fmt: skip


@pytest.mark.parametrize("client_secret", [None, CLIENT_SECRET])
def test_a_code_with_its_verifier_is_a_login(client_secret: str | None) -> None:
    """As a public client, and as a confidential one by HTTP Basic."""
    with XServer(client_secret=client_secret) as server:
        app = {"client_id": CLIENT_ID, "client_secret": client_secret}
        login = Login("me", server.url, Secret({k: v for k, v in app.items() if v}))
        described = X().oauth(login)
        assert described is not None
        verifier = oauth.new_verifier()
        url = oauth.authorization_url(described, CLIENT_ID, CALLBACK, "state", verifier)

        async def scene(sender: Sender) -> Renewal:
            answer = await sender.http.get(url)
            (code,) = parse_qs(urlsplit(answer.headers["location"]).query)["code"]
            return await oauth.exchange(
                described, login, sender.http,
                code=code, redirect_uri=CALLBACK, verifier=verifier, now=NOW,
            )  # fmt: skip

        renewal = play(login, scene, inspect=False)
        assert renewal.secret.get("refresh_token")
        assert renewal.secret.get("expires_at") == "2026-11-27T11:00:00Z"
        kept = replace(login, secret=renewal.secret)
        out(play(kept, lambda s: s.send(message("Hello"))))


def test_a_wrong_verifier_is_refused() -> None:
    with XServer() as server:
        login = Login("me", server.url, Secret({"client_id": CLIENT_ID}))
        described = X().oauth(login)
        assert described is not None
        url = oauth.authorization_url(described, CLIENT_ID, CALLBACK, "state", "a" * 64)

        async def scene(sender: Sender) -> Renewal:
            answer = await sender.http.get(url)
            (code,) = parse_qs(urlsplit(answer.headers["location"]).query)["code"]
            return await oauth.exchange(
                described, login, sender.http,
                code=code, redirect_uri=CALLBACK, verifier="b" * 64, now=NOW,
            )  # fmt: skip

        with pytest.raises(PlatformError) as caught:
            play(login, scene, inspect=False)
    assert caught.value.problem.kind is ErrorKind.AUTH


def test_a_token_that_ends_is_renewed_and_the_pair_before_is_kept() -> None:
    with XServer() as server:
        login = Login("me", server.url, secret())
        assert X().stale(login, NOW)
        renewal = renewed(login)
        assert renewal is not None
        assert renewal.secret.get("refresh_token") not in (None, REFRESH_TOKEN)
        assert renewal.secret.get("previous")["refresh_token"] == REFRESH_TOKEN
        fresh = replace(login, secret=renewal.secret)
        assert not X().stale(fresh, NOW)
        assert renewed(fresh) is None
        out(play(fresh, lambda s: s.send(message("Hello"))))


def test_a_refused_token_is_renewed_however_long_it_has_to_go() -> None:
    with XServer() as server:
        login = Login("me", server.url, secret(expires_at="2030-01-01T00:00:00Z"))
        assert renewed(login) is None
        assert renewed(login, refused=True) is not None


def test_a_refresh_token_works_once() -> None:
    with XServer() as server:
        login = Login("me", server.url, secret())
        assert renewed(login) is not None
        with pytest.raises(PlatformError) as caught:
            renewed(login)
    assert caught.value.problem.kind is ErrorKind.AUTH


@pytest.mark.parametrize("given", [TOKEN, {"access_token": TOKEN}, KEYS])
def test_what_has_no_refresh_token_is_used_as_it_is(given: str | dict[str, str]) -> None:
    with XServer() as server:
        login = Login("me", server.url, Secret(given))
        assert not X().stale(login, NOW)
        assert renewed(login, refused=True) is None
        out(play(login, lambda s: s.send(message("Hello"))))
        assert not [r for r in server.requests if r.path == "/2/oauth2/token"]
