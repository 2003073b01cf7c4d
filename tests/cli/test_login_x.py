"""account login against an X on loopback: apps of both kinds, and what is made of the pair."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from postsched.testing.x import XServer
from postsched.testing.x_oauth import CLIENT_ID, CLIENT_SECRET
from tests.cli.calling import Caller
from tests.cli.logins import Door
from tests.servers.visitor import visit

pytestmark = pytest.mark.slow
"""The crash matrix and the contract of adapters go through the same in the gate."""


@pytest.fixture
def server() -> Iterator[XServer]:
    """An X with one account."""
    with XServer() as running:
        yield running


@pytest.fixture
def door(call: Caller, server: XServer, tmp_path: Path) -> Door:
    """A person with the account `me` there, not logged in."""
    added = call("account", "add", "me", "--platform", "x", "--url", server.url)
    assert added.code == 0
    assert "postsched account login me" in added.err
    return Door(call, tmp_path)


def address(url: str) -> str:
    """What a person copies who can't come back."""
    return visit(url, until="/callback?")[0]


@pytest.mark.slow
def test_a_public_app(door: Door, server: XServer, call: Caller) -> None:
    answer = door.browse("me", "--client-id", CLIENT_ID)
    assert answer.code == 0, answer.err
    assert answer.out.startswith("me (x, as @")
    assert answer.out.endswith("is logged in\n")
    kept = json.loads(door.kept("me") or "")
    assert set(kept) == {"access_token", "refresh_token", "expires_at", "client_id"}
    assert kept["access_token"] not in answer.err
    assert call("add", "Hello", "--to", "me", "--at", "now").code == 0
    assert door("publish-due").code == 0
    assert [seen.text for seen in server.posts()] == ["Hello"]


def test_an_app_with_a_secret(door: Door, server: XServer, call: Caller) -> None:
    server.guard.secret = CLIENT_SECRET
    call.set(POSTSCHED_PLATFORMS_X_CLIENT_ID=CLIENT_ID, POSTSCHED_CLIENT_SECRET_X=CLIENT_SECRET)
    answer = door.paste("me", answer=address)
    assert answer.code == 0, answer.err
    assert "client_id" not in json.loads(door.kept("me") or "")
    assert CLIENT_SECRET not in answer.err
    # What is configured is enough to renew it too.
    ended = {**json.loads(door.kept("me") or ""), "expires_at": "2020-01-01T00:00:00Z"}
    assert door("account", "set", "me", "--token-stdin", stdin=json.dumps(ended)).code == 0
    assert json.loads(door.kept("me") or "")["refresh_token"] != ended["refresh_token"]


def test_without_an_app(call: Caller, door: Door) -> None:
    call.set(POSTSCHED_CALLBACK_PORT="8799")
    answer = call("account", "login", "me", "--no-browser")
    answer.refused(2, "--client-id", "client_id under [platforms.x]", "console.x.com")
    assert "client id. To use" in answer.err
    assert "http://127.0.0.1:8799/callback" in answer.err


def test_a_consent_without_write(door: Door, server: XServer) -> None:
    server.guard.scopes = "tweet.read users.read offline.access"
    answer = door.paste("me", "--client-id", CLIENT_ID, answer=address)
    assert answer.code == 1
    assert "the consent does not include tweet.write" in answer.err
    assert door.kept("me") is None


@pytest.mark.slow
def test_a_token_endpoint_at_another_address_renews_too(
    door: Door, server: XServer, call: Caller
) -> None:
    # Another origin than the account's, and as internal: a sandbox with a server for each.
    elsewhere = server.url.replace("127.0.0.1", "localhost") + "/2/oauth2/token"
    call.set(POSTSCHED_PLATFORMS_X_TOKEN_URL=elsewhere)
    assert door.paste("me", "--client-id", CLIENT_ID, answer=address).code == 0
    ended = {**json.loads(door.kept("me") or ""), "expires_at": "2020-01-01T00:00:00Z"}
    assert door("account", "set", "me", "--token-stdin", stdin=json.dumps(ended)).code == 0
    renewed = json.loads(door.kept("me") or "")
    assert renewed["refresh_token"] != ended["refresh_token"]
    # The engine, too, whose access token the server has forgotten.
    server.guard.tokens.clear()
    assert call("add", "Hello", "--to", "me", "--at", "now").code == 0
    assert door("publish-due").code == 0
    assert [seen.text for seen in server.posts()] == ["Hello"]
