"""A network made of nothing but its login: postsched's side of `tests.servers.oidc`.

A plug-in as anybody may write one: `plugged_in` makes it known to processes. The settings `app` and
`scopes` say how the client authenticates and what it asks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from postsched.domain.capabilities import Capabilities
from postsched.domain.outcome import Published
from postsched.platforms.base import (
    Login,
    Message,
    Platform,
    Prepared,
    Renewal,
    Unknown,
)
from postsched.platforms.judging import raise_for_answer
from postsched.platforms.oauth import OAuth, refresh, stale

if TYPE_CHECKING:
    import httpx

AUTHENTICATION: Mapping[str, Literal["none", "basic", "body"]] = {
    "native": "none", "basic": "basic", "post": "body",
}  # fmt: skip
"""Client id -> how its secret goes."""


class Oidc(Platform):
    """See the module."""

    name = "oidc"
    title = "Oidc"
    settings: ClassVar[Mapping[str, str]] = {"app": "the client", "scopes": "what is asked for"}

    def oauth(self, login: Login) -> OAuth:
        """As the server's discovery document says."""
        scopes = login.settings.get("scopes", "openid offline_access post:write")
        return OAuth(
            authorize_url=login.service.authorize_url or f"{login.url}/auth",
            token_url=login.service.token_url or f"{login.url}/token",
            scopes=tuple(scopes.split()),
            client_auth=AUTHENTICATION[login.settings.get("app", "native")],
            authorize_extra={"prompt": "consent"},
            client_hint="The test knows one.",
            needed=("post:write",),
        )

    async def inspect(self, login: Login, http: httpx.AsyncClient) -> dict[str, Any]:
        """Ask who has logged in."""
        token = login.secret.text if login.secret else ""
        response = await http.get(f"{login.url}/me", headers={"Authorization": f"Bearer {token}"})
        raise_for_answer(response)
        return {"user": response.json()["sub"]}

    def stale(self, login: Login, now: datetime) -> bool:
        """A little before its end."""
        return stale(login, now)

    async def refresh(
        self, login: Login, http: httpx.AsyncClient, now: datetime, *, refused: bool
    ) -> Renewal | None:
        """A new pair."""
        if login.secret is None or not login.secret.get("refresh_token"):
            return None
        return await refresh(self.oauth(login), login, http, now)

    def capabilities(self, facts: Mapping[str, Any]) -> Capabilities:
        """Of no interest."""
        return Capabilities()

    async def prepare(
        self, message: Message, login: Login, http: httpx.AsyncClient
    ) -> dict[str, Any]:
        """Of no interest."""
        return {}

    async def publish(
        self, prepared: Prepared, key: str, login: Login, http: httpx.AsyncClient
    ) -> Published:
        """Whoever is logged in may post."""
        await self.inspect(login, http)
        return Published("1")

    async def find(
        self, prepared: Prepared, key: str, login: Login, http: httpx.AsyncClient, since: datetime
    ) -> Published | Unknown | None:
        """Nothing is kept."""
        return None


def plugged_in(folder: Path) -> None:
    """Make the folder, on PYTHONPATH, a place where this platform is installed."""
    plugin = folder / "oidc_platform-1.0.dist-info"
    plugin.mkdir()
    (plugin / "METADATA").write_text("Metadata-Version: 2.1\nName: oidc-platform\nVersion: 1.0\n")
    (plugin / "entry_points.txt").write_text(
        "[postsched.platforms]\noidc = tests.servers.oidc_platform:Oidc\n"
    )
