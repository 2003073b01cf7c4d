"""What a post says and shows, judged anew, as `add` judges it: what is known of an account may have
changed since the post was written, and a kept file may have been lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from postsched.domain.clearance import Clearance, is_only_text
from postsched.domain.errors import PostschedError
from postsched.domain.hosting import ENTRY
from postsched.domain.post import Content, Media
from postsched.media.kept import MediaStore
from postsched.service.checking.accounts import Known
from postsched.service.checking.finding import Check, Fault
from postsched.service.compose import Composer
from postsched.service.content import REMEMBERED, Intake
from postsched.service.desk import UNSET, Desk
from postsched.service.hosting import GIVE

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from postsched.secrets import Secrets

CHECKS = {"media": Check.MEDIA, "alt": Check.ALT_TEXT}
"""The member of a post that does not fit -> the check; all others are limits."""


class Judge:
    """Judges contents. Kept files are read to their end."""

    def __init__(self, connection: Connection, desk: Desk, secrets: Secrets) -> None:
        self._kept = MediaStore(desk.settings.media_folder)
        offline = replace(desk, host_fault=lambda: host_fault(desk, secrets))
        self._composer = Composer(connection, offline, Intake(self._kept, keep=False))
        self._seen: dict[str, PostschedError | None] = {}
        self._clearances: dict[int, Clearance] = {}

    def faults(self, content: Content, known: Known, post_id: int) -> Iterator[Fault]:
        """What keeps the content from going out to the account."""
        if is_only_text(content) and self._clears(content.text, known):
            return
        lost = list(self._lost(content, known, post_id))
        yield from lost
        if known.can is None:
            return
        try:
            _, found = self._composer.verdict(_unkept(content) if lost else content, known.account)
        except PostschedError as error:  # a file that was lost this moment
            yield _media_fault(known, error, post_id)
            return
        for one in found:
            check = CHECKS.get(one.field, Check.LIMITS)
            if one.fatal and not (lost and check is Check.MEDIA):
                yield Fault(check, one.message, change(post_id), one.field)

    def _clears(self, text: str, known: Known) -> bool:
        """Whether it takes no closer look to tell that a mere text fits the account."""
        if known.can is None:
            return False
        if known.account.id not in self._clearances:
            self._clearances[known.account.id] = Clearance([known.can])
        return self._clearances[known.account.id](text)

    def _lost(self, content: Content, known: Known, post_id: int) -> Iterator[Fault]:
        shown = (medium for part in content.parts(known.account.name) for medium in part.media)
        for medium in shown:
            if medium.sha256 and (error := self._verified(medium, medium.sha256)):
                yield _media_fault(known, error, post_id)

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


def host_fault(desk: Desk, secrets: Secrets) -> str | None:
    """Why files can't be put at the media host, as far as that can be told without a keyring."""
    place = desk.settings.media_host
    if place is None:
        return UNSET
    try:
        if secrets.surely_has_none(ENTRY):
            return f"the media host {place.name} has no secret. {GIVE}"
    except PostschedError as error:
        return str(error)
    return None


def change(post_id: int) -> str:
    """What to do about a content that does not fit."""
    return f"Change it: postsched edit {post_id}"


def _media_fault(known: Known, error: PostschedError, post_id: int) -> Fault:
    hint = error.hint or change(post_id)
    return Fault(Check.MEDIA, f"{known.who}: {error.message}", hint, "media")


def _unkept(content: Content) -> Content:
    """The content with its files as they are on record, for there is nothing to look at."""
    then = tuple(replace(part, media=_without_files(part.media)) for part in content.then)
    return replace(content, media=_without_files(content.media), then=then)


def _without_files(media: Iterable[Media]) -> tuple[Media, ...]:
    return tuple(replace(medium, sha256=None) for medium in media)
