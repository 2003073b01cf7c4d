"""The first page: what needs a hand, each with its reason and the button that mends it."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from postsched.domain.errors import InvalidInput
from postsched.domain.outcome import Published
from postsched.domain.scope import Scope
from postsched.service import attention, deliveries, hooks, pausing, proposing
from postsched.service.content import check_plain, web_address
from postsched.service.deliveries import Which
from postsched.web.page.visit import Visit, view


@view()
def home(visit: Visit) -> Response:
    """What needs a hand, and what comes next."""
    return visit.page("home.html", found=attention.read(visit.desk))


@view(Scope.WRITE)
def retry(visit: Visit) -> Response:
    """Send a delivery again."""
    for which in _each(visit):
        deliveries.retry(visit.desk, [_post(visit)], which, insist=True)
    return visit.back(f"Post {_post(visit)} is sent again")


@view(Scope.DRAFT)
def cancel(visit: Visit) -> Response:
    """Let a delivery be, or a draft: who may only propose, one of their own."""
    if visit.who.author is not None:
        proposing.discard(visit.desk, _post(visit), visit.who.author)
        return visit.back(f"Draft {_post(visit)} is discarded")
    for which in _each(visit):
        deliveries.cancel(visit.desk, [_post(visit)], which, insist=True)
    return visit.back(f"Post {_post(visit)} is cancelled")


@view(Scope.WRITE)
def resolve(visit: Visit) -> Response:
    """Say whether a delivery is out, from what was seen at the network."""
    verdict, url, remote_id = (visit.text(name).strip() for name in ("verdict", "url", "id"))
    if verdict not in ("published", "absent"):
        raise InvalidInput("it isn't said what you saw", "Look at the account, then say which")
    check_plain("the id", remote_id)
    if url:
        check_plain("the address", web_address(url, "the address"))
    published = Published(remote_id, url or None) if verdict == "published" else None
    (which,) = _each(visit)[:1]
    deliveries.resolve(visit.desk, _post(visit), which, published)
    done = "is settled: it is out" if published else "is sent again"
    return visit.back(f"Post {_post(visit)} {done}")


@view(Scope.WRITE)
def replay(visit: Visit) -> Response:
    """Have a callback sent again that was given up."""
    number = visit.number("hook")
    done = hooks.replay(visit.desk, [number])
    return visit.back(next(iter(done.refused), f"Callback {number} is sent again"))


@view(Scope.WRITE)
def hold(visit: Visit) -> Response:
    """Hold everything, an account or a post; or release it."""
    paused = visit.text("do") == "pause"
    account, post = visit.text("account"), visit.text("post")
    if account:
        missed = pausing.pause_accounts(visit.desk, [account], paused=paused)
    elif post:
        act = pausing.pause if paused else pausing.resume
        missed = act(visit.desk, [_post(visit)])
    else:
        missed = pausing.pause_all(visit.desk, paused=paused)
    name = account or (f"Post {post}" if post else "Everything")
    said = f"{name} is {'held' if paused else 'released'}"
    return visit.back(f"{said}; {len(missed)} past their grace" if missed else said)


def _post(visit: Visit) -> int:
    return visit.number("post")


def _each(visit: Visit) -> list[Which]:
    """The deliveries that are named, or (none is) all of the post."""
    return [Which(delivery=one) for one in visit.numbers("delivery")] or [Which()]


ROUTES = [
    Route("/", home),
    Route("/do/retry", retry, methods=["POST"]),
    Route("/do/cancel", cancel, methods=["POST"]),
    Route("/do/resolve", resolve, methods=["POST"]),
    Route("/do/replay", replay, methods=["POST"]),
    Route("/do/hold", hold, methods=["POST"]),
]
