"""What a post reads after some of its members were changed, by whatever way they were given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from postsched.domain.draft import Draft

KINDS = ("repeat", "cron", "rrule", "slot")
"""What a post has one of, at the most."""


def revised(draft: Draft, changes: Mapping[str, Any]) -> Draft:
    """The draft with the changes, by the fields of a draft. A time without a zone is in the
    person's zone, that of a series in the series' own; it makes a post of a draft, unless the
    changes say of `draft` that it is to stay one."""
    changes = dict(changes)
    if any(changes.get(name) for name in ("at", *KINDS)):
        changes.setdefault("draft", False)
    after = replace(draft, **_without_other_kinds(changes))
    if changes.get("at") and "tz" not in changes and not (draft.recurs and after.recurs):
        return replace(after, tz=None)
    return after


def _without_other_kinds(changes: dict[str, Any]) -> dict[str, Any]:
    """A post has one kind of schedule: what belongs to another goes with it, and all that recurs
    with a recurrence that is cleared."""
    named = [name for name in KINDS if name in changes]
    if not named:
        return changes
    kind = next((name for name in named if changes[name]), None)
    gone = {*KINDS, "every", "on"} if kind != "repeat" else {"cron", "rrule", "slot"}
    gone |= set() if kind else {"except_", "from_", "until", "count"}
    gone |= {"at"} if kind in ("cron", "rrule", "slot") else set()
    blank = Draft()
    return {name: getattr(blank, name) for name in gone} | changes
