"""Whether a post fits an account: its text, media and wishes against the account's capabilities.

Pure: no network is asked and no file is read. Everything that is wrong is found at once, one
sentence each, so that it can all be put right before anything is scheduled.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from postsched.domain.capabilities import Capabilities, MediaRules, TextRules
from postsched.domain.counting import byte_length, length
from postsched.domain.cutting import limit_of
from postsched.domain.errors import InvalidInput
from postsched.domain.lacking import HASHTAG, MENTION, lacking, name_of
from postsched.domain.post import Content, Media, Part

LINK = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)\]}'’”]", re.IGNORECASE)
BAD = re.compile("[\0\ud800-\udfff]")
"""NUL, and half of a character: a surrogate without the other one."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not fit. `field` is the member of the post (text, then, comment, media,
    alt, link, title, visibility, warning, lang), `message` a sentence that names the account.
    What is not `fatal` is left out when the post is sent."""

    account: str
    field: str
    message: str
    fatal: bool = True


def judge(
    content: Content,
    account_name: str,
    platform_title: str,
    capabilities: Capabilities,
    *,
    require_alt: bool = False,
    refused: Mapping[str, str] | None = None,
) -> list[Finding]:
    """Everything in `content` that the account can't take, or will do without.

    With `require_alt`, a file without alt text is a finding too. `refused` says of files that have
    been looked at, by their SHA-256, why they can't be sent.
    """
    parts = content.parts(account_name)
    found = (
        *_bad_characters(content),
        *_texts(content, parts, capabilities),
        *_media(parts, capabilities.media, require_alt, refused or {}),
        *lacking(content, parts, capabilities, account_name),
    )
    return [
        Finding(account_name, field, f"{account_name} ({platform_title}): {sentence}", fatal)
        for field, sentence, fatal in dict.fromkeys(found)
    ]


def check_characters(content: Content) -> None:
    """Raise InvalidInput for text that can be neither stored nor sent: NUL and half characters.

    For every post, drafts too.
    """
    for _, sentence, _ in _bad_characters(content):
        raise InvalidInput(sentence[0].upper() + sentence[1:], "Take it out")


def with_link(text: str, link: str | None) -> str:
    """The text with the link below it, unless it is in there: for networks without link cards."""
    return text if not link or link in text else f"{text}\n\n{link}".strip()


def goes_into_text(can: Capabilities, *, beside_media: bool) -> bool:
    """Whether a link goes into the text, rather than on a card of its own."""
    return not can.link_card or (beside_media and not can.card_beside_media)


_Found = Iterator[tuple[str, str, bool]]
"""Field, sentence, whether it is fatal."""


def _bad_characters(content: Content) -> _Found:
    for field, text in _all_texts(content):
        bad = {*BAD.findall(text)} if text else ()
        if "\0" in bad:
            yield field, f"the {field} has a NUL character", True
        if bad and bad != {"\0"}:
            yield field, f"the {field} has half of a character (a lone surrogate)", True


def _all_texts(content: Content) -> Iterator[tuple[str, str]]:
    yield "text", content.text
    yield from (("variants", text) for text in content.variants.values())
    for part in (Part("", content.media), *content.then):
        yield "then", part.text
        yield from (("alt", medium.alt or "") for medium in part.media)
        yield from (("media", medium.url or medium.path or "") for medium in part.media)
    for field in ("comment", "link", "title", "warning", "lang"):
        yield field, getattr(content, field) or ""


def _texts(content: Content, parts: tuple[Part, ...], capabilities: Capabilities) -> _Found:
    for n, part in enumerate(parts, 1):
        name = f"part {n}" if len(parts) > 1 else "the text"
        field = "text" if n == 1 else "then"
        in_text = n == 1 and goes_into_text(capabilities, beside_media=bool(part.media))
        text = with_link(part.text, content.link) if in_text else part.text
        yield from _text(field, name, text, part, content, capabilities.text)
    if content.comment is not None and capabilities.comment is not None:
        comment, rules = Part(content.comment), capabilities.comment_text or capabilities.text
        yield from _text("comment", "the comment", comment.text, comment, content, rules)


def _text(
    field: str, name: str, text: str, part: Part, content: Content, rules: TextRules
) -> _Found:
    """One text that is sent as one post; `text` is the part's own and what is added to it."""
    if not text.strip() and not (part.media and rules.may_be_empty_with_media):
        yield field, f"{name} is empty", True
    warning = content.warning or ""
    counted = length(text, rules, warning)
    limit = limit_of(rules, beside_media=bool(part.media))
    if limit is not None and counted > limit:
        unit = f"{rules.unit} with its warning" if rules.warning_counts and warning else rules.unit
        place = "" if limit == rules.limit else " beside media"
        yield field, f"{name} has {_excess(counted, limit, unit)}{place}", True
    if rules.max_links is not None:
        addresses = len({*LINK.findall(text), *([content.link] if content.link else [])})
        if addresses > rules.max_links:
            yield (
                field,
                f"{name} has {_excess(addresses, rules.max_links, 'different links')}",
                True,
            )
    for what, pattern, most in (
        ("#tags", HASHTAG, rules.max_tags),
        ("mentions", MENTION, rules.max_mentions),
    ):
        if most is not None and (found := len(pattern.findall(text))) > most:
            yield field, f"{name} has {_excess(found, most, what)}", True
    if rules.usual_tags is not None:
        tags = len(HASHTAG.findall(text))
        if rules.usual_tags < tags <= (rules.max_tags or tags):
            advised = f"more than the {rules.usual_tags} that are advised there"
            yield field, f"{name} has {tags} #tags, {advised}; it is sent as it is", False
    if rules.byte_limit is not None and (size := byte_length(text)) > rules.byte_limit:
        yield field, f"{name} has {_excess(size, rules.byte_limit, 'bytes')}", True


