"""One post of the outbox as a Markdown file with YAML front matter, written and read.

The front matter is made so that any static site generator can read it: one line a value, nothing
in it looks like the line that closes it. The body is the text, to the byte.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

FENCE = "---\n"
STEM = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{12}")
"""What our files are called, without `.md`: the occurrence in UTC, 12 digits of the key."""
_BREAKS = re.compile("[\n\r\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Entry:
    """A post as it was read from its file. `stem` is the file's name without `.md`, `date` the
    occurrence (UTC), `in_reply_to` the stem of the part before, `media` maps of file or url, alt
    and type."""

    stem: str
    text: str
    date: datetime
    account: str = ""
    key: str = ""
    part: int = 1
    comment: bool = False
    in_reply_to: str | None = None
    title: str | None = None
    link: str | None = None
    lang: str | None = None
    warning: str | None = None
    visibility: str | None = None
    tags: tuple[str, ...] = ()
    media: tuple[Mapping[str, str], ...] = ()


def write(fields: Mapping[str, Any], text: str) -> bytes:
    """The file: `fields` that are not None as front matter, then the text.

    Raises UnicodeEncodeError where a text is no Unicode (lone surrogates).
    """
    import yaml

    json.dumps(fields, ensure_ascii=False).encode()  # YAML would escape them, and not read them

    class Dumper(yaml.SafeDumper):
        """Safe, and with every string on one line."""

    def one_line(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        style = '"' if _BREAKS.search(value) else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, one_line)
    known = {name: value for name, value in fields.items() if value is not None}
    front = yaml.dump(known, Dumper=Dumper, allow_unicode=True, sort_keys=False, width=float("inf"))
    return f"{FENCE}{front}{FENCE}\n{text}\n".encode()


def read(stem: str, content: bytes) -> Entry | None:
    """The post in a file, or None if the file is not one of ours or was edited past reading."""
    split = _split(content)
    if split is None:
        return None
    fields, text = split
    try:
        date = datetime.fromisoformat(str(fields["date"]))
        part = int(_word(fields, "part") or 1)
    except (KeyError, ValueError):
        return None
    words = {
        name: _word(fields, name)
        for name in ("in_reply_to", "title", "link", "lang", "warning", "visibility")
    }
    return Entry(
        stem=stem,
        text=text,
        date=date.replace(tzinfo=date.tzinfo or UTC).astimezone(UTC),
        account=_word(fields, "account") or "",
        key=_word(fields, "key") or "",
        part=part,
        comment=_word(fields, "comment") == "true",
        tags=tuple(tag for tag in _list(fields, "tags") if isinstance(tag, str)),
        media=tuple(_words(item) for item in _list(fields, "media") if isinstance(item, dict)),
        **words,
    )


def key_of(content: bytes) -> str | None:
    """The key in a file's front matter, None if it has none."""
    split = _split(content)
    return _word(split[0], "key") if split else None


def _split(content: bytes) -> tuple[dict[str, Any], str] | None:
    import yaml

    # The base loader keeps every scalar a string: a hand-made `date: 2026-12-01` stays readable.
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        whole = content.decode()
        if not whole.startswith(FENCE):
            return None
        front, _, body = whole[len(FENCE) :].partition("\n" + FENCE)
        fields = yaml.load(front, Loader=loader)  # noqa: S506 - a base loader makes only strings
    except (UnicodeDecodeError, yaml.YAMLError):
        return None
    if not isinstance(fields, dict):
        return None
    return fields, body.removeprefix("\n").removesuffix("\n")


def _word(fields: Mapping[str, Any], name: str) -> str | None:
    value = fields.get(name)
    return value if isinstance(value, str) and value else None


def _list(fields: Mapping[str, Any], name: str) -> list[Any]:
    value = fields.get(name)
    return value if isinstance(value, list) else []


def _words(item: Mapping[Any, Any]) -> dict[str, str]:
    return {k: v for k, v in item.items() if isinstance(k, str) and isinstance(v, str)}
