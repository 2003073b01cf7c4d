"""Authorization addresses, and the token endpoint: what is sent, and what answers mean."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from postsched.domain.outcome import ErrorKind
from postsched.domain.secret import Secret
from postsched.platforms.base import Login, PlatformError, Renewal, Service
from postsched.platforms.oauth import (
    Client,
    OAuth,
    authorization_url,
    client_of,
    exchange,
    expiry,
    new_verifier,
    refresh,
    stale,
)

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
OAUTH = OAuth(
    "https://net.example/authorize", "https://net.example/token", ("post.read", "post.write"),
    needed=("post.write",), client_hint="Make an app there.",
)  # fmt: skip
APP = Service(client_id="app-1")
VERIFIER = "verifier-" + "v" * 50
CODE = "code-11235813"
PAIR = {"access_token": "access-1", "refresh_token": "refresh-1",
        "expires_at": "2026-11-21T12:30:00Z"}  # fmt: skip
ANSWER = {"access_token": "access-2", "token_type": "bearer", "expires_in": 7200,
          "refresh_token": "refresh-2", "scope": "post.read post.write"}  # fmt: skip


class Endpoint:
    """A token endpoint: gives its answers in turn, and keeps what was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self._answers = list(answers)
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def form(self) -> dict[str, str]:
        """The last form."""
        return {name: value for name, (value,) in parse_qs(self.asked[-1].content.decode()).items()}


def answer(body: object = ANSWER, status: int = 200) -> httpx.Response:
    if isinstance(body, str | bytes):
        return httpx.Response(status, content=body)
    return httpx.Response(status, json=body)


def refused(code: str, words: str = "", status: int = 400) -> httpx.Response:
    return answer({"error": code, "error_description": words}, status)


def do(endpoint: Endpoint, call: Callable[[httpx.AsyncClient], Any]) -> Renewal:
    async def run() -> Renewal:
        async with httpx.AsyncClient(transport=httpx.MockTransport(endpoint)) as http:
            renewal: Renewal = await call(http)
            return renewal

    return asyncio.run(run())


def traded(endpoint: Endpoint, login: Login | None = None, oauth: OAuth = OAUTH) -> Renewal:
    login = login or Login("me", "https://net.example", None, service=APP)
    return do(
        endpoint,
        lambda http: exchange(
            oauth, login, http, code=CODE, redirect_uri="http://127.0.0.1:1/callback",
            verifier=VERIFIER, now=NOW,
        ),
    )  # fmt: skip


def renewed(endpoint: Endpoint, secret: Mapping[str, Any] = PAIR) -> Renewal:
    login = Login("me", "https://net.example", Secret(secret), service=APP)
    return do(endpoint, lambda http: refresh(OAUTH, login, http, NOW))


def refusal(act: Callable[[], object]) -> PlatformError:
    with pytest.raises(PlatformError) as caught:
        act()
    assert CODE not in repr(caught.value.problem)
    assert VERIFIER not in repr(caught.value.problem)
    return caught.value


# The address


def test_the_address() -> None:
    oauth = replace(OAUTH, authorize_extra={"prompt": "consent"})
    url = urlsplit(
        authorization_url(oauth, "app-1", "http://127.0.0.1:1/callback", "s+t", "v" * 43)
    )
    assert url.geturl().startswith("https://net.example/authorize?")
    assert {name: value for name, (value,) in parse_qs(url.query).items()} == {
        "response_type": "code",
        "client_id": "app-1",
        "redirect_uri": "http://127.0.0.1:1/callback",
        "scope": "post.read post.write",
        "state": "s+t",
        "prompt": "consent",
        "code_challenge": base64url(hashlib.sha256(b"v" * 43).digest()),
        "code_challenge_method": "S256",
    }


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def test_the_example_of_the_rfc() -> None:
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636 appendix B
    url = authorization_url(OAUTH, "a", "http://127.0.0.1/", "s", verifier)
    assert "code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" in url


