"""Bytes to text, piece by piece, with clear words for what is no text."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from typing import IO

from postsched.transfer.rows import Unreadable

CHUNK = 1 << 16
ROW_LIMIT = 4 << 20
"""Characters one row may have: past that, a quote was left open or it is no such file."""
TOO_LONG = f"a row is longer than {ROW_LIMIT >> 20} MiB, or a quote in it is never closed"


def chunks(source: IO[bytes]) -> Iterator[str]:
    """The text in pieces of about 64 KiB, without a byte order mark. Raises Unreadable for
    another encoding, for NUL and for an empty file."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    line = 1
    blank = True
    while block := source.read(CHUNK):
        text = _decoded(decoder, block, line)
        blank = blank and not text.strip()
        if not blank:
            yield text
        line += text.count("\n")
    _decoded(decoder, b"", line)
    if blank:
        raise Unreadable("the file is empty", 1)


def _decoded(decoder: codecs.IncrementalDecoder, block: bytes, line: int) -> str:
    if line == 1 and block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise Unreadable("the file is UTF-16: save it as UTF-8", 1)
    try:
        text = decoder.decode(block, final=not block)
    except UnicodeDecodeError as error:
        line += error.object.count(b"\n", 0, error.start)
        byte = error.object[error.start]
        raise Unreadable(f"the file is not UTF-8 (byte 0x{byte:02X})", line) from None
    if "\0" in text:
        line += text.count("\n", 0, text.index("\0"))
        raise Unreadable("there is a NUL byte in the file: it is no text", line)
    return text


def lines(pieces: Iterable[str]) -> Iterator[str]:
    r"""The lines with their ends; only `\n` ends one, for other breaks may be part of a text."""
    rest = ""
    number = 1
    for piece in pieces:
        *whole, rest = (rest + piece).split("\n")
        for line in whole:
            yield line + "\n"
        number += len(whole)
        if len(rest) > ROW_LIMIT:
            raise Unreadable(TOO_LONG, number)
    if rest:
        yield rest
