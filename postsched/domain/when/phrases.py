"""Freer English."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postsched.domain.when.moment import Moment, NotUnderstood

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo


def read_phrase(phrase: str, now: datetime, zone: ZoneInfo) -> Moment:
    """The moment of a phrase."""
    raise NotUnderstood
