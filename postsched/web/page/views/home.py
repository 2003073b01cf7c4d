"""The first page: what needs a hand, each with its reason and the button that mends it."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from postsched.domain.errors import InvalidInput
from postsched.domain.outcome import Published
from postsched.domain.scope import Scope
from postsched.service import attention, deliveries, editing
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
    deliveries.retry(visit.desk, [_post(visit)], _which(visit), insist=True)
    return visit.back(f"Post {_post(visit)} is sent again")


@view(Scope.WRITE)
def cancel(visit: Visit) -> Response:
    """Let a delivery be."""
    deliveries.cancel(visit.desk, [_post(visit)], _which(visit), insist=True)
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
    deliveries.resolve(visit.desk, _post(visit), _which(visit), published)
    done = "is settled: it is out" if published else "is sent again"
    return visit.back(f"Post {_post(visit)} {done}")


@view(Scope.WRITE)
def approve(visit: Visit) -> Response:
    """Let a draft go out at its time."""
    editing.approve(visit.desk, [_post(visit)])
    return visit.back(f"Post {_post(visit)} is approved")


@view(Scope.WRITE)
def hold(visit: Visit) -> Response:
    """Hold everything, an account or a post; or release it."""
    paused = visit.text("do") == "pause"
    account, post = visit.text("account"), visit.text("post")
    if account:
        missed = deliveries.pause_accounts(visit.desk, [account], paused=paused)
    elif post:
        act = deliveries.pause if paused else deliveries.resume
        missed = act(visit.desk, [_post(visit)])
    else:
        missed = deliveries.pause_all(visit.desk, paused=paused)
    name = account or (f"Post {post}" if post else "Everything")
    said = f"{name} is {'held' if paused else 'released'}"
    return visit.back(f"{said}; {len(missed)} past their grace" if missed else said)


def _post(visit: Visit) -> int:
    return visit.number("post")


def _which(visit: Visit) -> Which:
    named = visit.text("delivery")
    return Which(delivery=visit.number("delivery") if named else None)


ROUTES = [
    Route("/", home),
    Route("/do/retry", retry, methods=["POST"]),
    Route("/do/cancel", cancel, methods=["POST"]),
    Route("/do/resolve", resolve, methods=["POST"]),
    Route("/do/approve", approve, methods=["POST"]),
    Route("/do/hold", hold, methods=["POST"]),
]
