"""The platforms and what each can do, as data."""

from __future__ import annotations

from typing import Any

from postsched import platforms
from postsched.domain.capabilities import Capabilities, TextRules
from postsched.domain.errors import NotAllowed, NotFound


def documents() -> list[dict[str, Any]]:
    """One object for each platform; one that can't be used says why, as `error`."""
    return [_named(name) for name in platforms.names()]


def _named(name: str) -> dict[str, Any]:
    try:
        return _document(name, platforms.get(name).title, platforms.capabilities(name))
    except (NotFound, NotAllowed) as error:
        return {"name": name, "error": error.message}


def _document(name: str, title: str, can: Capabilities) -> dict[str, Any]:
    return {
        "name": name,
        "title": title,
        "text_limit": can.text.limit,
        "text_bytes": can.text.byte_limit,
        "counts": _counting(can.text),
        "media": can.media.count,
        "media_types": sorted(can.media.types),
        "alt_text": bool(can.media.types) and can.media.alt,
        "alt_limit": can.media.alt_limit,
        "thread": can.thread,
        "comment": can.comment.value if can.comment else None,
        "visibility": sorted(can.visibilities),
        "warning": can.warning,
        "languages": can.languages,
        "link_card": can.link_card,
        "delete": can.delete,
        "guarantee": can.guarantee.words,
        "notes": list(can.notes),
    }


def _counting(rules: TextRules) -> str:
    words = [rules.unit.value] if rules.limit is not None else ["no limit"]
    if rules.url_length is not None:
        words.append(f"a URL counts {rules.url_length}")
    if rules.escapes:
        words.append("an escaped one counts 2")
    if rules.caption_limit is not None:
        words.append(f"{rules.caption_limit} beside media")
    if rules.byte_limit is not None:
        words.append(f"{rules.byte_limit} bytes")
    return ", ".join(words)
