"""The media of a step as an adapter gets them: the kept files, as its network takes them.

Files are read and pictures drawn in a thread, never on the event loop. For a network that takes
no files they are put at the media host.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from postsched.domain.capabilities import MediaRules
from postsched.domain.errors import PostschedError
from postsched.domain.outcome import ErrorKind, Problem
from postsched.domain.post import Media
from postsched.engine.hosting import Hosting
from postsched.engine.step import step_media
from postsched.media.kept import MediaStore
from postsched.platforms.base import Attachment, Platform, PlatformError
from postsched.store.queue import Work


class Attachments:
    """Makes attachments of the media kept in `kept`. `platform` gives an adapter by name."""

    def __init__(
        self,
        kept: MediaStore,
        platform: Callable[[str], Platform],
        hosting: Hosting | None = None,
    ) -> None:
        self._kept = kept
        self._platform = platform
        self._hosting = hosting

    async def of(self, work: Work, index: int) -> tuple[Attachment, ...]:
        """What goes with a step, in its order: files as they are, or copies made to fit. Raises
        PlatformError where a file can't be had, or can't be sent."""
        media = step_media(work, index)
        if not media:
            return ()
        rules = self._platform(work.account.platform).capabilities(work.account.facts).media
        made = await asyncio.to_thread(self._all, media, rules)
        alone = len(made) == 1
        sent = all(rules.takes_file(one.media.type, alone=alone) for one in made)
        if sent or self._hosting is None:
            return made
        return tuple([await self._hosting.in_public(work, one) for one in made])

    def scrub(self, problem: Problem) -> Problem:
        """A problem without the secret of the media host."""
        return problem if self._hosting is None else self._hosting.scrub(problem)

    def _all(self, media: tuple[Media, ...], rules: MediaRules) -> tuple[Attachment, ...]:
        return tuple(self._one(medium, rules) for medium in media)

    def _one(self, medium: Media, rules: MediaRules) -> Attachment:
        if not medium.sha256:
            return Attachment(medium)
        from postsched.media.copies import Copies  # few posts have files: start-up time
        from postsched.media.fitted import fit

        try:
            found = fit(self._kept.path_of(medium), medium, rules, Copies(self._kept))
        except PostschedError as error:  # the folder may be there again, or have room
            words = f"{medium.path or 'a file'} can't be made ready: {error.message}"
            raise PlatformError(ErrorKind.TRANSIENT, words, hint=error.hint) from None
        if found.medium is None:
            words = f"{medium.path or 'a file'} {found.words}"
            raise PlatformError(ErrorKind.INVALID, words, hint="Edit the post, then retry")
        return Attachment(replace(found.medium, alt=medium.alt, path=medium.path), found.file)
