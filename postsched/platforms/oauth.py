"""Authorization code flow with PKCE: what a network wants, and the calls to its token endpoint.

Sources: RFC 6749 (sections 4.1, 5, 6), RFC 7636 (PKCE, always S256), RFC 8252 (loopback redirects).
oauthlib does the protocol; it is imported on first use, for it takes 50 ms. The secret that comes
of it is a JSON object: `access_token`; `refresh_token` and `expires_at` (RFC 3339, UTC) where the
network gives them; `client_id` and `client_secret` where they were given at the login; `previous`,
the pair before the last renewal, until the next one has shown that the new pair works.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from postsched.domain.outcome import ErrorKind
from postsched.domain.secret import Secret
from postsched.platforms.base import Login, PlatformError, Renewal
from postsched.platforms.token_endpoint import ask, scopes_of

if TYPE_CHECKING:
    import httpx

MARGIN = timedelta(minutes=10)
"""How long before its end an access token is renewed: if that goes wrong for good, there is time
left to notice."""
PAIR = ("access_token", "refresh_token", "expires_at")


Lasting = Callable[[Mapping[str, Any], "Client", "httpx.AsyncClient"], Awaitable[Mapping[str, Any]]]
"""From the answer of a token endpoint, and for the app, to another answer like it."""


@dataclass(frozen=True, slots=True)
class OAuth:
    """How people log in to a network.

    `redirect` has `{port}` where the port of our listener belongs. `client_auth` is how a client
    secret goes to the token endpoint; without a secret, `client_id` goes in the form. `loopback` is
    False where the network wants an https redirect, so that the address can only be pasted.
    `needed` are scopes without which a login is of no use; `authorize_extra` are more parameters
    for the authorization address; `client_hint` says where one gets a client id, with `{port}` as
    in `redirect`. `shown` is the redirect with which the network shows the code, to be pasted, if
    there is one. `lasting` trades the tokens that a code gives for those that are kept, where the
    first live for an hour (Meta).
    """

    authorize_url: str
    token_url: str
    scopes: tuple[str, ...]
    redirect: str = "http://127.0.0.1:{port}/callback"
    pkce: bool = True
    client_auth: Literal["none", "basic", "body"] = "body"
    loopback: bool = True
    authorize_extra: Mapping[str, str] = field(default_factory=dict)
    client_hint: str = ""
    needed: tuple[str, ...] = ()
    shown: str | None = None
    scope_separator: str = " "
    lasting: Lasting | None = None
    code_in_query: bool = False
    """Whether the token endpoint is asked by GET, all in the query (Facebook)."""


@dataclass(frozen=True, slots=True)
class Client:
    """The app by which people log in: its id, and its secret if it has one."""

    id: str
    secret: str | None = field(default=None, repr=False)


def client_of(login: Login) -> Client | None:
    """The app of a login: the one kept with its secret, else the configured one; None if there
    is neither."""
    kept = login.secret.get("client_id") if login.secret else None
    client_id = kept or login.service.client_id
    if not client_id:
        return None
    secret = login.secret.get("client_secret") if login.secret else None
    if secret is None and login.service.client_secret is not None:
        secret = login.service.client_secret.text
    return Client(str(client_id), secret or None)


def new_verifier() -> str:
    """A PKCE code verifier (RFC 7636 section 4.1), from the system's source of chance."""
    from oauthlib.oauth2 import WebApplicationClient

    return str(WebApplicationClient("").create_code_verifier(64))


def authorization_url(
    oauth: OAuth, client_id: str, redirect_uri: str, state: str, verifier: str
) -> str:
    """The address at which a person consents."""
    from oauthlib.oauth2 import WebApplicationClient

    client = WebApplicationClient(client_id)
    extra = dict(oauth.authorize_extra)
    if oauth.pkce:
        extra["code_challenge"] = client.create_code_challenge(verifier, "S256")
        extra["code_challenge_method"] = "S256"
    # oauthlib refuses plain http to loopback too, which the settings permit.
    scheme, _, rest = oauth.authorize_url.partition("://")
    url = client.prepare_request_uri(
        f"https://{rest}", redirect_uri=redirect_uri,
        scope=oauth.scope_separator.join(oauth.scopes), state=state, **extra,
    )  # fmt: skip
    return f"{scheme}://{str(url).partition('://')[2]}"


