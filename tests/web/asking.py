"""The API in this process: a desk with a clock of its own, and requests without any network."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI, Request

from postsched.domain.notice import Told
from postsched.domain.scope import Scope
from postsched.domain.serving import Web
from postsched.domain.setting import Rate
from postsched.engine.trial import Called
from postsched.service.desk import Desk
from postsched.testing import FakeClock
from postsched.web.app import create_app
from postsched.web.auth import NOBODY, Principal, unknown
from tests.service.desk import desk_at

SHOWN = {"Authorization": "Bearer tests"}
PROBLEM = "application/problem+json"
OFTEN = Rate(1_000_000, timedelta(seconds=1))


class Api:
    """Requests to `app`, by one who is called `name` and may do what `scope` says."""

    def __init__(self, desk: Desk, clock: FakeClock, host: str) -> None:
        self.desk, self.clock = desk, clock
        self.scope, self.name = Scope.WRITE, "tests"
        self.app: FastAPI = create_app(lambda: self.desk, self._who, desk.settings.web, host=host)
        self.app.state.failures = self.app.state.rates
        self.app.state.try_hook = self._try_hook
        self.tried: list[str] = []

    async def _try_hook(self, url: str) -> dict[str, Any]:
        self.tried.append(url)
        told = Told("it answers 500", answer=500, said="no")
        return Called("msg_1", told, 0.25).document()

    async def _who(self, request: Request) -> Principal:
        if request.headers.get("authorization") != SHOWN["Authorization"]:
            raise unknown(NOBODY)
        return Principal(self.name, self.scope)

    def __call__(self, method: str, path: str, **rest: Any) -> httpx.Response:
        """Ask below /api/v1."""
        return self.all((method, path, rest))[0]

    def all(self, *asked: tuple[str, str, dict[str, Any]]) -> list[httpx.Response]:
        """Ask all of that at the same time."""
        return asyncio.run(self.ask(*asked))

    async def ask(self, *asked: tuple[str, str, dict[str, Any]]) -> list[httpx.Response]:
        """The same, in a loop that runs."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost/api/v1", headers=SHOWN
        ) as client:
            return await asyncio.gather(
                *(client.request(method, path, **rest) for method, path, rest in asked)
            )

    def add(self, text: str = "Hello", at: str = "in 2 hours", **rest: Any) -> Any:
        """A new post, as JSON."""
        found = self("POST", "/posts", json={"text": text, "to": "me", "at": at, **rest})
        assert found.status_code == 201, found.text
        return found.json()

    def refused(
        self, status: int, words: str, method: str, path: str, **rest: Any
    ) -> dict[str, Any]:
        """What is wrong; fails unless that is the status, and the words are in it."""
        found = self(method, path, **rest)
        assert found.status_code == status, (found.status_code, found.text)
        assert found.headers["content-type"] == PROBLEM
        problem: dict[str, Any] = found.json()
        assert set(problem) == {"type", "title", "status", "detail", "hint", "field"}
        assert problem["status"] == status
        assert words in f"{problem['detail']} {problem['hint']}", problem
        return problem


@contextmanager
def api_at(folder: Path, host: str = "127.0.0.1") -> Iterator[Api]:
    """An API over a database in a folder, with the accounts me and work. `host` is where it thinks
    that it listens."""
    clock = FakeClock()
    with desk_at(folder, clock) as desk:
        web = Web(rate=OFTEN, upload_mb=1)
        yield Api(replace(desk, settings=replace(desk.settings, web=web)), clock, host)
