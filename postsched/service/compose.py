"""From a draft to a post: names looked up, times understood, media kept, limits judged.

Everything that can be wrong with what a person wrote is found here, before anything is written.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from postsched import platforms
from postsched.domain.account import Account
from postsched.domain.capabilities import Capabilities
from postsched.domain.draft import Draft
from postsched.domain.errors import InvalidInput, PostschedError
from postsched.domain.fitting import Finding, check_characters, judge
from postsched.domain.post import CatchUp, Content, Missed
from postsched.domain.schedule import SLOT, Schedule, once_at
from postsched.domain.when import PastTime, understand
from postsched.domain.zones import zone_named
from postsched.service.callbacks import callback_of
from postsched.service.content import Intake, check_plain, content_of
from postsched.service.desk import Desk, unknown_account
from postsched.service.fits import Changes, Fits, Fitted
from postsched.service.hosting import as_hosted
from postsched.service.renditions import Rendition, judged, renditions
from postsched.service.renditions import notes as notes_on
from postsched.service.scheduling import slot_schedule, wishes_of
from postsched.service.slots import Allotment
from postsched.service.ways import ways_of
from postsched.store import accounts as account_rows

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from sqlalchemy import Connection

    from postsched.domain.when import Moment

MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Composed:
    """A draft that has been understood. `notes` is what the person should know and did not ask
    for; `differing` are those of them that say what an account does without or gets otherwise.
    `content` is as it was written, `renditions` are what its next occurrences say. `times` are the
    slots that accounts were given, by id: the `occurrence` is the first of them."""

    content: Content
    accounts: tuple[Account, ...]
    schedule: Schedule
    occurrence: datetime | None
    tags: tuple[str, ...]
    missed: Missed
    grace: timedelta
    catch_up: CatchUp
    priority: int
    key: str | None
    draft: bool
    notes: tuple[str, ...] = ()
    differing: tuple[str, ...] = ()
    renditions: tuple[Rendition, ...] = ()
    spread: timedelta | None = None
    jitter: timedelta | None = None
    callback: str | None = None
    times: Mapping[int, datetime] = field(default_factory=dict)
    uid: str = field(default_factory=lambda: secrets.token_hex(16))

    def at(self, account: Account) -> datetime | None:
        """Its first occurrence for an account."""
        return self.times.get(account.id, self.occurrence)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the accounts."""
        return tuple(account.name for account in self.accounts)


