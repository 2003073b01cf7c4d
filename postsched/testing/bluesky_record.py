"""What a strict PDS takes as a post: the rules of the lexicon app.bsky.feed.post and its embeds.

Stricter than the lexicon in that unknown members are refused, and that every facet must lie on
whole characters and mark what it says it marks: both are mistakes of a client.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

import regex

COLLECTION = "app.bsky.feed.post"
TID = re.compile("[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}")
MEMBERS = frozenset(
    {"$type", "text", "createdAt", "facets", "embed", "langs", "labels", "reply", "tags"}
)
LABELS = frozenset({"sexual", "nudity", "porn", "graphic-media"})
IMAGE_LIMIT = 2_000_000
THUMB_LIMIT = 1_000_000


class Invalid(Exception):
    """The record breaks a rule, in the server's words."""


def check_post(record: Any) -> None:
    """Raise Invalid unless it is a post."""
    _members(record, {"$type", "text", "createdAt"}, MEMBERS, "record")
    _hold(record["$type"] == COLLECTION, f"$type must be {COLLECTION}")
    text = record["text"]
    _hold(isinstance(text, str), "Record/text must be a string")
    _hold(len(text.encode()) <= 3000, "Record/text must not be longer than 3000 bytes")
    graphemes = len(regex.findall(r"\X", text))
    _hold(graphemes <= 300, "Record/text must not be longer than 300 graphemes")
    _check_time(record["createdAt"])
    langs = record.get("langs", [])
    _hold(isinstance(langs, list) and len(langs) <= 3, "Record/langs must have at most 3 elements")
    _check_labels(record.get("labels"))
    _check_facets(record.get("facets", []), text.encode())
    _check_embed(record.get("embed"))
    _check_reply(record.get("reply"))


def blobs_of(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The blobs a post refers to."""
    return list(_blobs(record.get("embed")))


def alts_of(record: Mapping[str, Any]) -> tuple[str, ...]:
    """The alt texts of a post's pictures."""
    return tuple(picture["alt"] for picture in record.get("embed", {}).get("images", []))


def _blobs(thing: Any) -> Iterator[dict[str, Any]]:
    if isinstance(thing, dict) and thing.get("$type") == "blob":
        yield thing
        return
    for inner in thing.values() if isinstance(thing, dict) else []:
        yield from _blobs(inner)
    for inner in thing if isinstance(thing, list) else []:
        yield from _blobs(inner)


def _hold(rule: bool, words: str) -> None:
    if not rule:
        raise Invalid(words)


def _members(thing: Any, needed: set[str], allowed: frozenset[str] | set[str], where: str) -> None:
    _hold(isinstance(thing, dict), f"{where} must be an object")
    missing, unknown = needed - thing.keys(), thing.keys() - allowed
    _hold(not missing, f"{where} must have the properties {sorted(missing)}")
    _hold(not unknown, f"{where} has the unknown properties {sorted(unknown)}")


def _check_time(text: Any) -> None:
    shape = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    ok = isinstance(text, str) and re.fullmatch(shape, text)
    _hold(bool(ok), "Record/createdAt must be a valid datetime in UTC with milliseconds")
    datetime.fromisoformat(text)


def _check_labels(labels: Any) -> None:
    if labels is None:
        return
    _members(labels, {"$type", "values"}, {"$type", "values"}, "labels")
    _hold(labels["$type"] == "com.atproto.label.defs#selfLabels", "labels must be selfLabels")
    _hold(all(value["val"] in LABELS for value in labels["values"]), "the label is unknown")


def _check_facets(facets: Any, text: bytes) -> None:
    end = 0
    for facet in facets:
        _members(facet, {"index", "features"}, {"index", "features"}, "facet")
        index = facet["index"]
        _members(index, {"byteStart", "byteEnd"}, {"byteStart", "byteEnd"}, "facet/index")
        start, stop = index["byteStart"], index["byteEnd"]
        _hold(end <= start < stop <= len(text), "facets must be in order and inside the text")
        end = stop
        try:
            marked = text[start:stop].decode()
        except UnicodeDecodeError:
            raise Invalid("a facet cuts a character in two") from None
        for feature in facet["features"]:
            _check_feature(feature, marked)


def _check_feature(feature: Any, marked: str) -> None:
    kinds: dict[str, tuple[str, Callable[[str], bool]]] = {
        "app.bsky.richtext.facet#link": ("uri", lambda value: marked == value),
        "app.bsky.richtext.facet#mention": ("did", lambda value: value.startswith("did:")),
        "app.bsky.richtext.facet#tag": ("tag", lambda value: marked[1:] == value),
    }
    _hold(feature.get("$type") in kinds, "the facet is of no known type")
    name, fits = kinds[feature["$type"]]
    _members(feature, {"$type", name}, {"$type", name}, "feature")
    _hold(fits(feature[name]), f"the facet marks {marked!r}, not {feature[name]!r}")


def _check_embed(embed: Any) -> None:
    if embed is None:
        return
    match embed.get("$type"):
        case "app.bsky.embed.images":
            _members(embed, {"$type", "images"}, {"$type", "images"}, "embed")
            count = len(embed["images"])
            _hold(1 <= count <= 4, "Record/embed/images must not have more than 4 elements")
            for picture in embed["images"]:
                _check_picture(picture)
        case "app.bsky.embed.external":
            _members(embed, {"$type", "external"}, {"$type", "external"}, "embed")
            _check_card(embed["external"])
        case _:
            raise Invalid("the embed is of no known type")


def _check_picture(picture: Any) -> None:
    _members(picture, {"image", "alt"}, {"image", "alt", "aspectRatio"}, "image")
    _hold(isinstance(picture["alt"], str), "image/alt must be a string")
    _check_blob(picture["image"], IMAGE_LIMIT)
    if "aspectRatio" in picture:
        ratio = picture["aspectRatio"]
        _members(ratio, {"width", "height"}, {"width", "height"}, "aspectRatio")
        sizes = (ratio["width"], ratio["height"])
        _hold(all(isinstance(size, int) and size >= 1 for size in sizes), "no aspect ratio")


def _check_card(card: Any) -> None:
    needed = {"uri", "title", "description"}
    _members(card, needed, needed | {"thumb"}, "external")
    _hold(all(isinstance(card[name], str) for name in needed), "external must be of strings")
    _hold(bool(re.match(r"https?://[^\s/]", card["uri"])), "external/uri must be a uri")
    if "thumb" in card:
        _check_blob(card["thumb"], THUMB_LIMIT)


def _check_blob(blob: Any, limit: int) -> None:
    names = {"$type", "ref", "mimeType", "size"}
    _members(blob, names, names, "blob")
    _hold(blob["$type"] == "blob", "blob must be of type blob")
    _hold(blob["mimeType"].startswith("image/"), "blob must be an image")
    _hold(blob["size"] <= limit, f"This file is too large. It is {blob['size']} bytes.")


def _check_reply(reply: Any) -> None:
    if reply is None:
        return
    _members(reply, {"root", "parent"}, {"root", "parent"}, "reply")
    for ref in reply.values():
        _members(ref, {"uri", "cid"}, {"uri", "cid"}, "reply")
        _hold(ref["uri"].startswith("at://did:"), "reply must be an at-uri")
