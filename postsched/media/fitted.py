"""Whether a file goes to a network as it is, in a copy made to fit, or not at all.

A picture is sent byte for byte if it is within the limits and tells nothing more than it shows.
Else a copy is made: without what it tells, and if need be upright, smaller, in another format. What
moves is never made to stand still, and nothing is cut off. Other files are only judged.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from postsched.domain.capabilities import MediaRules
from postsched.domain.post import Media
from postsched.media import clip, pieces
from postsched.media.copies import Copies, Copy
from postsched.media.original import LARGEST_PICTURE, unreadable
from postsched.media.pieces import Damaged, Pieces, take_apart
from postsched.media.pixels import (
    MOST_DRAWN,
    MOST_STORED,
    Details,
    Unreadable,
    details,
    require_sound,
)
from postsched.media.redrawn import redrawn

VECTOR = "image/svg+xml"


class State(StrEnum):
    """What becomes of a file at a network."""

    AS_IS = "as is"
    FITTED = "fitted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Fit:
    """What becomes of a file. `medium` is what is sent, None if nothing is; `words` say how that
    differs from the file, or why it is refused, to follow the file's name. `file` is where it is,
    None for a copy that is not kept: then its `content` is here."""

    state: State
    medium: Media | None = None
    words: str = ""
    file: Path | None = None
    content: bytes | None = None


def fit(
    file: Path,
    medium: Media,
    rules: MediaRules,
    copies: Copies | None = None,
    *,
    thorough: bool = False,
) -> Fit:
    """What becomes of a file under the rules; `medium` is what is known of it. With `copies`, a
    copy made to fit is kept there, and one that is there already is used. If `thorough`, a picture
    is refused that is damaged inside, though it could be sent; else that is left to the network.

    Raises InvalidInput if the file can't be read, StoreUnavailable if the copy can't be written.
    """
    try:
        kind = medium.type or ""
        if kind.startswith("image/") and kind != VECTOR:
            return _picture(file, medium, rules, copies, thorough=thorough)
        _require_taken(kind, medium.bytes, rules)
        if kind.startswith("video/"):
            _check_film(file, rules)
    except Unreadable as problem:
        return Fit(State.REFUSED, words=str(problem))
    except OSError as error:
        raise unreadable(file, error) from error
    return Fit(State.AS_IS, medium, file=file)


def _picture(
    file: Path, medium: Media, rules: MediaRules, copies: Copies | None, *, thorough: bool
) -> Fit:
    if not any(kind.startswith(("image/", "*/")) for kind in rules.types):
        _require_taken(medium.type or "", None, rules)
    if medium.bytes is not None and medium.bytes > LARGEST_PICTURE:
        excess = f"more than the {LARGEST_PICTURE:,} that a picture may have"
        raise Unreadable(f"has {medium.bytes:,} bytes, {excess}")
    picture = _Picture(file, medium, rules)
    if thorough and picture.keeps_its_pixels:  # else it is drawn, which finds the same
        picture.require_sound()
    if picture.goes_as_it_is:
        return Fit(State.AS_IS, picture.medium, file=file)
    name = copies and copies.name(medium, rules)
    kept = copies and name and copies.find(name)
    copy = kept or picture.copy()
    if copies and name and not kept:
        copy = copies.keep(name, copy)
    sent = replace(
        medium, type=copy.kind, bytes=copy.size, width=copy.width, height=copy.height, sha256=None
    )
    return Fit(State.FITTED, sent, picture.words(copy), copy.file, copy.content)


class _Picture:
    """A picture under the rules. Raises Unreadable if it can't be sent in any form."""

    def __init__(self, file: Path, medium: Media, rules: MediaRules) -> None:
        self._file, self._rules, self._kind = file, rules, medium.type or ""
        self._apart: Pieces | None = None
        self._details: Details | None = None
        if pieces.known(self._kind):
            try:
                self._apart = take_apart(file.read_bytes(), self._kind)
            except Damaged:
                raise Unreadable("can't be read: it is damaged") from None
        if self._apart is None or self._apart.tells_more or not medium.width or not medium.height:
            self._details = details(file)
        self.medium = self._known(medium)
        self._width, self._height = self.medium.width or 1, self.medium.height or 1
        self._check()

    def _known(self, medium: Media) -> Media:
        found = self._details
        return replace(medium, width=found.width, height=found.height) if found else medium

    @property
    def _frames(self) -> int:
        return self._apart.frames if self._apart else self._details.frames if self._details else 1

    @property
    def _tells_more(self) -> bool:
        found = self._apart or self._details
        return found is not None and found.tells_more

    @property
    def _may_stay(self) -> bool:
        """Whether its pixels need not change."""
        size = self._width, self._height
        return (
            self._rules.rule(self._kind) is not None
            and self._rules.picture.within(*size, self._rules.max_pixels) == size
            and not (self._details and self._details.turned and self._frames == 1)
        )

    @property
    def goes_as_it_is(self) -> bool:
        return self._may_stay and not self._tells_more and self._is_small(self.medium.bytes or 0)

    @property
    def keeps_its_pixels(self) -> bool:
        """Whether it is sent as it is, or without what it tells."""
        clean = self._apart and len(self._apart.clean)
        return self.goes_as_it_is or bool(clean and self._may_stay and self._is_small(clean))

    def require_sound(self) -> None:
        """Refuse what is damaged inside, unless it is too large to be drawn here."""
        if self._width * self._height <= MOST_DRAWN:
            require_sound(self._file)

    def _is_small(self, size: int) -> bool:
        limit = self._rules.largest(self._kind)
        return limit is None or size <= limit

    def _check(self) -> None:
        """Refuse what no copy can mend."""
        pixels = self._width * self._height
        if pixels > MOST_STORED:
            size = f"{pixels:,} pixels ({self._width}×{self._height})"
            raise Unreadable(f"has {size}, more than the {MOST_STORED:,} that a picture may have")
        misshapen = self._rules.picture.misshapen(self._width, self._height)
        if misshapen:
            raise Unreadable(f"{misshapen}; it is not cut without you")
        if self._frames > 1:
            self._check_moving()

    def _check_moving(self) -> None:
        rule, clean = self._rules.picture, self._apart and self._apart.clean
        if self._rules.rule(self._kind) is None or not self._moves_there():
            moving = sorted(kind for kind in rule.moving if self._rules.rule(kind))
            what = f"; what moves can be {', '.join(map(short, moving))}" if moving else ""
            raise Unreadable(f"moves ({self._frames} frames), and would stand still there{what}")
        excess = rule.too_much_moving(self._width, self._height, self._frames)
        if excess:
            raise Unreadable(f"{excess}; what moves is not made smaller here")
        size = len(clean) if clean else self.medium.bytes or 0
        if not self._is_small(size) or not self._may_stay or (self._tells_more and not clean):
            raise Unreadable(f"is too large ({amount(size)}), and what moves is not made smaller")

    def _moves_there(self) -> bool:
        moving = self._rules.picture.moving
        return self._kind in moving or "image/*" in moving

    def copy(self) -> Copy:
        """The copy to be sent: without what it tells, and drawn anew only if it must."""
        apart = self._apart
        if apart and self.keeps_its_pixels:
            return Copy(self._kind, len(apart.clean), self._width, self._height, apart.clean)
        new = redrawn(self._file, self._kind, self._rules)
        return Copy(new.kind, len(new.content), new.width, new.height, new.content, flat=new.flat)

    def words(self, copy: Copy) -> str:
        """How the copy differs from the file."""
        before = self.medium
        said = []
        if (copy.kind, copy.width, copy.height) != (before.type, before.width, before.height) or (
            not self._is_small(before.bytes or 0)
        ):
            said.append(f"{_shape(before)} → {_shape(copy.medium)}")
        elif self._details and self._details.turned:
            said.append("turned upright")
        if self._tells_more:
            located = self._details and self._details.located
            said.append("location removed" if located else "metadata removed")
        if copy.flat:
            said.append("what was transparent is white")
        return ", ".join(said)


