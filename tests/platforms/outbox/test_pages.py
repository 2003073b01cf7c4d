"""The page and the feed: valid, everything escaped, the newest first."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from postsched.domain.post import Media, Visibility
from postsched.platforms.base import Attachment
from postsched.platforms.outbox.document import Entry
from postsched.platforms.outbox.feed import ATOM, feed
from postsched.platforms.outbox.page import page, web_address
from postsched.platforms.outbox.thread import Thread
from tests.platforms.outbox.sending import NINE, login_to, publish, send, step

NS = {"a": ATOM}
HOSTILE = [
    "<script>alert(1)</script>", "]]>", "<![CDATA[x]]>", "--><!--", "&amp;&lt;", "---",
    "\"'><img src=x onerror=y>", "\x00\x01\x08\x0b\x1f\x7f\ufffe", "</title></style></article>",
    "{{x}} {% y %}", "javascript:alert(1)", "\u202e reversed", "https://example.org/\"onclick='x'",
    "http://[", "data:text/html,x", "\x1b[31m",
]  # fmt: skip
TEXT = st.text(max_size=40) | st.sampled_from(HOSTILE)
ALLOWED = {
    "html", "head", "meta", "title", "link", "style", "body", "header", "h1", "nav", "a", "main",
    "article", "section", "p", "b", "time", "span", "h2", "div", "details", "summary", "img",
    "video", "audio",
}  # fmt: skip


class Tags(HTMLParser):
    """The elements of a page, and its links."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.shown = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ALLOWED, tag
        assert not any(name.startswith("on") for name, _ in attrs), attrs
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag not in ("meta", "link", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.shown += data


def entries(root: ET.Element) -> list[ET.Element]:
    return root.findall("a:entry", NS)


def words(node: ET.Element, name: str) -> str:
    found = node.find(f"a:{name}", NS)
    assert found is not None, name
    return found.text or ""


@settings(deadline=None)
@given(text=TEXT, title=TEXT, tag=TEXT, link=TEXT, alt=TEXT, warning=TEXT, lang=TEXT, account=TEXT)
def test_hostile_words_stay_words(
    text: str, title: str, tag: str, link: str, alt: str, warning: str, lang: str, account: str
) -> None:
    assume(tag not in list(Visibility))  # what is not for all is not in the feed
    media = ({"file": f"media/{alt}", "alt": alt, "type": "image/png"}, {"url": link, "type": tag})
    entry = Entry(
        "20261201T090000Z-0123456789ab", text, NINE, account, "0" * 64, 1, False, None,
        title, link, lang, warning, tag, (tag,), media,
    )  # fmt: skip
    tags = Tags(page([Thread((entry, entry))]).decode())
    assert tags.open == []
    for address in tags.links:
        assert address.startswith(("#", "media/", "feed.xml", "http://", "https://")), address
    root = ET.fromstring(feed([Thread((entry,))], "https://blog.example/", "file:///x"))
    assert len(entries(root)) == 1
    Tags(words(entries(root)[0], "content"))


def test_the_words_are_all_there(tmp_path: Path) -> None:
    text = "a < b && c > d \"e\" 'f' 🎉"
    publish(login_to(tmp_path), step(text, title=text, warning=text))
    assert Tags((tmp_path / "index.html").read_text("utf-8")).shown.count(text) == 3


def test_the_feed_is_atom(tmp_path: Path) -> None:
    login = login_to(tmp_path, "https://blog.example")
    messages = [step(f"Post {i}", f"{i}", NINE + timedelta(minutes=i)) for i in range(60)]
    publish(login, *messages)
    root = ET.parse(tmp_path / "feed.xml").getroot()
    assert root.tag == f"{{{ATOM}}}feed"
    assert words(root, "updated") == "2026-12-01T09:59:00Z"
    links = {link.get("rel"): link.get("href") for link in root.findall("a:link", NS)}
    assert links == {"self": "https://blog.example/feed.xml", "alternate": "https://blog.example/"}
    assert [words(e, "title") for e in entries(root)] == [f"Post {i}" for i in range(59, 9, -1)]
    for name in ("id", "title", "updated", "published", "content"):
        assert all(words(e, name) for e in entries(root))
    assert len({words(e, "id") for e in entries(root)}) == 50
    assert words(entries(root)[0], "id").startswith("urn:uuid:")


def test_the_feed_says_the_same_when_made_again(tmp_path: Path) -> None:
    publish(login_to(tmp_path), step("Hello"))
    first = (tmp_path / "feed.xml").read_bytes()
    publish(login_to(tmp_path), step("Hello"))
    assert (tmp_path / "feed.xml").read_bytes() == first


def test_an_empty_outbox_has_both(tmp_path: Path) -> None:
    publish(login_to(tmp_path))
    assert "Nothing is out yet" in (tmp_path / "index.html").read_text()
    assert entries(ET.parse(tmp_path / "feed.xml").getroot()) == []


@pytest.mark.parametrize("visibility", [Visibility.FOLLOWERS, Visibility.DIRECT])
def test_what_is_not_for_all_is_not_in_the_feed(tmp_path: Path, visibility: Visibility) -> None:
    publish(login_to(tmp_path), step("Between us", visibility=visibility))
    assert "Between us" in (tmp_path / "index.html").read_text()
    assert visibility.value in (tmp_path / "index.html").read_text()
    assert "Between us" not in (tmp_path / "feed.xml").read_text()


def test_a_thread_is_one_article_and_one_entry(tmp_path: Path) -> None:
    login = login_to(tmp_path)
    publish(login, step("Older", "older", NINE - timedelta(hours=1)))

    async def scene() -> None:
        first = await send(step("One", "1", title="Counting"), login)
        second = await send(step("Two", "2", n=2), login, first, first)
        await send(step("Three", "3", n=3), login, first, second)

    asyncio.run(scene())
    html = (tmp_path / "index.html").read_text()
    assert html.count("<article") == 2
    assert html.index("One") < html.index("Two") < html.index("Three") < html.index("Older")
    found = entries(ET.parse(tmp_path / "feed.xml").getroot())
    assert [words(e, "title") for e in found] == ["Counting", "Older"]
    assert all(word in words(found[0], "content") for word in ("One", "Two", "Three"))


def test_media_is_shown_with_its_alt_text(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"x")
    kinds = ["image/png", "video/mp4", "audio/mpeg", "application/pdf"]
    attachments = tuple(Attachment(Media(path="f", alt=f"A {k}", type=k), file) for k in kinds)
    login = login_to(tmp_path / "out")
    publish(login, step("Look", attachments=attachments))
    html = (tmp_path / "out/index.html").read_text()
    assert 'alt="A image/png"' in html
    assert 'aria-label="A video/mp4"' in html
    assert 'aria-label="A audio/mpeg"' in html
    assert ">A application/pdf</a>" in html
    shown = [link for link in Tags(html).links if link.startswith("media/")]
    assert shown
    assert all((tmp_path / "out" / link).is_file() for link in shown)


@pytest.mark.parametrize(
    ("address", "good"),
    [
        ("https://example.org/", True), ("HTTP://example.org", True), ("http://[", False),
        ("javascript:alert(1)", False), ("file:///etc/passwd", False), ("//example.org", False),
        ("", False), (None, False),
    ],
)  # fmt: skip
def test_only_the_web_is_linked(address: str | None, good: bool) -> None:
    assert web_address(address) == (address if good else None)


def test_addresses_in_the_text_become_links(tmp_path: Path) -> None:
    publish(login_to(tmp_path), step("See https://example.org/a?b=1&c=2, (http://x.example/y)."))
    links = Tags((tmp_path / "index.html").read_text()).links
    assert "https://example.org/a?b=1&c=2" in links
    assert "http://x.example/y" in links
