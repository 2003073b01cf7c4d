"""Recurrence: what a schedule names, made from a person's wishes, listed, counted and described.

Local times are made first and then turned into instants, so nothing drifts with the clocks. Loaded
only for what recurs: it takes longer than a whole command.

The modules: `wishes` reads the words, `planning` makes a schedule of them; `days`, `cron` and
`rule` name the times, as a `pattern`; `series` sets the bounds; `occurrence` makes instants of
them; `describing` says it in words.
"""

from __future__ import annotations

from postsched.domain.recurrence.describing import describe
from postsched.domain.recurrence.occurrence import Occurrence
from postsched.domain.recurrence.planning import bounded, plan
from postsched.domain.recurrence.series import (
    counted,
    is_endless,
    left,
    next_occurrence,
    occurrences,
)
from postsched.domain.recurrence.wishes import Wishes

__all__ = [
    "Occurrence",
    "Wishes",
    "bounded",
    "counted",
    "describe",
    "is_endless",
    "left",
    "next_occurrence",
    "occurrences",
    "plan",
]
