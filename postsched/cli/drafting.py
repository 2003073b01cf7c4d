"""How the options by which a post is written become a draft."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from postsched.cli.options import keys_and_values, names
from postsched.domain.errors import InvalidInput

if TYPE_CHECKING:
    from postsched.cli.program import Program
    from postsched.domain.draft import Draft, DraftMedia, DraftPart
    from postsched.service.compose import Composed

LARGEST_TEXT_FILE = 4_000_000
PLAIN = (
    "tz", "repeat", "every", "cron", "rrule", "from_", "until", "count", "slot", "comment", "link",
    "title", "visibility", "warning", "lang", "missed", "grace", "catch_up", "spread", "jitter",
    "callback", "priority", "key",
)  # fmt: skip
"""The options whose values are those of the draft."""
MAY_BE_EMPTY = ("in_", "callback")
"""The options that are judged later when they are empty: `edit --callback ''` takes it away."""


def given(text: str | None, options: Mapping[str, Any]) -> dict[str, Any]:
    """What the text and the options (of `post_options`) say, by the fields of a draft: only what
    is given.

    `alts` are alt texts without media: they belong to those that the post has already.
    """
    for name, word in options.items():
        if isinstance(word, str) and not word.strip() and name not in MAY_BE_EMPTY:
            option = name.strip("_").replace("_", "-")
            raise InvalidInput(f"--{option} is empty", "Say something, or leave it out")
    said = {name: options[name] for name in PLAIN}
    media, alt, texts = options["media"], options["alt"], options["texts"]
    found = {
        **said,
        "text": read_text(text), "to": names(options["to"], "--to"),
        "at": _when(options["at"], options["in_"]),
        "on": names(options["on"], "--on"), "except_": names(options["except_"], "--except"),
        "media": _media(media, alt), "alts": None if media else alt,
        "then": _parts(options["then"]), "variants": _variants(options["for_"]),
        "tags": names(options["tag"], "--tag"),
        "texts": None if texts is None else read_texts(texts),
        "vars": _vars(options["var"]),
    }  # fmt: skip
    return {name: value for name, value in found.items() if value is not None}


def wanted(text: str | None, file: str | None, options: Mapping[str, Any]) -> Draft:
    """The draft of the text or the file, with what the options say."""
    from postsched.domain.draft import Draft

    if text is not None and file is not None:
        raise InvalidInput("there is a text and a --file", "Give one of them")
    if options.get("callback") == "":
        raise InvalidInput("--callback is empty", "Give an address, or leave it out")
    draft = with_changes(read_file(file) if file is not None else Draft(), options)
    if text is None and file is None and not draft.media and not draft.texts:
        raise InvalidInput("there is no text", "Give it, - to read it from stdin, or --file")
    return draft


def with_changes(draft: Draft, changes: Mapping[str, Any]) -> Draft:
    """The draft with what the options say in place of what it said."""
    from dataclasses import replace

    rest = dict(changes)
    alts = rest.pop("alts", None)
    changed = replace(draft, **rest)
    if alts is None:
        return changed
    return replace(changed, media=_with_alts(changed.media, alts))


def _with_alts(media: tuple[DraftMedia, ...], alts: list[str]) -> tuple[DraftMedia, ...]:
    from dataclasses import replace

    if len(alts) > len(media):
        raise InvalidInput(
            f"{len(alts)} --alt for {len(media)} media",
            "The nth --alt belongs to the nth --media",
        )
    padded = [*alts, *[None] * (len(media) - len(alts))]
    return tuple(replace(one, alt=alt or None) for one, alt in zip(media, padded, strict=True))


def read_text(text: str | None) -> str | None:
    """A text that was given, `-` for what is on stdin."""
    return _stdin().strip("\n") if text == "-" else text


def read_texts(name: str) -> tuple[str, ...]:
    r"""The texts in a file, or on stdin (`-`), parted by lines of `---`; a line `\---` stays what
    it is in any text. Raises InvalidInput."""
    from postsched.domain.post import BREAK

    whole = _stdin() if name == "-" else _file_text(Path(name).expanduser())
    texts = tuple(text for piece in BREAK.split(whole) if (text := piece.strip()))
    if not texts:
        raise InvalidInput(f"--texts {name} holds no text", "Part the texts by lines of ---")
    return texts


def _file_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_TEXT_FILE + 1)
    except OSError as error:
        raise InvalidInput(f"{path} can't be read: {error.strerror}") from None
    return _decoded(data, str(path))


def read_file(name: str) -> Draft:
    """The draft in a Markdown file; relative media paths start from its folder."""
    from postsched.transfer import markdown

    if name == "-":
        return markdown.parse(_stdin(), str(Path.cwd()))
    path = Path(name).expanduser()
    if path.is_file() and path.stat().st_size > LARGEST_TEXT_FILE:
        raise InvalidInput(f"{name} is too large for a post", "Give a Markdown file")
    return markdown.read_post(path)


def sentence(program: Program, composed: Composed) -> str:
    """Where and when a post goes: the time as it was understood, with zone and distance."""
    from postsched.domain.when import describe
    from postsched.domain.zones import zone_named

    accounts = ", ".join(account.name for account in composed.accounts)
    schedule = composed.schedule
    if len(set(composed.times.values())) > 1:
        return _by_account(program, composed)
    first = composed.occurrence or (None if schedule.recurs else schedule.first())
    if schedule.recurs and first is None:
        from postsched.domain.recurrence import next_occurrence

        coming = next_occurrence(schedule, program.now())
        first = coming.instant if coming else None
    said = describe(first, program.now(), zone_named(schedule.tz)) if first else ""
    if schedule.recurs:
        from postsched.domain import recurrence

        said = recurrence.describe(schedule, program.now()) + (f"; first {said}" if said else "")
    if composed.draft:
        return f"a draft for {accounts}" + (f", {said}" if said else "")
    return f"{said}, to {accounts}"


def _by_account(program: Program, composed: Composed) -> str:
    """The slots that accounts were given, where they differ."""
    from postsched.domain.when import describe
    from postsched.domain.zones import zone_named

    zone, by_time = zone_named(composed.schedule.tz), sorted(set(composed.times.values()))
    return "; ".join(
        f"{describe(at, program.now(), zone)}, to "
        + ", ".join(one.name for one in composed.accounts if composed.at(one) == at)
        for at in by_time
    )


def _stdin() -> str:
    return _decoded(sys.stdin.buffer.read(LARGEST_TEXT_FILE + 1), "what is on stdin")


def _decoded(data: bytes, what: str) -> str:
    if len(data) > LARGEST_TEXT_FILE:
        raise InvalidInput(f"{what} is too large for a post", "Give less")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{what} is not UTF-8 (byte {error.start})", "Convert it") from None


def _when(at: str | None, in_: str | None) -> str | None:
    if in_ is None:
        return at
    if at is not None:
        raise InvalidInput("there are --at and --in", "Give one of them")
    from postsched.domain.duration import format_duration, parse_duration

    length = parse_duration(in_)
    hours, rest = divmod(length, timedelta(hours=1))  # in a duration, a day has 24 hours
    return f"in {hours}h" + (format_duration(rest) if rest else "")


def _parts(texts: list[str] | None) -> tuple[DraftPart, ...] | None:
    from postsched.domain.draft import DraftPart

    return None if texts is None else tuple(DraftPart(text) for text in texts)


def _media(files: list[str] | None, alts: list[str] | None) -> tuple[DraftMedia, ...] | None:
    from postsched.domain.draft import ADDRESS, DraftMedia

    if files is None:
        return None
    if not all(files):
        raise InvalidInput("--media is empty", "Name a file, or leave it out")
    media = (
        DraftMedia(url=file)
        if ADDRESS.match(file)
        else DraftMedia(path=str(Path(file).expanduser().absolute()))
        for file in files
    )
    return _with_alts(tuple(media), alts or [])


def _vars(items: list[str] | None) -> dict[str, str] | None:
    return None if items is None else keys_and_values(items, "--var")


def _variants(items: list[str] | None) -> dict[str, str] | None:
    if items is None:
        return None
    texts: dict[str, str] = {}
    for item in items:
        for name, text in keys_and_values([item], "--for").items():
            if not text.strip() or name in texts:
                fault = "is empty" if name not in texts else "is there twice"
                raise InvalidInput(f"--for {name} {fault}", "Give each account one text")
            texts[name] = text
    return texts
