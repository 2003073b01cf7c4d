"""The page as an application: its addresses, and its errors as pages."""

from __future__ import annotations

import logging
from random import SystemRandom
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import State
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from postsched.domain.errors import PostschedError
from postsched.web import problems
from postsched.web.page.session import Forms, SignInNeeded
from postsched.web.page.templates import render
from postsched.web.page.views import ROUTES
from postsched.web.page.views.events import Changes
from postsched.web.page.visit import CONTENT_POLICY, is_ours, sign_in_address

log = logging.getLogger("postsched.web")
TITLES = {403: "Not allowed", 404: "Not here", 429: "Too often"}


def create_page(state: State) -> Starlette:
    """The application; it shares the state of the API, of which it is a part."""
    state.forms, state.changes, state.rng = Forms(), Changes(), SystemRandom()
    page = Starlette(
        routes=ROUTES,
        exception_handlers={
            SignInNeeded: _sign_in, HTTPException: _refused, PostschedError: _failed,
            Exception: _bug,
        },
    )  # fmt: skip
    page.state = state
    return page


async def _sign_in(request: Request, error: Exception) -> Response:
    return RedirectResponse(sign_in_address(request), 303)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if request.url.path.startswith("/api/"):
        return problems.answer(error)
    words = "There is no such page" if error.detail == "Not Found" else str(error.detail)
    return _shown(request, error.status_code, words, None)


async def _failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, PostschedError)
    return _shown(request, problems.problem_of(error).status_code, error.message, error.hint)


async def _bug(request: Request, error: Exception) -> Response:
    log.error("%s %s failed: a bug", request.method, request.url.path, exc_info=error)
    return _shown(request, 500, "This is a bug in postsched; its log says more", None)


def _shown(request: Request, status: int, message: str, hint: str | None) -> Response:
    title = TITLES.get(status, "That did not work")
    context = {"title": title, "message": message, "hint": hint, "back": _back(request)}
    answer = Response(
        render("error.html", request.app.state.desk(), context), status, media_type="text/html"
    )
    answer.headers["Content-Security-Policy"] = CONTENT_POLICY
    return answer


def _back(request: Request) -> str | None:
    """The page of ours that this one was reached from, if browsers say so."""
    came = urlsplit(request.headers.get("referer", ""))
    path = f"{came.path}?{came.query}" if came.query else came.path
    here = came.netloc == request.headers.get("host") and path != request.url.path
    return path if here and is_ours(path) else None
