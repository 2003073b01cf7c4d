"""The names of "Posts as data" and what each may hold: plain values <-> a draft.

A record is a mapping of those names to strings, lists, objects, numbers and booleans, as JSON has
them. Where a format has only strings, strings do: `"3"` is a priority, `"a, b"` two accounts.
None and empty mean: not given.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

from postsched.domain.draft import ADDRESS, Draft, DraftMedia, DraftPart
from postsched.domain.nearest import did_you_mean
from postsched.transfer.rows import RowError, Unfit
from postsched.transfer.separated import split

TEXTS = (
    "text", "at", "tz", "repeat", "cron", "rrule", "from", "until", "comment", "link", "title",
    "visibility", "warning", "lang", "missed", "grace", "catch_up", "spread", "jitter", "callback",
    "key",
)  # fmt: skip
NAMES = (
    "text", "to", "at", "tz", "repeat", "every", "on", "cron", "rrule", "except", "from", "until",
    "count", "slot", "media", "then", "comment", "link", "title", "variants", "tags", "visibility",
    "warning", "lang", "missed", "catch_up", "grace", "spread", "jitter", "texts", "vars",
    "callback", "priority", "key", "draft",
)  # fmt: skip
"""The names this version honours, in the order they are written."""
FIELDS = {"except": "except_", "from": "from_"}
"""Where a draft has another name, for Python takes this one for itself."""
LISTS = frozenset({"to", "on", "except", "texts", "tags"})
_ALL = attrgetter(*(FIELDS.get(name, name) for name in NAMES))
HIGHEST = 2**31 - 1
NO_TEXT = re.compile("[\0\ud800-\udfff]")
KINDS = {bool: "true or false", int: "a number", float: "a number", list: "a list"}


def draft_of(record: Mapping[str, Any], base: str | None = "") -> tuple[Draft, list[RowError]]:
    """The draft a record describes and what is wrong with it, not asking if anything is missing.
    `base` is the folder that relative media paths start from; None for what comes from elsewhere:
    then no file of this machine is looked at."""
    fields: dict[str, Any] = {}
    errors: list[RowError] = []
    for name, value in record.items():
        if value is None or value == "" or value == [] or value == {}:
            continue
        try:
            fields[name] = _read(name, value, base)
        except Unfit as unfit:
            errors.append(RowError(name, str(unfit)))
    if errors:
        return Draft(), errors
    return Draft(**{FIELDS.get(name, name): value for name, value in fields.items()}), errors


def missing(draft: Draft) -> list[RowError]:
    """What a post of its own needs and the draft lacks."""
    errors = []
    if not draft.text and not draft.media and not draft.texts:
        errors.append(RowError("text", "is missing"))
    if not draft.to:
        errors.append(RowError("to", "is missing: name an account or group"))
    if not draft.has_time and not draft.draft:
        errors.append(RowError("at", "is missing: say when, or set draft to true"))
    return errors


def record_of(draft: Draft) -> dict[str, Any]:
    """The record of a draft: only what is given, in the order of NAMES."""
    given = zip(NAMES, _ALL(draft), strict=True)
    values = {name: v for name, v in given if v or (v == 0 and v is not False)}
    for name in LISTS & values.keys():
        values[name] = list(values[name])
    for name in ("variants", "vars"):
        if name in values:
            values[name] = dict(values[name])
    if draft.media:
        values["media"] = [_media_record(media) for media in draft.media]
    if draft.then:
        values["then"] = [_part_record(part) for part in draft.then]
    return values


def _media_record(media: DraftMedia) -> dict[str, str]:
    where = {"url": media.url} if media.url else {"path": media.path}
    record = {**where, "alt": media.alt}
    return {name: value for name, value in record.items() if value}


def _part_record(part: DraftPart) -> str | dict[str, Any]:
    if not part.media:
        return part.text
    return {"text": part.text, "media": [_media_record(media) for media in part.media]}


def _read(name: str, value: Any, base: str | None) -> Any:
    reader = READERS.get(name)
    if reader is None:
        raise Unfit(f"is no known name. {did_you_mean(name, NAMES)}")
    if base is None:
        return _several(value) if reader is _texts else reader(value, "")
    return reader(value, base)


def _text(value: Any, base: str = "") -> str:
    if not isinstance(value, str):
        raise Unfit(f"must be text, not {KINDS.get(type(value), 'an object')}")
    if bad := NO_TEXT.search(value):
        raise Unfit(f"has a character that no text may have (U+{ord(bad.group()):04X})")
    return value


def _names(value: Any, base: str) -> tuple[str, ...]:
    if isinstance(value, str):
        value = split(value, ",")
    if not isinstance(value, list):
        raise Unfit("must be a list, or text with commas")
    return tuple(name for item in value if (name := _text(item).strip()))


def _media(value: Any, base: str) -> tuple[DraftMedia, ...]:
    if not isinstance(value, list):
        raise Unfit("must be a list of {path, alt} or {url, alt}")
    return tuple(_medium(item, f"no. {n}", base) for n, item in enumerate(value, 1))


def _medium(item: Any, which: str, base: str) -> DraftMedia:
    if isinstance(item, str):
        item = {"url" if ADDRESS.match(item) else "path": item}
    known = _members(item, ("path", "url", "alt"), which)
    path, url, alt = (_text(known.get(name) or "") or None for name in ("path", "url", "alt"))
    if (path is None) == (url is None):
        raise Unfit(f"{which} must have a path or a url")
    return DraftMedia(os.path.join(base, path) if path else None, url, alt)


def _parts(value: Any, base: str) -> tuple[DraftPart, ...]:
    if not isinstance(value, list):
        raise Unfit("must be a list of texts or of {text, media}")
    return tuple(_part(item, f"no. {n}", base) for n, item in enumerate(value, 1))


def _part(item: Any, which: str, base: str) -> DraftPart:
    if isinstance(item, str):
        item = {"text": item}
    known = _members(item, ("text", "media"), which)
    try:
        part = DraftPart(_text(known.get("text") or ""), _media(known.get("media") or [], base))
    except Unfit as unfit:
        raise Unfit(f"{which}: {unfit}") from None
    if not part.text and not part.media:
        raise Unfit(f"{which} is empty")
    return part


def _several(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list):
        raise Unfit("must be a list of texts")
    return tuple(_text(item) for item in value)


def _texts(value: Any, base: str) -> tuple[str, ...]:
    texts = _several(value)
    if len(texts) == 1 and os.path.isfile(os.path.join(base, texts[0])):
        raise Unfit("is the name of a file, which would be posted: give the texts themselves")
    return texts


def _variants(value: Any, base: str) -> dict[str, str]:
    if not isinstance(value, dict):
        raise Unfit("must be an object of account: text")
    return {_text(account): _text(text) for account, text in value.items() if text}


def _vars(value: Any, base: str) -> dict[str, str]:
    if not isinstance(value, dict):
        raise Unfit("must be an object of name: value")
    numbers = (int, float)
    return {
        _text(name): str(one) if isinstance(one, numbers) and one is not True else _text(one)
        for name, one in value.items()
    }


def _list(value: Any, base: str) -> tuple[str, ...]:
    """As `_names`, where a number stands for itself: `on: [1, 15]`."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    items = [value] if whole else value
    if isinstance(items, list):
        items = [str(one) if isinstance(one, int) and one is not True else one for one in items]
    return _names(items, base)


def _members(item: Any, known: tuple[str, ...], which: str) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise Unfit(f"{which} is neither text nor an object")
    for name in item:
        if name not in known:
            raise Unfit(
                f"{which} has {name!r}, which is no known name. {did_you_mean(name, known)}"
            )
    return item


def _whole(value: Any, base: str) -> int:
    if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]{1,10}", value.strip()):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > HIGHEST:
        raise Unfit("must be a whole number")
    return value


def _yes(value: Any, base: str) -> bool:
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    known = value if isinstance(value, bool) else words.get(str(value).strip().lower())
    if known is None:
        raise Unfit("must be true or false")
    return known


READERS: dict[str, Callable[[Any, str], Any]] = {
    **dict.fromkeys(TEXTS, _text),
    "to": _names,
    "tags": _names,
    "media": _media,
    "then": _parts,
    "variants": _variants,
    "on": _list,
    "except": _names,
    "texts": _texts,
    "vars": _vars,
    "every": _whole,
    "count": _whole,
    "priority": _whole,
    "slot": _yes,
    "draft": _yes,
}