class Unfit(InvalidInput):
    """A post breaks the limits of one or more accounts; each finding is one sentence."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("; ".join(finding.message for finding in findings))
        self.findings = tuple(findings)


class Composer:
    """Understands drafts, one after the other: accounts, limits and zones are looked up once.

    `keep` takes a medium in, or only looks at it. With `past_drafts`, a draft may name a time that
    has passed.
    """

    def __init__(
        self, connection: Connection, desk: Desk, keep: Intake, *, past_drafts: bool = False
    ) -> None:
        self._connection, self._desk, self._keep = connection, desk, keep
        self._past_drafts = past_drafts
        self._fits = Fits.by(keep)
        self.accounts = {account.name: account for account in account_rows.every(connection)}
        self._judges: dict[int, tuple[str, Capabilities]] = {}
        self._zones: dict[str, ZoneInfo] = {}
        self.allotment = Allotment(connection, desk.now())

    @cached_property
    def _groups(self) -> dict[str, tuple[str, ...]]:
        return {group.name: group.accounts for group in account_rows.all_groups(self._connection)}

    def compose(self, draft: Draft, schedule: Schedule | None = None) -> Composed:
        """Understand a draft. With a `schedule`, that one stays, whatever time the draft names; of
        a series that is over, the `occurrence` is None.

        Raises InvalidInput, NotFound for an unknown account, and Unfit where an account's limits
        are broken; a mere draft may break them. The error's `field` says what is at fault.
        """
        field = "to"
        try:
            accounts = self.targets(draft.to)
            field = "tz"
            zone = self._zone(draft.tz)
            field = "at"
            kept, (schedule, first, notes) = schedule, self._schedule(draft, zone, schedule)
            field = "slot"
            times = {} if kept else self._slots(draft, accounts)
            first = min(times.values(), default=first)
            field = "text"
            content = content_of(draft, self._keep, [account.name for account in accounts])
            said = renditions(content, schedule, first, self._desk.now())
            notes = [*notes, *notes_on(content, schedule, said)]
            left_out, fitted = self._judged(said, accounts, draft=draft.draft)
            check_plain("tags", *draft.tags)
            return Composed(
                content=content,
                accounts=accounts,
                schedule=schedule,
                occurrence=None if draft.draft else first,
                times=times,
                tags=draft.tags,
                **ways_of(draft, self._desk.settings),
                callback=self._callback(draft),
                key=draft.key,
                draft=draft.draft,
                notes=(*notes, *self._keep.doubts(said[0].content.link), *left_out, *fitted),
                differing=(*left_out, *fitted),
                renditions=said,
            )
        except PostschedError as error:
            error.field = error.field or field
            raise

    def targets(self, names: Sequence[str]) -> tuple[Account, ...]:
        """The accounts of those names, groups spread out, each once, in the order written; the
        only account there is, if nothing is named."""
        if len(names) == 1 and names[0] in self.accounts:
            return (self.accounts[names[0]],)
        if not names:
            if len(self.accounts) != 1:
                hint = "Name one with --to" if self.accounts else "Add one: postsched account add"
                raise InvalidInput("it isn't said which account this goes to", hint)
            names = tuple(self.accounts)
        found: dict[str, Account] = {}
        for name in names:
            members = (name,) if name in self.accounts else self._groups.get(name)
            if members is None:
                raise unknown_account(name, [*self.accounts, *self._groups])
            found.update({member: self.accounts[member] for member in members})
        return tuple(found.values())

    @cached_property
    def _host_fault(self) -> str | None:
        return self._desk.host_fault()

    @cached_property
    def _callback_fault(self) -> str | None:
        return self._desk.callback_fault()

    def _callback(self, draft: Draft) -> str | None:
        if not draft.callback:
            return None
        internal = self._desk.settings.allow_private_addresses
        return callback_of(draft.callback, self._callback_fault, internal=internal)

    def _zone(self, name: str | None) -> ZoneInfo:
        if not name:
            return self._desk.zone
        if name not in self._zones:
            self._zones[name] = zone_named(name)
        return self._zones[name]

    def _schedule(
        self, draft: Draft, zone: ZoneInfo, kept: Schedule | None
    ) -> tuple[Schedule, datetime | None, list[str]]:
        """The schedule, its first instant, and a note on what a clock change made of its time."""
        if kept is None and draft.slot:
            return slot_schedule(draft, zone), None, []
        if kept is None and draft.recurs:
            return self._series(draft, zone)
        if kept is None and draft.at:
            moment = self._moment(draft.at, zone, past=draft.draft and self._past_drafts)
            schedule = once_at(moment, zone.key)
            return schedule, moment.instant, [moment.note] if moment.note else []
        schedule = kept or Schedule(tz=zone.key)
        if schedule.recurs:
            return schedule, self._next(schedule), []
        first = schedule.first()
        if first is None and not draft.draft and schedule.kind != SLOT:
            raise InvalidInput(
                "it isn't said when this goes out",
                "Give --at WHEN, --in DURATION or --slot, or --draft",
            )
        return schedule, first, []

    def _slots(self, draft: Draft, accounts: Sequence[Account]) -> dict[int, datetime]:
        """The next free slot of each account, by id, for what goes out by slots."""
        if not draft.slot or draft.draft:
            return {}
        pace = self._desk.planner.timing.pace
        return {one.id: self.allotment.next_for(one, pace(one)) for one in accounts}

    def _series(self, draft: Draft, zone: ZoneInfo) -> tuple[Schedule, datetime | None, list[str]]:
        from postsched.domain.recurrence import plan

        now = self._desk.now()
        schedule, notes = plan(wishes_of(draft), now, zone)
        return schedule, self._next(schedule, now - MICROSECOND), list(notes)

    def _next(self, schedule: Schedule, after: datetime | None = None) -> datetime | None:
        """The first occurrence of a series after that one, or after now."""
        from postsched.domain.recurrence import next_occurrence

        found = next_occurrence(schedule, after or self._desk.now())
        return found.instant if found else None

    def _moment(self, text: str, zone: ZoneInfo, *, past: bool) -> Moment:
        try:
            return understand(text, self._desk.now(), zone)
        except PastTime as error:
            if not past:
                raise
            return error.moment

    def _judged(
        self, said: Sequence[Rendition], accounts: Sequence[Account], *, draft: bool
    ) -> tuple[list[str], list[str]]:
        """What the accounts will do without, a draft's faults too; and how files are made to fit.
        Raises Unfit for the faults of other posts."""
        for one in said if draft else ():
            check_characters(one.content)
        findings: list[Finding] = []
        changes = Changes()
        for account in accounts:
            fitted, found = self.verdict(said[0].content, account)
            changes.note(account.name, fitted.changed)
            findings += found if len(said) == 1 else self.verdicts(said, account)
        if not draft and any(finding.fatal for finding in findings):
            raise Unfit([finding for finding in findings if finding.fatal])
        return [finding.message for finding in findings], changes.sentences()

    def verdicts(self, said: Sequence[Rendition], account: Account) -> list[Finding]:
        """All that is wrong with what the occurrences say to an account."""
        return judged(said, lambda content: self.verdict(content, account)[1])

    def verdict(self, content: Content, account: Account) -> tuple[Fitted, list[Finding]]:
        """What an account would get of a post, and all that is wrong with that."""
        title, able = self._judge(account)
        if content.has_media() and any(
            medium.url is None for part in content.parts() for medium in part.media
        ):
            able = as_hosted(able, None if able.media.from_bytes else self._host_fault)
        strict = self._desk.settings.require_alt_text
        fitted = self._fits.of(content, able.media)
        found = judge(
            fitted.content, account.name, title, able, require_alt=strict, refused=fitted.refused
        )
        return fitted, found

    def ability(self, account: Account) -> Capabilities:
        """What an account can do, looked up once."""
        return self._judge(account)[1]

    def _judge(self, account: Account) -> tuple[str, Capabilities]:
        if account.id not in self._judges:
            title = platforms.get(account.platform).title
            self._judges[account.id] = title, capabilities_of(account)
        return self._judges[account.id]


def capabilities_of(account: Account) -> Capabilities:
    """What an account can do, from what is known of its server."""
    return platforms.capabilities(account.platform, account.facts)
