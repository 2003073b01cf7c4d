"""Who shows a bearer token (RFC 6750): a service token of ours, or a JWT that is signed as set.

Of a JWT (RFC 7519) the signature, `exp`, `nbf`, `aud` and `iss` are checked, all but `nbf` must be
there, and `sub` names who it is. Its `scope` (RFC 8693, section 4.2) holds one of the words read,
draft and write, or `postsched:read` and so on. How it is signed is set, never taken from the token
(RFC 8725, section 3.1).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jwt
from fastapi import Request

from postsched.domain.errors import InvalidInput
from postsched.domain.scope import Scope
from postsched.domain.serving import Algorithm, Web
from postsched.domain.token import PREFIX
from postsched.service import tokens
from postsched.service.desk import Desk
from postsched.web.auth import NOBODY, Principal, forbidden, unknown
from postsched.web.keys import Keys

SHORTEST = 32
"""Bytes of a shared secret, at the least (RFC 7518, section 3.2)."""
LONGEST = 8_192
"""Characters of a token that are looked at."""
LEEWAY = 10
"""Seconds by which clocks may differ."""
CLAIMS = ["exp", "aud", "iss", "sub"]
OURS = "postsched:"
VARIABLE = "POSTSCHED_JWT_SECRET"
HINTS = {
    "jwt_issuer": "Set it: tokens of anybody with a key would be taken",
    "jwt_audience": "Set it: tokens made for others would be taken",
    "jwt_jwks_url": "Set it: where the public keys are",
}
"""What to do about a key that is missing."""
Run = Callable[[Callable[[], Principal]], Any]
"""Runs something that blocks beside the event loop; awaitable."""


class Jwts:
    """What the settings say of JWTs. Raises InvalidInput where that is only half of it."""

    def __init__(self, web: Web, secret: str | None, monotonic: Callable[[], float]) -> None:
        self._web = web
        self._secret, self._keys = None, None
        if web.jwt_algorithm is None:
            return
        if missing := web.jwt_missing:
            raise InvalidInput(
                f"[web] has the jwt_algorithm {web.jwt_algorithm}, and no {missing}", HINTS[missing]
            )
        if web.jwt_algorithm is Algorithm.HS256:
            self._secret = _shared(secret)
        elif web.jwt_jwks_url is not None:
            self._keys = Keys(web.jwt_jwks_url, web.jwt_algorithm, monotonic)

    def principal(self, shown: str) -> Principal:
        """Whose JWT this is. Raises HTTPException 401 or 403."""
        if self._web.jwt_algorithm is None:
            raise unknown("this token is not known, or holds no more")
        try:
            claims = self._claims(shown)
        except jwt.ExpiredSignatureError:
            raise unknown("this token has expired") from None
        except (jwt.PyJWTError, ValueError, OverflowError, RecursionError) as error:
            raise unknown(f"this token can't be taken: {_reason(error)}") from None
        name = claims["sub"]
        scope = _scope_of(claims.get("scope"))
        if not isinstance(name, str) or not name.isprintable() or not 0 < len(name) <= 200:
            raise unknown("this token can't be taken: its sub is no name")
        if scope is None:
            raise forbidden("this token has none of the scopes read, draft and write", Scope.READ)
        return Principal(f"jwt:{name}", scope)

    def _claims(self, shown: str) -> dict[str, Any]:
        key: Any = self._secret
        if self._keys is not None:
            kid = jwt.get_unverified_header(shown).get("kid")
            key = self._keys.of(kid if isinstance(kid, str) else None)
            if key is None:
                raise jwt.InvalidKeyError("it is signed with a key that is not known")
        assert self._web.jwt_algorithm is not None
        return jwt.decode(
            shown,
            key,
            algorithms=[self._web.jwt_algorithm.value],
            audience=self._web.jwt_audience,
            issuer=self._web.jwt_issuer,
            leeway=LEEWAY,
            options={"require": CLAIMS},
        )


class Bearers:
    """What `state.authenticate` is, where everybody has to say who they are."""

    def __init__(self, desk: Desk, jwts: Jwts, run: Run) -> None:
        self._desk, self._jwts, self._run = desk, jwts, run

    async def __call__(self, request: Request) -> Principal:
        """Who asks. Raises HTTPException 401 or 403."""
        scheme, _, shown = request.headers.get("authorization", "").partition(" ")
        shown = shown.strip()
        if scheme.lower() != "bearer" or not shown:
            raise unknown(NOBODY)
        if len(shown) > LONGEST or not shown.isascii():
            raise unknown("this is no token")
        found: Principal = await self._run(partial(self.holder, shown))
        return found

    def holder(self, shown: str) -> Principal:
        """Whose token this is; blocks. Raises HTTPException 401 or 403."""
        if not shown.startswith(PREFIX):
            return self._jwts.principal(shown)
        token = tokens.holder(self._desk, shown)
        if token is None:
            raise unknown("this token is not known, or holds no more")
        return Principal(f"token:{token.name}", token.scope)


def _shared(secret: str | None) -> str:
    if not secret:
        raise InvalidInput(
            "[web] has the jwt_algorithm HS256, and there is no secret",
            f"Set {VARIABLE} in the environment",
        )
    if len(secret.encode()) < SHORTEST:
        raise InvalidInput(
            f"{VARIABLE} is too short: whoever has one token could guess it",
            f"Give {SHORTEST} random bytes at the least: openssl rand -base64 48",
        )
    return secret


def _scope_of(claim: object) -> Scope | None:
    """The widest of the scopes that a claim names."""
    words = claim.split() if isinstance(claim, str) else claim if isinstance(claim, list) else []
    named = {word.removeprefix(OURS) for word in words if isinstance(word, str)}
    return next((scope for scope in reversed(Scope) if scope.value in named), None)


def _reason(error: Exception) -> str:
    words = " ".join(str(error).split()) or type(error).__name__
    return words[:1].lower() + words[1:200]
