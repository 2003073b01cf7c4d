"""What adapters answer, checked before it is believed: an adapter may be anyone's.

What passes can be written to the database; all else raises TypeError, and is judged like any other
failure of the adapter.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from postsched.domain.outcome import Published

TEXT = json.JSONEncoder(ensure_ascii=False)
LONGEST_NOTE = 500
"""Characters of a note that are kept."""


def prepared(answer: Any) -> dict[str, Any]:
    """The answer of `prepare`, if it is a dict of plain JSON."""
    if not isinstance(answer, dict):
        raise TypeError("prepare must return a dict")
    _check_plain(answer)
    return answer


def notes(prepared: Mapping[str, Any] | None) -> tuple[str, ...]:
    """What a step goes out without, as `prepare` said: each a sentence in one line."""
    said = (prepared or {}).get("notes")
    if not isinstance(said, list):
        return ()
    lines = (" ".join(one.split())[:LONGEST_NOTE] for one in said if isinstance(one, str))
    return tuple(line for line in lines if line)


def published(answer: Any) -> Published:
    """The answer of `publish`, if it names a post."""
    if not isinstance(answer, Published):
        raise TypeError("publish must return Published")
    if not isinstance(answer.remote_id, str) or not (answer.remote_id or answer.evidence):
        raise TypeError("the id of a post must be a text")
    if not isinstance(answer.url, str | None):
        raise TypeError("the address of a post must be a text")
    if not isinstance(answer.evidence, str | None):
        raise TypeError("the evidence of a post must be a text")
    words = (answer.remote_id, answer.url or "", answer.evidence or "")
    if answer.data or not all(map(str.isascii, words)):
        _check_plain([*words, dict(answer.data)])
    return answer


def _check_plain(document: Any) -> None:
    try:
        TEXT.encode(document).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise TypeError("an adapter must return plain JSON") from error
