"""Posts as the documents that scripts, programs and agents get, those in the archive too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from postsched.domain.hook import shown
from postsched.service.desk import posts_named
from postsched.store import gone, reading
from postsched.transfer.documents import post_document

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from postsched.config import Settings


def documents(connection: Connection, post_ids: Sequence[int]) -> list[dict[str, Any]]:
    """The posts of those ids, each once. Raises NotFound."""
    wanted = list(dict.fromkeys(post_ids))
    found = reading.file_posts(connection, wanted)
    if len(found) < len(wanted):
        posts_named(connection, wanted)  # which knows why
    return [post_document(one.post, one.schedule, one.deliveries) for one in found]


def discreet(document: dict[str, Any]) -> dict[str, Any]:
    """A post for those who may not write it: of its callback only the server, for the rest of the
    address may be a secret."""
    return {**document, "callback": shown(document.get("callback"))}


def whole(connection: Connection, settings: Settings, post_id: int) -> dict[str, Any]:
    """A post with every attempt; one that has left the database as the archive has it. Raises
    NotFound."""
    if document := archived(connection, settings, post_id):
        return document
    posts_named(connection, [post_id])
    (filed,) = reading.file_posts(connection, [post_id])
    attempts = reading.attempts_of(connection, filed)
    return post_document(filed.post, filed.schedule, filed.deliveries, attempts)


def archived(connection: Connection, settings: Settings, post_id: int) -> dict[str, Any] | None:
    """The document of a post that has left, None if it has not, or is not in the archive (any
    more)."""
    from postsched.retention.archive import Archive  # few posts are there: start-up time

    left = gone.get(connection, post_id)
    if left is None or left.month is None or settings.archive_folder is None:
        return None
    return Archive(settings.archive_folder).find(left.month, post_id)
