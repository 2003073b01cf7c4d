"""The platforms and what each can do, as data and as a table; the README shows the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from postsched import platforms
from postsched.cli.screen import Column, Screen
from postsched.domain.capabilities import Capabilities, TextRules
from postsched.domain.errors import NotAllowed, NotFound

if TYPE_CHECKING:
    from postsched.cli.program import Program


def platform_documents(program: Program) -> list[dict[str, Any]]:
    """One object for each platform; one that can't be used says why, and is warned of."""
    documents = []
    for name in platforms.names():
        try:
            title = platforms.get(name).title
            documents.append(_document(name, title, platforms.capabilities(name)))
        except (NotFound, NotAllowed) as error:
            program.warn(error.message)
            documents.append({"name": name, "error": error.message})
    return documents


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


COLUMNS = (
    Column("PLATFORM"),
    Column("TEXT", right=True),
    Column("COUNTS", flexible="fold"),
    Column("MEDIA", right=True),
    Column("ALT", right=True),
    Column("THREAD"),
    Column("COMMENT"),
    Column("GUARANTEE", flexible="fold"),
)


def platform_table(documents: list[dict[str, Any]], screen: Screen) -> str:
    """The same for the eye."""
    return screen.table(COLUMNS, [[(text, "") for text in _row(one)] for one in documents])


def _row(document: dict[str, Any]) -> list[str]:
    if "error" in document:
        return [document["name"], *[""] * (len(COLUMNS) - 2), "can't be used"]
    return [
        document["name"],
        str(document["text_limit"] or "any"),
        document["counts"],
        str(document["media"] or "none"),
        str(document["alt_limit"] or "any") if document["alt_text"] else "no",
        "yes" if document["thread"] else "no",
        document["comment"] or "no",
        document["guarantee"],
    ]
