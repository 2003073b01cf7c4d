"""The outbox's page: one HTML file that works from the disk, without scripts, by day and night.

Everything that comes from a post is escaped; the page's own policy forbids scripts besides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from urllib.parse import quote, urlsplit

from postsched.platforms.outbox.document import Entry
from postsched.platforms.outbox.thread import Thread

NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
"""What neither XML 1.0 (section 2.2) nor HTML lets stand in a text."""
ADDRESS = re.compile(r"https?://[^\s<>\"'`\x00-\x20]+[^\s<>\"'`.,;:!?)\]}\x00-\x20]")
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; "
    "img-src file: http: https:; media-src file: http: https:"
)


def page(threads: list[Thread]) -> bytes:
    """The page of these threads, newest first."""
    style = files("postsched.platforms.outbox").joinpath("page.css").read_text("utf-8")
    shown = "\n".join(_article(thread) for thread in threads)
    empty = '<p class="none">Nothing is out yet. Posts appear here as they are published.</p>'
    html = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="referrer" content="no-referrer">
<title>Outbox</title>
<link rel="alternate" type="application/atom+xml" title="Outbox" href="feed.xml">
<style>
{style}</style>
</head>
<body>
<header><h1>Outbox</h1><nav><a href="feed.xml">Atom feed</a></nav></header>
<main>
{shown or empty}
</main>
</body>
</html>
"""
    return html.encode()


def body(entry: Entry) -> str:
    """What a post says, as HTML: title, warning, text, link and media."""
    text = f'<div class="text">{_paragraphs(entry.text)}</div>' if entry.text.strip() else ""
    inner = text + _gallery(entry.media) + _card(entry)
    if entry.warning:
        summary = _plain(entry.warning)
        inner = f'<details><summary dir="auto">{summary}</summary>{inner}</details>'
    title = f'<h2 dir="auto">{_plain(entry.title)}</h2>' if entry.title else ""
    return title + inner


def visible(text: str) -> str:
    """The text with a sign in place of every character that no document may hold."""
    return NOT_TEXT.sub("\ufffd", text)


def web_address(text: str | None) -> str | None:
    """The address if it is one of the web, so that no other scheme ever gets into a link."""
    try:
        good = text and urlsplit(text).scheme in ("http", "https")
    except ValueError:
        return None
    return text if good else None


def _article(thread: Thread) -> str:
    parts = "\n".join(_part(entry, i) for i, entry in enumerate(thread.entries))
    kind = ' class="thread"' if len(thread.entries) > 1 else ""
    return f"<article{kind}>\n{parts}\n</article>"


def _part(entry: Entry, index: int) -> str:
    lang = f' lang="{_plain(entry.lang)}"' if entry.lang else ""
    head = _head(entry) if index == 0 else _small_head(entry)
    kind = ' class="comment"' if entry.comment else ""
    return f'<section id="{_plain(entry.stem)}"{kind}{lang}>{head}{body(entry)}</section>'


def _head(entry: Entry) -> str:
    marks = "".join(f'<span class="tag">{_plain(tag)}</span>' for tag in entry.tags)
    if entry.visibility and entry.visibility != "public":
        marks = f'<span class="seen">{_plain(entry.visibility)}</span>' + marks
    who = f'<b dir="auto">{_plain(entry.account)}</b>'
    return f'<p class="head" lang="en">{who}{_time(entry)}{marks}</p>'


def _small_head(entry: Entry) -> str:
    what = "comment" if entry.comment else str(entry.part)
    return f'<p class="head" lang="en"><a class="n" href="#{_plain(entry.stem)}">{what}</a></p>'


def _time(entry: Entry) -> str:
    words = f"{entry.date.day} {entry.date:%B %Y, %H:%M} UTC"
    moment = entry.date.isoformat().replace("+00:00", "Z")
    return f'<a href="#{_plain(entry.stem)}"><time datetime="{moment}">{words}</time></a>'


def _paragraphs(text: str) -> str:
    blocks = re.split(r"\n[ \t]*\n\s*", text.replace("\r\n", "\n").strip("\n"))
    return "".join(f'<p dir="auto">{_linked(block)}</p>' for block in blocks)


def _linked(text: str) -> str:
    pieces = []
    end = 0
    for match in ADDRESS.finditer(text):
        address = match.group()
        pieces.append(_plain(text[end : match.start()]))
        good = web_address(address)
        pieces.append(_anchor(address, address) if good else _plain(address))
        end = match.end()
    return "".join(pieces) + _plain(text[end:])


def _anchor(address: str, words: str, kind: str = "") -> str:
    return f'<a{kind} href="{_plain(address)}" rel="noopener">{_plain(words)}</a>'


def _card(entry: Entry) -> str:
    address = web_address(entry.link)
    if not address or address in entry.text:
        return ""
    parts = urlsplit(address)
    path = _plain(parts.path.rstrip("/"))
    inner = f"<b>{_plain(parts.netloc.rsplit('@', 1)[-1])}</b><span>{path}</span>"
    return f'<a class="card" href="{_plain(address)}" rel="noopener">{inner}</a>'


def _gallery(media: tuple[Mapping[str, str], ...]) -> str:
    shown = "".join(_figure(item) for item in media)
    return f'<div class="media n{min(len(media), 4)}">{shown}</div>' if shown else ""


def _figure(item: Mapping[str, str]) -> str:
    address = web_address(item.get("url")) or (quote(item["file"]) if item.get("file") else None)
    if not address:
        return ""
    source, alt, kind = _plain(address), _plain(item.get("alt", "")), item.get("type", "")
    label = f' aria-label="{alt}"' if alt else ""
    if kind.startswith("video/"):
        return f'<video controls preload="metadata" src="{source}"{label}></video>'
    if kind.startswith("audio/"):
        return f'<audio controls preload="metadata" src="{source}"{label}></audio>'
    if kind.startswith("image/") or not kind:
        return (
            f'<a href="{source}"><img src="{source}" alt="{alt}" title="{alt}" loading="lazy"></a>'
        )
    return f'<a class="file" href="{source}">{alt or _plain(address.rsplit("/", 1)[-1])}</a>'


def _plain(text: str) -> str:
    return escape(visible(text))
