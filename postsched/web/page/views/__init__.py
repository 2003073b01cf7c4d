"""What there is to look at, one module a noun."""

from __future__ import annotations

from starlette.routing import BaseRoute

from postsched.web.page import static
from postsched.web.page.views import accounts, calendar, entry, events, history, home, post, queue

NOUNS = (home, calendar, queue, post, history, accounts, entry, events, static)
ROUTES: list[BaseRoute] = [route for noun in NOUNS for route in noun.ROUTES]
