"""Whether a media file is whole, as far as that is cheap to see: half a download is the usual case.

Only what can't be otherwise counts as broken; a format not named here passes.
"""

from __future__ import annotations

import os
from typing import BinaryIO

_BLOCK = 1 << 20
_MOST_PIECES = 100_000
"""More chunks, segments or boxes than any real file has on its top level."""

_LONE_MARKERS = frozenset({0x01, *range(0xD0, 0xD8)})
"""JPEG markers that no length follows: TEM and RST0 to RST7."""
_BOXES = frozenset(
    b"ftyp styp moov moof mdat meta mfra free skip wide uuid sidx ssix udta pdin prft emsg".split()
)
"""The boxes that may be on the top level of an ISO base media file."""


def is_whole(file: BinaryIO, kind: str) -> bool:
    """Whether the end of the file is there. `kind` is its MIME type; moves the file's position."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    match kind:
        case "image/jpeg":
            return _jpeg(file)
        case "image/png":
            return _png(file, size)
        case "image/webp":
            return int.from_bytes(file.read(8)[4:], "little") + 8 <= size
        case "image/gif":
            return size > 13
        case "image/avif" | "image/heic" | "image/heif":
            return _boxes(file, size, b"meta")
        case "video/mp4" | "video/quicktime" | "video/3gpp" | "audio/mp4":
            return _boxes(file, size, b"moov")
        case _:
            return True


def _jpeg(file: BinaryIO) -> bool:
    """Skip the segments (a thumbnail in one has an end of its own), then look for the end of the
    image: in what follows the first scan, FF D9 is nothing else (ITU T.81, B.1.1.5)."""
    file.seek(2)
    for _ in range(_MOST_PIECES):
        marker = file.read(2)
        if len(marker) < 2 or marker[0] != 0xFF:
            return False
        if marker[1] == 0xFF:  # any number of FF may come before a marker
            file.seek(-1, os.SEEK_CUR)
        elif marker[1] == 0xDA:
            return _contains(file, b"\xff\xd9")
        elif marker[1] not in _LONE_MARKERS:
            length = int.from_bytes(file.read(2), "big")
            if length < 2:
                return False
            file.seek(length - 2, os.SEEK_CUR)
    return False


def _contains(file: BinaryIO, wanted: bytes) -> bool:
    last = b""
    while block := file.read(_BLOCK):
        if wanted in last + block:
            return True
        last = block[-len(wanted) + 1 :]
    return False


def _png(file: BinaryIO, size: int) -> bool:
    """Step over the chunks to the last, IEND (PNG specification, section 5)."""
    position = 8
    for _ in range(_MOST_PIECES):
        file.seek(position)
        header = file.read(8)
        position += 12 + int.from_bytes(header[:4], "big")
        if len(header) < 8 or position > size:
            return False
        if header[4:] == b"IEND":
            return True
    return False


def _boxes(file: BinaryIO, size: int, needed: bytes) -> bool:
    """Step over the boxes of the top level (ISO 14496-12, 4.2): none is cut off, the needed one is
    there. What is no box at the end is ignored, as players do."""
    position, seen = 0, False
    for _ in range(_MOST_PIECES):
        file.seek(position)
        header = file.read(16)
        if header[4:8] not in _BOXES:
            break
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        elif length == 0:  # to the end of the file
            length = size - position
        position += length
        if length < 8 or position > size:
            return False
        seen = seen or header[4:8] == needed
    return seen
