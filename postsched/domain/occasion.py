"""What a post says at one of its occurrences.

In a series, and in any post with `texts` or `vars`, a text may name what differs: the date and time
of the occurrence, its number, a variable; and `texts` take turns by the number. Elsewhere braces
are nothing but braces. The content of such a post is a template until it is rendered here, by
whoever sends, judges or shows it. A delivery with a wording of its own says that, to the letter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from postsched.domain import placeholders
from postsched.domain.delivery import Delivery
from postsched.domain.errors import InvalidInput
from postsched.domain.placeholders import COUNTER, TEXT, TIMES
from postsched.domain.post import Content, Media, Part, Post, joined_thread
from postsched.domain.zones import zone_named

FRAME = "{{text}}"
"""What a post with `texts` says where it has no text of its own."""
FRAMED = ("text", "variants")
"""Where `{{text}}` may stand."""
MOST_TEXTS = 1000
LONGEST = 1_000_000
"""Characters of one text once it is filled in: more is a mistake."""
SAMPLE = datetime(2030, 9, 25, 22, 30)  # noqa: DTZ001 - a local time of no zone, for its length
"""A time that is long when it is written out."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One occurrence as texts name it: its number, from 1, and its local time in the zone of the
    schedule (naive)."""

    number: int
    local: datetime


def turn_of(number: int | None, occurrence: datetime, tz: str) -> Turn:
    """The turn of an occurrence (UTC); what is in no series is the first and only one."""
    try:
        local = occurrence.astimezone(zone_named(tz))
    except (InvalidInput, OverflowError):  # a zone that is gone; an end of the calendar
        local = occurrence
    return Turn(number or 1, local.replace(tzinfo=None))


def is_template(content: Content, *, recurs: bool) -> bool:
    """Whether the content is to be rendered. `recurs`: it is that of a series."""
    return recurs or bool(content.texts or content.vars)


def framed(content: Content) -> Content:
    """The template with a text in any case: where it has only `texts`, a place for them."""
    return replace(content, text=FRAME) if content.texts and not content.text else content


def rendered(content: Content, turn: Turn) -> Content:
    """What a template says in its turn: no placeholder, no `texts` and no `vars` are left. Nothing
    is raised: what stands for nothing stays."""
    fill = _Filling(content, turn)
    return replace(
        content,
        text=fill.framed(framed(content).text),
        media=fill.media(content.media),
        then=tuple(Part(fill(part.text), fill.media(part.media)) for part in content.then),
        comment=fill.optional(content.comment),
        link=fill.optional(content.link),
        title=fill.optional(content.title),
        variants={name: fill.framed(text) for name, text in content.variants.items()},
        warning=fill.optional(content.warning),
        texts=(),
        vars={},
    )


def said_by(delivery: Delivery, post: Post, tz: str) -> Post:
    """The post as that delivery of it says it; `tz` is the zone of its schedule."""
    content = post.content
    if is_template(content, recurs=delivery.number is not None):
        content = rendered(content, turn_of(delivery.number, delivery.occurrence, tz))
    if delivery.wording:
        parts = tuple(delivery.wording["parts"])
        content = replace(content, text=joined_thread(parts), worded=parts)
    return post if content is post.content else replace(post, content=content)


def check(content: Content) -> None:
    """Raise InvalidInput, with its `field`, for a template that can't be rendered: a name that
    stands for nothing, texts without a place, or far too much."""
    field = "vars"
    try:
        for name in content.vars:
            placeholders.check_name(name)
        names = [COUNTER, *content.vars]
        framed = [*names, TEXT] if content.texts else names
        for field, text in _texts(content):
            placeholders.check(text, framed if field in FRAMED else names)
        _check_texts(content)
        _check_length(content)
    except InvalidInput as error:
        error.field = error.field or field
        raise


def ignored(content: Content) -> str | None:
    """The first placeholder in what is no template, where one was surely meant."""
    for _, text in _texts(content):
        for name in placeholders.mentioned(text) if "{{" in text else ():
            if name in TIMES or name == COUNTER:
                return f"{{{{{name}}}}}"
    return None


@dataclass(frozen=True, slots=True)
class _Filling:
    """Fills in what one content names, in one turn."""

    content: Content
    turn: Turn

    def __call__(self, text: str) -> str:
        return placeholders.filled(text, self._values, self.turn.local)

    def framed(self, text: str) -> str:
        """A text in which the one of `texts` whose turn it is may stand."""
        texts = self.content.texts
        if not texts or "{{" not in text:
            return self(text)
        mine = self(texts[(self.turn.number - 1) % len(texts)])
        return placeholders.filled(text, {**self._values, TEXT: mine}, self.turn.local)

    def optional(self, text: str | None) -> str | None:
        """The same, for what need not be there."""
        return None if text is None else self(text)

    def media(self, media: tuple[Media, ...]) -> tuple[Media, ...]:
        """The media with their alt texts filled in."""
        return tuple(replace(one, alt=self.optional(one.alt)) for one in media)

    @property
    def _values(self) -> Mapping[str, str]:
        return {**self.content.vars, COUNTER: str(self.turn.number)}


def _texts(content: Content) -> Iterator[tuple[str, str]]:
    """All that may hold placeholders, by field."""
    yield "text", content.text
    yield from (("texts", text) for text in content.texts)
    yield from (("variants", text) for text in content.variants.values())
    for part in (Part("", content.media), *content.then):
        yield "then", part.text
        yield from (("alt", medium.alt or "") for medium in part.media)
    for field in ("comment", "link", "title", "warning"):
        yield field, getattr(content, field) or ""


def _check_texts(content: Content) -> None:
    if len(content.texts) > MOST_TEXTS:
        raise _wrong("texts", f"there are more than {MOST_TEXTS:,} texts", "Give fewer")
    if not all(text.strip() for text in content.texts):
        raise _wrong("texts", "one of the texts is empty", "Take it out")
    if content.texts and content.text and TEXT not in placeholders.mentioned(content.text):
        raise _wrong(
            "texts",
            "there is a text, and there are texts that take turns",
            "Leave the text out, or write {{text}} in it where they are to stand",
        )


def _check_length(content: Content) -> None:
    """A value that is named again and again makes a long text of a few words."""
    values = {**content.vars, COUNTER: "9" * 9}
    for field, text in _texts(content):
        if placeholders.filled_length(text, values, SAMPLE) > LONGEST:
            raise _too_long(field)
    if not content.texts:
        return
    inner = max(placeholders.filled_length(text, values, SAMPLE) for text in content.texts)
    for field, text in _texts(content):
        count = sum(name == TEXT for name in placeholders.mentioned(text))
        if placeholders.filled_length(text, values, SAMPLE) + count * inner > LONGEST:
            raise _too_long(field)


def _too_long(field: str) -> InvalidInput:
    return _wrong(field, f"with what it names, it has more than {LONGEST:,} characters")


def _wrong(field: str, message: str, hint: str | None = None) -> InvalidInput:
    error = InvalidInput(message, hint)
    error.field = field
    return error
