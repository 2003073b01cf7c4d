"""Keys for rows that have none, so that the same file twice adds once.

What goes into a row's key: every name that is given but `key` itself, with its value as it is read
(so the same post has the same key in each format), media by their whole path, and the row's number
among the rows of the same import that are equal in all this. A time such as `tomorrow 9am` goes in
as it is written. The order of different rows, their line, the name of the file and names that are
not given do not matter.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter

from postsched.domain.draft import Draft
from postsched.transfer.record import record_of


class RowKeys:
    """The keys of the rows of one import, which it counts."""

    def __init__(self) -> None:
        self._equal: Counter[bytes] = Counter()

    def key(self, draft: Draft, content: bytes | None = None) -> str:
        """The row's own key, or the one it gets; `content` is its digest, where it is known."""
        if draft.key:
            return draft.key
        content = content or content_digest(draft)
        self._equal[content] += 1
        return _key(content, self._equal[content])


def row_key(draft: Draft, ordinal: int) -> str:
    """The key of a row without one; `ordinal` is its number among equal rows, from 1."""
    return _key(content_digest(draft), ordinal)


def content_digest(draft: Draft) -> bytes:
    """16 bytes that tell drafts apart by all that is given in them but their key."""
    record = {name: value for name, value in record_of(draft).items() if name != "key"}
    text = json.dumps(record, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()[:16]


def _key(content: bytes, ordinal: int) -> str:
    return f"row-{content.hex()}-{ordinal}"
