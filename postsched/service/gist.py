"""What a draft says, wherever it goes and however far it has got: by that a post is known when its
own export comes back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from postsched.service.drafts import written_as
from postsched.transfer.keys import content_digest

if TYPE_CHECKING:
    from pathlib import Path

    from postsched.domain.draft import Draft
    from postsched.domain.post import Post
    from postsched.domain.schedule import Schedule


def gist(draft: Draft) -> bytes:
    """16 bytes that tell drafts apart by what they say."""
    return content_digest(replace(draft, to=(), variants={}, draft=False))


def gist_of(post: Post, schedule: Schedule, folder: Path) -> bytes:
    """The gist of what is exported of a post of which nothing is to come; its media are in that
    folder."""
    return gist(written_as(post, schedule, folder))
