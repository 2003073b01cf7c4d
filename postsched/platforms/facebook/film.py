"""Films on Facebook (fact sheet, section 1).

A file is sent in pieces as they are asked for (`upload_phase` start, transfer, finish): only
`finish` makes it visible, and the film's id is known before. A film by its address is fetched by
Facebook after the one request that posts it, so nothing identifies that one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from postsched.domain.outcome import ErrorKind, Published
from postsched.platforms.base import Message, PlatformError, Unknown
from postsched.platforms.graph.api import Graph, id_in, node, unreadable
from postsched.platforms.graph.refusals import is_refusal

LARGEST_PIECE = 16 * 1024 * 1024
"""Bytes of one piece: no more is in memory."""
OUT = ("processing", "ready")
NOT_OUT = ("uploading", "upload_complete", "expired", "error")
"""What a film's `video_status` says before and after `finish` [?]."""


async def prepared(message: Message, graph: Graph, page: str, text: str) -> dict[str, Any]:
    """Bring the film there, where it is a file. The answer is as that of `content.prepared`."""
    (one,) = message.attachments
    words = {"description": text, "title": message.title or ""}
    form = {name: value for name, value in words.items() if value}
    if one.media.url is not None:
        return {"edge": "videos", "form": {**form, "file_url": one.media.url}, "film": None}
    if one.file is None:
        raise PlatformError(ErrorKind.INVALID, "the film is not there")
    number, session = await _upload(graph, f"{page}/videos", one.file)
    form |= {"upload_phase": "finish", "upload_session_id": session}
    return {"edge": "videos", "form": form, "film": number}


def published(number: str) -> Published:
    """A film that is out. Its `permalink_url` is no whole address, this one is documented."""
    return Published(number, f"https://www.facebook.com/reel/{number}")


async def find(graph: Graph, number: str) -> Published | Unknown | None:
    """Whether a film that was brought there is out."""
    response = await graph.get(node(number), fields="status")
    if is_refusal(response) and graph.read(response).is_unseen:
        return Unknown(f"Facebook does not show the film: {graph.read(response).words}")
    status = graph.object(response).get("status")
    if not isinstance(status, dict):
        raise unreadable(response)
    said, phase = str(status.get("video_status")), status.get("publishing_phase")
    waits = isinstance(phase, dict) and phase.get("status") == "not_started" and said == "ready"
    if said in NOT_OUT or waits:
        return None
    return published(number) if said in OUT else Unknown(f"Facebook says of the film: {said}")


async def _upload(graph: Graph, path: str, file: Path) -> tuple[str, str]:
    """Bring a film there, unseen; its id and that of the upload."""
    size = (await asyncio.to_thread(file.stat)).st_size
    response = await graph.post(path, {"upload_phase": "start", "file_size": str(size)})
    answer = graph.object(response)
    number = id_in(response, answer, "video_id")
    session = id_in(response, answer, "upload_session_id")
    first, last = _range(answer)
    while first < last <= size:
        piece = await asyncio.to_thread(_piece, file, first, min(last, first + LARGEST_PIECE))
        form = {
            "upload_phase": "transfer", "upload_session_id": session, "start_offset": str(first),
        }  # fmt: skip
        chunk = {"video_file_chunk": ("film", piece, "application/octet-stream")}
        before = first
        first, last = _range(graph.object(await graph.post(path, form, chunk)))
        if first <= before:
            break
    if (first, last) != (size, size):
        raise PlatformError(ErrorKind.TRANSIENT, "Facebook does not take all of the film")
    return number, session


def _range(answer: Mapping[str, Any]) -> tuple[int, int]:
    """Which bytes are asked for next; none of them if both are the same."""
    try:
        return int(answer["start_offset"]), int(answer["end_offset"])
    except (KeyError, TypeError, ValueError):
        raise PlatformError(
            ErrorKind.TRANSIENT, "Facebook does not say which piece of the film comes next"
        ) from None


def _piece(file: Path, first: int, last: int) -> bytes:
    with file.open("rb") as opened:
        opened.seek(first)
        return opened.read(last - first)
