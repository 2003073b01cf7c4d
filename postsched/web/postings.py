"""Posts as they are answered: the document with its ETag."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Any

from fastapi import Path
from sqlalchemy import Connection

from postsched.service.desk import Desk, posts_named
from postsched.store import reading
from postsched.transfer.documents import post_document
from postsched.web.answers import Json, encoded
from postsched.web.idempotency import Reply
from postsched.web.schemas.base import LARGEST

PostId = Annotated[int, Path(ge=1, le=LARGEST, description="The id of a post")]


def document_of(connection: Connection, post_id: int) -> dict[str, Any]:
    """A post as JSON. Raises NotFound."""
    posts_named(connection, [post_id])
    (filed,) = reading.file_posts(connection, [post_id])
    return post_document(filed.post, filed.schedule, filed.deliveries)


def etag_of(document: Mapping[str, Any]) -> str:
    """The entity tag of a document: strong, for it is that of every byte."""
    return f'"{sha256(encoded(document)).hexdigest()[:32]}"'


def reply_of(connection: Connection, post_id: int) -> Reply:
    """A post as the answer to a write. Raises NotFound."""
    document = document_of(connection, post_id)
    return Reply(document, headers={"ETag": etag_of(document)})


def one_post(desk: Desk, post_id: int) -> Json:
    """A post as an answer. Raises NotFound."""
    with desk.database.read() as connection:
        document = document_of(connection, post_id)
    return Json(document, headers={"ETag": etag_of(document)})
