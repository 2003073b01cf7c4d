"""The platforms and what each can do, as data and as a table; the README shows the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from postsched.cli.screen import Column, Screen
from postsched.service.platform_documents import documents

if TYPE_CHECKING:
    from postsched.cli.program import Program


def platform_documents(program: Program) -> list[dict[str, Any]]:
    """The same as the API gives; one that can't be used is warned of."""
    found = documents()
    for one in found:
        if "error" in one:
            program.warn(one["error"])
    return found


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
