"""A plug-in platform for tests.servers.tokens, and a keyring that processes share: a file. Both die
(SIGKILL) at the step that ROTATING_DIE_AT names.

The steps, in order: `stale` before the lease; `lease` while it is held; `answered` with the new
pair in hand, not saved; `saved`; `used`; `settling` before the pair before is dropped; `settled`.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import httpx
from keyring.backend import KeyringBackend

from postsched.domain.capabilities import Capabilities
from postsched.domain.outcome import Published
from postsched.platforms import oauth
from postsched.platforms.base import Login, Message, Platform, Prepared, Renewal
from postsched.platforms.judging import raise_for_answer

STEPS = ("stale", "lease", "answered", "saved", "used", "settling", "settled")
SURVIVED = tuple(step for step in STEPS if step != "answered")
"""The steps after which nothing is lost; at `answered` the pair is in the victim's hands only."""
NOTHING_SENT = "only the renewal of logins is tested here"


def die_at(step: str) -> None:
    """Die, if that is the step."""
    if os.environ.get("ROTATING_DIE_AT") == step:
        os.kill(os.getpid(), signal.SIGKILL)


class Rotating(Platform):
    """A login that is renewed and used to ask who it is; nothing is ever sent by it."""

    name: ClassVar[str] = "rotating"
    title: ClassVar[str] = "Rotating"

    def oauth(self, login: Login) -> oauth.OAuth:
        return oauth.OAuth(f"{login.url}/authorize", f"{login.url}/token", ("all",))

    def stale(self, login: Login, now: datetime) -> bool:
        is_stale = oauth.stale(login, now, timedelta(minutes=10))
        if is_stale:
            die_at("stale")
        return is_stale

    async def refresh(
        self, login: Login, http: httpx.AsyncClient, now: datetime, *, refused: bool
    ) -> Renewal | None:
        die_at("lease")
        renewal = await oauth.refresh(self.oauth(login), login, http, now)
        die_at("answered")
        return renewal

    async def inspect(self, login: Login, http: httpx.AsyncClient) -> dict[str, Any]:
        assert login.secret is not None
        headers = {"Authorization": f"Bearer {login.secret.text}"}
        response = await http.get(f"{login.url}/me", headers=headers)
        raise_for_answer(response)
        die_at("used")
        return {"user": "me"}

    def capabilities(self, facts: Mapping[str, Any]) -> Capabilities:
        return Capabilities()

    async def prepare(
        self, message: Message, login: Login, http: httpx.AsyncClient
    ) -> dict[str, Any]:
        raise AssertionError(NOTHING_SENT)

    async def publish(
        self, prepared: Prepared, key: str, login: Login, http: httpx.AsyncClient
    ) -> Published:
        raise AssertionError(NOTHING_SENT)

    async def find(
        self, prepared: Prepared, key: str, login: Login, http: httpx.AsyncClient, since: datetime
    ) -> None:
        raise AssertionError(NOTHING_SENT)


class SharedRing(KeyringBackend):
    """Keeps them in the file that ROTATING_RING names, which is replaced as a whole."""

    priority = 5

    def get_password(self, service: str, username: str) -> str | None:
        return self._read().get(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        settles = "previous" in (self._read().get(username) or "") and "previous" not in password
        if settles:
            die_at("settling")
        self._write({**self._read(), username: password})
        die_at("settled" if settles else "saved")

    def delete_password(self, service: str, username: str) -> None:
        self._write({name: text for name, text in self._read().items() if name != username})

    def _read(self) -> dict[str, str]:
        with contextlib.suppress(FileNotFoundError):
            kept: dict[str, str] = json.loads(_place().read_text())
            return kept
        return {}

    def _write(self, kept: dict[str, str]) -> None:
        beside = _place().with_suffix(f".{os.getpid()}")
        beside.write_text(json.dumps(kept))
        beside.replace(_place())


def _place() -> Path:
    return Path(os.environ["ROTATING_RING"])
