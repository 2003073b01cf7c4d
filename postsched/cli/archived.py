"""Posts that have left the database, as the archive has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from postsched.cli.program import Program


def archived(program: Program, connection: Connection, post_id: int) -> dict[str, Any] | None:
    """The document of a post that has left, None if it has not, or is not in the archive (any
    more)."""
    from postsched.retention.archive import Archive
    from postsched.store import gone

    left = gone.get(connection, post_id)
    folder = program.settings.archive_folder
    if left is None or left.month is None or folder is None:
        return None
    return Archive(folder).find(left.month, post_id)
