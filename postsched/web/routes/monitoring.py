"""/metrics for Prometheus, /healthz and /readyz for whoever keeps the process running.

The application has `state.metrics`, `state.metrics_public` and `state.ready`. The two probes need
no login: they tell no more than that. /metrics, which names accounts, needs the scope read unless
`metrics_public` is set.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from postsched.web.auth import reader
from postsched.web.context import DeskOf
from postsched.web.metrics import Metrics
from postsched.web.readiness import Readiness, database_problem

router = APIRouter(include_in_schema=False)
FRESH = {"Cache-Control": "no-store"}


async def _allowed(request: Request) -> None:
    if not request.app.state.metrics_public:
        await reader(request)


@router.get("/metrics", dependencies=[Depends(_allowed)])
def metrics(request: Request) -> Response:
    """What is measured, in Prometheus' text format or OpenMetrics."""
    measured: Metrics = request.app.state.metrics
    body, kind = measured.exposition(request.headers.get("accept", ""))
    return Response(body, headers={**FRESH, "Content-Type": kind})


@router.get("/healthz")
async def healthz() -> Response:
    """The process is there and answers; nothing is looked at."""
    return JSONResponse({"status": "ok"}, headers=FRESH)


async def _ready(request: Request) -> Readiness | None:
    found: Readiness | None = request.app.state.ready
    return found


@router.get("/readyz")
async def readyz(desk: DeskOf, ready: Annotated[Readiness | None, Depends(_ready)]) -> Response:
    """Posts go out: 200, else 503 with the reason."""
    reason = await run_in_threadpool(database_problem, desk)
    if reason is None and ready is not None:
        reason = await ready()
    document = {"status": "ready"} if reason is None else {"status": "not ready", "reason": reason}
    return JSONResponse(document, 200 if reason is None else 503, headers=FRESH)
