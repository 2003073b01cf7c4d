"""JSON (an array of posts, or one) and JSON Lines (one a line), read piece by piece (RFC 8259).

Names that are there twice and numbers that JSON doesn't have make a bad row; the reading goes on.
A syntax error ends the reading of an array, but not of JSON Lines.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any

from postsched.transfer.rows import Found, RowError, Unreadable
from postsched.transfer.stream import ROW_LIMIT, TOO_LONG, lines

MARGIN = 16
"""Characters before the end of what was read in which an error may only mean "there is more"."""
SPACE = " \t\n\r"


def read_json(pieces: Iterable[str]) -> Iterator[Found]:
    """The posts of an array, or the one post. Raises Unreadable."""
    scan = _Scan(pieces)
    first = scan.peek()
    if first == "{":
        yield scan.element(1)
    elif first == "[":
        yield from _elements(scan)
    else:
        raise Unreadable("it is neither a JSON array nor an object", scan.line)
    if scan.peek():
        raise Unreadable(
            "there is more after the JSON document ends (for one post a line use jsonl)", scan.line
        )


def read_json_lines(pieces: Iterable[str]) -> Iterator[Found]:
    """One post a line; empty lines are passed over. Raises Unreadable."""
    row = 0
    for number, line in enumerate(lines(pieces), 1):
        line = line.rstrip(SPACE)
        if line:
            row += 1
            yield _line(row, number, line)


def write_json(records: Iterable[Mapping[str, Any]], out: IO[bytes]) -> None:
    """An array, laid out for people."""
    between = "[\n"
    for record in records:
        text = json.dumps(record, ensure_ascii=False, indent=2)
        out.write((between + "  " + text.replace("\n", "\n  ")).encode())
        between = ",\n"
    out.write(b"[]\n" if between == "[\n" else b"\n]\n")


def write_json_lines(records: Iterable[Mapping[str, Any]], out: IO[bytes]) -> None:
    """One object a line."""
    for record in records:
        out.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")


def _elements(scan: _Scan) -> Iterator[Found]:
    scan.skip()
    row = 0
    if scan.peek() == "]":
        scan.skip()
        return
    while True:
        row += 1
        scan.peek()
        yield scan.element(row)
        after = scan.peek()
        if after not in (",", "]"):
            what = f"instead of {after!r}" if after else "before the file ends"
            raise Unreadable(f"the array needs a comma or ] {what}", scan.line)
        scan.skip()
        if after == "]":
            return


class _Scan:
    """A place in a JSON document of which a part has been read."""

    def __init__(self, pieces: Iterable[str]) -> None:
        self._pieces = iter(pieces)
        self._text = ""
        self._at = 0
        self._column = 0
        self.line = 1
        self._decoder = _Decoder()

    def peek(self) -> str:
        """The next character that is no white space, empty at the end; stays before it."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in SPACE:
                self.line += self._text[self._at] == "\n"
                self._at += 1
            if self._at < len(self._text) or not self._more():
                return self._text[self._at : self._at + 1]

    def skip(self) -> None:
        """Go past one character."""
        self._at += 1

    def element(self, row: int) -> Found:
        """The value that starts here, as a row."""
        while True:
            try:
                value, end = self._decoder.decode_at(self._text, self._at)
            except json.JSONDecodeError as error:
                if self._may_go_on(error) and self._more():
                    continue
                raise self._unreadable(error) from None
            if end == len(self._text) and self._more():
                continue
            break
        line = self.line
        self.line += self._text.count("\n", self._at, end)
        self._at = end
        return _found(row, line, value, self._decoder.objections)

    def _may_go_on(self, error: json.JSONDecodeError) -> bool:
        open_string = error.msg.startswith("Unterminated string")
        return open_string or error.pos >= len(self._text) - MARGIN

    def _more(self) -> bool:
        """Read as much again as there is; False at the end of the file."""
        gone = self._text[: self._at]
        self._column = len(gone) - gone.rfind("\n") - 1 + (0 if "\n" in gone else self._column)
        self._text = self._text[self._at :]
        self._at = 0
        if len(self._text) > ROW_LIMIT:
            raise Unreadable(TOO_LONG, self.line)
        parts, size = [self._text], 0
        for piece in self._pieces:
            parts.append(piece)
            size += len(piece)
            if size >= len(self._text):
                break
        self._text = "".join(parts)
        return size > 0

    def _unreadable(self, error: json.JSONDecodeError) -> Unreadable:
        line = self.line + self._text.count("\n", self._at, error.pos)
        same_line = "\n" not in self._text[: error.pos]
        column = error.colno + (self._column if same_line else 0)
        return Unreadable(_words(error, line, column), self.line)


class _Decoder(json.JSONDecoder):
    """Notes what JSON allows and we don't, in `objections`, instead of stopping there."""

    def __init__(self) -> None:
        super().__init__(object_pairs_hook=self._object, parse_constant=self._constant)
        self.objections: list[str] = []

    def decode_at(self, text: str, start: int) -> tuple[Any, int]:
        """The value at `start` and where it ends. Raises JSONDecodeError."""
        self.objections = []
        try:
            return self.raw_decode(text, start)
        except RecursionError:
            raise json.JSONDecodeError("Nested too deeply", text, start) from None
        except json.JSONDecodeError:
            raise
        except ValueError:  # Python's own limit on the digits of a number
            raise json.JSONDecodeError("A number is too long", text, start) from None

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            self.objections.append(f"has {twice!r} twice")
        return value

    def _constant(self, name: str) -> None:
        self.objections.append(f"has {name}, which is no JSON number")


def _line(row: int, number: int, line: str) -> Found:
    decoder = _Decoder()
    start = len(line) - len(line.lstrip(SPACE))
    try:
        value, end = decoder.decode_at(line, start)
    except json.JSONDecodeError as error:
        return Found(row, number, {}, (RowError(None, _words(error, number, error.colno)),))
    if end < len(line):
        message = f"there is more after the JSON value ends, at column {end + 1}"
        return Found(row, number, {}, (RowError(None, message),))
    return _found(row, number, value, decoder.objections)


def _found(row: int, line: int, value: Any, objections: list[str]) -> Found:
    if not isinstance(value, dict):
        return Found(row, line, {}, (RowError(None, "a post must be a JSON object"),))
    return Found(row, line, value, tuple(RowError(None, words) for words in objections))


def _words(error: json.JSONDecodeError, line: int, column: int) -> str:
    reason = error.msg[:1].lower() + error.msg[1:].rstrip(": ")
    return f"it is no valid JSON at line {line}, column {column}: {reason}"
