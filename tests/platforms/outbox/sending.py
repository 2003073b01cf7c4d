"""What the outbox's tests share: posts to send, and what is in the folder.

Run as a program (FOLDER SEED COUNT) it publishes COUNT posts, for the tests that kill it.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from postsched.domain.delivery import Role
from postsched.domain.outcome import Published
from postsched.platforms.base import Login, Message, Prepared
from postsched.platforms.outbox import Outbox
from postsched.testing.sender import key_of

if TYPE_CHECKING:
    import httpx

NINE = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
NO_HTTP = cast("httpx.AsyncClient", None)
"""The outbox never touches it."""


def login_to(folder: Path, url: str = "") -> Login:
    """A login to the outbox in that folder."""
    return Login("me", url, None, settings={"dir": str(folder)})


def step(
    text: str,
    key: str = "first",
    at: datetime = NINE,
    role: Role = Role.PART,
    n: int = 1,
    **more: Any,
) -> Message:
    """One step, due at a fixed time."""
    return Message(role, n, text, key_of(key), at, at, **more)


async def send(
    message: Message,
    login: Login,
    root: Published | None = None,
    parent: Published | None = None,
) -> Published:
    """Prepare and publish."""
    outbox = Outbox()
    made = await outbox.prepare(message, login, NO_HTTP)
    prepared = Prepared(made, message.role, message.n, root, parent)
    return await outbox.publish(prepared, message.key, login, NO_HTTP)


def publish(login: Login, *messages: Message) -> list[Published]:
    """Publish independent posts in a folder that is made first; the pages are complete after."""

    async def all_of_them() -> list[Published]:
        await Outbox().inspect(login, NO_HTTP)
        return [await send(message, login) for message in messages]

    return asyncio.run(all_of_them())


def numbered(seed: str, count: int) -> list[Message]:
    """Posts of some length, the same for the same seed."""
    return [
        step(f"{seed} {i} " + "word " * 2000 + "end", f"{seed} {i}", NINE + timedelta(minutes=i))
        for i in range(count)
    ]


if __name__ == "__main__":
    publish(login_to(Path(sys.argv[1])), *numbered(sys.argv[2], int(sys.argv[3])))
