"""What becomes of the files of a post at the networks it goes to: sent as they are, in copies made
to fit, or refused. The one call for all who want to know: `add`, `preview`, `check`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from postsched.domain.capabilities import MediaRules
from postsched.domain.post import Content, Media, Part

if TYPE_CHECKING:
    from postsched.media.copies import Copies
    from postsched.media.fitted import State
    from postsched.media.kept import MediaStore
    from postsched.service.content import Intake

REMEMBERED = 1000
"""How many verdicts are remembered: `check` asks for those of a whole queue."""
Look = Callable[[Media], Path]
"""Gives the file of a medium."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a file. `words` say how the copy differs from it, or why it is refused, to
    follow its name; `fitted` is what is sent in its place."""

    state: State
    words: str = ""
    fitted: Media | None = None


def verdict(medium: Media, file: Path, rules: MediaRules, copies: Copies | None = None) -> Verdict:
    """What becomes of a file under the rules of an account's network. Keeps nothing, unless
    `copies` are given; those are used where they are there already.

    Raises InvalidInput if the file can't be read, StoreUnavailable if a copy can't be kept.
    """
    from postsched.media.fitted import State, fit  # few posts have files: start-up time

    found = fit(file, medium, rules, copies, thorough=True)
    fitted = found.medium if found.state is State.FITTED else None
    return Verdict(found.state, found.words, fitted)


@dataclass(frozen=True, slots=True)
class Fitted:
    """The content of a post as a network gets it; why some files can't be sent, by their SHA-256
    (`refused`); and how others are changed."""

    content: Content
    refused: dict[str, str] = field(default_factory=dict)
    changed: dict[Media, str] = field(default_factory=dict)


class Changes:
    """What becomes of the files of one post, for people: files and accounts that fare alike are
    in one sentence."""

    def __init__(self) -> None:
        self._accounts: dict[tuple[str, str], list[str]] = {}

    def note(self, account: str, changed: Mapping[Media, str]) -> None:
        """Add what is changed for an account."""
        for medium, words in changed.items():
            self._accounts.setdefault((_name(medium), words), []).append(account)

    def sentences(self) -> list[str]:
        """One sentence for each: `photo.png for insta: PNG 12.1 MB … → JPEG 0.9 MB …`."""
        return [
            f"{name} for {', '.join(accounts)}: {words}"
            for (name, words), accounts in self._accounts.items()
        ]


class Fits:
    """Judges the files of posts, each once for equal rules. `look` gives the file of a medium;
    copies made to fit are beside the files of a `store`, and new ones are kept there if it
    `keeps`."""

    def __init__(self, look: Look, store: MediaStore, *, keeps: bool) -> None:
        self._look, self._store, self._keeps = look, store, keeps
        self._known: dict[tuple[str, str], Verdict] = {}

    @classmethod
    def by(cls, intake: Intake) -> Fits:
        """For files as an intake takes them; copies are kept where it keeps files."""
        return cls(intake.file_of, intake.store, keeps=intake.keeps)

    @cached_property
    def _copies(self) -> Copies:
        from postsched.media.copies import Copies  # few posts have files: start-up time

        return Copies(self._store, keep=self._keeps)

    def of(self, content: Content, rules: MediaRules) -> Fitted:
        """What a network with those rules gets of a post. Raises as `verdict`."""
        if not rules.types or not content.has_media():
            return Fitted(content)
        fitted = Fitted(content)
        parts = [Part("", content.media), *content.then]
        for medium in dict.fromkeys(one for part in parts for one in part.media):
            if medium.sha256:
                self._note(medium, medium.sha256, rules, fitted)
        return replace(fitted, content=self._changed(content, rules))

    def _note(self, medium: Media, digest: str, rules: MediaRules, fitted: Fitted) -> None:
        found = self._verdict(medium, rules)
        if found.state == "refused":
            fitted.refused[digest] = found.words
        elif found.words:
            fitted.changed[medium] = found.words

    def _verdict(self, medium: Media, rules: MediaRules) -> Verdict:
        key = medium.sha256 or "", repr(rules)
        if key not in self._known:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[key] = verdict(medium, self._look(medium), rules, self._copies)
        return self._known[key]

    def _changed(self, content: Content, rules: MediaRules) -> Content:
        def each(media: Iterable[Media]) -> tuple[Media, ...]:
            return tuple(self._sent(one, rules) for one in media)

        then = tuple(replace(part, media=each(part.media)) for part in content.then)
        return replace(content, media=each(content.media), then=then)

    def _sent(self, medium: Media, rules: MediaRules) -> Media:
        """The medium as it is sent; its digest stays the original's, by which it is known."""
        found = self._verdict(medium, rules).fitted if medium.sha256 else None
        if found is None:
            return medium
        return replace(found, sha256=medium.sha256, alt=medium.alt, path=medium.path)


def _name(medium: Media) -> str:
    name = Path(medium.path or "a file").name
    return name if name.isprintable() else repr(name)
