"""Files that hold no rows, or more than bears loading; and their formats by name."""

from __future__ import annotations

import io
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from postsched.domain.draft import Draft, DraftMedia
from postsched.domain.errors import InvalidInput
from postsched.transfer import markdown
from postsched.transfer.exchange import Format, format_of, read
from postsched.transfer.record import NAMES
from postsched.transfer.stream import ROW_LIMIT
from tests.transfer.drafts import QUIET
from tests.transfer.rows import HEAD, said


@pytest.mark.parametrize("fmt", list(Format))
@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (b"", 1, "the file is empty"),
        (b"\xef\xbb\xbf", 1, "the file is empty"),
        (b" \n\n ", 1, "the file is empty"),
        (b"\xff\xfea\0", 1, "the file is UTF-16"),
        (b"text\n\nto\xe4", 3, "the file is not UTF-8 (byte 0xE4)"),
        (b"text\n\xc3", 2, "the file is not UTF-8 (byte 0xC3)"),
        (b"text\nto\0", 2, "there is a NUL byte"),
    ],
)
def test_what_is_no_text(fmt: Format, content: bytes, line: int, words: str) -> None:
    start = b"[" if content.strip() and fmt is Format.JSON and content[:1] == b"t" else b""
    row, at, _, message = said(start + content, fmt)[-1]
    assert (row, at) == (0, line)
    assert words in message


@pytest.mark.slow
def test_a_fault_far_into_a_file_has_its_line() -> None:
    rows = b"".join(b"post %06d,me,now\n" % i for i in range(20_000))
    content = HEAD.encode() + rows + b"\xe4,me,now\n"
    assert said(content, "csv")[-1][1] == 20_002
    content = HEAD.encode() + rows + b"caf\xc3"  # cut in the middle of a character
    assert said(content, "csv")[-1][1] == 20_002


@pytest.mark.parametrize("fmt", list(Format))
def test_a_row_without_an_end_is_given_up(fmt: Format) -> None:
    start = {"json": b'[{"text": "', "jsonl": b'{"text": "', "csv": b'text,to\n"'}.get(
        fmt, b"---\n"
    )
    content = start + b"x\\n " * (ROW_LIMIT // 2)
    assert "MiB" in said(content, fmt)[-1][3]


@settings(QUIET)
@given(st.binary(max_size=200), st.sampled_from(list(Format)))
@example(b'[{"a":1}', Format.JSON)
@example(b'\xef\xbb\xbf"', Format.CSV)
def test_any_bytes_come_to_rows(content: bytes, fmt: Format) -> None:
    for row in read(content, fmt, Path()):
        assert (row.draft is None) == bool(row.errors)
        assert all("\n" not in error.message for error in row.errors)


@settings(QUIET)
@given(st.text("[]{}\",:\\ \n-|\rateoxm'#&*!?>%01", max_size=60), st.sampled_from(list(Format)))
def test_any_text_comes_to_rows(content: str, fmt: Format) -> None:
    list(read(content.encode(), fmt, Path()))
    list(read(HEAD.encode() + content.encode(), Format.CSV, Path()))
    list(read(f"---\n{content}\n---\n".encode(), Format.MARKDOWN, Path()))


@settings(QUIET)
@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from([*NAMES, "path", "alt", "x"]), inner, max_size=3),
    max_leaves=8,
))  # fmt: skip
def test_any_json_comes_to_rows(value: Any) -> None:
    for row in read(json.dumps([value]).encode(), Format.JSON, Path()):
        assert (row.draft is None) == bool(row.errors)


class Endless(io.RawIOBase):
    """Rows made as they are read."""

    def __init__(self, head: bytes, row: bytes, count: int) -> None:
        self._pieces = iter([head, *[row * 100] * (count // 100)])
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        while len(self._rest) < size and (piece := next(self._pieces, None)) is not None:
            self._rest += piece
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fmt", "head", "row"),
    [
        (Format.CSV, b"text,to,at\n", b"A post of some length,me,now\n"),
        (Format.JSON_LINES, b"", b'{"text": "A post of some length", "to": "me", "at": "now"}\n'),
        (Format.JSON, b"[{}", b',{"text": "A post of some length", "to": "me", "at": "now"}'),
    ],
)
def test_a_long_file_is_not_loaded_whole(fmt: Format, head: bytes, row: bytes) -> None:
    count = 12_000
    source: Any = Endless(head, row, count)
    tracemalloc.start()
    try:
        assert sum(1 for one in read(source, fmt, Path()) if one.draft) == count
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3_000_000, "bytes; the drafts of all rows would take three times that"


@pytest.mark.parametrize(
    ("name", "given", "fmt"),
    [
        ("a.json", None, "json"), ("a.JSONL", None, "jsonl"), ("a.ndjson", None, "jsonl"),
        ("a.b.csv", None, "csv"), ("a.md", None, "markdown"), ("a.markdown", None, "markdown"),
        ("a.txt", "csv", "csv"), ("-", "jsonl", "jsonl"), ("-", "MD", "markdown"),
    ],
)  # fmt: skip
def test_the_format_of_a_file(name: str, given: str | None, fmt: str) -> None:
    assert format_of(name, given) == fmt


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("a.txt", None, "the format of 'a.txt'"), ("-", None, "what comes on standard input"),
        ("csv", None, "the format of 'csv'"), ("a.csv", "xml", "there is no format 'xml'"),
    ],
)  # fmt: skip
def test_an_unknown_format(name: str, given: str | None, words: str) -> None:
    with pytest.raises(InvalidInput, match=words) as caught:
        format_of(name, given)
    assert "json|jsonl|csv|markdown" in (caught.value.hint or "")


# One post from a file, for `add --file`


def test_a_post_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "post.md"
    file.write_bytes(b"\xef\xbb\xbf---\nmedia: [a.png]\n---\nHello\n")
    assert markdown.read_post(file) == Draft(
        text="Hello", media=(DraftMedia(str(tmp_path / "a.png")),)
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "can't be read: No such file"),
        (b"", "line 1: the file is empty"),
        (b"a\n\xe4", "line 2: the file is not UTF-8"),
        (b"---\nto: me\n", "line 1: the front matter that begins"),
        (b"---\ntitel: me\n---\n", "titel: is no known name. Did you mean title"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, content: bytes | None, words: str) -> None:
    file = tmp_path / "post.md"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InvalidInput, match=words) as caught:
        markdown.read_post(file)
    assert str(file) in str(caught.value)
    with pytest.raises(InvalidInput, match=r"Is a directory|Permission"):
        markdown.read_post(tmp_path)
