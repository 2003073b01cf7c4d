"""One step of a post as an adapter gets it: which of the post's words and wishes belong to it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from postsched.domain.delivery import Role
from postsched.domain.outcome import Published
from postsched.domain.post import Content, Media
from postsched.platforms.base import Attachment, Message


def message_of(
    content: Content,
    account: str,
    role: Role,
    n: int,
    *,
    key: str,
    occurrence: datetime,
    now: datetime,
    file_of: Callable[[Media], Path | None],
    tags: tuple[str, ...] = (),
    root: Published | None = None,
    parent: Published | None = None,
) -> Message:
    """Part `n` of the post, or its first comment, as the account of that name gets it. Link and
    title go with the first part; media go with the parts."""
    part = content.parts(account)[n - 1]
    first = role is Role.PART and n == 1
    comment = role is Role.COMMENT
    media = () if comment else part.media
    return Message(
        role=role,
        n=n,
        text=(content.comment or "") if comment else part.text,
        key=key,
        occurrence=occurrence,
        now=now,
        attachments=tuple(Attachment(medium, file_of(medium)) for medium in media),
        link=content.link if first else None,
        title=content.title if first else None,
        visibility=content.visibility,
        warning=content.warning,
        lang=content.lang,
        tags=tags,
        root=root,
        parent=parent,
    )
