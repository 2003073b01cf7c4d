"""Signing in with a service token, and out again."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from postsched.domain.scope import Scope
from postsched.service import sessions
from postsched.web.auth import Principal
from postsched.web.page.session import forget, remember, session_of
from postsched.web.page.visit import Visit, expect_bounded, is_ours, view

NOBODY = Principal("nobody", Scope.READ)


async def sign_in(request: Request) -> Response:
    """The form, and what came in it."""
    visit = Visit(request, request.app.state.desk(), NOBODY)
    if request.method != "POST":
        return await run_in_threadpool(_form, visit)
    expect_bounded(request, 1)
    async with request.form(max_files=0, max_fields=10, max_part_size=10_000) as form:
        visit = Visit(request, visit.desk, NOBODY, form)
        session = await run_in_threadpool(sessions.begin, visit.desk, visit.text("token").strip())
    if session is None:
        request.app.state.failures.take(request.client.host if request.client else "")
        return await run_in_threadpool(_form, visit, "This token is not known, or holds no more")
    to = visit.text("next")
    answer = RedirectResponse(to if is_ours(to) else "/", 303)
    remember(request, answer, session)
    return answer


def _form(visit: Visit, fault: str | None = None) -> Response:
    wanted = visit.text("next") or visit.asked("next")
    status = 200 if fault is None else 401
    return visit.page("login.html", status, fault=fault, next=wanted if is_ours(wanted) else "/")


@view()
def sign_out(visit: Visit) -> Response:
    """The end of a session."""
    sessions.end(visit.desk, session_of(visit.request))
    answer = visit.go("/login", "You are signed out")
    forget(answer)
    return answer


ROUTES = [
    Route("/login", sign_in, methods=["GET", "POST"]),
    Route("/logout", sign_out, methods=["POST"]),
]
