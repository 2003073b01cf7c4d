"""Accounts: whether their logins hold, what is left of their quotas, and pauses."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from postsched.service.state import read_state
from postsched.web.page.visit import Visit, view


@view()
def accounts(visit: Visit) -> Response:
    """All accounts."""
    return visit.page("accounts.html", state=read_state(visit.desk))


ROUTES = [Route("/accounts", accounts)]
