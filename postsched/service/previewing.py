"""What each account would get of a post, with all that is wrong with it; nothing is written.

The texts are worded by the adapters' own functions and counted by the rules by which `add` judges,
so that what is shown is what would go out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from postsched import platforms
from postsched.domain.account import Account
from postsched.domain.capabilities import TextRules
from postsched.domain.counting import byte_length, length
from postsched.domain.cutting import cuts, limit_of, room
from postsched.domain.delivery import Role
from postsched.domain.draft import Draft, DraftMedia
from postsched.domain.errors import InvalidInput, PostschedError
from postsched.domain.fitting import Finding
from postsched.domain.lacking import name_of
from postsched.domain.post import Media
from postsched.media.kept import MediaStore
from postsched.platforms.base import Attachment
from postsched.platforms.messages import message_of
from postsched.platforms.wording import Wording
from postsched.service import posts
from postsched.service.compose import MICROSECOND, Composer, capabilities_of
from postsched.service.content import Intake, content_of
from postsched.service.desk import Desk
from postsched.service.renditions import Rendition, sample

KEY = "0" * 64


class Fate(StrEnum):
    """What becomes of a file at a network."""

    AS_IS = "as is"
    FITTED = "fitted"
    REFUSED = "refused"
    FETCHED = "fetched"
    """An address, which is passed on: nobody here looks at what is there."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A medium of a part as it is sent. `words` say how it differs from the file, or why it can't
    be sent; `file` is the file itself, None for an address or where there is none."""

    media: Media
    fate: Fate
    words: str = ""
    file: Path | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A part of the thread (`n` from 1), or the first comment. `length` and `limit` are in `unit`,
    `size` in bytes of UTF-8; `over_at` is where the text passes the limit, and `cuts` where it
    could be parted into pieces that fit: places in `wording.text`. `with_warning`: the length is
    that of text and content warning."""

    role: Role
    n: int
    wording: Wording
    length: int
    limit: int | None
    unit: str
    size: int
    size_limit: int | None
    over_at: int | None = None
    cuts: tuple[int, ...] = ()
    with_warning: bool = False
    media: tuple[Shown, ...] = ()