def test_an_address_on_loopback_and_one_with_a_query() -> None:
    oauth = replace(OAUTH, authorize_url="http://127.0.0.1:9/auth?x=1", pkce=False)
    url = authorization_url(oauth, "a", "http://127.0.0.1/", "s", VERIFIER)
    assert url.startswith("http://127.0.0.1:9/auth?x=1&response_type=code")
    assert "challenge" not in url


def test_every_verifier_is_new() -> None:
    made = {new_verifier() for _ in range(50)}
    assert len(made) == 50
    assert {len(verifier) for verifier in made} == {64}


# The code


def test_a_code_becomes_a_secret() -> None:
    endpoint = Endpoint(answer())
    renewal = traded(endpoint)
    assert renewal.secret.reveal() == {
        "access_token": "access-2",
        "refresh_token": "refresh-2",
        "expires_at": "2026-11-21T14:00:00Z",
    }
    assert renewal.expires_at is None
    assert renewal.lacking == ()
    assert endpoint.form == {
        "grant_type": "authorization_code",
        "code": CODE,
        "redirect_uri": "http://127.0.0.1:1/callback",
        "code_verifier": VERIFIER,
        "client_id": "app-1",
    }
    assert "authorization" not in endpoint.asked[0].headers


def test_the_end_of_a_login_that_is_not_renewed() -> None:
    only = {"access_token": "access-2", "expires_in": 5184000}
    assert traded(Endpoint(answer(only))).expires_at == NOW + timedelta(days=60)
    both = {**ANSWER, "refresh_token_expires_in": 86400}
    assert traded(Endpoint(answer(both))).expires_at == NOW + timedelta(days=1)


@pytest.mark.parametrize("given", [-5, 0, None, True, 1e300, "-1"])
def test_an_end_that_can_not_be(given: object) -> None:
    renewal = traded(Endpoint(answer({"access_token": "access-2", "expires_in": given})))
    assert renewal.expires_at is None
    assert renewal.secret.reveal() == {"access_token": "access-2"}


def test_how_a_client_secret_goes() -> None:
    secret = Secret({"client_id": "own id", "client_secret": "s:ecret+1"})
    login = Login("me", "", secret, service=APP)
    for client_auth in ("body", "basic", "none"):
        endpoint = Endpoint(answer())
        oauth = replace(OAUTH, client_auth=client_auth)
        renewal = traded(endpoint, login, oauth)
        assert renewal.secret.get("client_id") == "own id"
        assert renewal.secret.get("client_secret") == "s:ecret+1"
        form, header = endpoint.form, endpoint.asked[0].headers.get("authorization")
        assert ("client_secret" in form) is (client_auth == "body")
        assert ("client_id" in form) is (client_auth != "basic")
        if client_auth == "basic":
            pair = base64.b64encode(b"own+id:s%3Aecret%2B1").decode()
            assert header == f"Basic {pair}"
        else:
            assert header is None


def test_which_app() -> None:
    configured = Service(client_id="app-1", client_secret=Secret("configured-secret"))
    login = Login("me", "", None, service=configured)
    assert client_of(login) == Client("app-1", "configured-secret")
    kept = replace(login, secret=Secret({"client_id": "own", "client_secret": "kept-secret"}))
    assert client_of(kept) == Client("own", "kept-secret")
    assert client_of(Login("me", "", Secret("token"))) is None
    assert "kept-secret" not in repr(client_of(kept))


def test_without_an_app() -> None:
    error = refusal(lambda: traded(Endpoint(), Login("me", "", None)))
    assert error.problem.kind is ErrorKind.AUTH
    assert error.problem.hint == "Log in again, and name the app with --client-id"


def test_scopes_that_were_not_granted() -> None:
    error = refusal(lambda: traded(Endpoint(answer({**ANSWER, "scope": "post.read"}))))
    assert error.problem.message == "the consent does not include post.write"
    renewal = traded(Endpoint(answer({**ANSWER, "scope": "post.write"})))
    assert renewal.lacking == ("post.read",)
    for said in ("post.read,post.write", ["post.read", "post.write"], "", None):
        renewal = traded(Endpoint(answer({**ANSWER, "scope": said})))
        assert renewal.lacking == ()


