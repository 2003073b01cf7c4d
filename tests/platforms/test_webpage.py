"""What a page says of itself, whoever wrote it."""

from __future__ import annotations

import time

import pytest

from postsched.platforms.webpage import (
    DESCRIPTION_LIMIT,
    TITLE_LIMIT,
    Page,
    decode,
    read_page,
)


def test_open_graph_comes_first() -> None:
    html = """<!DOCTYPE html><html><head><title>Plain</title>
    <meta name="description" content="plain words"><meta name="twitter:title" content="Twitter">
    <meta property="og:title" content="Open &amp; Graph">
    <meta content='its "words"' property='og:description'/>
    <meta property=og:image content=/picture.png></head>"""
    assert read_page(html) == Page("Open & Graph", 'its "words"', "/picture.png")


def test_plain_html_will_do() -> None:
    html = (
        '<TITLE lang="en">\n A  title\n of two lines </TITLE><META NAME=Description CONTENT=words>'
    )
    assert read_page(html) == Page("A title of two lines", "words")


def test_the_first_statement_counts() -> None:
    html = (
        '<meta property="og:title" content=" "><meta property="og:title" content="one">'
        '<meta property="og:title" content="two">'
    )
    assert read_page(html).title == "one"


def test_a_greater_sign_in_an_attribute() -> None:
    assert read_page('<meta property="og:title" content="a > b < c">').title == "a > b < c"


@pytest.mark.parametrize(
    "html",
    [
        '<!-- <meta property="og:title" content="no"> -->',
        '<script>x = \'<meta property="og:title" content="no">\'</script>',
        '<style><meta property="og:title" content="no"></style>',
        '</head><meta property="og:title" content="no">',
        '<body><meta property="og:title" content="no">',
        '<!-- never closed <meta property="og:title" content="no">',
    ],
)
def test_what_is_not_in_the_head_does_not_count(html: str) -> None:
    assert read_page(html) == Page()


def test_words_are_one_line_of_plain_text() -> None:
    page = read_page('<meta property="og:title" content="a\x00b&#10;c\u202ed\u200b &lt;b&gt;">')
    assert page.title == "a b c d <b>"


def test_long_words_are_cut() -> None:
    html = f'<title>{"t" * 5000}</title><meta name=description content="{"d" * 5000}">'
    page = read_page(html)
    assert (len(page.title), len(page.description)) == (TITLE_LIMIT, DESCRIPTION_LIMIT)


@pytest.mark.parametrize(
    "html",
    [
        "",
        "<",
        "<meta",
        "<title>",
        "<title>x",
        '<meta content="',
        "<meta =",
        "<meta / / = >",
        "</title>",
        "\x00\x01\x02",
        "<meta property=og:title>",
        "<meta content=x>",
        '<meta property="og:title" content=>',
    ],
)
def test_broken_pages_say_little(html: str) -> None:
    assert read_page(html).picture == ""


@pytest.mark.parametrize(
    "piece",
    [
        "<",
        "<meta ",
        "<meta a='",
        '<meta a="b" ',
        "<!--",
        "<!-->",
        "<script>",
        "<title>",
        "<title><",
        "a=",
        "<meta " + "a" * 100,
        "<meta  \n/",
        "&#x",
        "<meta property=og:title content=&",
        " " * 50,
    ],
)
def test_hostile_pages_take_no_time(piece: str) -> None:
    html = piece * (1_000_000 // len(piece))
    start = time.process_time()
    read_page(html)
    read_page("<meta " + html)
    read_page("<title>" + html)
    assert time.process_time() - start < 3


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("é".encode(), "text/html; charset=utf-8"),
        ("é".encode("latin-1"), "text/html; charset=ISO-8859-1"),
        ("é".encode(), "text/html"),
        ("<meta charset=windows-1252>é".encode("cp1252"), "text/html"),
        (b"<meta content='text/html; charset=euc-jp'>" + "é".encode("euc-jp"), ""),
        ("é".encode("utf-16"), 'text/html; charset="utf-16"'),
        ("é".encode(), "text/html; charset=nonsense"),
        ("é".encode(), "text/html; charset=punycode"),
        ("é".encode(), "text/html; charset=hex"),
        ("é".encode(), "text/html; charset=utf\u00e9"),
    ],
)
def test_pages_are_read_in_their_encoding(content: bytes, kind: str) -> None:
    assert decode(content, kind).endswith("é")


def test_bytes_that_are_no_text_are_replaced() -> None:
    assert decode(b"a\xffb") == "a\ufffdb"
    assert decode(b"\x80", "text/html; charset=shift_jis")
