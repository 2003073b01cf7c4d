"""What there is to look at, one module a noun."""

from __future__ import annotations

from starlette.routing import BaseRoute

from postsched.web.page import static
from postsched.web.page.views import accounts, entry, events, history, home

ROUTES: list[BaseRoute] = [
    *home.ROUTES, *history.ROUTES, *accounts.ROUTES, *entry.ROUTES, *events.ROUTES, *static.ROUTES,
]  # fmt: skip
