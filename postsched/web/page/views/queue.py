"""The queue: what sits in the slots of each account, and its order."""

from __future__ import annotations

from itertools import groupby
from random import Random

from starlette.responses import Response
from starlette.routing import Route

from postsched.domain.errors import InvalidInput
from postsched.domain.scope import Scope
from postsched.service import queue as service
from postsched.service import slots
from postsched.web.page.visit import Visit, view

BY = {"up": -1, "down": 1}


@view()
def queue(visit: Visit) -> Response:
    """All queues."""
    with visit.desk.database.read() as connection:
        places = service.places(connection, visit.desk.now())
        weekly = slots.of(connection, None)
    by_account = [(name, list(mine)) for name, mine in groupby(places, lambda one: one.account)]
    return visit.page("queue.html", queues=by_account, has_slots=bool(weekly))


@view(Scope.WRITE)
def order(visit: Visit) -> Response:
    """One step up or down, or two posts exchanged."""
    post_id, account = visit.number("post"), visit.text("account")
    if visit.text("other"):
        other = visit.number("other")
        service.swap(visit.desk, post_id, other, [account])
        return visit.back(f"Posts {post_id} and {other} have changed places")
    by = BY.get(visit.text("to"))
    if by is None:
        raise InvalidInput("it isn't said whether it goes up or down", "Load the page anew")
    service.step(visit.desk, post_id, [account], by)
    return visit.back(f"Post {post_id} has gone {visit.text('to')}")


@view(Scope.WRITE)
def shuffle(visit: Visit) -> Response:
    """Another order, by chance."""
    rng: Random = visit.request.app.state.rng
    count = service.shuffle(visit.desk, [visit.text("account")], rng)
    return visit.back(f"{count} posts have another place")


ROUTES = [
    Route("/queue", queue),
    Route("/do/order", order, methods=["POST"]),
    Route("/do/shuffle", shuffle, methods=["POST"]),
]
