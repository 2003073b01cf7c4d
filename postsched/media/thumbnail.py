"""A picture as a few pixels, for showing it where there is little room."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from postsched.media.pixels import Unreadable, drawn, opened

if TYPE_CHECKING:
    from PIL.Image import Image

Colour = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""
BACKGROUND = (255, 255, 255, 255)
"""What is behind a transparent picture."""


def thumbnail(file: Path, width: int, height: int) -> list[list[Colour]]:
    """Rows of pixels that keep the picture's shape, at most so many wide and high, and an even
    number of rows. Empty where the file can't be drawn."""
    try:
        with opened(file) as image:
            size = _size(*image.size, width, height)
            small = _opaque(drawn(image, *size)).resize(size)
    except (Unreadable, OSError):
        return []
    values = list(small.tobytes())
    pixels = [(values[n], values[n + 1], values[n + 2]) for n in range(0, len(values), 3)]
    return [pixels[n : n + size[0]] for n in range(0, len(pixels), size[0])]


def _size(wide: int, high: int, width: int, height: int) -> tuple[int, int]:
    scale = min(width / wide, height / high)
    rows = max(2, round(high * scale))
    return min(width, max(1, round(wide * scale))), min(height, rows + rows % 2)


def _opaque(image: Image) -> Image:
    from PIL import Image as images

    if image.mode != "RGBA":
        return image.convert("RGB")
    behind = images.new("RGBA", image.size, BACKGROUND)
    return images.alpha_composite(behind, image).convert("RGB")
