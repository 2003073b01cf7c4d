"""How each kind of file is sent to Telegram: by which method, in which field, with which others
(fact sheet, sections 1 and 4).

Telegram has no upload of its own: a file goes out with the message, so what is prepared names the
file, and it is read when it is sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from postsched.domain.capabilities import MediaRules
from postsched.domain.outcome import ErrorKind
from postsched.domain.picture import PictureRules
from postsched.platforms.base import Attachment, PlatformError
from postsched.platforms.carried import content_of

PHOTO_LIMIT = 10_000_000
FILE_LIMIT = 50_000_000
ALBUM = 10
SIDES = 10_000
"""Pixels that width and height of a photo may have together."""
RATIO = 20
KINDS = {
    "image/jpeg": ("photo", "jpg"),
    "image/png": ("photo", "png"),
    "image/gif": ("animation", "gif"),
    "video/mp4": ("video", "mp4"),
    "audio/mpeg": ("audio", "mp3"),
    "audio/mp4": ("audio", "m4a"),
    "application/pdf": ("document", "pdf"),
    "application/msword": ("document", "doc"),
    "application/vnd.ms-powerpoint": ("document", "ppt"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ("document", "docx"),
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": (
        "document",
        "pptx",
    ),
}
"""MIME type -> what Telegram calls such a file, and the ending of its name."""
METHODS = {
    "photo": "sendPhoto",
    "animation": "sendAnimation",
    "video": "sendVideo",
    "audio": "sendAudio",
    "document": "sendDocument",
}


def _types(*kinds: str) -> frozenset[str]:
    return frozenset(mime for mime, (kind, _) in KINDS.items() if kind in kinds)


RULES = MediaRules(
    count=ALBUM,
    alone=ALBUM,
    types={
        mime: PHOTO_LIMIT if kind == "photo" else FILE_LIMIT for mime, (kind, _) in KINDS.items()
    },
    alt=False,
    alt_limit=0,
    mixed=True,
    from_url=True,
    files=ALBUM,
    picture=PictureRules(max_sides=SIDES, aspect=(1 / RATIO, RATIO)),
    albums=(_types("photo", "video") | {"image/*"}, _types("document"), _types("audio")),
)


def described(attachment: Attachment) -> dict[str, str]:
    """A file as it is prepared: what Telegram calls it, and its address or where its bytes are.
    Raises PlatformError(INVALID) for what Telegram can't take."""
    media = attachment.media
    if media.url is not None:
        return {"kind": _kind_of_address(media.url), "url": media.url}
    if media.type not in KINDS or attachment.file is None:
        what = media.type or "a file of unknown type"
        raise PlatformError(ErrorKind.INVALID, f"{what} can't be sent to Telegram")
    kind, ending = KINDS[media.type]
    width, height = media.width or 1, media.height or 1
    if kind == "photo" and (
        width + height > SIDES or max(width, height) > RATIO * min(width, height)
    ):
        raise PlatformError(
            ErrorKind.INVALID,
            f"a photo of {width} × {height} pixels is too large or too narrow for Telegram",
            hint=f"Width and height are {SIDES:,} together at most, one {RATIO} times the other",
        )
    return {"kind": kind, "file": str(attachment.file), "type": media.type, "ending": ending}


def check_album(files: Sequence[Mapping[str, str]]) -> None:
    """Raise PlatformError(INVALID) for files that can't be in one message."""
    kinds = {one["kind"] for one in files}
    together = kinds <= {"photo", "video"} or kinds in ({"document"}, {"audio"})
    if len(files) > ALBUM or (len(files) > 1 and not together):
        raise PlatformError(
            ErrorKind.INVALID,
            f"a Telegram album is up to {ALBUM} photos and videos, or documents, or audio files",
        )


def message_of(files: Sequence[Mapping[str, str]], caption: str) -> tuple[str, dict[str, Any]]:
    """The method and the fields that send these files with a caption, but for their bytes."""
    text = {"caption": caption} if caption else {}
    if len(files) == 1:
        (one,) = files
        place = {one["kind"]: one["url"]} if "url" in one else {}
        return METHODS[one["kind"]], {**place, **text}
    items = [
        {"type": one["kind"], "media": one.get("url") or f"attach://file{n}"}
        for n, one in enumerate(files)
    ]
    return "sendMediaGroup", {"media": [{**items[0], **text}, *items[1:]]}


async def contents(files: Sequence[Mapping[str, str]]) -> dict[str, tuple[str, bytes, str]]:
    """The bytes of the files, by the fields of the form that have them."""
    return {
        one["kind"] if len(files) == 1 else f"file{n}": (
            f"file{n}.{one['ending']}",  # never the name on our disk
            await content_of(one["file"]),
            one["type"],
        )
        for n, one in enumerate(files)
        if "file" in one
    }


def _kind_of_address(url: str) -> str:
    """What an address seems to hold; a photo unless its name says otherwise."""
    ending = PurePosixPath(urlsplit(url).path).suffix.lower().removeprefix(".")
    return next((kind for kind, known in KINDS.values() if known == ending), "photo")
