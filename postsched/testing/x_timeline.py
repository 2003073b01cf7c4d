"""Posts as a loopback X gives them back: with t.co addresses, and signs as HTML."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape
from typing import Any

from postsched.domain.weblinks import links
from postsched.testing.x_state import USERNAME, Post


def row(post: Post, query: Mapping[str, str], words: str) -> dict[str, Any]:
    """A post with the fields that were asked for. The new vocabulary has what it refers to
    among the expansions."""
    fields = set(query.get(f"{words}.fields", "").split(","))
    asked = fields | set(query.get("expansions", "").split(","))
    whole = _shown(post)
    text = whole["text"]
    row: dict[str, Any] = {"id": post.id, f"edit_history_{words}_ids": [post.id]}
    long = len(text) > 280
    row["text"] = f"{text[:270]}…" if long else text
    if f"note_{words}" in fields and long:
        row[f"note_{words}"] = whole
    if "entities" in fields and not long:
        row["entities"] = whole["entities"]
    if "created_at" in fields:
        row["created_at"] = _iso(post.at)
    if "conversation_id" in fields:
        row["conversation_id"] = post.conversation
    if f"referenced_{words}s" in asked and post.parent:
        row[f"referenced_{words}s"] = [{"type": "replied_to", "id": post.parent}]
    return row


def _shown(post: Post) -> dict[str, Any]:
    """The text as X gives it back: links and media as t.co addresses, signs as HTML."""
    pieces, urls, at = [], [], 0
    for n, link in enumerate(links(post.text)):
        address = post.text[link.start : link.end]
        whole = address if "://" in address else f"http://{address}"
        short = f"https://t.co/{post.id[-6:]}{n}"
        urls.append({"url": short, "expanded_url": whole, "display_url": address})
        pieces += [escape(post.text[at : link.start], quote=False), short]
        at = link.end
    text = "".join([*pieces, escape(post.text[at:], quote=False)])
    if post.media:
        short = f"https://t.co/{post.id[-6:]}m"
        page = f"https://x.com/{USERNAME}/status/{post.id}/photo/1"
        urls.append({"url": short, "expanded_url": page, "display_url": "pic.x.com/abc"})
        text = f"{text} {short}".strip()
    return {"text": text, "entities": {"urls": urls} if urls else {}}


def _iso(at: int) -> str:
    moment = datetime.fromtimestamp(at / 10**9, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
