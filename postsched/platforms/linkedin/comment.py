"""The first comment below a post: plain text, no key, and nobody can be asked for it.

Source: fact sheet, sections 1, 2 and 6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from postsched.domain.outcome import ErrorKind, Published
from postsched.platforms.base import PlatformError, Prepared
from postsched.platforms.linkedin.api import Api
from postsched.platforms.linkedin.refusal import json_object, judge, read, unreadable
from postsched.platforms.linkedin.urn import in_path

if TYPE_CHECKING:
    import httpx

PREFIX = "urn:li:comment:"


async def publish(prepared: Prepared, api: Api) -> Published:
    """Comment on the post. Raises PlatformError(PERMANENT) where the app may not."""
    post = prepared.root.remote_id if prepared.root else ""
    if not post:
        raise PlatformError(
            ErrorKind.INVALID, "LinkedIn has not said which post it is to be below",
            hint="The post is out; write the comment on LinkedIn",
        )  # fmt: skip
    response = await api.post(
        f"socialActions/{in_path(post)}/comments", {**prepared.data["comment"], "object": post}
    )
    if response.status_code == 403:
        raise PlatformError(
            ErrorKind.PERMANENT,
            f"this app may not write first comments: {read(response).words}",
            http_status=403,
            hint="The post is out; its comment needs an app with a scope for comments "
            "(w_member_social_feed, for an organization w_organization_social_feed)",
        )
    judge(response, api.now)
    return Published(_named(response, post))


def is_comment(remote_id: str) -> bool:
    """Whether an id is that of a comment."""
    return remote_id.startswith(PREFIX)


def _named(response: httpx.Response, post: str) -> str:
    """The comment's URN, from the answer or made of the id in its header."""
    body: Any = json_object(response)
    urn = body.get("commentUrn")
    if isinstance(urn, str) and is_comment(urn):
        return urn
    number = response.headers.get("x-restli-id", "").strip() or str(body.get("id") or "")
    if not number or not response.is_success:
        raise unreadable(response, "what the comment is called")
    return f"{PREFIX}({post},{number})"