def _require_taken(kind: str, size: int | None, rules: MediaRules) -> None:
    """Raise Unreadable for a file of a type, or a size in bytes, that is not taken."""
    if rules.rule(kind) is None:
        taken = ", ".join(sorted(rules.types))
        what = kind or "of unknown type"
        raise Unreadable(f"is {what}, which can't be sent; what can: {taken}")
    limit = rules.largest(kind)
    if size is not None and limit is not None and size > limit:
        raise Unreadable(f"has {size:,} bytes, {size - limit:,} more than the {limit:,} allowed")


def _check_film(file: Path, rules: MediaRules) -> None:
    film = clip.film_of(file)
    faults = list(rules.film.faults(film)) if film else []
    if faults:
        raise Unreadable(f"{'; it '.join(faults)}; films are not made anew here")


def short(kind: str) -> str:
    """What people call a type of picture: JPEG for image/jpeg."""
    return kind.partition("/")[2].removeprefix("x-").upper()


def amount(size: int) -> str:
    """Bytes for people: 12.1 MB, 85 kB."""
    if size < 1000:
        return f"{size} bytes"
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.0f} kB"


def _shape(medium: Media) -> str:
    return f"{short(medium.type or '')} {amount(medium.bytes or 0)} {medium.width}×{medium.height}"
