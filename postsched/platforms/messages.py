"""One step of a post as an adapter gets it: which of the post's words and wishes belong to it."""

from __future__ import annotations

from datetime import datetime

from postsched.domain.delivery import Role
from postsched.domain.outcome import Published
from postsched.domain.post import Content
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
    attachments: tuple[Attachment, ...] = (),
    tags: tuple[str, ...] = (),
    root: Published | None = None,
    parent: Published | None = None,
) -> Message:
    """Part `n` of the post, or its first comment, as the account of that name gets it. Link and
    title go with the first part; `attachments` are the media of the part."""
    comment = role is Role.COMMENT
    first = not comment and n == 1
    return Message(
        role=role,
        n=n,
        text=(content.comment or "") if comment else content.parts(account)[n - 1].text,
        key=key,
        occurrence=occurrence,
        now=now,
        attachments=attachments,
        link=content.link if first else None,
        title=content.title if first else None,
        visibility=content.visibility,
        warning=content.warning,
        lang=content.lang,
        tags=tags,
        root=root,
        parent=parent,
    )
