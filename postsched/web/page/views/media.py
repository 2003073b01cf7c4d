"""The media of posts, for those who may see them: pictures that browsers show."""

from __future__ import annotations

import re

from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from postsched.media.kept import MediaStore
from postsched.web.page.templates import SHOWN
from postsched.web.page.visit import Visit, view

DIGEST = re.compile(r"[0-9a-f]{64}")
POLICY = "default-src 'none'; sandbox"


@view()
def picture(visit: Visit) -> Response:
    """One picture, by its SHA-256."""
    digest = visit.request.path_params["digest"]
    settings = visit.desk.settings
    store = MediaStore(settings.media_folder, settings.media_fault)
    kept = store.again(digest, "picture") if DIGEST.fullmatch(digest) else None
    if kept is None or kept.type not in SHOWN:
        raise HTTPException(404, "there is no such picture")
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "private, max-age=86400"}
    return FileResponse(store.path_of(kept), media_type=kept.type, headers=headers)


ROUTES = [Route("/media/{digest}", picture)]
