"""Bad rows and bad files: what is said, and where it is said to be."""

from __future__ import annotations

import io
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from postsched.domain.draft import Draft, DraftMedia, DraftPart
from postsched.domain.errors import InvalidInput
from postsched.transfer import markdown
from postsched.transfer.exchange import Format, format_of, read
from postsched.transfer.record import FIELDS, NAMES
from postsched.transfer.stream import CHUNK, ROW_LIMIT
from tests.transfer.drafts import QUIET

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


# Values


def test_a_full_row() -> None:
    record = {
        "text": "a", "to": " me, work ,", "at": "fri 14:30", "tz": "Europe/Berlin",
        "priority": "-3",
        "media": [{"path": "a.png", "alt": "A"}, "b.png", "ftp://x/c.png", {"url": "http://y"}],
        "then": ["two", {"text": "three", "media": [{"path": "/abs.png"}]}], "tags": ["x ", "y,z"],
        "variants": {"work": "A", "me": ""}, "draft": "Yes", "comment": None,
        "grace": "", "slot": False, "on": [1, "last"], "every": "2", "from": "2026-12-01",
        "except": "2026-12-24, 2026-12-25", "texts": ["x", "y"], "vars": {"n": 3, "x": "y"},
    }  # fmt: skip
    (row,) = read(json.dumps(record).encode(), Format.JSON, Path("/base"))
    assert row.draft == Draft(
        text="a", to=("me", "work"), at="fri 14:30", tz="Europe/Berlin", priority=-3, draft=True,
        media=(
            DraftMedia("/base/a.png", alt="A"), DraftMedia("/base/b.png"),
            DraftMedia(url="ftp://x/c.png"), DraftMedia(url="http://y"),
        ),
        then=(DraftPart("two"), DraftPart("three", (DraftMedia("/abs.png"),))),
        tags=("x", "y,z"), variants={"work": "A"}, on=("1", "last"), every=2, from_="2026-12-01",
        except_=("2026-12-24", "2026-12-25"), texts=("x", "y"), vars={"n": "3", "x": "y"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"title": 3}, "must be text, not a number"),
        ({"title": True}, "must be text, not true or false"),
        ({"title": ["a"]}, "must be text, not a list"),
        ({"title": {"a": 1}}, "must be text, not an object"),
        ({"title": "a\0b"}, "has a character that no text may have (U+0000)"),
        ({"title": "a\ud800"}, "has a character that no text may have (U+D800)"),
        ({"tags": 3}, "must be a list, or text with commas"),
        ({"tags": [3]}, "must be text, not a number"),
        ({"media": "a.png"}, "must be a list of {path, alt} or {url, alt}"),
        ({"media": [3]}, "no. 1 is neither text nor an object"),
        ({"media": ["a", {"alt": "x"}]}, "no. 2 must have a path or a url"),
        ({"media": [{"path": "a", "url": "b"}]}, "no. 1 must have a path or a url"),
        ({"media": [{"path": "a", "atl": "b"}]},
         "no. 1 has 'atl', which is no known name. Did you mean alt?"),
        ({"media": [{"path": "a\0"}]}, "has a character that no text may have (U+0000)"),
        ({"then": "two"}, "must be a list of texts or of {text, media}"),
        ({"then": ["a", ""]}, "no. 2 is empty"),
        ({"then": [{"text": 3}]}, "no. 1: must be text, not a number"),
        ({"then": [{"txt": "a"}]}, "no. 1 has 'txt', which is no known name. Did you mean text?"),
        ({"variants": ["a"]}, "must be an object of account: text"),
        ({"variants": {"a": 3}}, "must be text, not a number"),
        ({"priority": "high"}, "must be a whole number"),
        ({"priority": 1.5}, "must be a whole number"),
        ({"priority": True}, "must be a whole number"),
        ({"priority": 2**31}, "must be a whole number"),
        ({"draft": "maybe"}, "must be true or false"),
        ({"draft": 2}, "must be true or false"),
        ({"tittle": "a"}, "is no known name. Did you mean title?"),
        ({"callback": ["https://a.example"]}, "must be text, not a list"),
    ],
)  # fmt: skip
def test_a_bad_value_is_named(fields: dict[str, Any], message: str) -> None:
    assert one(fields) == (next(iter(fields)), message)


