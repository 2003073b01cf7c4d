"""A small picture of a picture: half blocks, each of which is two pixels, one above the other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

if TYPE_CHECKING:
    from PIL.Image import Image

BLOCK = "▀"
COLUMNS, ROWS = 32, 8
"""The most that a picture takes."""
BACKGROUND = (255, 255, 255)
"""What is behind a transparent picture."""


def picture(file: Path, columns: int) -> list[Text]:
    """The picture in lines of at most so many columns; none where the file can't be drawn."""
    from postsched.media.pixels import Unreadable, drawn, opened

    try:
        with opened(file) as image:
            wide, high = _size(*image.size, columns)
            small = _opaque(drawn(image, wide, high)).resize((wide, high))
    except (Unreadable, OSError):
        return []
    return [_line(small, row) for row in range(0, high, 2)]


def _size(width: int, height: int, columns: int) -> tuple[int, int]:
    """Columns, and pixels in height (an even number), that keep the picture's shape."""
    most = max(1, min(columns, COLUMNS))
    scale = min(most / width, 2 * ROWS / height)
    wide, high = max(1, round(width * scale)), max(2, round(height * scale))
    return min(wide, most), min(high + high % 2, 2 * ROWS)


def _opaque(image: Image) -> Image:
    from PIL import Image as images

    if image.mode == "RGBA":
        behind = images.new("RGBA", image.size, (*BACKGROUND, 255))
        return images.alpha_composite(behind, image).convert("RGB")
    return image.convert("RGB")


def _line(image: Image, row: int) -> Text:
    line = Text()
    for column in range(image.width):
        upper, lower = _colour(image, column, row), _colour(image, column, row + 1)
        line.append(BLOCK, style=f"{upper} on {lower}")
    return line


def _colour(image: Image, column: int, row: int) -> str:
    pixel = image.getpixel((column, row))
    assert isinstance(pixel, tuple)
    return "#{:02x}{:02x}{:02x}".format(*pixel[:3])
