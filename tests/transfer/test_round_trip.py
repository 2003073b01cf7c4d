"""What is exported and imported again is the same, whatever it says, in every format."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import frontmatter
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from postsched.domain.draft import Draft, DraftMedia, DraftPart
from postsched.domain.errors import InvalidInput
from postsched.transfer import markdown
from postsched.transfer.exchange import Format, read, write, write_folder
from postsched.transfer.keys import RowKeys, row_key
from postsched.transfer.separated import join, split
from tests.transfer.drafts import HOSTILE, QUIET, TEXT, drafts

SIMPLE = Draft(text="Hello", to=("me",), at="now")


def written(posts: Iterable[Draft], fmt: Format) -> bytes:
    out = io.BytesIO()
    write(posts, fmt, out)
    return out.getvalue()


def again(content: bytes, fmt: Format) -> list[Draft]:
    rows = list(read(content, fmt, Path()))
    assert [row.errors for row in rows] == [()] * len(rows)
    return [row.draft for row in rows if row.draft]


@settings(QUIET)
@given(posts=st.lists(drafts(), min_size=1, max_size=4))
@pytest.mark.parametrize("fmt", [Format.JSON, Format.JSON_LINES])
def test_json(fmt: Format, posts: list[Draft]) -> None:
    assert again(written(posts, fmt), fmt) == posts


@settings(QUIET)
@given(posts=st.lists(drafts(part_media=False), min_size=1, max_size=4))
def test_csv(posts: list[Draft]) -> None:
    assert again(written(posts, Format.CSV), Format.CSV) == posts


@settings(QUIET)
@given(post=drafts())
def test_markdown(post: Draft) -> None:
    content = written([post], Format.MARKDOWN)
    assert again(content, Format.MARKDOWN) == [post]
    assert markdown.parse(markdown.dump(post, note="Two\nlines --- of note")) == post


@settings(QUIET)
@given(post=drafts())
def test_each_format_gives_a_row_the_same_key(post: Draft) -> None:
    keys = {
        row_key(again(written([post], fmt), fmt)[0], 1)
        for fmt in (Format.JSON, Format.JSON_LINES, Format.MARKDOWN)
    }
    assert keys == {row_key(post, 1)}


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_everywhere(text: str) -> None:
    post = Draft(
        text=text, to=("me",), at=text, tz=text, comment=text, link=text, title=text, warning=text,
        media=(DraftMedia(path=text, alt=text), DraftMedia(url="https://x/" + text, alt=text)),
        then=(DraftPart(text), DraftPart(text)), variants={"me": text, "work": text}, lang=text,
        tags=(text.strip(),) if text.strip() else (), key=text, grace=text, visibility=text,
    )  # fmt: skip
    for fmt in Format:
        assert again(written([post], fmt), fmt) == [post], fmt


@settings(QUIET)
@given(values=st.lists(TEXT, min_size=1, max_size=5), separator=st.sampled_from("|,"))
def test_values_in_a_cell_come_back(values: list[str], separator: str) -> None:
    assert split(join(values, separator), separator) == values


@pytest.mark.parametrize(
    ("cell", "values"),
    [
        ("", [""]), ("a", ["a"]), ("a|b", ["a", "b"]), ("|", ["", ""]), (r"a\|b", ["a|b"]),
        (r"C:\x\y.png|\\server\z", [r"C:\x\y.png", r"\\server\z"]), (r"C:\\|b", ["C:\\", "b"]),
        (r"a\\\|b", [r"a\|b"]), ("a\\", ["a\\"]), (r"a\nb", [r"a\nb"]),
    ],
)  # fmt: skip
def test_a_backslash_matters_only_before_a_separator(cell: str, values: list[str]) -> None:
    assert split(cell, "|") == values


def test_none_and_one_and_many_posts() -> None:
    for fmt in (Format.JSON, Format.CSV):
        assert again(written([], fmt), fmt) == []
    for fmt in (Format.JSON, Format.JSON_LINES, Format.CSV):
        posts = [Draft(text=f"Post {i}", to=("me",), at="now") for i in range(3)]
        assert again(written(posts, fmt), fmt) == posts


def test_other_programs_read_it() -> None:
    post = Draft(
        text='"Grüße", 🎉\nund Tschüss', to=("me", "work"), at="14:30", title="yes", draft=True,
        media=(DraftMedia(path="a.png", alt="A"), DraftMedia(url="https://x/b")), priority=3,
    )  # fmt: skip
    (found,) = json.loads(written([post], Format.JSON))
    assert found == {
        "text": post.text, "to": ["me", "work"], "at": "14:30", "title": "yes", "priority": 3,
        "media": [{"path": "a.png", "alt": "A"}, {"url": "https://x/b"}], "draft": True,
    }  # fmt: skip
    assert json.loads(written([post], Format.JSON_LINES)) == found
    table = csv.DictReader(io.StringIO(written([post], Format.CSV).decode(), newline=""))
    assert list(table) == [
        {
            "text": post.text, "to": "me,work", "at": "14:30", "title": "yes", "priority": "3",
            "media": "a.png|https://x/b", "alt": "A|", "draft": "true",
        }
    ]  # fmt: skip
    front, body = frontmatter.parse(written([post], Format.MARKDOWN).decode())
    assert body == post.text
    assert front == {name: value for name, value in found.items() if name != "text"}
    assert front["at"] == "14:30", "YAML would read a bare 14:30 as a number"


def test_csv_has_only_the_columns_that_are_used() -> None:
    posts = [SIMPLE, Draft(text="b", to=("me",), at="now", variants={"work": "B"}, lang="de")]
    assert written(posts, Format.CSV) == (
        b"text,to,at,lang,variant:work\r\nHello,me,now,,\r\nb,me,now,de,B\r\n"
    )


def test_csv_values_are_not_touched() -> None:
    content = written([Draft(text="=1+1", to=("me",), at="now", title="@x")], Format.CSV)
    assert content == b"text,to,at,title\r\n=1+1,me,now,@x\r\n"


def test_csv_refuses_what_it_cannot_hold() -> None:
    part = DraftPart("two", (DraftMedia(path="a.png"),))
    with pytest.raises(InvalidInput, match="post 2 has media with a later part"):
        written([SIMPLE, Draft(text="x", to=("me",), at="now", then=(part,))], Format.CSV)


def test_markdown_is_pleasant_to_edit() -> None:
    post = Draft(
        text="Hello\n\nworld", to=("me", "work"), at="14:30", comment="One\nTwo", tags=("a",)
    )
    assert markdown.dump(post, note="Post 12") == (
        "---\n# Post 12\nto:\n- me\n- work\nat: '14:30'\ncomment: |-\n  One\n  Two\ntags:\n- a\n"
        "---\n\nHello\n\nworld\n"
    )


def test_several_posts_are_no_markdown_file() -> None:
    out = io.BytesIO()
    with pytest.raises(InvalidInput, match="one post a file") as caught:
        write([SIMPLE, SIMPLE], Format.MARKDOWN, out)
    assert caught.value.hint
    assert out.getvalue() == b""


def test_a_folder_of_markdown(tmp_path: Path) -> None:
    posts = [
        SIMPLE,
        Draft(text="🎉", to=("me",), at="now"),
        Draft(text="x/../y", to=("me",), at="1"),
    ]
    paths = write_folder(posts, tmp_path / "out")
    assert [p.name for p in paths] == ["0001-hello.md", "0002-post.md", "0003-x-y.md"]
    assert [again(p.read_bytes(), Format.MARKDOWN)[0] for p in paths] == posts
    with pytest.raises(InvalidInput, match=r"0001-hello\.md can't be written: File exists"):
        write_folder(posts, tmp_path / "out")
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match="can't be written"):
        write_folder(posts, tmp_path / "file")


# Keys


def test_a_row_has_its_own_key_or_one_from_its_content() -> None:
    keys = RowKeys()
    assert keys.key(Draft(text="a", key="mine")) == "mine"
    first, second = keys.key(SIMPLE), keys.key(SIMPLE)
    assert first != second
    assert [RowKeys().key(SIMPLE), row_key(SIMPLE, 1), row_key(SIMPLE, 2)] == [first, first, second]


def test_the_order_of_different_rows_does_not_matter() -> None:
    other = Draft(text="Other", to=("me",), at="now")
    one, two = RowKeys(), RowKeys()
    assert {one.key(d) for d in (SIMPLE, other, SIMPLE)} == {
        two.key(d) for d in (SIMPLE, SIMPLE, other)
    }


def test_every_name_goes_into_the_key() -> None:
    changed: list[dict[str, Any]] = [
        {"text": "x"}, {"to": ("x",)}, {"at": "x"}, {"tz": "x"}, {"comment": "x"}, {"link": "x"},
        {"media": (DraftMedia(path="x"),)}, {"media": (DraftMedia(url="https://x"),)},
        {"then": (DraftPart("x"),)}, {"title": "x"}, {"variants": {"me": "x"}}, {"tags": ("x",)},
        {"visibility": "x"}, {"warning": "x"}, {"lang": "x"}, {"missed": "x"}, {"grace": "x"},
        {"catch_up": "x"}, {"priority": 0}, {"draft": True},
    ]  # fmt: skip
    fields: list[dict[str, Any]] = [
        {"text": "Hello", "to": ("me",), "at": "now", **change} for change in changed
    ]
    keys = {row_key(Draft(**field), 1) for field in fields}
    assert len(keys | {row_key(SIMPLE, 1)}) == len(changed) + 1


def test_the_key_is_what_it_was() -> None:
    """A change here would add every file once more that was imported before."""
    assert row_key(SIMPLE, 1) == "row-fe218e38a5311bfde92253eed99454c1-1"


def test_front_matter_is_yaml_as_others_read_it() -> None:
    text = markdown.dump(Draft(text="a", to=("me",), title="2026-12-01"))
    assert yaml.safe_load(text.split("---\n")[1]) == {"to": ["me"], "title": "2026-12-01"}
