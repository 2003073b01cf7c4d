"""Sessions: made from an app password, renewed in time, and not asked for more than needed."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from postsched.domain.outcome import ErrorKind
from postsched.domain.secret import Secret
from postsched.platforms.base import Login, PlatformError, Renewal
from postsched.platforms.bluesky import Bluesky, session
from postsched.testing import Answer, Fault, FaultKind
from postsched.testing.bluesky import APP_PASSWORD, DID, HANDLE, BlueskyServer
from tests.platforms.bluesky.sending import play

NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def server() -> Iterator[BlueskyServer]:
    with BlueskyServer(clock=lambda: int(NOW.timestamp() * 10**9)) as running:
        yield running


@pytest.fixture
def fresh(server: BlueskyServer) -> Login:
    """A login that has only its app password."""
    return Login("me", server.url, Secret(APP_PASSWORD), HANDLE)


def renew(login: Login, now: datetime = NOW, *, refused: bool = False) -> Renewal | None:
    return play(lambda http: Bluesky().refresh(login, http, now, refused=refused))


def signed_in(login: Login, now: datetime = NOW, *, refused: bool = False) -> Login:
    renewal = renew(login, now, refused=refused)
    assert renewal is not None
    assert renewal.expires_at is None, "an app password does not expire"
    return replace(login, secret=renewal.secret)


def kept(login: Login) -> dict[str, Any]:
    assert login.secret is not None
    whole = login.secret.reveal()
    assert isinstance(whole, dict)
    return whole


def paths(server: BlueskyServer) -> list[str]:
    return [request.path.rpartition(".")[2] for request in server.requests]


def test_an_app_password_becomes_a_session(fresh: Login) -> None:
    whole = kept(signed_in(fresh))
    assert whole.pop("access_token") != whole.pop("refresh_token")
    assert whole == {
        "password": APP_PASSWORD,
        "expires_at": "2026-12-01T11:00:00Z",
        "did": DID,
    }
    json.dumps(whole)


def test_a_handle_may_have_its_at_sign(fresh: Login) -> None:
    assert kept(signed_in(replace(fresh, user="@" + HANDLE)))["did"] == DID


def test_a_living_session_is_left_alone(server: BlueskyServer, fresh: Login) -> None:
    login = signed_in(fresh)
    assert renew(login) is None
    assert not Bluesky().stale(login, NOW + timedelta(minutes=114))
    assert paths(server) == ["createSession"]


def test_what_ends_soon_is_renewed(server: BlueskyServer, fresh: Login) -> None:
    login = signed_in(fresh)
    soon = NOW + timedelta(minutes=115)
    assert Bluesky().stale(login, soon)
    again = signed_in(login, soon)
    assert kept(again)["access_token"] != kept(login)["access_token"]
    assert kept(again)["expires_at"] == "2026-12-01T12:55:00Z"
    assert kept(again)["password"] == APP_PASSWORD
    assert paths(server) == ["createSession", "refreshSession"]


def test_what_was_refused_is_renewed(server: BlueskyServer, fresh: Login) -> None:
    login = signed_in(fresh)
    server.expire_access()
    signed_in(login, refused=True)
    assert paths(server) == ["createSession", "refreshSession"]


def test_a_revoked_session_is_made_anew(server: BlueskyServer, fresh: Login) -> None:
    login = signed_in(fresh)
    server.revoke()
    signed_in(login, refused=True)
    assert paths(server) == ["createSession", "refreshSession", "createSession"]


@pytest.mark.parametrize("ends", ["", "soon", "2026-13-45", 17, "2026-12-01T09:00:00"])
def test_an_unreadable_end_is_an_end(fresh: Login, ends: object) -> None:
    login = signed_in(fresh)
    odd = replace(login, secret=Secret({**kept(login), "expires_at": ends}))
    assert Bluesky().stale(odd, NOW)
    assert renew(odd) is not None


def test_a_token_that_does_not_say_is_used_until_refused(
    server: BlueskyServer, fresh: Login
) -> None:
    answer = {"accessJwt": "opaque", "refreshJwt": "opaque too", "did": DID, "handle": HANDLE}
    server.program(Fault(FaultKind.ANSWER, Answer(200, answer)))
    login = signed_in(fresh)
    assert "expires_at" not in kept(login)
    assert renew(login, NOW + timedelta(days=400)) is None
    assert renew(login, refused=True) is not None


def test_a_clock_that_is_wrong_does_no_harm(fresh: Login) -> None:
    wrong = NOW + timedelta(days=1000)
    login = signed_in(fresh, wrong)
    assert renew(login, wrong + timedelta(hours=1)) is None


def test_a_session_without_a_password_ends(server: BlueskyServer) -> None:
    whole = {name: value for name, value in kept(server.login()).items() if name != "password"}
    login = Login("me", server.url, Secret(whole), HANDLE)
    renewal = renew(login, refused=True)
    assert renewal is not None
    assert renewal.expires_at == NOW + timedelta(days=90)
    server.revoke()
    with pytest.raises(PlatformError) as caught:
        renew(login, refused=True)
    assert caught.value.problem.kind is ErrorKind.AUTH


def refusal(call: Callable[[], object]) -> PlatformError:
    with pytest.raises(PlatformError) as caught:
        call()
    assert APP_PASSWORD not in str(caught.value)
    assert "wrong-pass" not in f"{caught.value} {caught.value.problem}"
    return caught.value


def test_a_wrong_password_needs_a_person(fresh: Login) -> None:
    problem = refusal(lambda: renew(replace(fresh, secret=Secret("wrong-pass")))).problem
    assert problem.kind is ErrorKind.AUTH
    assert HANDLE in problem.message
    assert problem.hint is not None
    assert "app password" in problem.hint


def test_no_handle_and_no_secret_need_a_person(fresh: Login) -> None:
    for login in (replace(fresh, user=None), replace(fresh, secret=None)):
        assert refusal(lambda login=login: renew(login)).problem.kind is ErrorKind.AUTH  # type: ignore[misc]  # mypy can't infer a lambda with a default


def test_the_main_password_with_a_code_by_mail(server: BlueskyServer, fresh: Login) -> None:
    body = {"error": "AuthFactorTokenRequired", "message": "A sign in code has been sent"}
    server.program(Fault(FaultKind.ANSWER, Answer(401, body)))
    problem = refusal(lambda: renew(fresh)).problem
    assert problem.kind is ErrorKind.AUTH
    assert "main password" in problem.message


def test_a_closed_account_is_no_question_of_passwords(server: BlueskyServer, fresh: Login) -> None:
    body = {"error": "AccountTakedown", "message": "Account has been taken down"}
    server.program(Fault(FaultKind.ANSWER, Answer(401, body)))
    assert refusal(lambda: renew(fresh)).problem.kind is ErrorKind.PERMANENT


@pytest.mark.slow
def test_too_many_logins_wait(server: BlueskyServer, fresh: Login) -> None:
    for _ in range(30):
        signed_in(fresh)
    assert refusal(lambda: renew(fresh)).problem.kind is ErrorKind.RATE_LIMIT


@pytest.mark.parametrize("status", [500, 502, 429])
def test_a_sick_server_is_no_refused_refresh(
    server: BlueskyServer, fresh: Login, status: int
) -> None:
    """The password is for when the refresh token is refused; else its limit is soon used up."""
    login = signed_in(fresh)
    server.program(Fault(FaultKind.ANSWER, Answer(status, {})))
    kind = refusal(lambda: renew(login, refused=True)).problem.kind
    assert kind in (ErrorKind.TRANSIENT, ErrorKind.RATE_LIMIT)
    assert paths(server)[-1] == "refreshSession"


@pytest.mark.parametrize("body", [b"<html>", [], {}, {"accessJwt": 1, "refreshJwt": 2, "did": 3}])
def test_an_answer_that_is_no_session(server: BlueskyServer, fresh: Login, body: object) -> None:
    server.program(Fault(FaultKind.ANSWER, Answer(200, body)))
    assert refusal(lambda: renew(fresh)).problem.kind is ErrorKind.TRANSIENT


def test_without_a_session_nothing_is_asked(server: BlueskyServer, fresh: Login) -> None:
    """The app password must never go out as a token."""
    for login in (fresh, replace(fresh, secret=None)):
        with pytest.raises(PlatformError) as caught:
            play(lambda http, login=login: Bluesky().inspect(login, http))  # type: ignore[misc]  # as above
        assert caught.value.problem.kind is ErrorKind.AUTH
    assert not server.requests


# The default service sends an account to the server it lives on


def entry(did_doc: object) -> Callable[[httpx.Request], httpx.Response]:
    """bsky.social, as an httpx transport."""

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "bsky.social", "signing in is for the entryway"
        claims = {"iat": 0, "exp": 7200}
        token = "x." + base64.urlsafe_b64encode(json.dumps(claims).encode()).decode() + ".x"
        body = {"accessJwt": token, "refreshJwt": token, "did": DID, "didDoc": did_doc}
        return httpx.Response(200, json=body)

    return answer


def via_entryway(did_doc: object, secret: Secret, *, refused: bool = False) -> Login:
    login = Login("me", session.ENTRYWAY, secret, HANDLE)

    async def scene(_: httpx.AsyncClient) -> Renewal | None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(entry(did_doc))) as http:
            return await Bluesky().refresh(login, http, NOW, refused=refused)

    renewal = play(scene)
    assert renewal is not None
    return replace(login, secret=renewal.secret)


def did_doc(endpoint: object) -> dict[str, Any]:
    service = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer"}
    return {"id": DID, "service": [{"id": "#other"}, {**service, "serviceEndpoint": endpoint}]}


def test_the_default_service_names_the_server() -> None:
    login = via_entryway(did_doc("https://puffball.us-east.host.bsky.network/"), Secret("pw"))
    assert session.server_of(login) == "https://puffball.us-east.host.bsky.network"
    assert login.secret is not None
    again = via_entryway(None, login.secret, refused=True)
    assert session.server_of(again) == "https://puffball.us-east.host.bsky.network"


@pytest.mark.parametrize(
    "document",
    [None, [], "x", {}, {"service": None}, {"service": ["x"]}, did_doc(None),
     did_doc("http://127.0.0.1:1"), did_doc(7)],
)  # fmt: skip
def test_a_server_that_is_not_named_well_is_not_used(document: object) -> None:
    assert session.server_of(via_entryway(document, Secret("pw"))) == session.ENTRYWAY


def test_a_server_of_ones_own_stays(fresh: Login, server: BlueskyServer) -> None:
    body = {**server.new_session(), "didDoc": did_doc("https://elsewhere.example")}
    server.program(Fault(FaultKind.ANSWER, Answer(200, body)))
    login = signed_in(fresh)
    assert session.server_of(login) == server.url
    assert "pds" not in kept(login)
