"""Link cards: whatever the page does, there is a card and no error."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterator

import httpx
import pytest

from postsched.platforms.linkcard import PAGE_LIMIT, Card, fetch_card, picture_type
from postsched.testing import Answer, Fault, FaultKind, Loopback, Request, Seen
from postsched.testing.picture import png

HTML = {"Content-Type": "text/html; charset=utf-8"}
PAGE = b"""<head><meta property="og:title" content="A page"><meta property="og:image" content="pic">
<meta property="og:description" content="Words"></head>"""
LIMIT = 1000


class Site(Loopback):
    """A web site: answers by path."""

    publishing = ("POST", "/none")

    def __init__(self) -> None:
        super().__init__()
        self.pages: dict[str, Answer] = {}

    def answer(self, request: Request) -> Answer:
        return self.pages.get(request.path, Answer(404, b"<title>Not found</title>", HTML))

    def posts(self) -> list[Seen]:
        return []


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as server:
        server.pages["/page"] = Answer(200, PAGE, HTML)
        server.pages["/pic"] = Answer(200, png(), {"Content-Type": "image/png"})
        yield server


def card(url: str, timeout: float = 5.0) -> Card:
    async def fetch() -> Card:
        async with httpx.AsyncClient(trust_env=False, timeout=timeout) as http:
            return await fetch_card(url, http, LIMIT)

    return asyncio.run(fetch())


def test_a_card(site: Site) -> None:
    assert card(f"{site.url}/page") == Card("A page", "Words", png(), "image/png")


def test_redirects_are_followed_and_pictures_are_relative_to_their_end(site: Site) -> None:
    site.pages["/short"] = Answer(301, b"", {"Location": "/deep/page"})
    site.pages["/deep/page"] = Answer(200, PAGE, HTML)
    site.pages["/deep/pic"] = Answer(302, b"", {"Location": "/pic"})
    assert card(f"{site.url}/short") == Card("A page", "Words", png(), "image/png")


def test_packed_pages_are_read(site: Site) -> None:
    site.pages["/page"] = Answer(200, gzip.compress(PAGE), {**HTML, "Content-Encoding": "gzip"})
    assert card(f"{site.url}/page").title == "A page"


def test_only_the_beginning_of_a_long_page_counts(site: Site) -> None:
    site.pages["/page"] = Answer(200, PAGE + b"x" * 3 * PAGE_LIMIT, HTML)
    assert card(f"{site.url}/page").title == "A page"
    site.pages["/page"] = Answer(200, b" " * PAGE_LIMIT + PAGE, HTML)
    assert card(f"{site.url}/page") == Card()


@pytest.mark.parametrize(
    "picture",
    [
        Answer(200, png() + b"x" * LIMIT),
        Answer(200, b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        Answer(200, b""),
        Answer(404, png()),
        Answer(302, b"", {"Location": "ftp://example.com/"}),
        Answer(302, b"", {"Location": "/pic"}),
    ],
    ids=["too large", "SVG", "empty", "missing", "elsewhere", "loop"],
)
def test_a_picture_that_is_none_is_left_out(site: Site, picture: Answer) -> None:
    site.pages["/pic"] = picture
    assert card(f"{site.url}/page") == Card("A page", "Words")


def test_a_picture_of_the_largest_size_is_kept(site: Site) -> None:
    largest = png() + b"x" * (LIMIT - len(png()))
    site.pages["/pic"] = Answer(200, largest)
    assert card(f"{site.url}/page").picture == largest


@pytest.mark.parametrize(
    "address", ["http://[", "javascript:x", "data:image/png;base64,x", "//", "\x00"]
)
def test_a_picture_nowhere_is_left_out(site: Site, address: str) -> None:
    page = f'<title>t</title><meta property="og:image" content="{address}">'
    site.pages["/page"] = Answer(200, page.encode(), HTML)
    assert card(f"{site.url}/page").title == "t"


@pytest.mark.parametrize("path", ["/missing", "/json", "/broken"])
def test_a_page_that_is_none_gives_an_empty_card(site: Site, path: str) -> None:
    site.pages["/json"] = Answer(200, {"title": "no"})
    site.pages["/broken"] = Answer(200, b"no gzip", {**HTML, "Content-Encoding": "gzip"})
    assert card(f"{site.url}{path}") == Card()


def test_what_a_card_lacks_is_told(site: Site) -> None:
    assert card(f"{site.url}/page").lacking == ""
    gone = f"the link card has no title and no picture: {site.url}/gone was not read: HTTP 404"
    assert card(f"{site.url}/gone").lacking == gone
    site.pages["/json"] = Answer(200, {"title": "no"})
    assert card(f"{site.url}/json").lacking.endswith("was not read: it is no web page")
    site.pages["/pic"] = Answer(200, png() + b"x" * LIMIT)
    lacking = f"the link card has no picture: that of {site.url}/page was not read: it has more"
    assert card(f"{site.url}/page").lacking == f"{lacking} than {LIMIT} bytes"
    site.program(Fault(FaultKind.HANG))
    assert card(f"{site.url}/page", timeout=0.3).lacking.endswith("no answer in time")


@pytest.mark.parametrize("kind", [FaultKind.RESET, FaultKind.HANG, FaultKind.TRUNCATED])
def test_a_site_that_fails_gives_an_empty_card(site: Site, kind: FaultKind) -> None:
    site.program(Fault(kind))
    assert card(f"{site.url}/page", timeout=0.3) == Card()


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:1/", "http://[", "gopher://x", "", "http://x y/"],
)
def test_an_address_that_is_none_gives_an_empty_card(url: str) -> None:
    assert card(url) == Card()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (png(), "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x10\x00\x00\x00WAVEfmt ", ""),
        (b"<html>", ""),
        (b"", ""),
    ],
)
def test_pictures_are_known_by_how_they_begin(content: bytes, kind: str) -> None:
    assert picture_type(content) == kind
