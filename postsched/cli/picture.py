"""A small picture of a picture: half blocks, each of which is two pixels, one above the other."""

from __future__ import annotations

from pathlib import Path

from rich.text import Text

BLOCK = "▀"
COLUMNS, ROWS = 32, 8
"""The most that a picture takes."""


def picture(file: Path, columns: int) -> list[Text]:
    """The picture in lines of at most so many columns; none where the file can't be drawn."""
    from postsched.media.thumbnail import thumbnail  # Pillow takes time to load

    rows = thumbnail(file, max(1, min(columns, COLUMNS)), 2 * ROWS)
    return [_line(upper, lower) for upper, lower in zip(rows[::2], rows[1::2], strict=True)]


def _line(upper: list[tuple[int, int, int]], lower: list[tuple[int, int, int]]) -> Text:
    line = Text()
    for above, below in zip(upper, lower, strict=True):
        line.append(BLOCK, style=f"{_hex(above)} on {_hex(below)}")
    return line


def _hex(colour: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
