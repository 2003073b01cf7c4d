"""A picture to attach, made from nothing."""

from __future__ import annotations

import struct
import zlib
from random import Random


def png(width: int = 8, height: int = 8, rng: Random | None = None) -> bytes:
    """A blue rectangle as a PNG (W3C PNG, 8-bit RGB); or noise, which can't be packed."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    rows = (b"\x00" + b"\x30\x60\xf0" * width) * height
    if rng:
        rows = b"".join(b"\x00" + rng.randbytes(3 * width) for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
