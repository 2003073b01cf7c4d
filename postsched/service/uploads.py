"""Media that came in over HTTP: kept as all media are, and named by what they contain.

The name is `SHA-256/NAME`. Nothing else of this machine has one: a path of a file is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from postsched.domain.draft import Draft, DraftMedia
from postsched.domain.errors import InvalidInput
from postsched.domain.post import Media
from postsched.media.kept import MediaStore
from postsched.service.desk import Desk

NAME = re.compile(r"([0-9a-f]{64})/([^/\\\0]{1,200})")
UNNAMED = "file"


def incoming(desk: Desk) -> AbstractContextManager[Path]:
    """A file for what comes in, which is gone at the end. Raises InvalidInput where there is no
    place for media, StoreUnavailable."""
    return _store(desk).incoming()


def keep(desk: Desk, file: Path, name: str) -> Media:
    """Keep a file that came in under that name. Its `path` is by what posts can show it.

    Raises InvalidInput for what is no usable medium, StoreUnavailable.
    """
    called = re.sub(r"[/\\\0]", "_", name).strip()[:200] or UNNAMED
    media = _store(desk).keep(file, called)
    return replace(media, path=f"{media.sha256}/{called}")


def as_kept(desk: Desk, draft: Draft, known: Sequence[Media] = ()) -> Draft:
    """The draft with the files that its media name: uploads, and those that are `known`.

    Raises InvalidInput where one is no upload, or is gone.
    """
    by_path = {one.path: one for one in known if one.path and one.sha256}
    store = _store(desk)

    def found(one: DraftMedia) -> DraftMedia:
        if one.path is None:
            return one
        kept = by_path.get(one.path) or _upload(store, one.path)
        return replace(one, kept=kept)

    return replace(
        draft,
        media=tuple(map(found, draft.media)),
        then=tuple(replace(part, media=tuple(map(found, part.media))) for part in draft.then),
    )


def _upload(store: MediaStore, path: str) -> Media:
    named = NAME.fullmatch(path)
    media = store.again(named[1], named[2]) if named else None
    if media is None:
        error = InvalidInput(
            f"there is no upload {path[:300]!r}",
            "Upload the file first, and give the path that is answered",
        )
        error.field = "media"
        raise error
    return replace(media, path=path)


def _store(desk: Desk) -> MediaStore:
    settings = desk.settings
    return MediaStore(settings.media_folder, settings.media_fault)
