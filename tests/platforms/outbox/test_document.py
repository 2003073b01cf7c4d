"""A post as a Markdown file: whatever it says comes back, and others can read it."""

from __future__ import annotations

import frontmatter
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postsched.platforms.outbox.document import key_of, read, write

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.sampled_from(
    [
        "---", "\n---\n", "a\n---\nb", "\r\n---\r\n", "yes", "null", "2026-12-01", "14:30", "- a",
        "{a: b}", "# no comment", "'", '"', "\\", "\x00\x07\x1b[31m", "\x85", "\u2028", "\ufeff",
        "🎉", " leading", "trailing ", "key: value", "!!python/object:os.system", "&a *a", "%TAG",
        "@x", "`",
    ]
)  # fmt: skip
FIELDS = {"date": "2026-12-01T09:00:00.25Z", "account": "me", "key": "0" * 64, "part": 3}


@settings(deadline=None)
@given(text=TEXT, title=TEXT, tags=st.lists(TEXT, max_size=3), alt=TEXT)
def test_everything_comes_back(text: str, title: str, tags: list[str], alt: str) -> None:
    fields = {**FIELDS, "title": title, "tags": tags, "media": [{"file": "media/a", "alt": alt}]}
    entry = read("stem", write(fields, text))
    assert entry is not None
    assert (entry.text, entry.title or "", list(entry.tags)) == (text, title, tags)
    assert entry.media == ({"file": "media/a", "alt": alt},)
    assert (entry.account, entry.key, entry.part) == ("me", "0" * 64, 3)
    assert entry.date.isoformat() == "2026-12-01T09:00:00.250000+00:00"


@settings(deadline=None)
@given(text=TEXT, title=TEXT)
def test_other_programs_read_it_too(text: str, title: str) -> None:
    post = frontmatter.loads(write({**FIELDS, "title": title}, text).decode())
    assert post["title"] == title
    assert post["date"] == FIELDS["date"]
    assert post["part"] == 3
    assert post.content.strip() == text.replace("\r\n", "\n").strip()  # as that library does


def test_the_file_is_calm_to_read() -> None:
    content = write({**FIELDS, "title": "Grüße 🎉", "link": None}, "Hello\n\nworld").decode()
    assert content == (
        "---\n"
        "date: '2026-12-01T09:00:00.25Z'\n"
        "account: me\n"
        "key: '" + "0" * 64 + "'\n"
        "part: 3\n"
        "title: Grüße 🎉\n"
        "---\n"
        "\n"
        "Hello\n\nworld\n"
    )


def test_a_file_edited_by_hand_is_still_read() -> None:
    entry = read(
        "s", b"---\ndate: 2026-12-01\ntitle: 12\ntags: none\nmedia: [a, {file: b}]\n---\nx"
    )
    assert entry is not None
    assert (entry.title, entry.tags, entry.media, entry.text) == ("12", (), ({"file": "b"},), "x")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"text",
        b"---\n",
        b"---\ntext\n---\n",
        b"---\na: [\n---\n",
        b"\xff",
        b"---\na: b\n---\n",
    ],
)
def test_what_is_not_ours_is_none(content: bytes) -> None:
    assert read("s", content) is None
    assert key_of(content) is None
