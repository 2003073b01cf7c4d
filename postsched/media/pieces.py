"""What a picture's file is made of: the pieces that are the picture, and what else is in there.

What else is in there tells more than it shows: where it was taken, by whom, with what. Taking those
pieces out changes no pixel. Sources: ITU T.81 annex B and the JFIF, Exif and Adobe markers; the PNG
specification, third edition, section 11; GIF89a; the WebP container specification.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

ENDED = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]", re.DOTALL)
"""The end of a scan of a JPEG: a marker that is neither a stuffed byte nor a restart."""
_ICC, _ADOBE = b"ICC_PROFILE\0", b"Adobe"
_PNG_KEPT = frozenset(
    b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP sBIT bKGD pHYs cICP mDCV cLLI mDCv cLLi "
    b"acTL fcTL fdAT".split()
)
_WEBP_KEPT = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ICCP", b"ANIM", b"ANMF", b"ALPH"})
_GIF_KEPT = (b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012")
_GIF_COLOURS = 0x80
_WEBP_EXIF_XMP = 0b0000_1100


class Damaged(Exception):
    """The file is not made as its format wants it."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """What was found: the file without what tells more (`clean`), whether that is less than all of
    it, and how many frames it has."""

    clean: bytes
    tells_more: bool
    frames: int


def known(kind: str) -> bool:
    """Whether files of that MIME type can be taken to pieces."""
    return kind in _FORMATS


def take_apart(content: bytes, kind: str) -> Pieces:
    """The pieces of a file of a `known` type. Raises Damaged."""
    try:
        pieces = list(_FORMATS[kind](content))
    except IndexError:
        raise Damaged from None
    kept = b"".join(content[start:end] for start, end, keep, _ in pieces if keep)
    if kind == "image/webp":
        kept = _webp_head(kept)
    return Pieces(kept, len(kept) < len(content), sum(new for *_, new in pieces) or 1)


_Found = Iterator[tuple[int, int, bool, bool]]
"""Start, end, whether it is kept, whether a frame begins with it."""


def _jpeg(content: bytes) -> _Found:
    """Segments up to the first end of image: what follows is another picture, or a film."""
    yield 0, 2, True, False
    position = 2
    while True:
        marker = position
        while content[marker] == 0xFF:
            marker += 1
        code = content[marker]
        if marker == position or code == 0:
            raise Damaged
        if code == 0xD9:
            yield position, marker + 1, True, False
            return
        if code == 1 or 0xD0 <= code <= 0xD7:
            end = marker + 1
        else:
            length = int.from_bytes(content[marker + 1 : marker + 3], "big")
            end = marker + 1 + length
            if length < 2 or end > len(content):
                raise Damaged
        yield position, end, _jpeg_keeps(code, content[marker + 3 : end]), False
        position = end
        if code == 0xDA:
            found = ENDED.search(content, position)
            if found is None:
                raise Damaged
            yield position, found.start(), True, False
            position = found.start()


def _jpeg_keeps(code: int, body: bytes) -> bool:
    if code == 0xE2:
        return body.startswith(_ICC)
    if code == 0xEE:
        return body.startswith(_ADOBE)
    return code == 0xE0 or not (0xE1 <= code <= 0xEF or code == 0xFE)


def _png(content: bytes) -> _Found:
    """Chunks up to the last, IEND."""
    yield 0, 8, True, False
    position = 8
    while True:
        kind = content[position + 4 : position + 8]
        end = position + 12 + int.from_bytes(content[position : position + 4], "big")
        if len(kind) < 4 or end > len(content):
            raise Damaged
        yield position, end, kind in _PNG_KEPT, kind == b"fcTL"
        position = end
        if kind == b"IEND":
            return


def _webp(content: bytes) -> _Found:
    """Chunks, each padded to an even length (RIFF)."""
    yield 0, 12, True, False
    position, last = 12, min(len(content), int.from_bytes(content[4:8], "little") + 8)
    while position + 8 <= last:
        kind = content[position : position + 4]
        size = int.from_bytes(content[position + 4 : position + 8], "little")
        end = position + 8 + size + size % 2
        if position + 8 + size > len(content):
            raise Damaged
        yield position, min(end, len(content)), kind in _WEBP_KEPT, kind == b"ANMF"
        position = end


def _webp_head(kept: bytes) -> bytes:
    """The length in the head of what is kept, and no mark of what was taken out."""
    head = bytearray(kept[:21])
    head[4:8] = (len(kept) - 8).to_bytes(4, "little")
    if head[12:16] == b"VP8X" and len(head) > 20:
        head[20] &= ~_WEBP_EXIF_XMP & 0xFF
    return bytes(head) + kept[21:]


def _gif(content: bytes) -> _Found:
    """Blocks up to the trailer, which some files lack."""
    position = 13 + _colours(content[10])
    yield 0, position, True, False
    while position < len(content):
        match content[position]:
            case 0x2C:
                end = _past(content, position + 11 + _colours(content[position + 9]))
                yield position, end, True, True
            case 0x21:
                end = _past(content, position + 2)
                yield position, end, _gif_keeps(content[position + 1 : position + 14]), False
            case 0x3B:
                yield position, position + 1, True, False
                return
            case _:
                raise Damaged
        position = end


def _gif_keeps(block: bytes) -> bool:
    """How a frame is shown (0xF9), and those applications (0xFF) that say how often, in which
    colours."""
    return block[0] == 0xF9 or (block[0] == 0xFF and block[2:13] in _GIF_KEPT)


def _colours(flags: int) -> int:
    """Bytes of a table of colours, by its flags."""
    return 3 << (flags & 7) + 1 if flags & _GIF_COLOURS else 0


def _past(content: bytes, position: int) -> int:
    """Where a row of blocks ends, each with its length before it."""
    while length := content[position]:
        position += length + 1
    return position + 1


_FORMATS: dict[str, Callable[[bytes], _Found]] = {
    "image/jpeg": _jpeg,
    "image/png": _png,
    "image/gif": _gif,
    "image/webp": _webp,
}
