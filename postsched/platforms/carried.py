"""Files that go out with the post, where a network takes no uploads ahead of it: what is prepared
names them, and they are read when they are sent."""

from __future__ import annotations

import asyncio
from pathlib import Path

from postsched.domain.outcome import ErrorKind
from postsched.platforms.base import PlatformError


async def content_of(path: str) -> bytes:
    """The bytes of a file that was prepared. Raises PlatformError where it can't be read: nothing
    was sent then, and it has to be prepared again."""
    try:
        return await asyncio.to_thread(Path(path).read_bytes)
    except OSError as error:  # it is kept elsewhere now, or another machine has prepared this
        raise PlatformError(
            ErrorKind.TRANSIENT,
            f"a file of the post can't be read: {error.strerror}",
            prepare_again=True,
        ) from None
