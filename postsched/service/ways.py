"""How a post is handled: what its draft says of that, else the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from postsched.domain.draft import Draft
from postsched.domain.errors import InvalidInput
from postsched.domain.post import CatchUp, Missed
from postsched.service.content import length_of, word_of

if TYPE_CHECKING:
    from postsched.config import Settings

MOST_PRIORITY = 2**31 - 1


def ways_of(draft: Draft, settings: Settings) -> dict[str, Any]:
    """What becomes of it when it is late, how it is spread out, and its priority, by the names of
    a post. Raises InvalidInput."""
    grace = length_of(draft.grace, "grace")
    return {
        "missed": word_of(Missed, draft.missed, "missed") or settings.missed,
        "grace": settings.misfire_grace if grace is None else grace,
        "catch_up": word_of(CatchUp, draft.catch_up, "catch_up") or settings.catch_up,
        "spread": length_of(draft.spread, "spread") or None,
        "jitter": length_of(draft.jitter, "jitter") or None,
        "priority": _priority(draft.priority),
    }


def _priority(priority: int | None) -> int:
    if abs(priority or 0) > MOST_PRIORITY:
        error = InvalidInput(f"a priority is at most {MOST_PRIORITY:,}", "Give a smaller one")
        error.field = "priority"
        raise error
    return priority or 0
