"""What a draft says, as the content of a post: words checked, media taken in.

Every error names the field of "Posts as data" that is at fault.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from postsched.domain.draft import Draft, DraftMedia
from postsched.domain.duration import parse_duration
from postsched.domain.errors import InvalidInput, PostschedError
from postsched.domain.nearest import did_you_mean
from postsched.domain.post import Content, Media, Part, Visibility
from postsched.domain.reach import is_internal

if TYPE_CHECKING:
    from postsched.media.kept import MediaStore

E = TypeVar("E", bound=StrEnum)
Keep = Callable[[DraftMedia], Media]
LONGEST_TEXT = 1_000_000
"""Characters of a post, all its texts together: more is a mistake."""
MOST_PARTS = 100
REMEMBERED = 10_000
"""How many files an intake remembers, so that one that many posts show is read once."""
NO_TEXT = re.compile("[\0\ud800-\udfff]")
"""NUL, and halves of characters."""
WEB = re.compile(r"https?://[^\s/?#]\S*", re.IGNORECASE)


class Intake:
    """Takes the media of drafts into the media folder, or (`keep=False`) only looks at them.
    `store` is that folder, and `keeps` says which of the two. Unless `internal`, addresses that
    no network can reach are refused."""

    def __init__(self, store: MediaStore, *, keep: bool, internal: bool = False) -> None:
        self.store, self.keeps, self._internal = store, keep, internal
        self._look = store.keep if keep else store.examine
        self._seen: dict[str, Media] = {}

    def __call__(self, medium: DraftMedia) -> Media:
        """The medium, known by its content. Raises InvalidInput for what is no usable file."""
        if medium.kept is not None and medium.path == medium.kept.path:
            return replace(medium.kept, alt=medium.alt)
        if medium.url:
            return Media(url=self._address(medium.url), alt=medium.alt)
        if not medium.path:
            raise _wrong("media", "a medium has neither a path nor a url")
        return replace(self._file(medium.path), path=medium.path, alt=medium.alt)

    def file_of(self, medium: Media) -> Path:
        """Where a medium that was taken in can be read."""
        kept = self.store.path_of(medium)
        return kept if self.keeps or kept.is_file() else Path(medium.path or "").expanduser()

    def doubts(self, link: str | None) -> list[str]:
        """What the person should know of a post's link."""
        if link is None or self._internal or not is_internal(link):
            return []
        reach = f"only this machine or its network can reach {link!r}"
        return [f"{reach}: a link card says nothing of its page, and others can't open it"]

    def _address(self, url: str) -> str:
        web_address(url, "media")
        if not self._internal and is_internal(url):
            raise _wrong(
                "media",
                f"no network can fetch {url!r}: only this machine or its network can reach it",
                "Give a public address, or the path of a file (allow_private_addresses = true "
                "permits it)",
            )
        return url

    def _file(self, path: str) -> Media:
        if path not in self._seen:
            if len(self._seen) >= REMEMBERED:
                self._seen.clear()
            try:
                self._seen[path] = self._look(Path(path).expanduser())
            except PostschedError as error:
                error.field = "media"
                raise
            except RuntimeError:  # ~name/… where there is no such user
                raise _wrong("media", f"there is no file {path}", "Check the path") from None
        return self._seen[path]


def content_of(draft: Draft, keep: Keep, names: Sequence[str]) -> Content:
    """The content a draft stands for; `names` are the accounts it may have variants for."""
    check_size(draft)
    check_plain("texts", *draft.texts)
    check_plain("vars", *draft.vars, *draft.vars.values())
    for name in draft.variants:
        if name not in names:
            raise _wrong(
                "variants",
                f"there is a text for {name!r}, but the post does not go there",
                did_you_mean(name, names),
            )
    return Content(
        text=draft.text,
        media=tuple(map(keep, draft.media)),
        then=tuple(Part(part.text, tuple(map(keep, part.media))) for part in draft.then),
        comment=draft.comment or None,
        link=_link(draft),
        title=draft.title or None,
        variants=dict(draft.variants),
        visibility=word_of(Visibility, draft.visibility, "visibility"),
        warning=draft.warning or None,
        lang=_language(draft.lang),
        texts=draft.texts,
        vars=dict(draft.vars),
    )


def check_size(draft: Draft) -> None:
    """Raise InvalidInput for what is too much for any post."""
    size = len(draft.text) + len(draft.comment or "")
    size += sum(len(part.text) for part in draft.then)
    size += sum(map(len, (*draft.variants.values(), *draft.texts, *draft.vars.values())))
    if size > LONGEST_TEXT:
        raise _wrong("text", f"the post has more than {LONGEST_TEXT:,} characters")
    if len(draft.then) >= MOST_PARTS:
        raise _wrong("then", f"a thread has at most {MOST_PARTS} parts")


def check_plain(field: str, *texts: str) -> None:
    """Raise InvalidInput for a label that can't be kept: NUL, or half of a character."""
    for text in texts:
        if NO_TEXT.search(text):
            raise _wrong(field, f"{text!r} can't be kept: it is no proper text", "Write it anew")


def word_of(kind: type[E], text: str | None, field: str) -> E | None:
    """The word that a text is, None for none."""
    if not text:
        return None
    try:
        return kind(text)
    except ValueError:
        words = [member.value for member in kind]
        hint = f"Give {', '.join(words[:-1])} or {words[-1]}"
        raise _wrong(field, f"{text!r} is no value for {field}", hint) from None


def length_of(text: str | None, field: str) -> timedelta | None:
    """The duration that a text is, None for none."""
    if not text:
        return None
    try:
        return parse_duration(text)
    except InvalidInput as error:
        raise _wrong(field, f"{field}: {error.message}", error.hint) from None


def web_address(url: str, field: str) -> str:
    """The address itself, if it is one that a network could fetch or show."""
    if not WEB.fullmatch(url) or not _has_host(url):
        hint = "Give one that starts with https://"
        hint += ", or the path of a file" if field == "media" else ""
        raise _wrong(field, f"{url!r} is no web address", hint)
    return url


def _link(draft: Draft) -> str | None:
    """The link; one that is to be filled in is judged once it is (`service.renditions`)."""
    if not draft.link or ("{{" in draft.link and (draft.recurs or draft.texts or draft.vars)):
        return draft.link or None
    return web_address(draft.link, "link")


def _has_host(url: str) -> bool:
    """Whether an address names a host, the same for all who read it (to some a backslash ends it),
    and a port that there can be if any."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and "\\" not in url and parts.port != 0
    except ValueError:
        return False


def _language(code: str | None) -> str | None:
    if not code:
        return None
    if not (2 <= len(code) <= 35 and code.replace("-", "").isalnum() and code.isascii()):
        raise _wrong("lang", f"{code!r} is no language code", "Give one like en or pt-BR")
    return code


def _wrong(field: str, message: str, hint: str | None = None) -> InvalidInput:
    error = InvalidInput(message, hint)
    error.field = field
    return error
