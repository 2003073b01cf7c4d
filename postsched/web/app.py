"""The application: its routes, what they are handed, and its OpenAPI document."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio.to_thread
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.middleware.cors import CORSMiddleware

from postsched import __version__
from postsched.domain.serving import Web
from postsched.service.desk import Desk
from postsched.service.state import read_state
from postsched.web import problems
from postsched.web.auth import Authenticate, without_login
from postsched.web.headers import SecurityHeaders
from postsched.web.heads import Heads
from postsched.web.hosts import OwnHosts
from postsched.web.metrics import Metrics
from postsched.web.page.application import create_page
from postsched.web.patience import Patience
from postsched.web.rates import FAILURES, Buckets
from postsched.web.routes import (
    accounts,
    actions,
    deliveries,
    documentation,
    health,
    media,
    monitoring,
    occurrences,
    outlook,
    platforms,
    posts,
    queue,
    schedule,
    slots,
    watching,
    webhooks,
)
from postsched.web.schemas.base import Problem

PREFIX = "/api/v1"
THREADS = 2
"""How many requests are in the database at once; the others wait their turn. The interpreter runs
one thread at a time, and each more would keep the engine waiting longer."""
NOUNS = (
    health, schedule, posts, deliveries, outlook, watching, actions, occurrences, accounts,
    platforms, slots, queue, media, webhooks, documentation,
)  # fmt: skip
"""What is asked for most comes first: routes are looked for one after the other."""
METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "QUERY"]
BEARER = {
    "type": "http",
    "scheme": "bearer",
    "description": "A token of `postsched token add`, or a JWT",
}
DESCRIPTION = """Schedule posts to social networks. A post is taken as posts as data, and answered
with its schedule and deliveries. Errors are problem details (RFC 9457)."""


class _Application(FastAPI):
    """FastAPI with our OpenAPI document."""

    def openapi(self) -> dict[str, Any]:
        """The document, made once."""
        if self.openapi_schema is None:
            document = get_openapi(
                title=self.title,
                version=self.version,
                description=self.description,
                routes=self.routes,
                openapi_version="3.1.0",
            )
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            schemas["Problem"] = Problem.model_json_schema(mode="serialization")
            if self.state.authenticate is not without_login:
                document["components"]["securitySchemes"] = {"bearer": BEARER}
                document["security"] = [{"bearer": []}]
            self.openapi_schema = document
        return self.openapi_schema


def create_app(
    desk: Callable[[], Desk],
    authenticate: Authenticate,
    web: Web | None = None,
    monotonic: Callable[[], float] = time.monotonic,
    host: str = "127.0.0.1",
) -> FastAPI:
    """The application. `desk` gives what the use cases work on, `authenticate` who asks; `web` are
    the settings as they are at the start, `host` is where it listens."""
    web = web or Web()
    app = _Application(
        title="postsched",
        version=__version__,
        description=DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
    )
    app.state.desk, app.state.authenticate = desk, authenticate
    app.state.rates = Buckets(web.rate, monotonic)
    app.state.failures = Buckets(FAILURES, monotonic)
    app.state.metrics, app.state.ready = Metrics(lambda: read_state(desk())), None
    app.state.try_hook = None
    app.state.metrics_public = web.metrics_public
    problems.install(app)
    for noun in NOUNS:
        app.include_router(noun.router, prefix=PREFIX)
    app.include_router(monitoring.router)
    app.add_route("/api/{rest:path}", problems.nowhere, METHODS, include_in_schema=False)
    app.mount("/", create_page(app.state))
    _fence(app, web, host)
    return app


def _fence(app: FastAPI, web: Web, host: str) -> None:
    """What every request passes through, the innermost first."""
    app.add_middleware(Heads)
    app.add_middleware(Patience, answer=problems.answer)
    if web.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=web.cors_origins,
            allow_methods=["GET", "POST", "PATCH", "PUT", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "If-Match"],
            expose_headers=["ETag", "Location", "Retry-After"],
        )
    app.add_middleware(OwnHosts, host=host, origins=web.cors_origins, answer=problems.answer)
    app.add_middleware(SecurityHeaders)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
    yield
