"""/platforms: the networks there are, and their limits."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from postsched.service import platform_documents
from postsched.web.answers import Json
from postsched.web.auth import Reader
from postsched.web.requests import Route
from postsched.web.schemas.described import described
from postsched.web.schemas.platforms import Platform, Unusable

router = APIRouter(tags=["accounts"], route_class=Route)


@router.get(
    "/platforms",
    response_model=list[Platform | Unusable],
    responses=described(),
    operation_id="list_platforms",
)
def list_platforms(who: Reader) -> Response:
    """The platforms, and what each can do."""
    return Json(platform_documents.documents())
