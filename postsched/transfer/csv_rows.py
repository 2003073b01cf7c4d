"""CSV (RFC 4180) with a header row of the names; several values in one cell as `separated` has it.

Cells hold exactly what the post holds: nothing is put before a `=` or `+`, for that would change
what is published. Who opens an export in a spreadsheet imports it as text.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any

from postsched.domain.draft import ADDRESS
from postsched.domain.errors import InvalidInput
from postsched.domain.nearest import did_you_mean
from postsched.transfer.record import NAMES
from postsched.transfer.rows import Found, RowError, Unreadable
from postsched.transfer.separated import join, split
from postsched.transfer.stream import ROW_LIMIT, lines

VARIANT, VAR = "variant:", "var:"
SPREAD_OUT = {"variants": VARIANT, "vars": VAR}
"""Names that have a column for each of their members."""
COLUMNS = (
    "text", "to", "at", "tz", "media", "alt",
    *(
        name for name in NAMES[NAMES.index("tz") + 1 :]
        if name not in SPREAD_OUT and name != "media"
    ),
)  # fmt: skip
"""The columns in the order they are written, before those of SPREAD_OUT."""
PLAIN = frozenset(COLUMNS) - {"media", "alt", "then", "texts"}
"""Those whose cells are values as they stand."""


def read_csv(pieces: Iterable[str]) -> Iterator[Found]:
    """The rows after the header; empty ones are passed over. Raises Unreadable."""
    csv.field_size_limit(ROW_LIMIT)  # the library's own 128 KiB would refuse a long text
    cells = _cells(lines(pieces))
    line, names = next(cells)
    header = [name.strip() for name in names]
    _check_header(header, line)
    row, plain = 0, PLAIN.issuperset(header)
    for line, values in cells:
        if any(values):
            row += 1
            if plain and len(values) == len(header):
                yield Found(row, line, {n: v for n, v in zip(header, values, strict=True) if v})
            else:
                yield _found(row, line, header, values)


def write_csv(records: Iterable[Mapping[str, Any]], out: IO[bytes]) -> None:
    """The header with the columns that are used, then the rows. Raises InvalidInput for what CSV
    can't hold. The columns are known only at the end, so rows wait in a temporary file."""
    from tempfile import TemporaryFile

    used = {"text", "to", "at"}
    with TemporaryFile("w+", encoding="utf-8") as waiting:
        for n, record in enumerate(records, 1):
            row = _row(n, record)
            used |= row.keys()
            waiting.write(json.dumps(row) + "\n")
        waiting.seek(0)
        text = io.TextIOWrapper(out, "utf-8", newline="", write_through=True)
        spread = sorted(used - set(COLUMNS))
        header = [name for name in COLUMNS if name in used] + spread
        writer = csv.DictWriter(text, header, restval="", lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(json.loads(line) for line in waiting)
        text.detach()  # closing is the caller's


def _cells(source: Iterator[str]) -> Iterator[tuple[int, list[str]]]:
    """Rows of cells, each with the line it starts on."""
    reader = csv.reader(source, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise Unreadable(_words(error), line) from None
        yield line, values


def _words(error: csv.Error) -> str:
    words = str(error)
    if "unexpected end" in words:
        return "a quote that is opened in this row is never closed"
    if "expected after" in words:
        return 'there is text after a closing quote (a quote inside a value is written "")'
    if "new-line" in words:
        return "a line break stands alone outside quotes: lines end with LF or CRLF"
    return f"it is no valid CSV: {words}"


def _check_header(header: list[str], line: int) -> None:
    for name in header:
        if name in (*COLUMNS, "vars") or _is_spread_out(name):
            if header.count(name) > 1:
                raise Unreadable("this column is there twice", line, name)
            continue
        hint = did_you_mean(name, (*COLUMNS, VARIANT + "ACCOUNT", VAR + "NAME"))
        if ";" in name or "\t" in name:
            hint = "Columns must be parted by commas"
        raise Unreadable(f"this column is not known. {hint}", line, name)


def _is_spread_out(name: str) -> bool:
    return any(name.startswith(lead) and name != lead for lead in SPREAD_OUT.values())


def _found(row: int, line: int, header: list[str], values: list[str]) -> Found:
    if len(values) != len(header):
        message = f"the row has {len(values)} cells, the header {len(header)}"
        return Found(row, line, {}, (RowError(None, message),))
    cells = {name: value for name, value in zip(header, values, strict=True) if value}
    record: dict[str, Any] = {n: v for n, v in cells.items() if n in NAMES}
    errors: list[RowError] = []
    if "vars" in cells:
        record["vars"], errors = _pairs(cells["vars"])
    for name, lead in SPREAD_OUT.items():
        if members := {n.removeprefix(lead): v for n, v in cells.items() if n.startswith(lead)}:
            record[name] = {**record.get(name, {}), **members}
    for name in {"then", "texts"} & cells.keys():
        record[name] = split(cells[name], "|")
    places = split(cells["media"], "|") if "media" in cells else []
    alts = split(cells["alt"], "|") if "alt" in cells else []
    record["media"] = _media(places, alts)
    if len(alts) > len(places):
        message = f"there are {len(alts)} texts for {len(places)} media"
        errors.append(RowError("alt", message))
    return Found(row, line, record, tuple(errors))


def _pairs(cell: str) -> tuple[dict[str, str], list[RowError]]:
    """The variables of one cell: NAME=VALUE, parted by `|`."""
    pairs = [one.partition("=") for one in split(cell, "|")]
    found = {name.strip(): value for name, _, value in pairs}
    if len(found) < len(pairs) or not all(name.strip() and sign for name, sign, _ in pairs):
        return {}, [RowError("vars", "must be NAME=VALUE, each name once, parted by |")]
    return found, []


def _media(places: list[str], alts: list[str]) -> list[dict[str, str]]:
    alts = alts + [""] * (len(places) - len(alts))
    return [
        {"url" if ADDRESS.match(place) else "path": place, "alt": alt}
        for place, alt in zip(places, alts, strict=False)
    ]


def _row(n: int, record: Mapping[str, Any]) -> dict[str, str]:
    """The cells of a record, as strings."""
    cells = {name: str(record[name]) for name in COLUMNS if name in record}
    for name in {"to", "tags", "on", "except"} & record.keys():
        cells[name] = join(record[name], ",")
    for name in {"draft", "slot"} & record.keys():
        cells[name] = "true"
    if "texts" in record:
        cells["texts"] = join(record["texts"], "|")
    if "then" in record:
        cells["then"] = join((_plain(n, part) for part in record["then"]), "|")
    if media := record.get("media"):
        cells["media"] = join((one.get("path") or one.get("url") for one in media), "|")
        cells["alt"] = join((one.get("alt", "") for one in media), "|")
    for name, lead in SPREAD_OUT.items():
        cells |= {lead + member: text for member, text in record.get(name, {}).items()}
    return {name: value for name, value in cells.items() if value}


def _plain(n: int, part: str | Mapping[str, Any]) -> str:
    if isinstance(part, str):
        return part
    raise InvalidInput(
        f"post {n} has media with a later part of its thread, which CSV can't hold",
        "Export to json, jsonl or markdown",
    )