# Refusals


@pytest.mark.parametrize(
    ("response", "kind", "words"),
    [
        (refused("invalid_grant", "it expired"), ErrorKind.AUTH, "it expired"),
        (refused("invalid_request"), ErrorKind.AUTH, "invalid_request"),
        (refused("invalid_client", status=401), ErrorKind.AUTH, "invalid_client"),
        (refused("its_own_code", "what"), ErrorKind.AUTH, "what"),
        (refused("invalid_grant", status=200), ErrorKind.AUTH, "invalid_grant"),
        (refused("temporarily_unavailable"), ErrorKind.TRANSIENT, "temporarily_unavailable"),
        (refused("server_error", status=503), ErrorKind.TRANSIENT, "Service Unavailable"),
        (answer("busy", 429), ErrorKind.RATE_LIMIT, "Too Many Requests"),
        (answer("<h1>no</h1>", 400), ErrorKind.AUTH, "HTTP 400"),
        (answer({"code": 3, "message": "no"}, 401), ErrorKind.AUTH, "HTTP 401"),
        (answer("<h1>blocked</h1>", 403), ErrorKind.TRANSIENT, "can't be read"),
        (answer("", 302), ErrorKind.TRANSIENT, "can't be read"),
        (answer("<h1>hello</h1>"), ErrorKind.TRANSIENT, "can't be read"),
        (answer([]), ErrorKind.TRANSIENT, "can't be read"),
        (answer({}), ErrorKind.TRANSIENT, "can't be read"),
        (answer({"access_token": 7}), ErrorKind.TRANSIENT, "can't be read"),
        (answer({"access_token": ""}), ErrorKind.TRANSIENT, "can't be read"),
        (answer({"access_token": "a"}, 404), ErrorKind.TRANSIENT, "can't be read"),
        (answer({"error": {"code": 3}}, 400), ErrorKind.AUTH, ""),
        (answer(b"\xff\xfe", 200), ErrorKind.TRANSIENT, "can't be read"),
    ],
)
def test_what_is_no_secret(response: httpx.Response, kind: ErrorKind, words: str) -> None:
    copy = httpx.Response(response.status_code, content=response.content)
    for act in (lambda: traded(Endpoint(response)), lambda: renewed(Endpoint(copy))):
        error = refusal(act)
        assert error.problem.kind is kind
        assert words in error.problem.message


def test_a_refusal_that_repeats_what_was_sent() -> None:
    words = f"the code {CODE} with {VERIFIER} of app-secret-9 is wrong"
    login = Login("me", "", Secret({"client_id": "a", "client_secret": "app-secret-9"}))
    error = refusal(lambda: traded(Endpoint(refused("invalid_grant", words)), login))
    assert error.problem.message == "the code [secret] with [secret] of [secret] is wrong"


def test_errors_of_the_connection_pass_through() -> None:
    for act in (traded, renewed):
        with pytest.raises(httpx.ReadTimeout):
            act(Endpoint(httpx.ReadTimeout("slow")))


# Renewals


def test_a_new_pair() -> None:
    endpoint = Endpoint(answer())
    renewal = renewed(endpoint, {**PAIR, "client_id": "own"})
    assert renewal.secret.reveal() == {
        "access_token": "access-2",
        "refresh_token": "refresh-2",
        "expires_at": "2026-11-21T14:00:00Z",
        "client_id": "own",
        "previous": PAIR,
    }
    assert endpoint.form == {
        "grant_type": "refresh_token",
        "refresh_token": "refresh-1",
        "client_id": "own",
    }


def test_a_refresh_token_that_stays() -> None:
    renewal = renewed(Endpoint(answer({"access_token": "access-2", "expires_in": 60})))
    assert renewal.secret.get("refresh_token") == "refresh-1"


def test_there_is_one_pair_before() -> None:
    renewal = renewed(Endpoint(answer()), {**PAIR, "previous": {"access_token": "access-0"}})
    assert renewal.secret.get("previous") == PAIR


