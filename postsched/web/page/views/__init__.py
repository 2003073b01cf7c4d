"""What there is to look at, one module a noun."""

from __future__ import annotations

from starlette.routing import BaseRoute

from postsched.web.page import static
from postsched.web.page.views import (
    accounts,
    calendar,
    compose,
    drafts,
    entry,
    events,
    history,
    home,
    media,
    post,
    queue,
)

NOUNS = (
    home, drafts, compose, calendar, queue, post, history, accounts, media, entry, events, static,
)  # fmt: skip
ROUTES: list[BaseRoute] = [route for noun in NOUNS for route in noun.ROUTES]