def test_the_names_are_those_of_the_interface() -> None:
    assert {FIELDS.get(name, name) for name in NAMES} == set(Draft.__slots__)
    interface = """
        text, to, at, tz, repeat, every, on, cron, rrule, except, from, until, count, slot, media,
        then, comment, link, title, variants, tags, visibility, warning, lang, missed, catch_up,
        grace, spread, jitter, texts, vars, callback, priority, key, draft
    """
    assert set(NAMES) == {name.strip() for name in interface.split(",")}


def test_what_is_missing() -> None:
    assert said("{}", "json") == [
        (1, 1, "text", "is missing"),
        (1, 1, "to", "is missing: name an account or group"),
        (1, 1, "at", "is missing: say when, or set draft to true"),
    ]
    assert good('{"to": "me", "draft": true, "media": ["a.png"]}', "json")


def test_every_fault_of_a_row_is_said() -> None:
    faults = said('[{"title": 3, "tags": 4, "x": 5}]', "json")
    assert [field for _, _, field, _ in faults] == ["title", "tags", "x"]


# Lines and formats


def test_lines_in_a_json_array() -> None:
    text = f'\n[\n  {OK},\n\n  {{"text":\n  3}},\n  {OK}, {OK}\n,\n5]\n'
    assert [(row, line) for row, line, _, _ in said(text, "json")] == [(2, 5), (5, 9)]
    rows = list(read(text.encode(), Format.JSON, Path()))
    assert [(r.row, r.line) for r in rows] == [(1, 3), (2, 5), (3, 7), (4, 7), (5, 9)]


def test_lines_in_a_json_array_across_pieces() -> None:
    pad = "x" * (CHUNK // 3)
    rows = [f'{{"text": "{pad}\\n", "to": "me",\n "at": "{i}"}}' for i in range(20)]
    found = good("[" + ",\n".join(rows) + "]", "json")
    assert [(row, line) for row, line, _ in found] == [(i + 1, 2 * i + 1) for i in range(20)]
    assert [draft.at for _, _, draft in found] == [str(i) for i in range(20)]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("[", 1, "it is no valid JSON at line 1, column 2: expecting value"),
        ("3", 1, "neither a JSON array nor an object"),
        ('"a"', 1, "neither a JSON array nor an object"),
        ("nonsense", 1, "neither a JSON array nor an object"),
        (f"[{OK}", 1, "the array needs a comma or ] before the file ends"),
        (f"[{OK}\n{OK}]", 2, "the array needs a comma or ] instead of '{'"),
        (f"[{OK},\n]", 2, "it is no valid JSON at line 2, column 1: expecting value"),
        (f"[{OK}]\nx", 2, "there is more after the JSON document ends"),
        (f"{OK}\n{OK}", 2, "there is more after the JSON document ends"),
        ('[\n{"text":\n\n"a" "b"}]', 2, "line 4, column 5: expecting ',' delimiter"),
        ('[{"text": "open', 1, "unterminated string"),
        ("[{'text': 'a'}]", 1, "expecting property name"),
        ('[{"text": "a\nb"}]', 1, "invalid control character"),
        ('[{"text": "\\x"}]', 1, "invalid \\escape"),
        ("[" * 100_000, 1, "nested too deeply"),
        ('{"priority": ' + "9" * 5000 + "}", 1, "a number is too long"),
    ],
)
def test_bad_json_ends_there(text: str, line: int, words: str) -> None:
    row, at, field, message = said(text, "json")[-1]
    assert (row, at, field) == (0, line, None)
    assert words in message


def test_what_json_allows_and_we_do_not() -> None:
    text = f'[{{"text": "a", "text": "b"}}, {{"priority": NaN}}, {{"priority": -Infinity}}, {OK}]'
    faults = said(text, "json")
    assert [(row, message) for row, _, _, message in faults] == [
        (1, "has 'text' twice"),
        (2, "has NaN, which is no JSON number"),
        (3, "has -Infinity, which is no JSON number"),
    ]


