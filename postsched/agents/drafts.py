"""Posts as agents write them: read by the rules of files, but no file is named unless it lies in
the folder that the person opened to the agent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from postsched.agents.bench import Bench
from postsched.domain.draft import Draft, DraftMedia
from postsched.domain.errors import InvalidInput
from postsched.domain.post import Media
from postsched.domain.scope import Scope
from postsched.service.revising import revised
from postsched.transfer.record import FIELDS, draft_of, missing
from postsched.transfer.rows import RowError

AUTHOR = "agent"
"""Who makes the drafts that come in here: they may be changed here until a person approves them."""
TAG = "agent"
"""Their label, for people."""


def new(bench: Bench, record: Mapping[str, Any], *, draft: bool = False) -> Draft:
    """A new post, whole but for its media. Raises InvalidInput."""
    found = _read(record)
    if draft:
        found = replace(found, draft=True, tags=tuple(dict.fromkeys((*found.tags, TAG))))
    if lacking := missing(found):
        raise _wrong(lacking[0])
    return fenced(bench, found)


def shown(bench: Bench, record: Mapping[str, Any]) -> Draft:
    """A post that is only to be looked at: it needs no time. Raises InvalidInput."""
    found = fenced(bench, _read(record))
    if not found.text and not found.media and not found.texts:
        raise _wrong(RowError("text", "is missing"))
    return found


def changed(
    bench: Bench,
    before: Draft,
    record: Mapping[str, Any],
    known: Sequence[Media],
    *,
    draft: bool = False,
) -> Draft:
    """What a post that read `before` is to read; null takes a member away. With `draft` it stays
    one. It may show the media that it has, which are `known`. Raises InvalidInput."""
    found, blank = _read(record), Draft()
    fields = [FIELDS.get(name, name) for name in record]
    changes = {name: getattr(found, name, getattr(blank, name)) for name in fields}
    if draft:
        tags = changes.get("tags", before.tags)
        changes |= {"draft": True, "tags": tuple(dict.fromkeys((*tags, TAG)))}
    after = revised(before, changes)
    return fenced(bench, after, known) if {"media", "then"} & changes.keys() else after


def fenced(bench: Bench, draft: Draft, known: Sequence[Media] = ()) -> Draft:
    """The draft with the files that its media name, which it may. Raises InvalidInput."""
    kept = {one.path: one for one in known if one.path}

    def found(one: DraftMedia) -> DraftMedia:
        if one.path is None:
            return one
        if one.path in kept:
            return replace(one, kept=kept[one.path])
        return replace(one, path=str(_file(bench, one.path)))

    return _with_media(draft, lambda media: tuple(map(found, media)))


def _file(bench: Bench, path: str) -> Path:
    """A file in the folder that is open to the agent."""
    if bench.media_root is None or bench.scope is not Scope.WRITE:
        raise _media(
            "files of this machine can't be named here",
            "Give the public https:// address of the medium as url",
        )
    file = found_in(bench.media_root, path)
    if file is None:
        raise _media(
            f"there is no file {path[:200]!r} in the folder of --media-dir",
            "Name one in it, relative to it",
        )
    return file


def found_in(root: Path, path: str) -> Path | None:
    """The file that a path leads to, links followed, if it lies in a folder; else None."""
    try:
        file = (root / path).resolve()
        return file if file.is_relative_to(root.resolve()) and file.is_file() else None
    except (OSError, ValueError, RuntimeError):  # too long, a NUL, links in a circle
        return None


def _with_media(
    draft: Draft, change: Callable[[tuple[DraftMedia, ...]], tuple[DraftMedia, ...]]
) -> Draft:
    then = tuple(replace(part, media=change(part.media)) for part in draft.then)
    return replace(draft, media=change(draft.media), then=then)


def _read(record: Mapping[str, Any]) -> Draft:
    draft, errors = draft_of(record, None)
    if errors:
        raise _wrong(errors[0])
    return draft


def _wrong(error: RowError) -> InvalidInput:
    wrong = InvalidInput(f"{error.field} {error.message}" if error.field else error.message)
    wrong.field = error.field
    return wrong


def _media(sentence: str, hint: str) -> InvalidInput:
    wrong = InvalidInput(sentence, hint)
    wrong.field = "media"
    return wrong
