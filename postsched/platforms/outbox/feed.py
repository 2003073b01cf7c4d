"""The outbox's feed, Atom 1.0 (RFC 4287)."""

from __future__ import annotations

import re
import uuid
from xml.etree import ElementTree as ET

from postsched.domain.post import Visibility
from postsched.platforms.outbox.document import Entry
from postsched.platforms.outbox.page import body, visible, web_address
from postsched.platforms.outbox.thread import Thread

ATOM = "http://www.w3.org/2005/Atom"
XML = "http://www.w3.org/XML/1998/namespace"
LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
HIDDEN = {Visibility.FOLLOWERS.value, Visibility.DIRECT.value}
EPOCH = "1970-01-01T00:00:00Z"
TITLE_LENGTH = 80


def feed(threads: list[Thread], url: str, identity: str) -> bytes:
    """The feed of `threads`, newest first, one entry a thread. `url` is the page's address,
    `identity` what makes this feed's id: the same as long as the folder stays where it is."""
    ET.register_namespace("", ATOM)
    base = url.rsplit("/", 1)[0] + "/"
    open_to_all = [t for t in threads if t.first.visibility not in HIDDEN]
    root = _node(None, "feed", {f"{{{XML}}}base": base})
    _node(root, "id", text=uuid.uuid5(uuid.NAMESPACE_URL, identity).urn)
    _node(root, "title", text="Outbox")
    _node(root, "updated", text=max((_updated(t) for t in open_to_all), default=EPOCH))
    _node(root, "link", {"rel": "self", "type": "application/atom+xml", "href": f"{base}feed.xml"})
    _node(root, "link", {"rel": "alternate", "type": "text/html", "href": url})
    _node(root, "generator", text="postsched")
    for thread in open_to_all:
        _entry(root, thread, url)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode()


def _entry(root: ET.Element, thread: Thread, url: str) -> None:
    first = thread.first
    lang = first.lang if first.lang and LANGUAGE.fullmatch(first.lang) else None
    entry = _node(root, "entry", {f"{{{XML}}}lang": lang} if lang else {})
    _node(entry, "id", text=_id(first))
    _node(entry, "title", text=_title(first))
    _node(entry, "published", text=_time(first))
    _node(entry, "updated", text=_updated(thread))
    _node(_node(entry, "author"), "name", text=first.account or "postsched")
    _node(entry, "link", {"rel": "alternate", "type": "text/html", "href": f"{url}#{first.stem}"})
    if link := web_address(first.link):
        _node(entry, "link", {"rel": "related", "href": link})
    for tag in first.tags:
        _node(entry, "category", {"term": tag})
    html = "\n".join(body(part) for part in thread.entries)
    _node(entry, "content", {"type": "html"}, html)


def _node(
    parent: ET.Element | None, name: str, fields: dict[str, str] | None = None, text: str = ""
) -> ET.Element:
    clean = {key: visible(value) for key, value in (fields or {}).items()}
    tag = f"{{{ATOM}}}{name}"
    node = ET.Element(tag, clean) if parent is None else ET.SubElement(parent, tag, clean)
    node.text = visible(text) or None
    return node


def _id(entry: Entry) -> str:
    """The entry's id: from the key, so it outlives a move to another address."""
    return uuid.uuid5(uuid.NAMESPACE_OID, entry.key or entry.stem).urn


def _title(entry: Entry) -> str:
    """The title, else the first words (RFC 4287 wants one in every entry)."""
    words = entry.title or entry.warning or entry.text
    line = " ".join(words.split())
    if len(line) > TITLE_LENGTH:
        line = line[:TITLE_LENGTH].rsplit(" ", 1)[0] + "…"
    return line or f"{entry.date:%d %b %Y, %H:%M} UTC"


def _time(entry: Entry) -> str:
    return entry.date.isoformat().replace("+00:00", "Z")


def _updated(thread: Thread) -> str:
    return max(_time(entry) for entry in thread.entries)
