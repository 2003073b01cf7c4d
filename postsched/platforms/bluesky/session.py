"""Sessions: from an app password to an access token, renewed before anyone has to think of it.

The secret is the app password, and from the first session on a JSON object: `password`,
`access_token`, `refresh_token`, `expires_at` (of the access token), `did` and, on the default
service, `pds`, the server the account really lives on. An access token lives two hours, a refresh
token 90 days; an old refresh token works for two more hours, so a lost answer does no harm
(lexicons com.atproto.server.createSession and .refreshSession). createSession is limited to 30
in five minutes and 300 a day, so a session is kept for as long as it lives.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from postsched.domain.outcome import ErrorKind
from postsched.domain.secret import Secret
from postsched.platforms.base import Login, PlatformError, Renewal
from postsched.platforms.bluesky.xrpc import Xrpc, XrpcError

if TYPE_CHECKING:
    import httpx

ENTRYWAY = "https://bsky.social"
"""Where accounts of Bluesky sign in, and the default service."""
MARGIN = timedelta(minutes=5)
"""A token that lives no longer than this is renewed before it is used."""
NEW_PASSWORD = (
    "Make an app password in Bluesky's settings (Privacy and security), then give it anew"  # noqa: S105 - a hint
)


def server_of(login: Login) -> str:
    """The server that holds the account: the one given, or where the default service sent us."""
    if login.url != ENTRYWAY:
        return login.url
    return str(_kept(login, "pds") or login.facts.get("pds") or ENTRYWAY)


def did_of(login: Login) -> str:
    """The account's DID, which unlike its handle never changes; raises PlatformError(AUTH) if it
    is not known yet."""
    did = _kept(login, "did") or login.facts.get("did")
    if not did:
        raise not_signed_in(login)
    return str(did)


def calls(login: Login, http: httpx.AsyncClient) -> Xrpc:
    """Calls in the session at hand; raises PlatformError(AUTH) if there is none."""
    token = _kept(login, "access_token")
    if not token:
        raise not_signed_in(login)
    return Xrpc(http, server_of(login), str(token))


def not_signed_in(login: Login) -> PlatformError:
    """What to raise where a session is needed and there is none."""
    return PlatformError(ErrorKind.AUTH, f"the account {login.account!r} is not signed in yet")


def stale(login: Login, now: datetime) -> bool:
    """Whether there is no session, or its access token lives no longer than five minutes."""
    return not _kept(login, "access_token") or _ends_soon(login, now)


async def renew(
    login: Login, http: httpx.AsyncClient, now: datetime, *, refused: bool
) -> Renewal | None:
    """A living session, or None while the one at hand is not stale.

    Raises PlatformError(AUTH) if neither the refresh token nor the password is taken.
    """
    if not refused and not stale(login, now):
        return None
    session = await _refreshed(login, http)
    if session is None:
        session = await _created(login, http)
    secret = _secret(login, session, now)
    # The app password does not expire; a session without one ends with its refresh token.
    lasting = _password(login) is not None
    return Renewal(secret, None if lasting else _end(session["refreshJwt"], now))


async def _refreshed(login: Login, http: httpx.AsyncClient) -> dict[str, Any] | None:
    """The next session, None if there is no refresh token or it is not taken any more."""
    token = _kept(login, "refresh_token")
    if not token:
        return None
    try:
        response = await Xrpc(http, login.url, str(token)).procedure(
            "com.atproto.server.refreshSession"
        )
    except PlatformError as error:
        if error.problem.http_status in (400, 401) and _password(login) is not None:
            return None
        if error.problem.http_status == 400 and error.problem.kind is ErrorKind.INVALID:
            raise _refused_login(login, error) from None
        raise
    return _session(response)


async def _created(login: Login, http: httpx.AsyncClient) -> dict[str, Any]:
    password, handle = _password(login), (login.user or "").removeprefix("@")
    if password is None:
        raise not_signed_in(login)
    if not handle:
        raise PlatformError(
            ErrorKind.AUTH,
            f"the account {login.account!r} has no handle",
            hint="add it again with --user HANDLE, such as me.bsky.social",
        )
    try:
        response = await Xrpc(http, login.url).procedure(
            "com.atproto.server.createSession", {"identifier": handle, "password": password}
        )
    except XrpcError as error:
        # A 400 too is about the handle or the password: only a person can help.
        if error.problem.kind in (ErrorKind.AUTH, ErrorKind.INVALID):
            raise _refused_login(login, error) from None
        raise
    return _session(response)


def _refused_login(login: Login, error: PlatformError) -> PlatformError:
    problem = error.problem
    words = f"{login.user or login.account} can't sign in: {problem.message}"
    if isinstance(error, XrpcError) and error.name == "AuthFactorTokenRequired":
        words = f"{login.user} asks for a code by mail: this is its main password"
    return PlatformError(ErrorKind.AUTH, words, http_status=problem.http_status, hint=NEW_PASSWORD)


def _session(response: httpx.Response) -> dict[str, Any]:
    """The body of an answer with a session; raises PlatformError(TRANSIENT) if it is none."""
    try:
        body = response.json()
    except ValueError:
        body = None
    names = ("accessJwt", "refreshJwt", "did")
    if isinstance(body, dict) and all(isinstance(body.get(name), str) for name in names):
        return body
    raise PlatformError(
        ErrorKind.TRANSIENT, "the server's answer is no session", http_status=response.status_code
    )


def _secret(login: Login, session: Mapping[str, Any], now: datetime) -> Secret:
    end = _end(session["accessJwt"], now)
    kept = {
        "password": _password(login),
        "access_token": session["accessJwt"],
        "refresh_token": session["refreshJwt"],
        "expires_at": end.isoformat().replace("+00:00", "Z") if end else None,
        "did": session["did"],
        "pds": (_pds(session) or _kept(login, "pds")) if login.url == ENTRYWAY else None,
    }
    return Secret({name: value for name, value in kept.items() if value is not None})


def _pds(session: Mapping[str, Any]) -> str | None:
    """The server named in the DID document. Only https: the token goes there."""
    document = session.get("didDoc")
    services = document.get("service") if isinstance(document, dict) else None
    for service in services if isinstance(services, list) else []:
        if isinstance(service, dict) and str(service.get("id")).endswith("#atproto_pds"):
            url = str(service.get("serviceEndpoint"))
            return url.rstrip("/") if url.startswith("https://") else None
    return None


def _ends_soon(login: Login, now: datetime) -> bool:
    """Whether the access token is about to expire. One that says nothing is used until refused."""
    end = _kept(login, "expires_at")
    if end is None:
        return False
    try:
        moment = datetime.fromisoformat(str(end))
    except ValueError:
        return True
    return moment.replace(tzinfo=moment.tzinfo or UTC) - now <= MARGIN


def _end(token: str, now: datetime) -> datetime | None:
    """When a token (a JWT, RFC 7519) expires by our clock: its lifetime from now, so that a clock
    that is wrong does no harm. None if it doesn't say."""
    try:
        part = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        return now.astimezone(UTC) + timedelta(seconds=float(claims["exp"]) - float(claims["iat"]))
    except (IndexError, KeyError, TypeError, ValueError, OverflowError, binascii.Error):
        return None


def _password(login: Login) -> str | None:
    if login.secret is None:
        return None
    whole = login.secret.reveal()
    password = whole if isinstance(whole, str) else whole.get("password")
    return str(password) if password else None


def _kept(login: Login, name: str) -> Any:
    return login.secret.get(name) if login.secret else None
