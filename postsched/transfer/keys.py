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
from typing import Any

from postsched.domain.draft import Draft
from postsched.transfer.record import record_of


class RowKeys:
    """The keys of the rows of one import, which it counts."""

    def __init__(self) -> None:
        self._equal: Counter[bytes] = Counter()

    def key(self, draft: Draft, content: bytes | None = None) -> str:
        """The row's own key, or the one it gets; `content` is its digest, where it is known."""
        return draft.key or self.next(content or content_digest(draft))

    def next(self, content: bytes) -> str:
        """The key of the next row of that digest without its own."""
        self._equal[content] += 1
        return _key(content, self._equal[content])


def row_key(draft: Draft, ordinal: int) -> str:
    """The key of a row without one; `ordinal` is its number among equal rows, from 1."""
    return _key(content_digest(draft), ordinal)


def content_digest(draft: Draft) -> bytes:
    """16 bytes that tell drafts apart by all that is given in them but their key."""
    return _digest(_json({name: v for name, v in record_of(draft).items() if name != "key"}))


class Alike:
    """The same of drafts that differ from one only in text, time and key; in that one, both text
    and time are given."""

    def __init__(self, draft: Draft) -> None:
        members = _members(draft)
        names = list(members)
        at, text = names.index("at"), names.index("text")
        written = list(members.values())
        self._begin = "".join(f"{one}," for one in written[:at])
        self._between = "".join(f"{one}," for one in ["", *written[at + 1 : text]])
        self._end = "".join(f",{one}" for one in written[text + 1 :])

    def digest(self, at: str, text: str) -> bytes:
        """The digest of the draft with that time and text."""
        at, text = f'"at":{json.dumps(at)}', f'"text":{json.dumps(text)}'
        return _digest(f"{{{self._begin}{at}{self._between}{text}{self._end}}}")


def _members(draft: Draft) -> dict[str, str]:
    """What is given, by its name, as it goes into the digest."""
    record = sorted(record_of(draft).items())
    return {name: _json({name: value})[1:-1] for name, value in record if name != "key"}


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:16]


def _key(content: bytes, ordinal: int) -> str:
    return f"row-{content.hex()}-{ordinal}"
