"""What a loopback Threads takes for a container, and what not (fact sheet, sections 3 and 4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from postsched.testing.graph import Container, Refusal, invalid, known

FIELDS = {
    "access_token", "media_type", "text", "image_url", "video_url", "alt_text", "reply_to_id",
    "is_carousel_item", "children", "link_attachment", "reply_control", "topic_tag",
}  # fmt: skip
LINKS = re.compile(r"https?://\S+")
FAILURES = re.compile(r"(invalid_\w+|failed_\w+|unknown)\.(?:mp4|mov)", re.I)


def check(form: Mapping[str, str], containers: Mapping[str, Container], now: int) -> None:
    """Refuse what can't become a container; `containers` are those there are."""
    known(form, FIELDS)
    match form.get("media_type"):
        case "TEXT":
            _check_words(form)
        case "IMAGE":
            _check_media(form, "image_url", {"", ".jpg", ".jpeg", ".png"})
        case "VIDEO":
            _check_media(form, "video_url", {"", ".mp4", ".mov"})
        case "CAROUSEL":
            _check_carousel(form, containers, now)
        case _:
            raise invalid("media_type must be TEXT, IMAGE, VIDEO or CAROUSEL")
    _check_text(form)


def failure(form: Mapping[str, str]) -> str:
    """What will be wrong with a film, by its name; empty for nothing."""
    found = FAILURES.search(form.get("video_url", ""))
    return found[1].upper() if found else ""


def length(text: str) -> int:
    """As the sheet counts: one for each code point, but the bytes of an emoji."""
    return sum(len(char.encode()) if char >= "\U0001f000" else 1 for char in text)


def children(form: Mapping[str, str]) -> list[str]:
    return [one for one in form.get("children", "").split(",") if one]


def _check_text(form: Mapping[str, str]) -> None:
    text = form.get("text", "")
    if length(text) > 500:
        raise invalid("text must be at most 500 characters")
    links = set(LINKS.findall(text)) | {form.get("link_attachment", "")} - {""}
    if len(links) > 5:
        raise Refusal(100, None, "THREADS_API__LINK_LIMIT_EXCEEDED")
    if len(form.get("alt_text", "")) > 1000:
        raise invalid("alt_text must be at most 1000 characters")


def _check_words(form: Mapping[str, str]) -> None:
    if not form.get("text", "").strip():
        raise invalid("text is required")
    if {"image_url", "video_url", "children", "alt_text", "is_carousel_item"} & set(form):
        raise invalid("a TEXT has no media")


def _check_media(form: Mapping[str, str], name: str, suffixes: set[str]) -> None:
    if {"link_attachment", "children"} & set(form):
        raise invalid("link_attachment goes with TEXT only")
    url = form.get(name, "")
    address = urlsplit(url)
    if address.scheme not in ("https", "http") or "missing" in address.path:
        raise Refusal(
            9004, 2207052, "Only photo or video can be accepted as media type.",
            error_user_msg="The media could not be fetched from this URI",
        )  # fmt: skip
    if PurePosixPath(address.path).suffix.lower() not in suffixes:
        raise Refusal(36001, 2207005, "The image format is not supported")


def _check_carousel(form: Mapping[str, str], containers: Mapping[str, Container], now: int) -> None:
    ids = children(form)
    if not 2 <= len(ids) <= 20:
        raise invalid("a carousel has 2 to 20 children")
    for one in ids:
        child = containers.get(one)
        if child is None or child.form.get("is_carousel_item") != "true":
            raise invalid(f"{one} is no carousel item")
        if child.look(now) != "FINISHED":
            raise Refusal(9007, 2207027, "Media ID is not available")
