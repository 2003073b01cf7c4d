"""Uploads: files brought to LinkedIn, and the wait until it has processed them.

Nothing of this is visible, and all of it may be repeated (fact sheet, section 1). LinkedIn says
where the bytes go; the token goes there only if that is LinkedIn or the account's own address.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from postsched.domain.outcome import ErrorKind
from postsched.platforms.base import PlatformError
from postsched.platforms.linkedin.api import Api
from postsched.platforms.linkedin.refusal import json_object, judge, unreadable
from postsched.platforms.linkedin.urn import in_path

if TYPE_CHECKING:
    import httpx

POLLS = (0.5, 1.0, 2.0, 4.0, 8.0) + (15.0,) * 15
"""Seconds between looks whether an upload is ready: four minutes in all, and few calls, for a
person has 150 in a day."""
UNSEEN = 5.0
"""Seconds that an upload is given which this token may not look at."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of a video: the bytes from `first` to `last`, and where they go."""

    first: int
    last: int
    url: str


async def upload_image(api: Api, owner: str, content: bytes) -> str:
    """Bring an image to LinkedIn; its URN."""
    return await _upload_whole(api, "image", owner, content)


async def upload_document(api: Api, owner: str, content: bytes) -> str:
    """Bring a document to LinkedIn; its URN."""
    return await _upload_whole(api, "document", owner, content)


async def upload_video(api: Api, owner: str, file: Path) -> str:
    """Bring a video to LinkedIn in the parts that it asks for; its URN."""
    size = (await asyncio.to_thread(file.stat)).st_size
    wanted = {
        "owner": owner, "fileSizeBytes": size, "uploadCaptions": False, "uploadThumbnail": False,
    }  # fmt: skip
    value, response = await _initialize(api, "video", wanted)
    parts = _parts(value, size)
    if not parts:
        raise unreadable(response, "where the parts of the video go")
    tags = [await _put_part(api, file, part) for part in parts]
    done = {
        "video": value["video"],
        "uploadToken": value.get("uploadToken") or "",
        "uploadedPartIds": tags,
    }
    response = await api.post("videos?action=finalizeUpload", {"finalizeUploadRequest": done})
    judge(response, api.now)
    return str(value["video"])


async def wait_until_ready(api: Api, urns: Sequence[str]) -> None:
    """Wait until LinkedIn has processed uploads of one kind, as far as this token may see that. One
    that takes too long is left to the publishing request, which is refused until it is ready.

    Raises PlatformError(TRANSIENT) if one can't be processed.
    """
    pauses = iter(POLLS)
    for urn in urns:
        while (state := await _state(api, urn)) not in ("AVAILABLE", None):
            if state == "PROCESSING_FAILED":
                raise PlatformError(
                    ErrorKind.TRANSIENT, "LinkedIn could not process an uploaded file",
                    hint="Check that it is whole, and of a kind that LinkedIn takes",
                )  # fmt: skip
            pause = next(pauses, None)
            if pause is None:
                return
            await asyncio.sleep(pause)
        if state is None:  # the same goes for all of them
            await asyncio.sleep(UNSEEN)
            return


async def _state(api: Api, urn: str) -> str | None:
    """How far LinkedIn is with an upload, None if this token may not see it. Then the publishing
    request tells."""
    kind = urn.split(":")[2]
    response = await api.get(f"{kind}s/{in_path(urn)}")
    if response.status_code in (403, 404, 405):
        return None
    judge(response, api.now)
    return str(json_object(response).get("status"))


async def _upload_whole(api: Api, kind: str, owner: str, content: bytes) -> str:
    value, response = await _initialize(api, kind, {"owner": owner})
    url = value.get("uploadUrl")
    if not isinstance(url, str):
        raise unreadable(response, "where the file goes")
    _check_target(url, api.base)
    response = await api.http.put(url, content=content, headers=api.authorization)
    judge(response, api.now)
    return str(value[kind])


async def _initialize(
    api: Api, kind: str, wanted: Mapping[str, Any]
) -> tuple[Mapping[str, Any], httpx.Response]:
    """Ask for an upload; LinkedIn's answer to it names the upload."""
    body = {"initializeUploadRequest": wanted}
    response = await api.post(f"{kind}s?action=initializeUpload", body)
    judge(response, api.now)
    value = json_object(response).get("value")
    if not isinstance(value, dict) or not str(value.get(kind)).startswith(f"urn:li:{kind}:"):
        raise unreadable(response, "what the upload is called")
    return value, response


def _parts(value: Mapping[str, Any], size: int) -> list[_Part]:
    """The parts that LinkedIn asks for; none if they are not just the whole file."""
    given = value.get("uploadInstructions")
    try:
        parts = [
            _Part(int(one["firstByte"]), int(one["lastByte"]), str(one["uploadUrl"]))
            for one in given or []
        ]
    except (KeyError, TypeError, ValueError):
        return []
    ordered = sorted(parts, key=lambda part: part.first)
    joined = all(after.first == before.last + 1 for before, after in pairwise(ordered))
    whole = bool(ordered) and (ordered[0].first, ordered[-1].last) == (0, size - 1)
    return parts if joined and whole else []


async def _put_part(api: Api, file: Path, part: _Part) -> str:
    """Send one part; the tag by which LinkedIn knows it."""
    _check_target(part.url, api.base)
    content = await asyncio.to_thread(_read, file, part)
    # No token here: the address itself is the permission.
    headers = {"Content-Type": "application/octet-stream"}
    response = await api.http.put(part.url, content=content, headers=headers)
    if response.status_code in (401, 403, 404, 410):
        raise PlatformError(
            ErrorKind.TRANSIENT, "LinkedIn refuses a part of the video",
            http_status=response.status_code,
        )  # fmt: skip
    judge(response, api.now)
    tag = response.headers.get("etag")
    if not tag:
        raise unreadable(response, "what the part of the video is called")
    return str(tag)


def _read(file: Path, part: _Part) -> bytes:
    with file.open("rb") as opened:
        opened.seek(part.first)
        return opened.read(part.last - part.first + 1)


def _check_target(url: str, base: str) -> None:
    """Raise PlatformError(PERMANENT) unless an address is LinkedIn's, over TLS, or the account's
    own."""
    import httpx

    try:
        target, home = httpx.URL(url), httpx.URL(base)
    except httpx.InvalidURL:
        raise PlatformError(ErrorKind.TRANSIENT, "LinkedIn names no address to upload to") from None
    own = (target.scheme, target.host, target.port) == (home.scheme, home.host, home.port)
    theirs = target.scheme == "https" and f".{target.host}".endswith(".linkedin.com")
    if not (own or theirs):
        raise PlatformError(
            ErrorKind.PERMANENT,
            f"the upload is to go to {target.scheme}://{target.host}, which is not LinkedIn's",
            hint="Nothing was sent there; tell us if LinkedIn has moved its uploads",
        )
