"""What is said of rows, and where it is said to be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from postsched.domain.draft import Draft
from postsched.transfer.exchange import Format, read

OK = '{"text": "a", "to": "me", "at": "now"}'
HEAD = "text,to,at\n"


def said(content: str | bytes, fmt: str) -> list[tuple[int, int, str | None, str]]:
    """(row, line, field, message) of everything that is wrong."""
    raw = content if isinstance(content, bytes) else content.encode()
    rows = read(raw, Format(fmt), Path())
    return [(r.row, r.line, e.field, e.message) for r in rows for e in r.errors]


def good(content: str | bytes, fmt: str) -> list[tuple[int, int, Draft]]:
    raw = content if isinstance(content, bytes) else content.encode()
    rows = list(read(raw, Format(fmt), Path()))
    assert not any(row.errors for row in rows), rows
    return [(row.row, row.line, row.draft) for row in rows if row.draft]


def one(fields: dict[str, Any]) -> tuple[str | None, str]:
    """What is said of a row with these fields besides the required ones."""
    record = {"text": "a", "to": "me", "at": "now"} | fields
    ((_, _, field, message),) = said(json.dumps([record]), "json")
    return field, message
