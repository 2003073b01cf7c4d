"""/slots and /queue: the weekly slots, what sits in them, and its order."""

from __future__ import annotations

from random import Random, SystemRandom
from typing import Annotated

from fastapi import APIRouter, Body, Query
from sqlalchemy import Connection
from starlette.responses import Response

from postsched.domain.weekdays import clock, weekdays
from postsched.domain.zones import zone_named
from postsched.service import queue as queues
from postsched.service import slots as service
from postsched.service.desk import Desk
from postsched.web.answers import Json
from postsched.web.auth import Reader, Writer
from postsched.web.context import DeskOf
from postsched.web.idempotency import Reply, Write
from postsched.web.looking import Accounts, named_in
from postsched.web.postings import PostId
from postsched.web.requests import Route
from postsched.web.schemas.actions import Moving, NewSlots, Shuffle, Swap
from postsched.web.schemas.base import Name
from postsched.web.schemas.described import described
from postsched.web.schemas.views import Place, Slot

router = APIRouter(route_class=Route)
Of = Annotated[Name | None, Query(description="Of this account or group")]
OfName = Annotated[Name, Query(description="Of this account or group")]
Days = Annotated[str | None, Query(max_length=200, description="Only on these: mon-fri")]
Times = Annotated[list[str] | None, Query(max_length=100, description="Only at these: 09:00")]
ANY, ALL = Moving(), Shuffle()
WITH_BODY = described(404, 408, 409, 413, 415)


@router.get(
    "/slots",
    response_model=list[Slot],
    responses=described(),
    tags=["slots"],
    operation_id="list_slots",
)
def list_slots(desk: DeskOf, who: Reader, name: Of = None) -> Response:
    """The slots, and when each comes next."""
    with desk.database.read() as connection, named_in("name"):
        return Json(_slots(connection, desk, name).document)


@router.post(
    "/slots",
    response_model=list[Slot],
    responses=described(408, 413, 415),
    tags=["slots"],
    operation_id="add_slots",
)
def add_slots(given: NewSlots, desk: DeskOf, who: Writer, write: Write) -> Response:
    """Add a slot on each of the days at each of the times: all that the name has then."""
    zone = zone_named(given.tz) if given.tz is not None else desk.zone
    days, times = weekdays(given.days), [clock(one) for one in given.times]
    with named_in("name"):
        return write.do(
            desk,
            lambda desk: service.add(desk, given.name, days, times, zone.key),
            lambda connection: _slots(connection, desk, given.name),
        )


@router.delete(
    "/slots",
    response_model=list[Slot],
    responses=described(408, 413),
    tags=["slots"],
    operation_id="remove_slots",
)
def remove_slots(
    desk: DeskOf,
    who: Writer,
    write: Write,
    name: OfName,
    days: Days = None,
    time: Times = None,
) -> Response:
    """Remove slots: what the name has left. The posts in them keep their time."""
    on = weekdays(days) if days is not None else ()
    at = [clock(one) for one in time or ()]
    with named_in("name"):
        return write.do(
            desk,
            lambda desk: service.remove(desk, name, on, at),
            lambda connection: _slots(connection, desk, name),
        )


@router.get(
    "/queue",
    response_model=list[Place],
    responses=described(),
    tags=["queue"],
    operation_id="get_queue",
)
def get_queue(desk: DeskOf, who: Reader, account: Accounts = None) -> Response:
    """What sits in the slots, account by account in the order of time, and what is free."""
    with desk.database.read() as connection, named_in("account"):
        return Json(_places(connection, desk, account).document)


@router.post(
    "/queue/{post_id}/up",
    response_model=list[Place],
    responses=WITH_BODY,
    tags=["queue"],
    operation_id="move_up",
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
    "/queue/{post_id}/down",
    response_model=list[Place],
    responses=WITH_BODY,
    tags=["queue"],
    operation_id="move_down",
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


@router.post(
    "/queue/swap",
    response_model=list[Place],
    responses=WITH_BODY,
    tags=["queue"],
    operation_id="swap",
)
def swap(given: Swap, desk: DeskOf, who: Writer, write: Write) -> Response:
    """Exchange two posts, for each account where both sit in slots."""
    with named_in("accounts"):
        return write.do(
            desk,
            lambda desk: queues.swap(desk, given.post, given.other, given.accounts),
            lambda connection: _places(connection, desk, given.accounts),
        )


@router.post(
    "/queue/shuffle",
    response_model=list[Place],
    responses=WITH_BODY,
    tags=["queue"],
    operation_id="shuffle",
)
def shuffle(
    desk: DeskOf, who: Writer, write: Write, given: Annotated[Shuffle, Body()] = ALL
) -> Response:
    """Put the posts into another order, by chance."""
    rng = SystemRandom() if given.seed is None else Random(given.seed)  # noqa: S311 - no secret
    with named_in("accounts"):
        return write.do(
            desk,
            lambda desk: queues.shuffle(desk, given.accounts, rng),
            lambda connection: _places(connection, desk, given.accounts),
        )


def _step(post_id: int, desk: Desk, write: Write, given: Moving, by: int) -> Response:
    return write.do(
        desk,
        lambda desk: queues.step(desk, post_id, given.accounts, by),
        lambda connection: _places(connection, desk, given.accounts),
    )


def _slots(connection: Connection, desk: Desk, name: str | None) -> Reply:
    return Reply(service.slot_documents(service.of(connection, name), desk.now()))


def _places(connection: Connection, desk: Desk, names: list[str] | None) -> Reply:
    found = queues.places(connection, desk.now(), names)
    return Reply([queues.place_document(place) for place in found])
