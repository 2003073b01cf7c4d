"""The queue: what sits in the slots of each account, and its order."""

from __future__ import annotations

from random import Random

from starlette.responses import Response
from starlette.routing import Route

from postsched.domain.errors import InvalidInput
from postsched.domain.scope import Scope
from postsched.service import lineup, slots
from postsched.service import queue as service
from postsched.web.page.visit import Visit, view

BY = {"up": -1, "down": 1}
SHORT, LONG = 12, 100
"""How many posts of a queue are shown beside others, and of one alone."""


@view()
def queue(visit: Visit) -> Response:
    """The beginning of each queue, or a stretch of one."""
    name = visit.asked("account") or None
    skip = _skip(visit.asked("from")) if name else 0
    lines = lineup.lines(visit.desk, LONG if name else SHORT, name, skip)
    with visit.desk.database.read() as connection:
        weekly = bool(slots.of(connection, None))
    return visit.page("queue.html", lines=lines, has_slots=weekly, only=name, long=LONG)


def _skip(written: str) -> int:
    if not written:
        return 0
    if not (written.isascii() and written.isdigit() and len(written) < 10):
        raise InvalidInput(f"{written[:40]!r} is no place in a queue", "Follow a link of the queue")
    return int(written)


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
