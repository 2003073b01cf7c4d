"""One firing moved to another time: the post itself where it goes out once, else the one occurrence
of its series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from postsched.domain.draft import Draft
from postsched.domain.errors import NotFound
from postsched.domain.when import understand
from postsched.service import drafts, editing, occurrences
from postsched.service.deliveries import Which
from postsched.service.desk import Desk


def to_time(desk: Desk, post_id: int, occurrence: datetime, words: str) -> Sequence[str]:
    """Move what goes out at `occurrence` (UTC) to the time that the words name; what a person
    should know. Raises NotFound, NotAllowed, InvalidInput."""
    before = drafts.draft_of(desk, post_id)
    if before.recurs:
        moment = understand(words, desk.now(), desk.zone)
        done = occurrences.change(desk, post_id, Which(occurrence=occurrence), moment.instant, None)
        return (*([moment.note] if moment.note else ()), *done.notes)
    return editing.edit(desk, post_id, before, _at(before, words, desk)).notes


def to_day(desk: Desk, post_id: int, occurrence: datetime, day: date) -> Sequence[str]:
    """Move it to another day, at the same local time of day. Raises as `to_time`."""
    local = occurrence.astimezone(desk.zone).replace(tzinfo=None)
    return to_time(desk, post_id, occurrence, f"{day.isoformat()}T{local.time().isoformat()}")


def _at(before: Draft, words: str, desk: Desk) -> Draft:
    if not before.to:
        raise NotFound("it goes to no account any more")
    return replace(before, at=words, tz=desk.zone.key, slot=False)
