"""How a loopback X knows who calls: OAuth 2.0 user tokens with single-use refresh tokens and PKCE,
an app-only token, and OAuth 1.0a signatures (fact sheet, section 2; RFC 5849, RFC 7636).
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote, urlencode

from postsched.testing.wire import Answer, Request
from postsched.testing.x_state import Refusal, problem

TOKEN = "user-7f1c9b3f5a2e48d0b6d3c1a4e5f60718"  # noqa: S105 - of a server that exists in tests
APP_TOKEN = "app-AAAAAAAAAAAAAAAAAAAAAMLheAAA"  # noqa: S105 - the same
REFRESH_TOKEN = "refresh-0c5a97d2b3e64f18"  # noqa: S105 - the same
CLIENT_ID = "client-xvz1evFS4wEEPTGEFPHBog"
CLIENT_SECRET = "secret-L8qq9PZyRg6ieKGEKhZolGC0vJWLw8iEJ88DRdyOg"  # noqa: S105 - the same
KEYS = {
    "consumer_key": "GDdmIQH6jhtmLUypg82g",
    "consumer_secret": "MCD8BKwGdgPHvAuvgvz4EQpqDAtx89grbuNMRd7Eh98",
    "token": "819797-Jxq8aYUDRmykzVKrgoLhXSq67TEa5ruc4GJC2rWimw",
    "token_secret": "J6zix3FfA9LofH0awS24M3HcBYXO5nI1iYe8EfBA",
}
SCOPE = "tweet.read tweet.write users.read media.write offline.access"
LIFETIME = 7200
CODE_LIFETIME = 30 * 10**9
"""Nanoseconds in which a code must be used."""


@dataclass(slots=True)
class Code:
    """An authorization code: what it was asked for with, and until when it is good."""

    challenge: str
    redirect_uri: str
    until: int


@dataclass(slots=True)
class Guard:
    """The tokens of one account, and who may do what with them. `secret` is the client's, None for
    a public client."""

    clock: Callable[[], int]
    scopes: str = SCOPE
    secret: str | None = None
    tokens: set[str] = field(default_factory=lambda: {TOKEN})
    refresh_tokens: set[str] = field(default_factory=lambda: {REFRESH_TOKEN})
    codes: dict[str, Code] = field(default_factory=dict)
    nonces: set[str] = field(default_factory=set)

    def require(self, request: Request, url: str, scope: str) -> None:
        """Refuse a request that is not the account's, or lacks the scope."""
        header = request.headers.get("authorization", "")
        if header.startswith("OAuth "):
            self._check_signature(request, url, header.removeprefix("OAuth "))
        elif header == f"Bearer {APP_TOKEN}":
            raise problem(
                403,
                "Authenticating with OAuth 2.0 Application-Only is forbidden for this endpoint.",
                "unsupported-authentication",
                "Unsupported Authentication",
            )
        elif header.removeprefix("Bearer ") not in self.tokens or " " not in header:
            raise problem(401, "Unauthorized")
        elif scope not in self.scopes.split():
            raise problem(403, f"Your token lacks the scope {scope}.")

    def _check_signature(self, request: Request, url: str, header: str) -> None:
        from oauthlib.oauth1.rfc5849 import signature
        from oauthlib.oauth1.rfc5849.utils import parse_authorization_header

        given = dict(parse_authorization_header(f"OAuth {header}"))
        wanted = {"oauth_consumer_key": KEYS["consumer_key"], "oauth_token": KEYS["token"],
                  "oauth_signature_method": "HMAC-SHA1", "oauth_version": "1.0"}  # fmt: skip
        query = urlencode(request.query, quote_via=quote)
        pairs: Any = signature.collect_parameters(
            uri_query=query, headers={"Authorization": f"OAuth {header}"}
        )
        method: Any = request.method
        base = signature.signature_base_string(
            method,
            signature.base_string_uri(url + request.path),
            signature.normalize_parameters(pairs),
        )
        made = _hmac(base, f"{KEYS['consumer_secret']}&{KEYS['token_secret']}")
        nonce = given.get("oauth_nonce", "")
        right = made == unquote(given.get("oauth_signature", "")) and nonce not in self.nonces
        self.nonces.add(nonce)
        if not right or any(given.get(name) != value for name, value in wanted.items()):
            raise Refusal(401, {"errors": [{"code": 32, "message": "Could not authenticate you."}]})

    def authorize(self, query: Mapping[str, str]) -> Answer:
        """Consent at once: back to the redirect address with a code."""
        wanted = {"response_type": "code", "client_id": CLIENT_ID, "code_challenge_method": "S256"}
        lacking = [name for name, value in wanted.items() if query.get(name) != value]
        lacking += [
            n for n in ("state", "redirect_uri", "code_challenge", "scope") if not query.get(n)
        ]
        if lacking:
            raise problem(400, f"Something went wrong: {', '.join(lacking)}")
        code = secrets.token_urlsafe(16)
        until = self.clock() + CODE_LIFETIME
        self.codes[code] = Code(query["code_challenge"], query["redirect_uri"], until)
        back = urlencode({"state": query["state"], "code": code})
        return Answer(302, b"", {"Location": f"{query['redirect_uri']}?{back}"})

    def token(self, request: Request) -> Answer:
        """The token endpoint."""
        form = {name: value.decode() for name, (_, value) in request.form.items()}
        self._check_client(request, form)
        match form.get("grant_type"):
            case "authorization_code":
                self._take_code(form)
            case "refresh_token":
                self._take_refresh_token(form.get("refresh_token", ""))
            case other:
                raise _refused("unsupported_grant_type", f"{other} is not one")
        return Answer(200, self._pair())

    def _check_client(self, request: Request, form: Mapping[str, str]) -> None:
        if self.secret is None:
            good = form.get("client_id") == CLIENT_ID
        else:
            pair = base64.b64encode(f"{CLIENT_ID}:{self.secret}".encode()).decode()
            good = request.headers.get("authorization") == f"Basic {pair}"
        if not good or "client_secret" in form:
            raise _refused("unauthorized_client", "Missing valid authorization header", 401)

    def _take_code(self, form: Mapping[str, str]) -> None:
        code = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            code is None
            or code.challenge != challenge
            or code.redirect_uri != form.get("redirect_uri")
            or code.until < self.clock()
        ):
            raise _refused(
                "invalid_request", "Value passed for the authorization code was invalid."
            )

    def _take_refresh_token(self, token: str) -> None:
        if token not in self.refresh_tokens:
            raise _refused("invalid_request", "Value passed for the token was invalid.")
        self.refresh_tokens.remove(token)
        self.tokens.clear()

    def _pair(self) -> dict[str, Any]:
        access, refresh = (f"{kind}-{secrets.token_hex(16)}" for kind in ("user", "refresh"))
        self.tokens.add(access)
        self.refresh_tokens.add(refresh)
        return {
            "token_type": "bearer",
            "expires_in": LIFETIME,
            "access_token": access,
            "scope": self.scopes,
            "refresh_token": refresh,
        }


def _refused(error: str, description: str, status: int = 400) -> Refusal:
    return Refusal(status, {"error": error, "error_description": description})


def _hmac(base: str, key: str) -> str:
    import hmac

    return base64.b64encode(hmac.new(key.encode(), base.encode(), "sha1").digest()).decode()
