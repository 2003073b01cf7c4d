"""/media: a file sent in, kept, and named for posts."""

from __future__ import annotations

from typing import IO, Annotated

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from postsched.domain.post import Media
from postsched.service import uploads
from postsched.web.answers import Json
from postsched.web.auth import Drafter
from postsched.web.context import DeskOf
from postsched.web.requests import Route, too_large
from postsched.web.schemas.described import described
from postsched.web.schemas.views import Upload

MEGABYTE = 1_000_000
router = APIRouter(prefix="/media", tags=["media"], route_class=Route)
FileName = Annotated[
    str, Query(min_length=1, max_length=200, description="What the file is called: cat.jpg")
]
BODY = {
    "requestBody": {
        "required": True,
        "description": "The bytes of the file, as they are",
        "content": {"application/octet-stream": {}},
    }
}


@router.post(
    "",
    status_code=201,
    response_model=Upload,
    responses=described(408, 413),
    operation_id="upload",
    openapi_extra=BODY,
)
async def upload(request: Request, desk: DeskOf, who: Drafter, name: FileName) -> Response:
    """Keep a picture or film, whose type is told by its content. `path` of the answer is its name
    in the media of posts, for a day at the least; while a post shows it, for good. The same content
    again is kept once."""
    most = desk.settings.web.upload_mb * MEGABYTE
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length[:20]) > most:
        raise too_large(most)
    with uploads.incoming(desk) as file:
        with file.open("wb") as written:
            await _write(request, written, most)
        kept = await run_sync(uploads.keep, desk, file, name)
    return Json(_document(kept), 201)


async def _write(request: Request, file: IO[bytes], most: int) -> None:
    """Write the body as it comes in. Raises Problem (413)."""
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > most:
            raise too_large(most)
        if piece:
            await run_sync(file.write, piece)


def _document(kept: Media) -> dict[str, object]:
    return {
        "path": kept.path,
        "type": kept.type,
        "bytes": kept.bytes,
        "width": kept.width,
        "height": kept.height,
        "sha256": kept.sha256,
    }