def test_json_lines() -> None:
    text = f'{OK}\n\n{OK} x\r\n[1]\n{{"a"\n  {OK}  \r\n{{"text": "a", "text": "b"}}\n{OK}'
    assert said(text, "jsonl") == [
        (2, 3, None, f"there is more after the JSON value ends, at column {len(OK) + 1}"),
        (3, 4, None, "a post must be a JSON object"),
        (4, 5, None, "it is no valid JSON at line 5, column 5: expecting ':' delimiter"),
        (6, 7, None, "has 'text' twice"),
    ]
    rows = list(read(text.encode(), Format.JSON_LINES, Path()))
    assert [row.row for row in rows if row.draft] == [1, 5, 7]


def test_csv_lines() -> None:
    text = f'{HEAD}"a\nb",me,now\n\n,,\nc,me\nd,me,now,x\ne,,now\n"f ""quoted""",me,now'
    assert said(text, "csv") == [
        (2, 6, None, "the row has 2 cells, the header 3"),
        (3, 7, None, "the row has 4 cells, the header 3"),
        (4, 8, "to", "is missing: name an account or group"),
    ]
    rows = [row for row in read(text.encode(), Format.CSV, Path()) if row.draft]
    assert [(r.row, r.line, r.draft and r.draft.text) for r in rows] == [
        (1, 2, "a\nb"), (5, 9, 'f "quoted"'),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line", "field", "words"),
    [
        ("txt,to,at\n", 1, "txt", "this column is not known. Did you mean text?"),
        ("text;to;at\n", 1, "text;to;at", "Columns must be parted by commas"),
        ("text\tto\tat\n", 1, "text\tto\tat", "Columns must be parted by commas"),
        ("text,to,text\n", 1, "text", "this column is there twice"),
        ("text,variant:\n", 1, "variant:", "this column is not known"),
        ("text,,to\n", 1, "", "this column is not known"),
        (f'{HEAD}a,me,now\n"b,me\n,now\n', 3, None, "a quote that is opened in this row is never"),
        (f'{HEAD}"a"b,me,now\n', 2, None, "there is text after a closing quote"),
        (f"{HEAD}a\rb,me,now\n", 2, None, "a line break stands alone outside quotes"),
    ],
)
def test_bad_csv_ends_there(text: str, line: int, field: str | None, words: str) -> None:
    ((row, at, column, message),) = said(text, "csv")
    assert (row, at, column) == (0, line, field)
    assert words in message