@dataclass(frozen=True, slots=True)
class AccountPreview:
    """What one account gets. `findings` keep the post from being added, `dropped` is left out or
    done differently. Title and language are those that are sent; `title_below`: the title is that
    of the link card or the media."""

    account: Account
    network: str
    steps: tuple[Step, ...]
    title: str | None = None
    title_below: bool = False
    warning: str | None = None
    visibility: str | None = None
    lang: str | None = None
    findings: tuple[Finding, ...] = ()
    dropped: tuple[Finding, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether the account takes it."""
        return not self.findings

    @property
    def parts(self) -> int:
        """How many parts the thread has."""
        return sum(step.role is Role.PART for step in self.steps)


@dataclass(frozen=True, slots=True)
class Preview:
    """What all accounts get. `at` is when it would go out (UTC, None: it isn't said) and `tz` the
    zone of that; `error` is what is wrong with the post wherever it goes, `notes` are what is worth
    knowing all the same."""

    accounts: tuple[AccountPreview, ...]
    at: datetime | None = None
    tz: str = "UTC"
    tags: tuple[str, ...] = ()
    error: PostschedError | None = None
    notes: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether `add` would take it."""
        return self.error is None and all(one.fits for one in self.accounts)


class Lenient(Intake):
    """Only looks at the media of drafts, and remembers why it would refuse one: by its path."""

    def __init__(self, store: MediaStore, *, internal: bool) -> None:
        super().__init__(store, keep=False, internal=internal)
        self.refused: dict[str, str] = {}

    def __call__(self, medium: DraftMedia) -> Media:
        """The medium; of a file that can't be used no more than its name."""
        try:
            return super().__call__(medium)
        except InvalidInput as error:
            if medium.url or not medium.path:
                raise
            self.refused[medium.path] = str(error)
            return Media(path=medium.path, alt=medium.alt)


def preview(desk: Desk, draft: Draft) -> Preview:
    """What the accounts would get of a draft, which needs no schedule.

    Raises InvalidInput for what can't be shown at all, NotFound for an unknown account.
    """
    settings = desk.settings
    intake = Lenient(
        MediaStore(settings.media_folder, settings.media_fault),
        internal=settings.allow_private_addresses,
    )
    with desk.database.read() as connection:
        composer = Composer(connection, desk, intake)
        accounts = composer.targets(draft.to)
        content = content_of(draft, intake, [account.name for account in accounts])
        now, composed, fault = desk.now(), None, None
        try:
            # As a draft: what the accounts refuse is said for each of them.
            composed = composer.compose(replace(draft, draft=True))
            known = posts.find_key(connection, draft)
        except PostschedError as error:
            fault = error
        said = composed.renditions if composed else (sample(content, recurs=draft.recurs, at=now),)
        made = tuple(_AccountView(one, said, composer, intake, now).made() for one in accounts)
    if composed is None or fault is not None:
        return Preview(made, tags=draft.tags, error=fault)
    notes = [f"post {known.id} is there already, with the same key"] if known else []
    notes += [note for note in composed.notes if note not in composed.differing]
    notes += [f"this is {said[0].name}"] if content.texts else []
    schedule, first = composed.schedule, composed.schedule.first()
    if schedule.recurs:
        from postsched.domain.recurrence import describe, next_occurrence

        found = next_occurrence(schedule, now - MICROSECOND)
        first = found.instant if found else None
        notes.append(f"the series is {describe(schedule, now)}, and this is its first")
    return Preview(made, first, schedule.tz, draft.tags, notes=tuple(notes))


class _AccountView:
    """What one account gets: the first that is `said` is shown, and all are judged."""

    def __init__(
        self,
        account: Account,
        said: Sequence[Rendition],
        composer: Composer,
        intake: Lenient,
        now: datetime,
    ) -> None:
        self._account, self._intake, self._now = account, intake, now
        self._content = said[0].content
        self._can = capabilities_of(account)
        self._fitted, found = composer.verdict(self._content, account)
        if len(said) > 1:
            found = composer.verdicts(said, account)
        missing = [self._finding(why) for why in intake.refused.values()]
        known = [one for one in found if not any(map(self._about(one), intake.refused))]
        self._findings = [*missing, *known]

    def made(self) -> AccountPreview:
        """The whole of it."""
        content, can = self._content, self._can
        findings = self._findings
        left_out = {one.field for one in findings if not one.fatal}
        return AccountPreview(
            account=self._account,
            network=self._network,
            steps=tuple(self._steps()),
            title=None if "title" in left_out else content.title,
            title_below=bool(can.titled),
            warning=content.warning if can.warning else None,
            visibility=content.visibility,
            lang=content.lang if can.languages else None,
            findings=tuple(one for one in findings if one.fatal),
            dropped=tuple(one for one in findings if not one.fatal),
        )

    @property
    def _network(self) -> str:
        return platforms.get(self._account.platform).title

    def _finding(self, sentence: str) -> Finding:
        return Finding(self._account.name, "media", f"{self._begin}{sentence}")

    @property
    def _begin(self) -> str:
        """How the sentences on the account begin."""
        return f"{self._account.name} ({self._network}): "

    def _about(self, finding: Finding) -> Callable[[str], bool]:
        """Tells whether a finding is about the file of that name."""
        begin = self._begin
        return lambda name: (
            finding.field == "media" and finding.message.startswith(f"{begin}{name} ")
        )

    def _steps(self) -> Iterator[Step]:
        parts = zip(
            self._content.parts(self._account.name),
            self._fitted.content.parts(self._account.name),
            strict=True,
        )
        for n, (original, sent) in enumerate(parts, 1):
            shown = [self._shown(*pair) for pair in zip(original.media, sent.media, strict=True)]
            yield self._step(Role.PART, n, tuple(shown), self._can.text)
        if self._content.comment is not None and self._can.comment is not None:
            yield self._step(Role.COMMENT, 1, (), self._can.comment_text or self._can.text)

    def _step(self, role: Role, n: int, media: tuple[Shown, ...], rules: TextRules) -> Step:
        message = message_of(
            self._content, self._account.name, role, n, key=KEY, occurrence=self._now,
            now=self._now, attachments=tuple(Attachment(one.media, one.file) for one in media),
        )  # fmt: skip
        wording = platforms.worded(self._account.platform, message, self._account.facts)
        text, warning, beside = wording.text, self._content.warning or "", bool(media)
        over_at = room(text, rules, beside_media=beside, warning=warning)
        parting = over_at is not None and role is Role.PART and self._can.thread
        return Step(
            role,
            n,
            wording,
            length(text, rules, warning),
            limit_of(rules, beside_media=beside),
            rules.unit.value,
            byte_length(text),
            rules.byte_limit,
            over_at,
            cuts(text, rules, beside_media=beside, warning=warning) if parting else (),
            bool(warning) and rules.warning_counts,
            media,
        )

    def _shown(self, original: Media, sent: Media) -> Shown:
        if original.url is not None:
            fate = Fate.FETCHED if self._can.media.from_url else Fate.REFUSED
            words = "" if self._can.media.from_url else "only files can be sent"
            return Shown(original, fate, words)
        if why := self._intake.refused.get(original.path or ""):
            return Shown(original, Fate.REFUSED, why)
        file, name = self._intake.file_of(original), name_of(original)
        for one in self._findings:
            if one.fatal and self._about(one)(name):
                words = one.message.removeprefix(f"{self._begin}{name} ")
                return Shown(original, Fate.REFUSED, words, file)
        words = self._fitted.changed.get(original, "")
        return Shown(sent, Fate.FITTED if words else Fate.AS_IS, words, file)
