"""The drafts that wait for an approval: all of them, page by page."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from postsched.domain.errors import InvalidInput
from postsched.domain.scope import Scope
from postsched.service import approvals, editing, proposing
from postsched.service.approvals import Place
from postsched.store.columns import instant, micros
from postsched.web import paging
from postsched.web.page.visit import Visit, view

MOST = 20


@view()
def drafts(visit: Visit) -> Response:
    """The newest, or those behind a place."""
    place = paging.place_of(visit.asked("cursor")[:200] or None, 2)
    shown = approvals.read(visit.desk, _place(place) if place else None, MOST)
    older = None
    if shown.behind:
        at, last = shown.behind
        older = f"/drafts?cursor={paging.written(micros(at), last)}"
    return visit.page("drafts.html", shown=shown, later=bool(place), older=older)


@view(Scope.WRITE)
def approve(visit: Visit) -> Response:
    """Let a draft go out at its time: the one that the page has shown, and no other."""
    post_id = visit.number("post")
    editing.approve(visit.desk, [post_id], {post_id: visit.text("seen")})
    return visit.back(f"Post {post_id} is approved")


@view(Scope.DRAFT)
def discard(visit: Visit) -> Response:
    """Let a draft be: who may only propose, one of their own."""
    post_id = visit.number("post")
    if visit.who.author is None:
        approvals.discard(visit.desk, post_id)
    else:
        proposing.discard(visit.desk, post_id, visit.who.author)
    return visit.back(f"Draft {post_id} is discarded")


def _place(place: list[int]) -> Place:
    try:
        return instant(place[0]), place[1]
    except OverflowError:
        raise InvalidInput("that is no place among the drafts", "Begin anew: /drafts") from None


ROUTES = [
    Route("/drafts", drafts),
    Route("/do/approve", approve, methods=["POST"]),
    Route("/do/discard", discard, methods=["POST"]),
]
