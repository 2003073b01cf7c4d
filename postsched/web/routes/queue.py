"""/queue: what sits in the weekly slots, and its order."""

from __future__ import annotations

from collections.abc import Callable
from random import Random, SystemRandom
from typing import Annotated, Any

from fastapi import APIRouter, Body
from sqlalchemy import Connection
from starlette.responses import Response

from postsched.service import queue as service
from postsched.service.desk import Desk, accounts_named
from postsched.web.answers import Json
from postsched.web.auth import Reader, Writer
from postsched.web.context import DeskOf
from postsched.web.idempotency import Reply, Write
from postsched.web.looking import Accounts, named_in
from postsched.web.postings import PostId
from postsched.web.requests import Route
from postsched.web.schemas.actions import Moving, Shuffle, Swap
from postsched.web.schemas.described import described
from postsched.web.schemas.views import Place

router = APIRouter(prefix="/queue", tags=["queue"], route_class=Route)
ANY, ALL = Moving(), Shuffle()
WITH_BODY = described(404, 408, 409, 413, 415)


@router.get("", response_model=list[Place], responses=described(), operation_id="get_queue")
def get_queue(desk: DeskOf, who: Reader, account: Accounts = None) -> Response:
    """What sits in the slots, account by account in the order of time, and what is free."""
    with desk.database.read() as connection, named_in("account"):
        return Json(_places(connection, desk, account))


@router.post(
    "/{post_id}/up", response_model=list[Place], responses=WITH_BODY, operation_id="move_up"
)
def move_up(
    post_id: PostId,
    desk: DeskOf,
    who: Writer,
    write: Write,
    given: Annotated[Moving, Body()] = ANY,
) -> Response:
    """Exchange a post with the one before it."""
    return _step(post_id, desk, write, given, -1)


@router.post(
    "/{post_id}/down", response_model=list[Place], responses=WITH_BODY, operation_id="move_down"
)
def move_down(
    post_id: PostId,
    desk: DeskOf,
    who: Writer,
    write: Write,
    given: Annotated[Moving, Body()] = ANY,
) -> Response:
    """Exchange a post with the one behind it."""
    return _step(post_id, desk, write, given, 1)


@router.post("/swap", response_model=list[Place], responses=WITH_BODY, operation_id="swap")
def swap(given: Swap, desk: DeskOf, who: Writer, write: Write) -> Response:
    """Exchange two posts, for each account where both sit in slots."""
    names = given.accounts
    with named_in("post"):
        return _places_after(
            write, desk, names, lambda desk: service.swap(desk, given.post, given.other, names)
        )


@router.post("/shuffle", response_model=list[Place], responses=WITH_BODY, operation_id="shuffle")
def shuffle(
    desk: DeskOf, who: Writer, write: Write, given: Annotated[Shuffle, Body()] = ALL
) -> Response:
    """Put the posts into another order, by chance."""
    rng = SystemRandom() if given.seed is None else Random(given.seed)  # noqa: S311 - no secret
    names = given.accounts
    return _places_after(write, desk, names, lambda desk: service.shuffle(desk, names, rng))


def _step(post_id: int, desk: Desk, write: Write, given: Moving, by: int) -> Response:
    names = given.accounts
    return _places_after(write, desk, names, lambda desk: service.step(desk, post_id, names, by))


def _places_after(
    write: Write, desk: Desk, names: list[str] | None, work: Callable[[Desk], object]
) -> Response:
    """Do that for those accounts, and answer with their places. Raises NotFound with a field for an
    account that is not there."""

    def checked(desk: Desk) -> None:
        with desk.database.read() as connection, named_in("accounts"):
            accounts_named(connection, names or ())
        work(desk)

    return write.do(desk, checked, lambda connection: Reply(_places(connection, desk, names)))


def _places(connection: Connection, desk: Desk, names: list[str] | None) -> list[dict[str, Any]]:
    found = service.places(connection, desk.now(), names)
    return [service.place_document(place) for place in found]
