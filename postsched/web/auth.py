"""Who asks, and what they may: what routes depend on.

Who it is is found by what the application was given as `state.authenticate`; how often, by its
`state.rates` (of users) and `state.failures` (of addresses). Routes only say which scope they need.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.exceptions import HTTPException

from postsched.domain.scope import Scope


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. `name` is unique over all kinds: `token:website`, `jwt:alice`, `local`."""

    name: str
    scope: Scope

    @property
    def author(self) -> str | None:
        """Whose drafts those are that they make: their own where they may only propose them."""
        return None if self.scope.allows(Scope.WRITE) else self.name


Authenticate = Callable[[Request], Awaitable[Principal]]
"""Raises HTTPException 401 (RFC 6750, section 3) for whoever is not known."""
LOCAL = Principal("local", Scope.WRITE)
"""Whoever can reach the address, where nobody has to say who they are: on loopback only."""


async def without_login(request: Request) -> Principal:
    """For `serve --no-auth`."""
    return LOCAL


def unknown(why: str) -> HTTPException:
    """The answer to whoever is not known."""
    named = ' error="invalid_token"' if why != NOBODY else ""
    return HTTPException(401, why, {"WWW-Authenticate": f'Bearer realm="postsched"{named}'})


def forbidden(why: str, needed: Scope) -> HTTPException:
    """The answer to whoever is known, and may not."""
    asked = f'Bearer error="insufficient_scope", scope="{needed}"'
    return HTTPException(403, why, {"WWW-Authenticate": asked})


NOBODY = "say who you are: Authorization: Bearer TOKEN (postsched token add)"


async def _known(request: Request) -> Principal:
    """Who asks, once for each request, and not too often. Raises HTTPException 401, 403, 429."""
    authenticate: Authenticate = request.app.state.authenticate
    try:
        found = await authenticate(request)
    except HTTPException:
        request.app.state.failures.take(request.client.host if request.client else "")
        raise
    request.app.state.rates.take(found.name)
    return found


def require(scope: Scope) -> Callable[[Request], Awaitable[Principal]]:
    """A dependency: the principal, if it has that scope."""

    async def principal(request: Request) -> Principal:
        found = getattr(request.state, "principal", None)
        if found is None:
            found = request.state.principal = await _known(request)
        if not found.scope.allows(scope):
            why = f"{found.name} has the scope {found.scope}, and this needs {scope}"
            raise forbidden(why, scope)
        return found

    return principal


reader, drafter, writer = (require(scope) for scope in Scope)
Reader = Annotated[Principal, Depends(reader)]
Drafter = Annotated[Principal, Depends(drafter)]
Writer = Annotated[Principal, Depends(writer)]
