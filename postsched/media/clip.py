"""What a film's file says of it, read by MediaInfo. Nothing is made anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from postsched.domain.film import Film


def film_of(file: Path) -> Film | None:
    """The film in a file; None if it can't be read as one, or MediaInfo isn't there."""
    from pymediainfo import MediaInfo

    try:
        found = MediaInfo.parse(file, parse_speed=0.1)
    except (OSError, RuntimeError, ValueError):  # the library itself is missing, or gave up
        return None
    assert isinstance(found, MediaInfo)
    if not found.video_tracks:
        return None
    track, general = found.video_tracks[0], found.general_tracks[0]
    milliseconds = _number(general.duration) or _number(track.duration)
    return Film(
        milliseconds / 1000 if milliseconds else None,
        *_shown(track),
        track.format,
        _number(track.frame_rate),
        {"Yes": True, "No": False}.get(str(general.isstreamable)),
    )


def _shown(track: Any) -> tuple[int | None, int | None]:
    """Width and height as it is shown: phones film upright by a mark that turns it."""
    width, height = _number(track.width), _number(track.height)
    sideways = (_number(track.rotation) or 0) % 180 == 90
    sizes = (height, width) if sideways else (width, height)
    return (int(sizes[0]) if sizes[0] else None, int(sizes[1]) if sizes[1] else None)


def _number(value: Any) -> float | None:
    try:
        return float(value) if value is not None else None
    except (TypeError, ValueError):
        return None
