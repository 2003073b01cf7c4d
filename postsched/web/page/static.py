"""Style and script: files of ours, and no others. Their addresses change with their content."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.resources import files
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

TYPES: Final = {
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "htmx.min.js": "text/javascript; charset=utf-8",
    "htmx-sse.min.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
FOR_EVER = "public, max-age=31536000, immutable"


@lru_cache
def content(name: str) -> bytes:
    """A file of the package."""
    return files("postsched.web.page").joinpath("files", name).read_bytes()


@lru_cache
def address(name: str) -> str:
    """Where a page finds a file: another address for another content."""
    return f"/static/{name}?{hashlib.sha256(content(name)).hexdigest()[:12]}"


async def static(request: Request) -> Response:
    """One file."""
    name = request.path_params["name"]
    if name not in TYPES:
        raise HTTPException(404, "there is no such file")
    return Response(content(name), media_type=TYPES[name], headers={"Cache-Control": FOR_EVER})


ROUTES = [Route("/static/{name}", static)]
