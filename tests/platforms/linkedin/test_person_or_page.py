"""In whose name it posts, by whose token, and how one gets that."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from postsched.domain.outcome import ErrorKind
from postsched.domain.secret import Secret
from postsched.platforms.base import Login, PlatformError, Renewal, Service
from postsched.platforms.linkedin import LinkedIn
from postsched.platforms.linkedin.author import organization
from postsched.testing import Answer, Fault, FaultKind
from postsched.testing.client import client
from postsched.testing.linkedin import (
    NAME,
    ORGANIZATION,
    REFRESH_TOKEN,
    TOKEN,
    LinkedInServer,
)
from tests.platforms.linkedin.playing import play

NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)


def facts_of(login: Login) -> Mapping[str, Any]:
    return play(login, lambda s: s.inspect(), inspect=False)


def login_as(user: str | None) -> Login:
    return Login("me", "https://api.linkedin.com", Secret("t"), user)


@pytest.mark.parametrize("user", ["5515715", "organization:5515715", ORGANIZATION, " 5515715 "])
def test_an_organization_by_its_number_or_urn(user: str) -> None:
    assert organization(login_as(user)) == ORGANIZATION
    with LinkedInServer(page=True) as server:
        facts = facts_of(replace(server.login(), user=user))
    assert facts == {"user": ORGANIZATION, "author": ORGANIZATION, "kind": "organization",
                     "look_up": True}  # fmt: skip


@pytest.mark.parametrize("user", [None, "", NAME, "me@example.org", "urn:li:person:782bbtaQ"])
def test_anybody_else_is_the_person_of_the_token(user: str | None) -> None:
    with LinkedInServer() as server:
        facts = facts_of(replace(server.login(), user=user))
    assert facts == {"user": NAME, "author": "urn:li:person:782bbtaQ", "kind": "person"}


STRANGERS = ["urn:li:person:other", "urn:li:organization:acme", "urn:li:share:1", "organization:a"]


@pytest.mark.parametrize("user", STRANGERS)
def test_who_is_neither_is_refused(user: str) -> None:
    with LinkedInServer() as server, pytest.raises(PlatformError) as caught:
        facts_of(replace(server.login(), user=user))
    assert caught.value.problem.kind is ErrorKind.INVALID
    assert caught.value.problem.hint


@pytest.mark.parametrize("name", ["12345", "urn:li:organization:1", "", None, 7])
def test_a_name_is_never_taken_for_an_organization(name: object) -> None:
    """It is kept as the account's user, and read again from there."""
    with LinkedInServer() as server:
        body = {"sub": "782bbtaQ", "name": name}
        server.program(Fault(FaultKind.ANSWER, Answer(200, body)), "GET")
        facts = facts_of(server.login())
    assert organization(login_as(facts["user"])) is None


@pytest.mark.parametrize("body", [b"<html>", [], {}, {"sub": 7}, {"sub": "a/b"}, {"sub": ""}])
def test_who_has_no_id_is_nobody(body: object) -> None:
    with LinkedInServer() as server:
        server.program(Fault(FaultKind.ANSWER, Answer(200, body)), "GET")
        with pytest.raises(PlatformError, match="whose token it is"):
            facts_of(server.login())


def test_a_page_that_does_not_exist() -> None:
    with LinkedInServer(page=True) as server:
        with pytest.raises(PlatformError):
            facts_of(replace(server.login(), user="1"))
        with pytest.raises(PlatformError) as caught:
            facts_of(replace(server.login(), secret=Secret("other")))
    assert caught.value.problem.kind is ErrorKind.AUTH


@pytest.mark.slow  # after five seconds
def test_a_new_token_is_tried_again() -> None:
    """LinkedIn may not know it yet, for some seconds."""
    revoked = {"status": 401, "serviceErrorCode": 65601, "code": "REVOKED_ACCESS_TOKEN",
               "message": "revoked"}  # fmt: skip
    with LinkedInServer() as server:
        server.program(Fault(FaultKind.ANSWER, Answer(401, revoked)), "GET")
        assert facts_of(server.login())["user"] == NAME


# When a token ends


def app(secret: str | None = "very secret") -> Service:
    return Service(client_id="client", client_secret=Secret(secret) if secret else None)


def test_its_app_may_ask_when_a_token_ends() -> None:
    with LinkedInServer() as server:
        facts = facts_of(replace(server.login(), service=app()))
    end = datetime.fromisoformat(facts["token_expires_at"])
    assert timedelta(days=29) < end - datetime.now(UTC) < timedelta(days=31)