def test_a_file_in_the_place_of_texts_is_not_posted(tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text("a\n---\nb\n")
    for texts in ("texts.txt", ["texts.txt"]):
        record = {"text": "", "to": "me", "at": "now", "texts": texts}
        (row,) = read(json.dumps(record).encode(), Format.JSON, tmp_path)
        assert [(e.field, e.message[:21]) for e in row.errors] == [
            ("texts", "is the name of a file")
        ]


def test_variables_in_one_cell_or_a_column_each() -> None:
    ((_, _, draft),) = good("text,to,at,vars,var:b\na,me,now,a=1=2|c=\\|,B\n", "csv")
    assert draft.vars == {"a": "1=2", "c": "|", "b": "B"}
    for cell in ("a", "a=1|a=2", "=1"):
        ((_, _, field, message),) = said(f"text,to,at,vars\na,me,now,{cell}\n", "csv")
        assert (field, message) == ("vars", "must be NAME=VALUE, each name once, parted by |")


def test_csv_media_and_parts() -> None:
    text = 'text,to,at,media,alt,then,variant:work\na,me,now,x.png|https://y,X,b|"c\\|d",W\n'
    ((_, _, draft),) = good(text.replace('b|"c\\|d"', "b|c\\|d"), "csv")
    assert draft.media == (DraftMedia("x.png", alt="X"), DraftMedia(url="https://y"))
    assert draft.then == (DraftPart("b"), DraftPart("c|d"))
    assert draft.variants == {"work": "W"}
    assert said("text,to,at,alt\na,me,now,x|y\n", "csv") == [
        (1, 2, "alt", "there are 2 texts for 0 media")
    ]
    assert said("text,to,at,media\na,me,now,x.png||y.png\n", "csv") == [
        (1, 2, "media", "no. 2 must have a path or a url")
    ]


def test_csv_from_a_spreadsheet() -> None:
    raw = b"\xef\xbb\xbf" + "text , to,at\r\nHällo,me,now\r\n,,\r\n".encode()
    ((_, _, draft),) = good(raw, "csv")
    assert draft.text == "Hällo"


def test_markdown_keeps_values_as_they_are_written() -> None:
    text = (
        "---\nto: me, work\nat: 14:30\ntitle: yes\nlang: no\ntz: 1_000\ngrace: 010\ncomment: null\n"
        "warning: ~\nlink:\nkey: 2026-12-01\npriority: 3\ndraft: yes\ntags: [1, true, 1.0]\n"
        "media:\n- path: a.png\n  alt: 12:00\n- b.png\nthen:\n- two\n- text: three\n"
        "variants: {work: 0x10}\n---\n\nHello\n---\nsecond part\n\n"
    )
    ((_, _, draft),) = good(text, "markdown")
    assert draft == Draft(
        text="Hello\n---\nsecond part", to=("me", "work"), at="14:30", title="yes", lang="no",
        tz="1_000", grace="010", key="2026-12-01", priority=3, draft=True,
        tags=("1", "true", "1.0"),
        media=(DraftMedia("a.png", alt="12:00"), DraftMedia("b.png")),
        then=(DraftPart("two"), DraftPart("three")), variants={"work": "0x10"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "draft"),
    [
        ("Hello", Draft(text="Hello")),
        ("\n Hello \n---\nmore\n", Draft(text="Hello \n---\nmore")),
        ("---\n---\nHello\n", Draft(text="Hello")),
        ("---\n# only a comment\n---\nHello\n", Draft(text="Hello")),
        ("---   \r\nto: me\r\n---\r\nHello\r\nyou\r\n", Draft(text="Hello\nyou", to=("me",))),
        ("---\ntext: ' x '\n---\n", Draft(text=" x ")),
        ("----\nno fence", Draft(text="----\nno fence")),
        ("---\nto: me\n---", Draft(to=("me",))),
        ("", Draft()),
    ],
)
def test_front_matter_is_optional_in_an_editor(text: str, draft: Draft) -> None:
    assert markdown.parse(text) == draft


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("---\nto: me\n", "line 1: the front matter that begins with --- is not closed"),
        ("---\nto: me\nat: a: b\n---\n", "line 3: the front matter is no valid YAML: mapping val"),
        ("---\nto: me\nto: you\n---\n", "line 3: the front matter is no valid YAML: 'to' is there"),
        ("---\nto: &a me\nkey: *a\n---\n", "line 3: .* aliases"),
        ("---\n- a\n---\n", "line 2: the front matter must be lines of `name: value`"),
        ("---\njust text\n---\n", "line 2: the front matter must be lines"),
        ("---\n? [a]\n: b\n---\n", "line 2: .* a name must be text"),
        (
            "---\nto: me\ntitle: a\x07b\n---\n",
            r"line 3: .* character that YAML forbids \(U\+0007\)",
        ),
        ("---\ntext: a\n---\nb\n", "the text is in the front matter and below it too"),
        ("---\ntittle: a\n---\n", "tittle: is no known name. Did you mean title"),
        ("---\nmedia: {path: a}\n---\n", "media: must be a list"),
        ("---\na: " + "[" * 5000 + "\n---\n", "no valid YAML"),
        ("---\n\tto: me\n---\n", "line 2: .* no valid YAML"),
    ],
)
def test_bad_front_matter(text: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        markdown.parse(text)


# Files that are none


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


# Formats by name


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