async def exchange(
    oauth: OAuth,
    login: Login,
    http: httpx.AsyncClient,
    *,
    code: str,
    redirect_uri: str,
    verifier: str,
    now: datetime,
) -> Renewal:
    """Trade an authorization code for the login's first secret (RFC 6749 section 4.1.3).

    Raises PlatformError(AUTH) if the network refuses, or granted less than is needed.
    """
    code = code.removesuffix("#_=_").removesuffix("#_")  # Meta's addresses end so, and are copied
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    if oauth.pkce:
        form["code_verifier"] = verifier
    client = _client(oauth, login)
    tokens = await ask(oauth, client, http, form)
    granted = scopes_of(tokens)
    lacking = [] if granted is None else [one for one in oauth.needed if one not in granted]
    if lacking:
        raise PlatformError(
            ErrorKind.AUTH,
            f"the consent does not include {', '.join(lacking)}",
            hint="Log in again, and leave every permission ticked",
        )
    if oauth.lasting is not None:
        tokens = {**tokens, **await oauth.lasting(tokens, client, http)}
    return _renewal(oauth, login, tokens, now, {})


async def refresh(oauth: OAuth, login: Login, http: httpx.AsyncClient, now: datetime) -> Renewal:
    """Trade the refresh token for a new pair (RFC 6749 section 6).

    A pair that is refused although it was saved never came to be at the network: then the one
    before it is tried. Raises PlatformError(AUTH) where only a person can help; httpx errors and
    the errors of a server in trouble pass through, and the same token may be tried again.
    """
    assert login.secret is not None, "a login without a secret is never renewed"
    current = {name: login.secret.get(name) for name in PAIR}
    before = login.secret.get("previous")
    try:
        return await _refreshed(oauth, login, http, current, now)
    except PlatformError as error:
        tried_before = isinstance(before, Mapping) and before.get("refresh_token")
        if error.problem.kind is not ErrorKind.AUTH or not tried_before:
            raise
        try:
            return await _refreshed(oauth, login, http, before, now)
        except PlatformError as second:
            raise (error if second.problem.kind is ErrorKind.AUTH else second) from None


def stale(login: Login, now: datetime, margin: timedelta = MARGIN) -> bool:
    """Whether the access token has ended or ends within `margin`, and can be renewed."""
    if login.secret is None or not login.secret.get("refresh_token"):
        return False
    end = expiry(login.secret)
    return end is not None and end - margin <= now


def expiry(secret: Secret) -> datetime | None:
    """When the access token ends (UTC), None where it isn't known."""
    written = secret.get("expires_at")
    try:
        end = datetime.fromisoformat(written) if isinstance(written, str) else None
    except ValueError:
        return None
    return end.astimezone(UTC) if end is not None and end.tzinfo else None


async def _refreshed(
    oauth: OAuth, login: Login, http: httpx.AsyncClient, pair: Mapping[str, Any], now: datetime
) -> Renewal:
    token = pair.get("refresh_token")
    if not isinstance(token, str) or not token:
        raise PlatformError(ErrorKind.AUTH, "the login has ended, and can't be renewed")
    form = {"grant_type": "refresh_token", "refresh_token": token}
    tokens = await ask(oauth, _client(oauth, login), http, form)
    previous = {name: value for name, value in pair.items() if name in PAIR and value}
    return _renewal(oauth, login, tokens, now, previous)


def _client(oauth: OAuth, login: Login) -> Client:
    client = client_of(login)
    if client is None:
        raise PlatformError(
            ErrorKind.AUTH,
            "it isn't known by which app to log in",
            hint="Log in again, and name the app with --client-id",
        )
    return client


def _renewal(
    oauth: OAuth,
    login: Login,
    tokens: Mapping[str, Any],
    now: datetime,
    previous: Mapping[str, Any],
) -> Renewal:
    """The secret of an answer. Its end is that of the login: of the refresh token where there is
    one, for the access token is then renewed without a person."""
    kept = login.secret
    value: dict[str, Any] = {"access_token": tokens["access_token"]}
    refresh_token = tokens.get("refresh_token") or previous.get("refresh_token")
    if isinstance(refresh_token, str) and refresh_token:
        value["refresh_token"] = refresh_token
    if end := _after(now, tokens.get("expires_in")):
        value["expires_at"] = end.isoformat(timespec="seconds").replace("+00:00", "Z")
    for name in ("client_id", "client_secret"):
        if kept is not None and kept.get(name):
            value[name] = kept.get(name)
    if previous:
        value["previous"] = dict(previous)
    if "refresh_token" in value:
        end = _after(now, tokens.get("refresh_token_expires_in"))
    granted = scopes_of(tokens)
    lacking = () if granted is None else tuple(s for s in oauth.scopes if s not in granted)
    return Renewal(Secret(value), end, lacking)


def _after(now: datetime, seconds: object) -> datetime | None:
    """The instant so many seconds from now, None for what can't be."""
    if isinstance(seconds, str) and seconds.isascii() and seconds.isdigit():
        seconds = int(seconds)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    try:
        return now.astimezone(UTC) + timedelta(seconds=seconds) if seconds > 0 else None
    except OverflowError:
        return None
