"""A picture drawn anew within a network's limits: smaller, in another format, telling nothing more.

The same picture and rules give the same bytes.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from postsched.domain.capabilities import MediaRules
from postsched.media.pixels import Unreadable, drawn, opened, shown_size

if TYPE_CHECKING:
    from PIL.Image import Image

JPEG, PNG, WEBP = "image/jpeg", "image/png", "image/webp"
VERSION = 1
"""To be raised when the same picture and rules give other bytes."""
SMALLEST = 200
"""Pixels of the longer side, below which nothing is to be recognised."""
STEP = 0.8
"""Each next size, where no quality makes the file small enough."""
_NAMES = {JPEG: "JPEG", PNG: "PNG", WEBP: "WEBP"}
_QUALITIES: dict[str, tuple[int | None, ...]] = {JPEG: (90, 82, 74), WEBP: (90, 80), PNG: (None,)}


@dataclass(frozen=True, slots=True)
class Redrawn:
    """The new file; `flat`: what was transparent is white now."""

    content: bytes
    kind: str
    width: int
    height: int
    flat: bool


def redrawn(file: Path, kind: str, rules: MediaRules) -> Redrawn:
    """Draw the picture of a file, whose MIME type is `kind`, as the rules want it.

    Raises Unreadable if that can't be done.
    """
    with opened(file) as image:
        width, height = rules.picture.within(*shown_size(image), rules.max_pixels)
        picture = drawn(image, width, height)
        kinds, flat = _kinds(picture, kind, rules)
        if flat:
            picture = _on_white(picture)
        size = rules.picture.within(*picture.size, rules.max_pixels)
        return _smallest_needed(picture, size, kinds, rules, flat=flat)


def _kinds(picture: Image, kind: str, rules: MediaRules) -> tuple[list[str], bool]:
    """The formats to be tried, the best first; and whether transparency must go."""
    see_through = picture.mode == "RGBA"
    first = [kind] if kind in (PNG, WEBP) else []
    if see_through:
        wanted = [*first, PNG, WEBP]
    else:
        wanted = [*first, JPEG] if rules.rule(JPEG) else [*first, WEBP, PNG]
    kinds = [one for one in dict.fromkeys(wanted) if rules.rule(one)]
    if kinds:
        return kinds, False
    if rules.rule(JPEG):
        return [JPEG], see_through
    raise Unreadable(f"can't be made one of what is taken: {', '.join(sorted(rules.types))}")


def _smallest_needed(
    picture: Image, size: tuple[int, int], kinds: list[str], rules: MediaRules, *, flat: bool
) -> Redrawn:
    """Try formats and qualities, then smaller sizes, until the file is small enough."""
    while True:
        smaller = _resized(picture, size)
        for kind in kinds:
            limit = rules.largest(kind)
            for quality in _QUALITIES[kind]:
                content = _encoded(smaller, kind, quality)
                if limit is None or len(content) <= limit:
                    return Redrawn(content, kind, *smaller.size, flat)
        # JPEG is the quickest, PNG the least fit for small files.
        kinds = [JPEG] if JPEG in kinds else [kind for kind in kinds if kind != PNG] or kinds
        size = int(size[0] * STEP) or 1, int(size[1] * STEP) or 1
        if max(size) < SMALLEST:
            least = min(rules.largest(kind) or 0 for kind in kinds)
            raise Unreadable(f"can't be made small enough for the {least:,} bytes allowed")


def _resized(picture: Image, size: tuple[int, int]) -> Image:
    from PIL import Image

    if picture.size == size:
        return picture
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _encoded(picture: Image, kind: str, quality: int | None) -> bytes:
    target = io.BytesIO()
    options = {"quality": quality} if quality is not None else {}
    picture.save(target, _NAMES[kind], **options)
    return target.getvalue()


def _on_white(picture: Image) -> Image:
    from PIL import Image

    white = Image.new("RGB", picture.size, "white")
    white.paste(picture, mask=picture.getchannel("A"))
    return white
