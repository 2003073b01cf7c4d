"""When a delivery is due: its occurrence, moved later by spread, jitter and quiet hours.

Pure, and the same for every process: chance is drawn from what makes the delivery's key, which
stays the same for ever.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from postsched.domain.delivery import EPOCH, MICROSECOND
from postsched.domain.errors import InvalidInput

if TYPE_CHECKING:
    from postsched.domain.quiet import QuietHours

ZERO = timedelta(0)
QUIET_HOURS, MIN_SPACING = "quiet_hours", "min_spacing"
PACE_KEYS = (QUIET_HOURS, MIN_SPACING)
"""The settings of an account that are ours, whatever its platform."""
_CHANCES = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Pace:
    """When an account may post: not in its quiet hours, which are local in `zone`, and no two posts
    closer than the spacing."""

    zone: tzinfo
    quiet: QuietHours | None = None
    spacing: timedelta = ZERO

    def quiet_until(self, instant: datetime) -> datetime | None:
        """When the quiet hours end that an instant lies in; None if it lies in none."""
        return self.quiet.until(instant, self.zone) if self.quiet else None

    def after_quiet(self, instant: datetime) -> datetime:
        """The instant itself, or the end of the quiet hours it lies in."""
        return self.quiet_until(instant) or instant


@dataclass(frozen=True, slots=True)
class Offsets:
    """How deliveries of a post are moved: its accounts spread out over a time, and each delayed by
    chance. `place` is that of the account among `of` accounts; `key` is what chance is drawn
    from."""

    spread: timedelta | None = None
    jitter: timedelta | None = None
    place: int = 0
    of: int = 1
    key: str = ""

    def after(self, occurrence: datetime) -> timedelta:
        """How much later than its occurrence (or the end of quiet hours there) it is due."""
        return spread_over(self.spread, self.place, self.of) + jittered(
            self.jitter, self.key, occurrence
        )


def due_at(occurrence: datetime, offsets: Offsets, pace: Pace) -> datetime:
    """When the delivery of an occurrence is due (UTC), never before the occurrence. Quiet hours end
    first, so that what lies in them is spread out behind them too."""
    try:
        begins = pace.after_quiet(occurrence)
        return pace.after_quiet(begins + offsets.after(occurrence))
    except OverflowError:  # at the end of the calendar
        return occurrence


def spread_over(spread: timedelta | None, place: int, of: int) -> timedelta:
    """How much later than the first the account in that place (from 0) of so many has its turn: the
    last one after the whole time."""
    return spread * place / (of - 1) if spread and of > 1 else ZERO


def jittered(jitter: timedelta | None, key: str, occurrence: datetime) -> timedelta:
    """A delay from nothing to the whole jitter, the same each time it is asked for."""
    if not jitter:
        return ZERO
    micros = (occurrence - EPOCH) // MICROSECOND
    drawn = hashlib.sha256(f"jitter/{key}/{micros}".encode()).digest()[:8]
    return jitter // MICROSECOND * int.from_bytes(drawn) // _CHANCES * MICROSECOND


def key_of(post_uid: str, account_uid: str) -> str:
    """What the chance of an account's deliveries of a post is drawn from."""
    return f"{post_uid}/{account_uid}"


def pace_of(
    settings: Mapping[str, str],
    quiet: QuietHours | None,
    spacing: timedelta | None,
    zone: tzinfo,
) -> Pace:
    """The pace of an account: what its own settings say, else what is set for all. `none` as its
    own quiet hours means that it has none."""
    if text := settings.get(QUIET_HOURS):
        quiet = quiet_of(text)
    if text := settings.get(MIN_SPACING):
        spacing = spacing_of(text)
    return Pace(zone, quiet, spacing or ZERO)


def quiet_of(text: str) -> QuietHours | None:
    """The quiet hours that a text names, None for `none`. Raises InvalidInput."""
    from postsched.domain.quiet import parse_quiet  # few accounts have any: start-up time

    return None if text.strip().lower() == "none" else parse_quiet(text)


MOST_SPACING = timedelta(days=31)


def spacing_of(text: str) -> timedelta:
    """The spacing that a text names, `none` or `0s` for none. Raises InvalidInput."""
    from postsched.domain.duration import parse_duration

    if text.strip().lower() == "none":
        return ZERO
    spacing = parse_duration(text)
    if spacing > MOST_SPACING:
        raise InvalidInput(f"a spacing of {text} is too long", "Give at most 31d")
    return spacing
