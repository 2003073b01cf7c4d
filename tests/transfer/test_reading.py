"""Rows in each of the formats: which line they are on, and what is said of bad ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from postsched.domain.draft import Draft, DraftMedia, DraftPart
from postsched.domain.errors import InvalidInput
from postsched.transfer import markdown
from postsched.transfer.exchange import Format, read
from postsched.transfer.stream import CHUNK
from tests.transfer.rows import HEAD, OK, good, said


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
