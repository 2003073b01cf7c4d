"""A reel from a file: its bytes are brought to Meta, by Facebook Login only (fact sheet, section 1,
resumable video)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from postsched.domain.outcome import ErrorKind
from postsched.platforms.base import Attachment, PlatformError
from postsched.platforms.graph.api import Graph, id_in, json_of, unreadable


async def bring(graph: Graph, path: str, form: Mapping[str, str], film: Attachment) -> str:
    """Make a container and fill it; its id. Nobody sees it, so it may be made again."""
    if film.file is None:
        raise PlatformError(ErrorKind.INVALID, "the film is not there")
    wanted = {**form, "media_type": "REELS", "upload_type": "resumable", "share_to_feed": "true"}
    response = await graph.post(path, wanted)
    made = graph.object(response)
    container, place = id_in(response, made), made.get("uri")
    if not isinstance(place, str):
        raise unreadable(response)
    size = (await asyncio.to_thread(film.file.stat)).st_size
    response = await graph.put_file(place, film.file, size)
    _refuse_failed(json_of(response))
    graph.judge(response)
    return container


def _refuse_failed(answer: object) -> None:
    """Raise what an upload's own kind of error means."""
    debug = answer.get("debug_info") if isinstance(answer, dict) else None
    if not isinstance(debug, dict):
        return
    words = " ".join(str(debug.get("message") or debug.get("type") or "it failed").split())[:300]
    if debug.get("retriable") is True:
        raise PlatformError(ErrorKind.TRANSIENT, f"the upload failed: {words}")
    raise PlatformError(ErrorKind.INVALID, f"the network can't use the film: {words}")
