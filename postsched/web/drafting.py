"""A post as data, as it came in, made a draft or changes of one: read by the rules of files, but
that no file of this machine can be named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from postsched.domain.draft import Draft
from postsched.domain.post import Media
from postsched.service.desk import Desk
from postsched.service.revising import revised
from postsched.service.uploads import as_kept
from postsched.transfer.record import FIELDS, draft_of, missing
from postsched.transfer.rows import RowError
from postsched.web.problems import Problem, invalid
from postsched.web.schemas.posts import PostChanges


def record_of(given: PostChanges) -> dict[str, Any]:
    """What was given, by the names of posts as data; what is not named is not in it."""
    return given.model_dump(mode="json", by_alias=True, exclude_unset=True)


def draft_from(desk: Desk, given: PostChanges, *, whole: bool = True) -> Draft:
    """The draft of a new post; with `whole`, one that lacks nothing.

    Raises Problem, InvalidInput.
    """
    draft = _read(record_of(given))
    if whole and (lacking := missing(draft)):
        raise _wrong(lacking[0])
    return as_kept(desk, draft)


def changed(desk: Desk, before: Draft, given: PostChanges, known: Sequence[Media]) -> Draft:
    """What a post that read `before` is to read; it may show the media it has, which are `known`.
    Raises Problem, InvalidInput."""
    record = record_of(given)
    found, blank = _read(record), Draft()
    names = [FIELDS.get(name, name) for name in record]
    changes = {name: getattr(found, name, getattr(blank, name)) for name in names}
    if not changes.get("to", before.to):
        raise invalid("to: a post goes somewhere", "Name an account or a group", "to")
    after = revised(before, changes)
    if {"media", "then"}.isdisjoint(changes):
        return after
    return as_kept(desk, after, known)


def _read(record: Mapping[str, Any]) -> Draft:
    draft, errors = draft_of(record, None)
    if errors:
        raise _wrong(errors[0])
    return draft


def _wrong(error: RowError) -> Problem:
    said = f"{error.field}: {error.message}" if error.field else error.message
    return invalid(said, field=error.field)