def test_it_is_asked_beside_the_token_url() -> None:
    with LinkedInServer() as server, LinkedInServer() as proxy:
        service = replace(app(), token_url=f"{proxy.url}/oauth/v2/accessToken")
        facts = facts_of(replace(server.login(), service=service))
        assert [one.path for one in proxy.requests] == ["/oauth/v2/introspectToken"]
    assert "token_expires_at" in facts


@pytest.mark.parametrize("secret", [None, "another"])
def test_nobody_else_may(secret: str | None) -> None:
    with LinkedInServer() as server:
        facts = facts_of(replace(server.login(), service=app(secret)))
    assert "token_expires_at" not in facts


@pytest.mark.parametrize(
    "fault",
    [Fault(FaultKind.RESET), Fault(FaultKind.NOT_JSON), Fault(FaultKind.ANSWER, Answer(500, b"")),
     Fault(FaultKind.ANSWER, Answer(200, {"active": True, "expires_at": "soon"}))],
)  # fmt: skip
def test_an_end_that_is_not_said_is_not_known(fault: Fault) -> None:
    with LinkedInServer() as server:
        server.program(fault, "POST", ".*/introspectToken")
        facts = facts_of(replace(server.login(), service=app()))
    assert facts["user"] == NAME
    assert "token_expires_at" not in facts


# Logging in


def test_a_person_logs_in_by_an_app_of_their_own() -> None:
    oauth = LinkedIn().oauth(login_as(None))
    assert oauth
    assert oauth.authorize_url == "https://www.linkedin.com/oauth/v2/authorization"
    assert oauth.token_url == "https://www.linkedin.com/oauth/v2/accessToken"
    assert oauth.scopes == ("openid", "profile", "w_member_social")
    assert oauth.redirect == "http://localhost:{port}/callback"
    assert (oauth.pkce, oauth.client_auth, oauth.loopback) == (False, "body", True)
    assert "Share on LinkedIn" in oauth.client_hint


def test_an_organization_needs_other_scopes() -> None:
    oauth = LinkedIn().oauth(login_as("5515715"))
    assert oauth
    assert oauth.scopes == (
        "w_organization_social", "r_organization_social", "rw_organization_admin"
    )  # fmt: skip
    assert "Community Management" in oauth.client_hint


def test_an_address_of_its_own_is_where_one_logs_in() -> None:
    oauth = LinkedIn().oauth(replace(login_as(None), url="http://127.0.0.1:1"))
    assert oauth
    assert oauth.token_url == "http://127.0.0.1:1/oauth/v2/accessToken"
    service = Service(authorize_url="https://a.example/1", token_url="https://a.example/2")
    oauth = LinkedIn().oauth(replace(login_as(None), service=service))
    assert oauth
    assert (oauth.authorize_url, oauth.token_url) == ("https://a.example/1", "https://a.example/2")


def renewed(login: Login, now: datetime, *, refused: bool = False) -> Renewal | None:
    async def scene() -> Renewal | None:
        async with client(10) as http:
            return await LinkedIn().refresh(login, http, now, refused=refused)

    return asyncio.run(scene())


def partner(server: LinkedInServer, end: datetime) -> Login:
    """A login that LinkedIn lets renew itself."""
    secret = {
        "access_token": TOKEN, "refresh_token": REFRESH_TOKEN, "expires_at": end.isoformat(),
        "client_id": "client", "client_secret": "very secret",
    }  # fmt: skip
    return replace(server.login(), secret=Secret(secret))


def test_a_partners_token_is_renewed() -> None:
    with LinkedInServer() as server:
        login = partner(server, NOW + timedelta(minutes=3))
        assert LinkedIn().stale(login, NOW)
        renewal = renewed(login, NOW)
        assert renewal
        assert renewal.secret.get("refresh_token") == REFRESH_TOKEN
        assert renewal.secret.text == server.token
        assert renewal.expires_at == NOW + timedelta(days=365)
        assert facts_of(replace(login, secret=renewal.secret))["user"] == NAME


def test_what_is_good_or_can_not_be_renewed_stays() -> None:
    with LinkedInServer() as server:
        good = partner(server, NOW + timedelta(days=3))
        assert not LinkedIn().stale(good, NOW)
        assert renewed(good, NOW) is None
        assert renewed(good, NOW, refused=True)
        for secret in (TOKEN, {"access_token": TOKEN, "expires_at": NOW.isoformat()}):
            login = replace(server.login(), secret=Secret(secret))
            assert not LinkedIn().stale(login, NOW)
            assert renewed(login, NOW, refused=True) is None
        assert len(server.requests) == 1
