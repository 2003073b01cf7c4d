"""From a draft to a post: names looked up, times understood, media kept, limits judged.

Everything that can be wrong with what a person wrote is found here, before anything is written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from postsched import platforms
from postsched.domain.account import Account
from postsched.domain.capabilities import Capabilities
from postsched.domain.draft import Draft, DraftMedia
from postsched.domain.duration import parse_duration
from postsched.domain.errors import InvalidInput
from postsched.domain.fitting import Finding, check_characters, judge
from postsched.domain.nearest import did_you_mean
from postsched.domain.post import CatchUp, Content, Media, Missed, Part, Visibility
from postsched.domain.schedule import Schedule, once
from postsched.domain.when import describe, understand
from postsched.domain.zones import zone_named
from postsched.service.desk import Desk, unknown_account
from postsched.store import accounts as account_rows

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from sqlalchemy import Connection

    from postsched.domain.when import Moment

E = TypeVar("E", bound=StrEnum)
LONGEST_TEXT = 1_000_000
"""Characters of a post, all its texts together: more is a mistake."""
MOST_PARTS = 100
Keep = Callable[[DraftMedia], Media]


@dataclass(frozen=True, slots=True)
class Composed:
    """A draft that has been understood. `said` is the time in words, `notes` what the person
    should know and did not ask for."""

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
    digest: str
    said: str | None
    notes: tuple[str, ...] = ()

    @property
    def grace_until(self) -> datetime | None:
        """Until when it may still go out, None for ever."""
        if self.occurrence is None or self.missed is Missed.LATE:
            return None
        return self.occurrence + self.grace


class Unfit(InvalidInput):
    """A post breaks the limits of one or more accounts; each finding is one sentence."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("; ".join(finding.message for finding in findings))
        self.findings = tuple(findings)


def compose(connection: Connection, desk: Desk, draft: Draft, keep: Keep) -> Composed:
    """Understand a draft.

    `keep` takes a medium in (or only looks at it). Raises InvalidInput, NotFound for an unknown
    account, and Unfit where an account's limits are broken.
    """
    accounts = targets(connection, draft)
    zone = zone_named(draft.tz) if draft.tz else desk.zone
    moment = _moment(draft, desk, zone)
    _check_size(draft)
    content = content_of(draft, keep, [account.name for account in accounts])
    check_characters(content)
    findings = judged(content, accounts, require_alt=desk.settings.require_alt_text)
    if fatal := [finding for finding in findings if finding.fatal]:
        raise Unfit(fatal)
    schedule = once(moment.instant, zone.key) if moment else Schedule(tz=zone.key)
    notes = [finding.message for finding in findings]
    if moment and moment.note:
        notes.insert(0, moment.note)
    return Composed(
        content=content,
        accounts=tuple(accounts),
        schedule=schedule,
        occurrence=None if draft.draft or not moment else moment.instant,
        tags=draft.tags,
        missed=_word(Missed, draft.missed, "missed") or desk.settings.missed,
        grace=_duration(draft.grace, "grace") or desk.settings.misfire_grace,
        catch_up=_word(CatchUp, draft.catch_up, "catch_up") or desk.settings.catch_up,
        priority=draft.priority or 0,
        key=draft.key,
        draft=draft.draft,
        digest=digest_of(draft),
        said=describe(moment.instant, desk.now(), zone) if moment else None,
        notes=tuple(notes),
    )


def targets(connection: Connection, draft: Draft) -> list[Account]:
    """The accounts a draft goes to, groups spread out, each once, in the order written."""
    known = {account.name: account for account in account_rows.every(connection)}
    names = draft.to
    if not names:
        if len(known) != 1:
            hint = "Name one with --to" if known else "Add one: postsched account add"
            raise InvalidInput("it isn't said which account this goes to", hint)
        names = tuple(known)
    groups = {group.name: group for group in account_rows.all_groups(connection)}
    found: dict[str, Account] = {}
    for name in names:
        members = (name,) if name in known else groups[name].accounts if name in groups else None
        if members is None:
            raise unknown_account(name, [*known, *groups])
        found.update({member: known[member] for member in members})
    return list(found.values())


def capabilities_of(account: Account) -> Capabilities:
    """What an account can do, from what is known of its server."""
    return platforms.get(account.platform).capabilities(account.facts)


