"""Reading and writing posts as data in any format, as a stream of rows."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import IO, Any

from postsched.domain.draft import Draft
from postsched.domain.errors import InvalidInput
from postsched.transfer import csv_rows, json_rows, markdown
from postsched.transfer.record import draft_of, missing, record_of
from postsched.transfer.rows import Found, Row, RowError, Unjudged, Unreadable
from postsched.transfer.stream import chunks


class Format(StrEnum):
    """A format of posts as data."""

    JSON = "json"
    JSON_LINES = "jsonl"
    CSV = "csv"
    MARKDOWN = "markdown"


ENDINGS = {
    "json": Format.JSON,
    "jsonl": Format.JSON_LINES,
    "ndjson": Format.JSON_LINES,
    "csv": Format.CSV,
    "md": Format.MARKDOWN,
    "markdown": Format.MARKDOWN,
}
"""Endings of file names, which `--format` takes too."""
READERS: dict[Format, Callable[[Iterable[str]], Iterator[Found]]] = {
    Format.JSON: json_rows.read_json,
    Format.JSON_LINES: json_rows.read_json_lines,
    Format.CSV: csv_rows.read_csv,
    Format.MARKDOWN: markdown.read_markdown,
}
WRITERS: dict[Format, Callable[[Iterable[Mapping[str, Any]], IO[bytes]], None]] = {
    Format.JSON: json_rows.write_json,
    Format.JSON_LINES: json_rows.write_json_lines,
    Format.CSV: csv_rows.write_csv,
    Format.MARKDOWN: markdown.write_markdown,
}


def format_of(name: str, given: str | None = None) -> Format:
    """The format that was given, else the one that a file's name tells. Raises InvalidInput."""
    word = given or Path(name).suffix.removeprefix(".")
    found = ENDINGS.get(word.lower())
    if found:
        return found
    known = f"--format {'|'.join(Format)}"
    if given:
        raise InvalidInput(f"there is no format {given!r}", f"Use {known}")
    where = "what comes on standard input" if name == "-" else f"the format of {name!r}"
    raise InvalidInput(f"can't tell {where}", f"Say {known}")


def read(source: IO[bytes] | bytes, fmt: Format, base: Path) -> Iterator[Row]:
    """The rows, good and bad, one after the other. Relative media paths start from `base`. Where
    the file itself can't be read on, the last row is number 0 and says so."""
    for row in found(source, fmt, base):
        yield row.judged()


def found(source: IO[bytes] | bytes, fmt: Format, base: Path) -> Iterator[Row | Unjudged]:
    """The same rows, judged only if that is asked for."""
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    judge = partial(_judged, base="" if base == Path() else str(base))
    try:
        for one in READERS[fmt](chunks(stream)):
            yield Unjudged(one, judge)
    except Unreadable as error:
        yield Row(0, error.line, None, (RowError(error.field, error.message),))


def write(drafts: Iterable[Draft], fmt: Format, out: IO[bytes]) -> None:
    """The drafts in UTF-8, such that reading them again gives the same. Raises InvalidInput for
    what the format can't hold."""
    WRITERS[fmt]((record_of(draft) for draft in drafts), out)


def write_folder(drafts: Iterable[Draft], folder: Path) -> list[Path]:
    """Each draft as a Markdown file in a folder, which is made where there is none. Raises
    InvalidInput if a file is there already or the folder can't be written."""
    written: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for n, draft in enumerate(drafts, 1):
            path = folder / f"{n:04}-{_slug(draft)}.md"
            with path.open("x", encoding="utf-8", newline="") as out:
                out.write(markdown.dump(draft))
            written.append(path)
    except OSError as error:
        raise InvalidInput(
            f"{error.filename or folder} can't be written: {error.strerror}",
            "Name an empty folder",
        ) from None
    return written


def _judged(found: Found, base: str) -> Row:
    if found.errors and not found.record:
        return Row(found.row, found.line, None, found.errors)
    draft, errors = draft_of(found.record, base)
    wrong = (*found.errors, *errors) or tuple(missing(draft))
    return Row(found.row, found.line, None if wrong else draft, wrong)


def _slug(draft: Draft) -> str:
    words = re.findall(r"[a-z0-9]+", (draft.title or draft.text).lower())
    return "-".join(words)[:40].strip("-") or "post"