def _excess(count: int, limit: int, unit: str) -> str:
    return f"{count:,} {unit}, {count - limit:,} more than the {limit:,} allowed"


def _media(
    parts: tuple[Part, ...], rules: MediaRules, require_alt: bool, refused: Mapping[str, str]
) -> _Found:
    for n, part in enumerate(parts, 1):
        place = f"part {n}" if len(parts) > 1 else "it"
        if part.media and not rules.types:
            yield "media", f"{place} has media, and none can be sent", True
            continue
        if rules.needed and not part.media:
            yield "media", f"{place} has no media, and there are no posts without", True
        yield from _together(place, part.media, rules)
        for medium in part.media:
            reason, alone = refused.get(medium.sha256 or ""), len(part.media) == 1
            yield from _medium(medium, rules, reason, alone=alone)
            if require_alt and not (medium.alt or "").strip():
                yield "alt", f"{name_of(medium)} has no alt text, and require_alt_text is set", True


def _together(place: str, media: tuple[Media, ...], rules: MediaRules) -> _Found:
    """How many there are: images, for which a URL of unknown type counts, and others."""
    kinds = [medium.type or "image/*" for medium in media]
    images = sum(kind.startswith("image/") and kind not in rules.singles for kind in kinds)
    others = len(media) - images
    if images > rules.count:
        yield "media", f"{place} has {_excess(images, rules.count, 'images')}", True
    if others > rules.alone > 0:
        kind = "GIFs or other files" if rules.singles else "files that are no images"
        yield "media", f"{place} has {_excess(others, rules.alone, kind)}", True
    if images and others and not rules.mixed:
        yield "media", f"{place} has images and other files, which don't go together", True
    if rules.files is not None and len(media) > rules.files:
        yield "media", f"{place} has {_excess(len(media), rules.files, 'files')}", True
    if len(media) > 1 and rules.albums and not any(album >= set(kinds) for album in rules.albums):
        yield "media", f"{place} has files of kinds that don't go together: {_kinds(kinds)}", True
    total = sum(medium.bytes or 0 for medium in media)
    if rules.total_bytes is not None and total > rules.total_bytes:
        yield "media", f"{place} has files of {_excess(total, rules.total_bytes, 'bytes')}", True


def _kinds(kinds: list[str]) -> str:
    return ", ".join(sorted(set(kinds)))


def _medium(medium: Media, rules: MediaRules, refused: str | None, *, alone: bool) -> _Found:
    name = name_of(medium)
    if medium.url is not None and not rules.from_url:
        yield "media", f"{name} is an address, and only files can be sent", True
    if medium.url is None and not rules.takes_file(medium.type, alone=alone):
        instead = rules.instead or "give a public address of it instead"
        there = f"the network fetches media itself: {instead}"
        yield "media", f"{name} is a file, and {there}", True
    elif refused:
        yield "media", f"{name} {refused}", True
    elif medium.url is None:
        yield from _file(name, medium, rules)
    alt = len(medium.alt or "")
    if rules.alt_limit and alt > rules.alt_limit:
        excess = _excess(alt, rules.alt_limit, "characters")
        yield "alt", f"the alt text of {name} has {excess}", True


def _file(name: str, medium: Media, rules: MediaRules) -> _Found:
    kind = medium.type or ""
    if rules.rule(kind) is None:
        taken = ", ".join(sorted(rules.types))
        what = kind or "of unknown type"
        yield "media", f"{name} is {what}, which can't be sent; what can: {taken}", True
        return
    largest = rules.largest(kind)
    if largest is not None and medium.bytes is not None and medium.bytes > largest:
        yield "media", f"{name} has {_excess(medium.bytes, largest, 'bytes')}", True
    pixels = (medium.width or 0) * (medium.height or 0)
    if rules.max_pixels is not None and pixels > rules.max_pixels:
        yield "media", f"{name} has {_excess(pixels, rules.max_pixels, 'pixels')}", True