def judged(
    content: Content, accounts: Sequence[Account], *, require_alt: bool = False
) -> list[Finding]:
    """What every account says to the content."""
    return [
        finding
        for account in accounts
        for finding in judge(
            content,
            account.name,
            platforms.get(account.platform).title,
            capabilities_of(account),
            require_alt=require_alt,
        )
    ]


def content_of(draft: Draft, keep: Keep, names: Sequence[str]) -> Content:
    """The content a draft stands for; `names` are the accounts it may have variants for."""
    for name in draft.variants:
        if name not in names:
            raise InvalidInput(
                f"there is a variant for {name!r}, but the post does not go there",
                did_you_mean(name, names) or f"It goes to: {', '.join(names)}",
            )
    return Content(
        text=draft.text,
        media=tuple(keep(medium) for medium in draft.media),
        then=tuple(
            Part(part.text, tuple(keep(medium) for medium in part.media)) for part in draft.then
        ),
        comment=draft.comment or None,
        link=_link(draft.link),
        title=draft.title or None,
        variants=dict(draft.variants),
        visibility=_word(Visibility, draft.visibility, "visibility"),
        warning=draft.warning or None,
        lang=_language(draft.lang),
    )


def digest_of(draft: Draft) -> str:
    """What tells two drafts with one key apart: SHA-256 of all that was written down."""
    plain = {name: value for name, value in asdict(draft).items() if name != "key" and value}
    text = json.dumps(plain, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _moment(draft: Draft, desk: Desk, zone: ZoneInfo) -> Moment | None:
    if draft.at is None:
        if draft.draft:
            return None
        raise InvalidInput(
            "it isn't said when this goes out", "Give --at WHEN or --in DURATION, or --draft"
        )
    return understand(draft.at, desk.now(), zone)


def _check_size(draft: Draft) -> None:
    texts = [draft.text, draft.comment, *(part.text for part in draft.then)]
    texts += draft.variants.values()
    if sum(len(text or "") for text in texts) > LONGEST_TEXT:
        raise InvalidInput(f"the post has more than {LONGEST_TEXT:,} characters")
    if len(draft.then) >= MOST_PARTS:
        raise InvalidInput(f"a thread has at most {MOST_PARTS} parts")


def _word(kind: type[E], text: str | None, name: str) -> E | None:
    if text is None or text == "":
        return None
    try:
        return kind(text)
    except ValueError:
        words = [member.value for member in kind]
        hint = did_you_mean(text, words) or f"One of: {', '.join(words)}"
        raise InvalidInput(f"{text!r} is no value for {name}", hint) from None


def _duration(text: str | None, name: str) -> timedelta | None:
    if text is None:
        return None
    try:
        return parse_duration(text)
    except InvalidInput as error:
        raise InvalidInput(f"{name}: {error.message}", error.hint) from None


def _link(link: str | None) -> str | None:
    if not link:
        return None
    if not link.startswith(("http://", "https://")) or any(c.isspace() for c in link):
        raise InvalidInput(f"{link!r} is no web address", "Give one that starts with https://")
    return link


def _language(code: str | None) -> str | None:
    if not code:
        return None
    if not (2 <= len(code) <= 35 and code.replace("-", "").isalnum() and code.isascii()):
        raise InvalidInput(f"{code!r} is no language code", "Give one like en or pt-BR")
    return code


def looked_at(medium: DraftMedia, look: Callable[[Path], Media]) -> Media:
    """A medium of a draft as a medium of a post; `look` examines or keeps a file."""
    if medium.kept is not None and medium.path == medium.kept.path:
        return replace(medium.kept, alt=medium.alt)
    if medium.url:
        if not medium.url.startswith(("http://", "https://")):
            raise InvalidInput(
                f"{medium.url!r} is no web address", "Give a file, or an https:// address"
            )
        return Media(url=medium.url, alt=medium.alt)
    if not medium.path:
        raise InvalidInput("a medium has neither a path nor a url")
    found = look(Path(medium.path).expanduser())
    return Media(
        path=medium.path, alt=medium.alt, type=found.type, bytes=found.bytes,
        sha256=found.sha256, width=found.width, height=found.height,
    )  # fmt: skip
