"""/webhooks: what applications were to be told, and telling it again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from anyio.to_thread import run_sync as in_thread
from fastapi import APIRouter, Body, Path, Query, Request
from starlette.responses import Response

from postsched.domain.errors import InvalidInput, NotAllowed
from postsched.service import hooks
from postsched.service.desk import Desk
from postsched.store import hooks as rows
from postsched.web import paging
from postsched.web.answers import Json
from postsched.web.auth import Reader, Writer
from postsched.web.context import DeskOf
from postsched.web.idempotency import Reply, Write
from postsched.web.paging import USUAL, Cursor, Limit
from postsched.web.requests import Route
from postsched.web.schemas.base import LARGEST
from postsched.web.schemas.described import LINKED, described
from postsched.web.schemas.webhooks import Trial, Tried, Webhook, Webhooks

router = APIRouter(prefix="/webhooks", tags=["webhooks"], route_class=Route)
HookId = Annotated[int, Path(ge=1, le=LARGEST, description="The id of a webhook")]
USUALLY = Trial()
Failed = Annotated[bool, Query(description="Only what was not taken at its last try")]


@router.get(
    "", response_model=Webhooks, responses=LINKED | described(), operation_id="list_webhooks"
)
def list_webhooks(
    request: Request,
    desk: DeskOf,
    who: Reader,
    failed: Failed = False,
    limit: Limit = USUAL,
    cursor: Cursor = None,
) -> Response:
    """Webhooks and callbacks of the last 30 days, the newest first."""
    place = paging.place_of(cursor, 1)
    found = hooks.newest(desk, limit + 1, place[0] if place else None, failed=failed)
    more = paging.written(found[limit - 1].id) if len(found) > limit else None
    return paging.page(request, [hooks.document(one) for one in found[:limit]], more)


@router.post(
    "/test", response_model=Tried, responses=described(408, 413, 415), operation_id="try_webhook"
)
async def try_webhook(
    request: Request, desk: DeskOf, who: Writer, given: Annotated[Trial, Body()] = USUALLY
) -> Response:
    """Send a signed test message now, and say what the receiver answers; it is not tried again."""
    trial: Callable[[str], Awaitable[dict[str, Any]]] | None = request.app.state.try_hook
    assert trial is not None, "whoever starts the application sets it"
    try:
        address = await in_thread(hooks.address_to_try, desk, given.url)
    except InvalidInput as error:
        error.field = "url"
        raise
    return Json(await trial(address))


@router.get(
    "/{hook_id}", response_model=Webhook, responses=described(404), operation_id="get_webhook"
)
def get_webhook(hook_id: HookId, desk: DeskOf, who: Reader) -> Response:
    """One webhook."""
    (found,) = hooks.named(desk, [hook_id])
    return Json(hooks.document(found))


@router.post(
    "/{hook_id}/replay",
    response_model=Webhook,
    responses=described(404, 408, 409, 413),
    operation_id="replay_webhook",
)
def replay(hook_id: HookId, desk: DeskOf, who: Writer, write: Write) -> Response:
    """Have one sent again, under the same id and with the same words, taken or not."""

    def work(desk: Desk) -> None:
        (found,) = hooks.named(desk, [hook_id])
        if why := hooks.unfit(found):
            raise NotAllowed(why)
        hooks.replay(desk, [hook_id])

    return write.do(
        desk,
        work,
        lambda connection: Reply(
            hooks.document(hooks.addressed(desk, rows.by_ids(connection, [hook_id])[hook_id]))
        ),
    )
