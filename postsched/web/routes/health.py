"""/health: whether posts go out, in five members."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from postsched.domain.delivery import DeliveryStatus
from postsched.service.state import workers_now
from postsched.store import outlook, pauses
from postsched.web.answers import Json
from postsched.web.auth import Reader
from postsched.web.context import DeskOf
from postsched.web.requests import Route
from postsched.web.schemas.described import described
from postsched.web.schemas.documents import Health

S = DeliveryStatus
WAITING = (S.SCHEDULED, S.RETRYING)
ACTIVE = (S.PUBLISHING, S.CONFIRMING)
FAILED = (S.FAILED, S.MISSED, S.UNCONFIRMED)
router = APIRouter(tags=["health"], route_class=Route)


@router.get("/health", response_model=Health, responses=described(), operation_id="health")
def health(desk: DeskOf, who: Reader) -> Response:
    """Whether posts go out, and how many deliveries wait, are being sent, are out, or failed and
    need a hand. `stopped`: no daemon sends them; `paused`: a person holds everything."""
    with desk.database.read() as connection:
        counts = outlook.count_by_status(connection)
        living = workers_now(connection, desk.bells, desk.now()).living
        paused = pauses.all_paused(connection)
    running = any(worker.kind == "run" for worker in living)
    return Json(
        {
            "status": "paused" if paused else "ok" if running else "stopped",
            "waiting": sum(counts[status] for status in WAITING),
            "active": sum(counts[status] for status in ACTIVE),
            "completed": counts[S.PUBLISHED],
            "failed": sum(counts[status] for status in FAILED),
        }
    )
