"""The form in which a post is written: from a draft to its fields, and back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any

from postsched.domain.draft import Draft, DraftMedia, DraftPart
from postsched.domain.errors import InvalidInput
from postsched.service.drafts import fingerprint
from postsched.service.revising import revised
from postsched.web.page.visit import Visit

REPEATS = ("daily", "weekly", "monthly", "yearly")
ONCE, SLOT, KEPT = "once", "slot", "kept"
"""What a post may have in the place of a repetition; KEPT is one that has no fields here."""
WORDS = ("comment", "link", "title", "visibility", "warning", "lang")
LARGEST = 10**6
DIGEST = re.compile(r"[0-9a-f]{64}")
PICTURES = ("JPG", "JPEG", "PNG", "GIF", "WEBP", "AVIF")
FRACTION = re.compile(r"(?<=:\d\d)\.\d+")


@dataclass(frozen=True, slots=True)
class Attached:
    """A medium of the form: `ref` names it (`SHA-256/NAME`, or an address)."""

    ref: str
    alt: str

    @property
    def picture(self) -> str | None:
        """The SHA-256 of a picture that is kept here, as far as its name tells."""
        first = self.ref.partition("/")[0]
        return first if DIGEST.fullmatch(first) and self.kind in PICTURES else None

    @property
    def kind(self) -> str:
        """What it is, by the end of its name."""
        return PurePath(self.name).suffix[1:6].upper()

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self.ref if "://" in self.ref else self.ref.partition("/")[2]


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields, as text; `seen` tells what the post read when the form was made."""

    text: str = ""
    parts: tuple[str, ...] = ()
    to: frozenset[str] = frozenset()
    kind: str = ONCE
    at: str = ""
    every: str = ""
    on: str = ""
    until: str = ""
    count: str = ""
    more: Mapping[str, str] = field(default_factory=dict)
    tags: str = ""
    variants: Mapping[str, str] = field(default_factory=dict)
    media: tuple[Attached, ...] = ()
    seen: str = ""


def fields_of(draft: Draft) -> Fields:
    """The fields of a draft."""
    kind = KEPT if draft.cron or draft.rrule else draft.repeat or (SLOT if draft.slot else ONCE)
    return Fields(
        text=draft.text,
        parts=tuple(part.text for part in draft.then),
        to=frozenset(draft.to),
        kind=kind,
        at="" if draft.slot else _readable(draft.at),
        every=str(draft.every or ""),
        on=",".join(draft.on),
        until=draft.until or "",
        count=str(draft.count or ""),
        more={name: str(getattr(draft, name) or "") for name in WORDS},
        tags=", ".join(draft.tags),
        variants=dict(draft.variants),
        media=tuple(Attached(ref_of(one), one.alt or "") for one in draft.media),
        seen=fingerprint(draft),
    )


def fields_from(visit: Visit) -> Fields:
    """The fields as they came in."""
    form = visit.form
    texts = {name: visit.text(name) for name in form}
    refs, alts = (_texts(visit, name) for name in ("media", "alt"))
    gone = set(_texts(visit, "remove"))
    variants = {name[4:]: text for name, text in texts.items() if name.startswith("for:") and text}
    return Fields(
        text=texts.get("text", ""),
        parts=tuple(text for text in _texts(visit, "part") if text.strip()),
        to=frozenset(_texts(visit, "to")),
        kind=texts.get("kind", ONCE),
        **{name: texts.get(name, "").strip() for name in ("at", "every", "on", "until", "count")},
        more={name: texts.get(name, "").strip() for name in WORDS},
        tags=texts.get("tags", ""),
        variants=variants,
        media=tuple(
            Attached(ref, alt.strip()) for ref, alt in zip(refs, alts, strict=False)
            if ref not in gone
        ),
        seen=texts.get("seen", ""),
    )  # fmt: skip


def draft_of(fields: Fields, before: Draft | None) -> Draft:
    """The draft that the fields come to; of a post that read `before`, with what it has besides.

    Raises InvalidInput.
    """
    base = before or Draft()
    known = {ref_of(one): one for one in base.media}
    then = [
        DraftPart(text, base.then[place].media if place < len(base.then) else ())
        for place, text in enumerate(fields.parts)
    ]
    changes: dict[str, Any] = {
        "text": fields.text,
        "to": _in_order(base.to, fields.to),
        "then": tuple(then),
        "variants": dict(fields.variants),
        "tags": tuple(word.strip() for word in fields.tags.split(",") if word.strip()),
        "media": tuple(_medium(one, known) for one in fields.media),
        **{name: fields.more.get(name) or None for name in WORDS},
    }
    if before is None or _time_of(fields) != _time_of(fields_of(before)):
        changes |= _times(fields)
    return replace(revised(base, changes), draft=base.draft)


def ref_of(one: DraftMedia) -> str:
    """What names a medium in the form."""
    if one.url:
        return one.url
    digest = one.kept.sha256 if one.kept else None
    name = PurePath(one.path or "file").name
    return f"{digest}/{name}" if digest else name


def _medium(one: Attached, known: Mapping[str, DraftMedia]) -> DraftMedia:
    alt = one.alt or None
    if one.ref in known:
        return replace(known[one.ref], alt=alt)
    return DraftMedia(url=one.ref, alt=alt) if "://" in one.ref else DraftMedia(one.ref, alt=alt)


def _time_of(fields: Fields) -> tuple[str, ...]:
    return fields.kind, fields.at, fields.every, fields.on, fields.until, fields.count


def _times(fields: Fields) -> dict[str, Any]:
    match fields.kind:
        case "slot":
            return {"slot": True}
        case "once":
            return {"at": fields.at or None, "repeat": None}
        case kind if kind in REPEATS:
            return {
                "repeat": kind,
                "at": fields.at or None,
                "every": _number(fields.every, "every"),
                "on": tuple(word.strip() for word in fields.on.split(",") if word.strip()),
                "until": fields.until or None,
                "count": _number(fields.count, "times"),
            }
        case "kept":
            return {}
    raise InvalidInput(f"{fields.kind[:40]!r} is no repetition", "Load the page anew")


def _number(text: str, name: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 0 < int(text[:12]) <= LARGEST):
        raise InvalidInput(f"{name}: {text[:40]!r} is no whole number", "Give one from 1 on")
    return int(text)


def _texts(visit: Visit, name: str) -> Sequence[str]:
    found = visit.form.getlist(name)
    return [one.replace("\r\n", "\n") for one in found if isinstance(one, str)]


def _in_order(before: Sequence[str], chosen: frozenset[str]) -> tuple[str, ...]:
    kept = [name for name in before if name in chosen]
    return (*kept, *sorted(chosen - set(kept)))


def _readable(at: str | None) -> str:
    """A time as people write it: no T, no fractions, and no seconds where there are none."""
    words = FRACTION.sub("", (at or "").replace("T", " "))
    return words.removesuffix(":00") if words.count(":") == 2 else words
