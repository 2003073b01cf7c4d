"""The media of a step as an adapter gets them: the kept files, as its network takes them.

Files are read and pictures drawn in a thread, never on the event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from postsched.domain.post import Media
from postsched.engine.step import step_media
from postsched.media.kept import MediaStore
from postsched.platforms.base import Attachment, Platform
from postsched.store.queue import Work


class Attachments:
    """Makes attachments of the media kept in `kept`. `platform` gives an adapter by name."""

    def __init__(self, kept: MediaStore, platform: Callable[[str], Platform]) -> None:
        self._kept = kept
        self._platform = platform

    async def of(self, work: Work, index: int) -> tuple[Attachment, ...]:
        """What goes with a step, in its order. Raises PlatformError where a file can't be had."""
        media = step_media(work, index)
        if not media:
            return ()
        return await asyncio.to_thread(self._all, media)

    def _all(self, media: tuple[Media, ...]) -> tuple[Attachment, ...]:
        return tuple(map(self._one, media))

    def _one(self, medium: Media) -> Attachment:
        return Attachment(medium, self._kept.path_of(medium) if medium.sha256 else None)
