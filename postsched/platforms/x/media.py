"""Uploads: images in one piece, GIF and video in several, and their alt texts (fact sheet,
sections 1 and 4). An upload that is not used is forgotten by X after a day.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from postsched.domain.capabilities import MediaRules
from postsched.domain.film import FilmRules
from postsched.domain.outcome import ErrorKind
from postsched.domain.picture import PictureRules
from postsched.platforms.base import Attachment, PlatformError
from postsched.platforms.x.api import Api, data_of, id_of

IMAGES = ("image/jpeg", "image/png", "image/webp")
GIF = "image/gif"
VIDEOS = ("video/mp4", "video/quicktime")
COUNT = 4
ALT_LIMIT = 1000
IMAGE_SIZE = 5_000_000
GIF_SIZE = 15_000_000
VIDEO_SIZE = 512_000_000
PIECE = 4 * 1024 * 1024
"""Bytes of one piece; X takes 5 MB, and a thousand pieces."""
PATIENCE = 540.0
"""Seconds that X may take to process a file: the engine waits ten minutes for all of it."""
USUAL_WAIT = 1.0
"""Seconds to the next look, where X doesn't say."""
LONGEST_WAIT = 60.0

RULES = MediaRules(
    count=COUNT,
    types={
        **dict.fromkeys(IMAGES, IMAGE_SIZE),
        GIF: GIF_SIZE,
        **dict.fromkeys(VIDEOS, VIDEO_SIZE),
    },
    alt_limit=ALT_LIMIT,
    undescribed=frozenset(VIDEOS),
    singles=frozenset({GIF}),
    picture=PictureRules(max_frames=350, moving_width=1280, moving_height=1080),
    # What every account may; who pays may more.
    film=FilmRules(
        seconds=(0.5, 140), aspect=(1 / 3, 3), codecs=frozenset({"AVC"}), frame_rate=(0, 60)
    ),
)


def require_possible(attachments: tuple[Attachment, ...]) -> None:
    """Refuse what X can't show together: four images, or one GIF, or one video."""
    kinds = [attachment.media.type or "" for attachment in attachments]
    for kind in kinds:
        if kind not in RULES.types:
            what = kind or "a file of unknown type"
            raise PlatformError(ErrorKind.INVALID, f"a post on X can't carry {what}")
    alone = [kind for kind in kinds if kind not in IMAGES]
    if len(kinds) > (1 if alone else COUNT):
        raise PlatformError(
            ErrorKind.INVALID, f"a post on X has {COUNT} images, or one GIF, or one video"
        )


async def upload(api: Api, attachment: Attachment) -> str:
    """Upload a file, wait until it can be used, and describe it; its id."""
    kind = attachment.media.type or ""
    data = await (_in_one(api, attachment) if kind in IMAGES else _in_pieces(api, attachment))
    media_id = _named(data)
    await _ready(api, media_id, data)
    if attachment.media.alt and kind not in VIDEOS:
        text = {"text": attachment.media.alt}
        await api.order("/2/media/metadata", json={"id": media_id, "metadata": {"alt_text": text}})
    return media_id


async def _in_one(api: Api, attachment: Attachment) -> Mapping[str, Any]:
    content = await asyncio.to_thread(attachment.read)
    return await api.order(
        "/2/media/upload",
        data={"media_category": "tweet_image"},
        files={"media": ("media", content, attachment.media.type)},
    )


async def _in_pieces(api: Api, attachment: Attachment) -> Mapping[str, Any]:
    if attachment.file is None:
        raise PlatformError(ErrorKind.INVALID, "X can't take media by URL")
    kind = attachment.media.type
    size = (await asyncio.to_thread(attachment.file.stat)).st_size
    begun = await api.order(
        "/2/media/upload/initialize",
        json={
            "media_type": kind,
            "media_category": "tweet_gif" if kind == GIF else "tweet_video",
            "total_bytes": size,
        },
    )
    address = f"/2/media/upload/{_named(begun)}"
    n = 0
    async for piece in _pieces(attachment.file):
        await api.order(
            f"{address}/append",
            data={"segment_index": str(n)},
            files={"media": ("media", piece, "application/octet-stream")},
        )
        n += 1
    return {**begun, **await api.order(f"{address}/finalize")}


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(path.open, "rb") as file:
        while piece := await asyncio.to_thread(file.read, PIECE):
            yield piece


async def _ready(api: Api, media_id: str, data: Mapping[str, Any]) -> None:
    """Wait until X has processed a file, looking again whenever it says."""
    left = PATIENCE
    while (state := _state(data)) not in (None, "succeeded"):
        if state == "failed":
            raise PlatformError(ErrorKind.INVALID, f"X can't process the file: {_why(data)}")
        wait = wait_of(data)
        left -= wait
        if left < 0:
            raise PlatformError(ErrorKind.TRANSIENT, "X is still processing the uploaded file")
        await asyncio.sleep(wait)
        answer = await api.ask("/2/media/upload", command="STATUS", media_id=media_id)
        data = data_of(answer)
        if not data:
            raise PlatformError(ErrorKind.TRANSIENT, "X does not say how far the upload is")


def _state(data: Mapping[str, Any]) -> str | None:
    """pending, in_progress, succeeded or failed; None where there is nothing to wait for."""
    return str(_processing(data).get("state")) if "processing_info" in data else None


def wait_of(data: Mapping[str, Any]) -> float:
    """Seconds to wait before the next look, as X says, within reason."""
    seconds = _processing(data).get("check_after_secs")
    if not isinstance(seconds, int | float) or not seconds >= 0:
        return USUAL_WAIT
    return min(max(float(seconds), 0.05), LONGEST_WAIT)


def _why(data: Mapping[str, Any]) -> str:
    error = _processing(data).get("error")
    said = error if isinstance(error, dict) else {}
    return str(said.get("message") or said.get("name") or "it does not say why")


def _processing(data: Mapping[str, Any]) -> Mapping[str, Any]:
    state = data.get("processing_info")
    return state if isinstance(state, dict) else {}


def _named(data: Mapping[str, Any]) -> str:
    media_id = id_of(data)
    if media_id is None:
        raise PlatformError(ErrorKind.TRANSIENT, "X's answer does not name the upload")
    return media_id
