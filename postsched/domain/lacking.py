"""What a network lacks, or does in a way of its own: what is left out of a post or done differently
there, and what happens instead.

What would change the meaning of the post is refused: a thread where there are none, a warning or a
circle of readers that would be gone. The rest is left out or done differently, and is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from postsched.domain.capabilities import Capabilities
from postsched.domain.post import Content, Media, Part, Visibility

HASHTAG = re.compile(r"(?<![\w/&#])#\w*[^\W\d_]\w*")
MENTION = re.compile(r"(?<![\w/.])@\w")
FILMS = (".mp4", ".mov", ".m4v", ".qt", ".webm")
"""How the addresses of films end."""

Found = Iterator[tuple[str, str, bool]]
"""Field, sentence, whether it is fatal."""


def lacking(content: Content, parts: tuple[Part, ...], can: Capabilities, account: str) -> Found:
    """Everything of the post that the account's network has not, or has otherwise."""
    yield from _thread(parts, can, account)
    yield from _comment(content, can, account)
    yield from _readers(content, can)
    yield from _warning(content, can)
    yield from _title(content, parts, can)
    if content.lang and not can.languages:
        yield "lang", "the language is left out: it can't be told there", False
    yield from _link(content, parts, can)
    for part in parts:
        for medium in part.media:
            yield from _alt(medium, can)
    for use, field in _uses(content, parts):
        if use in can.ways:
            yield field, can.ways[use], False


def _thread(parts: tuple[Part, ...], can: Capabilities, account: str) -> Found:
    if len(parts) > 1 and not can.thread:
        yield (
            "then",
            (
                f"it has {len(parts)} parts, and there are no threads: give it one text of its own "
                f"with --for {account}=TEXT"
            ),
            True,
        )


def _comment(content: Content, can: Capabilities, account: str) -> Found:
    if content.comment is not None and can.comment is None:
        yield (
            "comment",
            (
                "a first comment is not possible, and what it says would be missing: "
                f"post to {account} without it, with those words in the text"
            ),
            True,
        )


def _readers(content: Content, can: Capabilities) -> Found:
    wanted, offered = content.visibility, can.visibilities
    if wanted is None or wanted in offered:
        return
    if wanted is Visibility.PUBLIC:
        yield "visibility", f"it can't be public; what can be chosen: {_listed(offered)}", True
        return
    there = _listed(offered)
    instead = (
        "every post is public there, so more people would see it than you want"
        if offered <= {Visibility.PUBLIC}
        else f"what can: {there}"
    )
    yield "visibility", f"{wanted} can't be chosen: {instead}", True


def _warning(content: Content, can: Capabilities) -> Found:
    if content.warning and not can.warning:
        yield (
            "warning",
            "a content warning is not possible: everybody would see at once what it warns of",
            True,
        )
    elif content.warning and can.warnings and content.warning not in can.warnings:
        there = _listed(can.warnings)
        yield (
            "warning",
            f"{content.warning!r} is no content warning there; these are: {there}",
            True,
        )


def _title(content: Content, parts: tuple[Part, ...], can: Capabilities) -> Found:
    title = content.title
    if not title:
        return
    if not can.title:
        yield "title", "the title is left out: posts have none; the text has to do without", False
    elif can.titled and not _has_titled(content, parts, can.titled):
        yield "title", f"the title is left out: only {can.titled_words} has one", False
    elif can.title_limit is not None and len(title) > can.title_limit:
        excess = f"{len(title):,} characters, {len(title) - can.title_limit:,} more than the"
        yield "title", f"the title has {excess} {can.title_limit:,} allowed", True


def _has_titled(content: Content, parts: tuple[Part, ...], titled: frozenset[str]) -> bool:
    media = parts[0].media if parts else ()
    if not media:
        return bool(content.link) and "link" in titled
    return any(kind_of(medium) in titled for medium in media)


def _link(content: Content, parts: tuple[Part, ...], can: Capabilities) -> Found:
    if not content.link or not can.link_card or can.card_beside_media:
        return
    if parts and parts[0].media:
        yield "link", "the link goes below the text: beside media there is no link card", False


def _alt(medium: Media, can: Capabilities) -> Found:
    if not (medium.alt or "").strip():
        return
    rules, kind = can.media, kind_of(medium)
    if rules.alt_limit == 0 or not rules.alt:
        what, why = "the alt text", "there is none there; those who can't see it won't know"
    elif kind in rules.undescribed or f"{kind.partition('/')[0]}/*" in rules.undescribed:
        what, why = "the alt text", f"{_sort(kind)} have none there"
    else:
        return
    yield "alt", f"{what} of {name_of(medium)} is left out: {why}", False


def _sort(kind: str) -> str:
    return {"video": "films", "audio": "sounds", "image": "pictures"}.get(
        kind.partition("/")[0], "files of this kind"
    )


def _uses(content: Content, parts: tuple[Part, ...]) -> Iterator[tuple[str, str]]:
    """What a post makes use of, and the field that says so: the keys of `Capabilities.ways`."""
    if len(parts) > 1:
        yield "thread", "then"
    for name in ("comment", "link", "title", "warning", "lang"):
        if getattr(content, name):
            yield name, name
    if content.visibility:
        yield content.visibility.value, "visibility"
    kinds = [kind_of(medium) for part in parts for medium in part.media]
    if kinds:
        yield "media", "media"
    if any(kind.startswith("video/") for kind in kinds):
        yield "film", "media"
    if "image/gif" in kinds:
        yield "gif", "media"
    text = "\n".join(part.text for part in parts)
    if HASHTAG.search(text):
        yield "hashtag", "text"
    if MENTION.search(text):
        yield "mention", "text"


def kind_of(medium: Media) -> str:
    """The MIME type of a medium; of an address whose type isn't known what its ending says, and
    `image/*` if that says nothing."""
    if medium.type:
        return medium.type
    path = re.split("[?#]", medium.url or "", maxsplit=1)[0].lower()
    return "video/*" if path.endswith(FILMS) else "image/*"


def name_of(medium: Media) -> str:
    """What people call a medium: its address, or its file's name as it was given."""
    name = medium.url or medium.path or "a file"
    return name if name.isprintable() else repr(name)


def _listed(words: frozenset[str]) -> str:
    return ", ".join(sorted(words)) or "none"
