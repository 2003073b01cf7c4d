"""What a network takes of a picture's shape, and the largest picture within that."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PictureRules:
    """Limits of still and moving pictures, in pixels; None where none is known.

    `max_sides` is for width and height together. `aspect` is the narrowest and the widest ratio of
    width to height. `moving` are the types that move there, where others would stand still; such
    a picture has at most `max_frames`, each `moving_width` by `moving_height`.
    """

    max_width: int | None = None
    max_height: int | None = None
    max_sides: int | None = None
    aspect: tuple[float, float] | None = None
    moving: frozenset[str] = frozenset({"image/gif"})
    max_frames: int | None = None
    moving_width: int | None = None
    moving_height: int | None = None

    def within(self, width: int, height: int, max_pixels: int | None) -> tuple[int, int]:
        """The largest size of that shape that is taken; the same if it is."""
        scale = min(
            1.0,
            _share(self.max_width, width),
            _share(self.max_height, height),
            _share(self.max_sides, width + height),
            math.sqrt(_share(max_pixels, width * height)),
        )
        if scale == 1.0:
            return width, height
        return max(1, int(width * scale)), max(1, int(height * scale))

    def misshapen(self, width: int, height: int) -> str | None:
        """Why a picture of that shape can't be sent, None if it can: nothing is cut off."""
        if self.aspect is None:
            return None
        return wrong_ratio(width, height, self.aspect)

    def too_much_moving(self, width: int, height: int, frames: int) -> str | None:
        """Why so many frames of that size can't be sent, None if they can."""
        if self.max_frames is not None and frames > self.max_frames:
            return f"has {frames:,} frames, more than the {self.max_frames:,} allowed"
        wide, high = self.moving_width or width, self.moving_height or height
        if width > wide or height > high:
            return f"is {width}×{height}, more than the {wide}×{high} allowed where it moves"
        return None


def wrong_ratio(width: int, height: int, allowed: tuple[float, float]) -> str | None:
    """A sentence on a ratio of width to height that is not between the allowed ones."""
    narrowest, widest = allowed
    ratio = width / height
    # A pixel's worth is forgiven: 1080×566 is meant to be 1.91.
    if (width - 1) / height > widest:
        return f"is {width}×{height}, a ratio of {ratio:.2f}, wider than the {widest:.4g} allowed"
    if (width + 1) / height < narrowest:
        what = f"narrower than the {narrowest:.4g} allowed"
        return f"is {width}×{height}, a ratio of {ratio:.2f}, {what}"
    return None


def _share(limit: int | None, size: int) -> float:
    return 1.0 if limit is None or size <= limit else limit / size
