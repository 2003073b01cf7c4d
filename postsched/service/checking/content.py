"""What a post says and shows, judged anew: what is known of an account may have changed since the
post was written, and a kept file may have been lost."""

from __future__ import annotations

from collections.abc import Iterator

from postsched.domain.errors import PostschedError
from postsched.domain.fitting import judge
from postsched.domain.post import Content, Media
from postsched.media.kept import MediaStore
from postsched.service.checking.accounts import Known
from postsched.service.checking.finding import Check, Fault
from postsched.service.desk import Desk

CHECKS = {"media": Check.MEDIA, "alt": Check.ALT_TEXT}
"""The member of a post that does not fit -> the check; all others are limits."""
REMEMBERED = 10_000
"""How many kept files are remembered: one that many posts show is read once."""


class Judge:
    """Judges contents. Kept files are read to their end."""

    def __init__(self, desk: Desk) -> None:
        self._settings = desk.settings
        self._kept = MediaStore(desk.settings.media_folder)
        self._seen: dict[str, PostschedError | None] = {}

    def faults(self, content: Content, known: Known, post_id: int) -> Iterator[Fault]:
        """What keeps the content from going out to the account."""
        yield from self._unfit(content, known, post_id)
        yield from self._files(content, known, post_id)

    def _unfit(self, content: Content, known: Known, post_id: int) -> Iterator[Fault]:
        if known.can is None:
            return
        strict = self._settings.require_alt_text
        found = judge(content, known.account.name, known.title, known.can, require_alt=strict)
        for one in found:
            if one.fatal:
                check = CHECKS.get(one.field, Check.LIMITS)
                yield Fault(check, one.message, change(post_id), one.field)

    def _files(self, content: Content, known: Known, post_id: int) -> Iterator[Fault]:
        shown = (medium for part in content.parts(known.account.name) for medium in part.media)
        for medium in shown:
            if medium.sha256 and (error := self._verified(medium, medium.sha256)):
                message = f"{known.who}: {error.message}"
                yield Fault(Check.MEDIA, message, error.hint or change(post_id), "media")

    def _verified(self, medium: Media, digest: str) -> PostschedError | None:
        if digest not in self._seen:
            if len(self._seen) >= REMEMBERED:
                self._seen.clear()
            try:
                self._kept.verify(medium)
                self._seen[digest] = None
            except PostschedError as error:
                self._seen[digest] = error
        return self._seen[digest]


def change(post_id: int) -> str:
    """What to do about a content that does not fit."""
    return f"Change it: postsched edit {post_id}"
