"""What a media file is: its type by its content, never by its name alone, and its size in pixels.

Sources: the PNG, JPEG (ITU T.81), GIF, RIFF, EBML, Ogg, FLAC and ISO base media (ISO 14496-12)
specifications, for brands mp4ra.org; for office documents ECMA-376 part 2 and [MS-CFB] 2.2.
"""

from __future__ import annotations

from typing import BinaryIO

HEAD = 4096
"""How many bytes from the start of a file are enough to know it."""

_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"ID3", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"%PDF-", "application/pdf"),
)
_BITMAP_HEADS = frozenset(bytes([size]) for size in (12, 40, 52, 56, 64, 108, 124))
"""Lengths of the second header of a Windows bitmap ([MS-WMF] 2.2.2.9)."""
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_BRANDS = {
    "avif": "image/avif", "avis": "image/avif",
    "heic": "image/heic", "heix": "image/heic", "hevc": "image/heic", "hevx": "image/heic",
    "heim": "image/heic", "heis": "image/heic", "mif1": "image/heif", "msf1": "image/heif",
    "qt  ": "video/quicktime",
    "M4A ": "audio/mp4", "M4B ": "audio/mp4",
}  # fmt: skip

SUFFIXES = {
    "image/jpeg": ("jpg", "jpeg", "jpe", "jfif"),
    "image/png": ("png", "apng"),
    "image/gif": ("gif",),
    "image/webp": ("webp",),
    "image/bmp": ("bmp", "dib"),
    "image/avif": ("avif", "heif"),
    "image/heic": ("heic", "heif"),
    "image/heif": ("heif", "heic", "avif"),
    "video/mp4": ("mp4", "m4v", "mov", "m4a"),
    "video/3gpp": ("3gp", "3g2", "mp4"),
    "video/quicktime": ("mov", "qt", "mp4"),
    "video/webm": ("webm", "mkv"),
    "video/x-matroska": ("mkv",),
    "video/x-msvideo": ("avi",),
    "video/ogg": ("ogv", "ogg"),
    "audio/ogg": ("ogg", "oga", "opus"),
    "audio/mpeg": ("mp3",),
    "audio/mp4": ("m4a", "m4b", "mp4"),
    "audio/webm": ("weba", "webm"),
    "audio/aac": ("aac",),
    "audio/wav": ("wav",),
    "audio/flac": ("flac",),
    "application/pdf": ("pdf",),
    "application/msword": ("doc",),
    "application/vnd.ms-powerpoint": ("ppt", "pps"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ("docx",),
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ("pptx", "ppsx"),
}
"""The endings that a file's name may have, for each type by content."""

_SOUND_NAMES = {"m4a": "audio/mp4", "m4b": "audio/mp4", "weba": "audio/webm", "aac": "audio/aac"}
"""Endings that say more than the content: that there is only sound in the container."""

_OFFICE = {b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": ("doc", "ppt", "pps"),
           b"PK\x03\x04": ("docx", "pptx", "ppsx")}  # fmt: skip
"""How office documents begin, and the endings that say which they are: from their first bytes all
of one generation look alike."""
_PACKAGE = (b"[Content_Types].xml", b"_rels/", b"docProps/", b"word/", b"ppt/")
"""Names of which one is near the start of a package of the younger generation."""

_MEDIA = ("image/", "video/", "audio/")

RASTER = frozenset(
    {"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "image/heic", "image/heif"}
)
"""Images whose width and height are in the file."""


def media_type(head: bytes, name: str = "") -> str | None:
    """The MIME type of the file that starts with `head` (HEAD bytes of it), None if unknown.

    Its `name` only decides whether a container is known to hold nothing but sound, and which kind
    of office document is in one.
    """
    found = _by_signature(head) or _office(head, name) or _by_library(head)
    sound = _SOUND_NAMES.get(ending(name))
    return sound if sound and _may_be(found, sound) else found


def ending(name: str) -> str:
    """The ending of a file's name, in lower case and without the dot."""
    stem, dot, last = name.rpartition(".")
    return last.lower() if dot and stem else ""


def contradiction(kind: str | None, name: str) -> str | None:
    """The type that a file's name stands for, if its content is of another; else None."""
    last = ending(name)
    named = [known for known, endings in SUFFIXES.items() if last in endings]
    return None if not named or kind in named else named[0]


def pixels(file: BinaryIO, kind: str) -> tuple[int, int] | None:
    """Width and height of an image as it is shown, turned by its EXIF; None if they are unknown."""
    if kind not in RASTER:
        return None
    import imagesize

    file.seek(0)
    width, height = imagesize.get(file)
    return (width, height) if width > 0 and height > 0 else None


def _by_signature(head: bytes) -> str | None:
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    if head.startswith(b"BM") and head[6:10] == bytes(4) and head[14:15] in _BITMAP_HEADS:
        return "image/bmp"
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _iso_media(head)
    if head.startswith(b"\x1aE\xdf\xa3"):
        return "video/webm" if b"webm" in head[:64] else "video/x-matroska"
    if head.startswith(b"OggS"):
        return "video/ogg" if b"\x80theora" in head[:512] else "audio/ogg"
    return _frames_of_sound(head)


def _office(head: bytes, name: str) -> str | None:
    """An office document, by its container and the ending of its name."""
    last = ending(name)
    endings = next((ends for start, ends in _OFFICE.items() if head.startswith(start)), ())
    package = head.startswith(b"PK")
    if last not in endings or (package and not any(one in head for one in _PACKAGE)):
        return None
    return next(kind for kind, names in SUFFIXES.items() if last in names)


def _iso_media(head: bytes) -> str:
    """By the brands of an ISO base media file: the major one, then those it is compatible with."""
    size = int.from_bytes(head[:4], "big")
    brands = head[8:12] + head[16 : max(16, min(size, 256))]
    names = [brands[i : i + 4].decode("latin-1") for i in range(0, len(brands), 4)]
    found = [_BRANDS[name] for name in names if name in _BRANDS]
    major = names[0] if names else ""  # none where the file ends right there
    if major in _BRANDS and found[0] != "image/heif":
        return found[0]
    if major.startswith(("3gp", "3g2")):
        return "video/3gpp"
    images = [kind for kind in found if kind.startswith("image/")]
    exact = [kind for kind in images if kind != "image/heif"]
    return (exact or images or ["video/mp4"])[0]


def _frames_of_sound(head: bytes) -> str | None:
    """MP3 without a tag (layer III, with a valid bit rate and sample rate), or AAC in ADTS."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xF0 != 0xF0:
        return None
    if head[1] & 0x06 == 0x00:
        return "audio/aac" if (head[2] >> 2) & 0x0F < 13 else None
    layer_three = head[1] & 0x06 == 0x02
    valid = 0 < head[2] >> 4 < 15 and head[2] & 0x0C != 0x0C
    return "audio/mpeg" if layer_three and valid else None


def _by_library(head: bytes) -> str | None:
    """What others know of less usual media. Its guesses by two or three bytes don't count, nor do
    those at types that are told more exactly above."""
    import puremagic

    try:
        matches = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return None
    kinds = [str(match.mime_type) for match in matches if match.confidence >= 0.4]
    others = [kind for kind in kinds if kind not in SUFFIXES]
    return next((kind for kind in others if kind.startswith(_MEDIA)), None)


def _may_be(found: str | None, sound: str) -> bool:
    containers = {
        "audio/mp4": ("video/mp4",),
        "audio/webm": ("video/webm",),
        "audio/aac": ("audio/mpeg",),  # a tag (ID3) may come before either
    }
    return found in containers[sound]
