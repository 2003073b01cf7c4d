"""Logging in at a loopback Mastodon: apps, consent and tokens, as strict as its sheet.

Every visitor of the consent page consents at once, unless `refuses`; `grants` are the scopes given
then. A code is good once. Servers before 4.3 ignore PKCE; this one wants it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from postsched.testing.mastodon_state import Refusal
from postsched.testing.wire import Answer, Request

SCOPES = "read:accounts read:statuses write:statuses write:media"
"""What a login is asked for."""
OOB = "urn:ietf:wg:oauth:2.0:oob"
"""The redirect with which the server shows the code."""
APP_FIELDS = {"client_name", "redirect_uris", "scopes", "website"}
TOKEN_FIELDS = {
    "grant_type", "code", "client_id", "client_secret", "redirect_uri", "code_verifier",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class App:
    """A registered app."""

    id: str
    secret: str
    redirect: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Grant:
    """What a code stands for."""

    app: App
    redirect: str
    scopes: str
    challenge: str


class LoginDesk:
    """Apps, codes and tokens of one server. `tokens` are those it gave out, with their scopes."""

    def __init__(self) -> None:
        self.apps: dict[str, App] = {}
        self.tokens: dict[str, str] = {}
        self.refuses = False
        self.grants: str | None = None
        self._codes: dict[str, Grant] = {}
        self._count = 0

    def register(self, request: Request) -> Answer:
        """POST /api/v1/apps."""
        given = request.json
        if not isinstance(given, dict) or set(given) - APP_FIELDS:
            raise Refusal(422, "Validation failed: unknown parameters")
        if not given.get("client_name") or not isinstance(given.get("redirect_uris"), str):
            raise Refusal(422, "Validation failed: Redirect URI must be an absolute URI.")
        app = self.register_for(given["redirect_uris"], str(given.get("scopes", "read")))
        return Answer(200, {"id": "1", "name": given["client_name"], "client_id": app.id,
                            "client_secret": app.secret, "redirect_uri": app.redirect})  # fmt: skip

    def register_for(self, redirect: str, scopes: str = SCOPES) -> App:
        """An app for that redirect."""
        app = App(
            self._new("client"), self._new("client-secret"), redirect, frozenset(scopes.split())
        )
        self.apps[app.id] = app
        return app

    def authorize(self, request: Request) -> Answer:
        """GET /oauth/authorize: back to the app at once, or the code on a page."""
        query = request.query
        app = self.apps.get(query.get("client_id", ""))
        if app is None or query.get("redirect_uri") != app.redirect:
            raise Refusal(400, b"<h1>The redirect uri included is not valid.</h1>")
        scopes = query.get("scope", "read")
        if query.get("response_type") != "code" or not app.scopes.issuperset(scopes.split()):
            return _back(query, error="invalid_scope")
        if query.get("code_challenge_method") != "S256" or len(query["code_challenge"]) != 43:
            return _back(query, error="invalid_code_challenge_method")
        if self.refuses:
            return _back(query, error="access_denied",
                         error_description="The resource owner or authorization server denied the "
                         "request.")  # fmt: skip
        code = self._new("code")
        granted = scopes if self.grants is None else self.grants
        self._codes[code] = Grant(app, query["redirect_uri"], granted, query["code_challenge"])
        if app.redirect == OOB:
            return Answer(200, f'<input class="oauth-code" value="{code}">'.encode())
        return _back(query, code=code)

    def token(self, request: Request) -> Answer:
        """POST /oauth/token."""
        form = {name: value.decode() for name, (_, value) in request.form.items()}
        app = self.apps.get(form.get("client_id", ""))
        if app is None or form.get("client_secret") != app.secret:
            return _refused(401, "invalid_client", "Client authentication failed due to unknown "
                            "client, no client authentication included, or unsupported "
                            "authentication method.")  # fmt: skip
        if set(form) != TOKEN_FIELDS or form["grant_type"] != "authorization_code":
            return _refused(400, "invalid_request", "The request is missing a required parameter")
        grant = self._codes.pop(form["code"], None)
        right = (
            grant is not None
            and grant.app is app
            and grant.redirect == form["redirect_uri"]
            and grant.challenge == _challenge(form["code_verifier"])
        )
        if grant is None or not right:
            return _refused(400, "invalid_grant", "The provided authorization grant is invalid, "
                            "expired, revoked, does not match the redirection URI used in the "
                            "authorization request, or was issued to another client.")  # fmt: skip
        token = self._new("token")
        self.tokens[token] = grant.scopes
        return Answer(200, {"access_token": token, "token_type": "Bearer", "scope": grant.scopes,
                            "created_at": request.at // 10**9})  # fmt: skip

    def _new(self, kind: str) -> str:
        """A name nobody can guess, which a search for leaked secrets finds."""
        self._count += 1
        digest = hashlib.sha256(f"{kind} {self._count} {id(self)}".encode()).hexdigest()
        return f"mastodon-{kind}-{digest[:32]}"


def _back(query: Mapping[str, str], **answer: str) -> Answer:
    state = {"state": query["state"]} if "state" in query else {}
    location = f"{query['redirect_uri']}?{urlencode({**answer, **state})}"
    return Answer(302, b"", {"Location": location})


def _refused(status: int, code: str, words: str) -> Answer:
    return Answer(status, {"error": code, "error_description": words})


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
