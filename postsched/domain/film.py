"""What is known of a film, and what a network takes of it. Films are never made anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from postsched.domain.picture import wrong_ratio


@dataclass(frozen=True, slots=True)
class Film:
    """What the file itself says; None where it says nothing. `codec` is the format of the moving
    picture as MediaInfo names it (AVC, HEVC, VP9...), `frame_rate` in frames a second."""

    seconds: float | None = None
    width: int | None = None
    height: int | None = None
    codec: str | None = None
    frame_rate: float | None = None
    streamable: bool | None = None


@dataclass(frozen=True, slots=True)
class FilmRules:
    """Limits of a film, None (or nothing) where none is known. `seconds` are the shortest and the
    longest, `aspect` the narrowest and widest ratio of width to height. `index_first`: the index
    of an MP4 (its moov box) must come before the pictures."""

    seconds: tuple[float, float] | None = None
    max_width: int | None = None
    max_pixels: int | None = None
    aspect: tuple[float, float] | None = None
    codecs: frozenset[str] = frozenset()
    frame_rate: tuple[float, float] | None = None
    index_first: bool = False

    def faults(self, film: Film) -> Iterator[str]:
        """What the network would not take, each with its numbers; what is unknown passes."""
        yield from self._time(film)
        yield from self._size(film)
        if film.codec and self.codecs and film.codec not in self.codecs:
            taken = " or ".join(sorted(self.codecs))
            yield f"is coded as {film.codec}, and only {taken} is taken"
        if self.index_first and film.streamable is False:
            yield "has its index at the end, where it must be at the start (export it for the web)"

    def _time(self, film: Film) -> Iterator[str]:
        if film.seconds is not None and self.seconds is not None:
            shortest, longest = self.seconds
            if film.seconds > longest:
                yield f"lasts {_time(film.seconds)}, longer than the {_time(longest)} allowed"
            elif film.seconds < shortest:
                yield f"lasts {_time(film.seconds)}, shorter than the {_time(shortest)} needed"
        if film.frame_rate is not None and self.frame_rate is not None:
            slowest, fastest = self.frame_rate
            if not slowest - 0.1 <= film.frame_rate <= fastest + 0.1:
                rates = f"{slowest:g} to {fastest:g}" if slowest else f"up to {fastest:g}"
                yield f"has {film.frame_rate:.4g} frames a second, and {rates} are taken"

    def _size(self, film: Film) -> Iterator[str]:
        if not film.width or not film.height:
            return
        size = f"is {film.width}×{film.height}"
        if self.max_width is not None and film.width > self.max_width:
            yield f"{size}, wider than the {self.max_width:,} pixels allowed"
        if self.max_pixels is not None and film.width * film.height > self.max_pixels:
            yield f"{size}, more than the {self.max_pixels:,} pixels allowed"
        ratio = self.aspect and wrong_ratio(film.width, film.height, self.aspect)
        if ratio:
            yield ratio


def _time(seconds: float) -> str:
    """A length of time for people: 2.5 s, 140 s, 12 min, 1 h 5 min."""
    if seconds < 180:
        return f"{seconds:.1f} s".replace(".0 s", " s")
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    pieces = [(hours, "h"), (minutes, "min"), (rest, "s")]
    return " ".join(f"{number} {unit}" for number, unit in pieces if number)