def test_the_pair_before_is_tried_where_the_new_one_never_came_to_be() -> None:
    before = {"access_token": "access-0", "refresh_token": "refresh-0"}
    endpoint = Endpoint(refused("invalid_grant"), answer())
    renewal = renewed(endpoint, {**PAIR, "previous": before})
    assert endpoint.form["refresh_token"] == "refresh-0"
    assert renewal.secret.get("previous") == before
    endpoint = Endpoint(refused("invalid_grant", "first"), refused("invalid_grant", "second"))
    error = refusal(lambda: renewed(endpoint, {**PAIR, "previous": before}))
    assert (error.problem.kind, error.problem.message) == (ErrorKind.AUTH, "first")


def test_without_a_refresh_token() -> None:
    error = refusal(lambda: renewed(Endpoint(), {"access_token": "access-1"}))
    assert error.problem.kind is ErrorKind.AUTH


@pytest.mark.parametrize(
    ("secret", "is_stale"),
    [
        ({**PAIR, "expires_at": "2026-11-21T12:09:59Z"}, True),
        ({**PAIR, "expires_at": "2026-11-21T11:00:00Z"}, True),
        ({**PAIR, "expires_at": "2026-11-21T12:10:01Z"}, False),
        ({**PAIR, "expires_at": "2026-11-21T13:00:00+01:00"}, True),
        ({**PAIR, "expires_at": "2026-11-21T12:00:00"}, False),
        ({**PAIR, "expires_at": "soon"}, False),
        ({**PAIR, "expires_at": 7}, False),
        ({"access_token": "a", "expires_at": "2026-11-21T11:00:00Z"}, False),
        ({"access_token": "a", "refresh_token": "b"}, False),
        ("token", False),
    ],
)
def test_when_it_is_stale(secret: Any, is_stale: bool) -> None:
    assert stale(Login("me", "", Secret(secret)), NOW) is is_stale
    assert not stale(Login("me", "", None), NOW)


def test_the_end_is_utc() -> None:
    assert expiry(Secret({"expires_at": "2026-11-21T13:00:00+01:00"})) == NOW


def test_tokens_that_live_an_hour_are_traded_for_those_that_are_kept() -> None:
    seen: list[tuple[Mapping[str, Any], Client]] = []

    async def lasting(
        tokens: Mapping[str, Any], client: Client, http: httpx.AsyncClient
    ) -> Mapping[str, Any]:
        seen.append((tokens, client))
        return {"access_token": "lasting-1", "expires_in": 5184000}

    oauth = replace(OAUTH, lasting=lasting)
    endpoint = Endpoint(answer({"access_token": "short-1", "user_id": "17", "expires_in": 3600}))
    login = Login("me", "https://net.example", None, service=APP)
    renewal = do(
        endpoint,
        lambda http: exchange(
            oauth, login, http, code=CODE, redirect_uri="https://localhost/", verifier=VERIFIER,
            now=NOW,
        ),
    )  # fmt: skip
    assert renewal.secret.get("access_token") == "lasting-1"
    assert renewal.secret.get("expires_at") == "2027-01-20T12:00:00Z"
    ((tokens, client),) = seen
    assert (tokens["access_token"], client.id) == ("short-1", "app-1")


def test_tokens_may_be_in_a_list() -> None:
    endpoint = Endpoint(answer({"data": [{"access_token": "wrapped-1", "user_id": "17"}]}))
    login = Login("me", "https://net.example", None, service=APP)
    renewal = do(
        endpoint,
        lambda http: exchange(
            OAUTH, login, http, code=CODE, redirect_uri="https://localhost/", verifier=VERIFIER,
            now=NOW,
        ),
    )  # fmt: skip
    assert renewal.secret.get("access_token") == "wrapped-1"


def test_scopes_are_joined_as_the_network_wants() -> None:
    oauth = replace(OAUTH, scope_separator=",")
    url = authorization_url(oauth, "app-1", "https://localhost/", "state", VERIFIER)
    assert parse_qs(urlsplit(url).query)["scope"] == ["post.read,post.write"]
