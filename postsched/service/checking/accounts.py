"""What is known of each account without asking anybody: what it can do, and what holds it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from postsched import platforms
from postsched.domain.account import Account
from postsched.domain.capabilities import Capabilities
from postsched.domain.errors import NotAllowed, NotFound, PostschedError, SecretUnavailable
from postsched.domain.quota import Quota, with_rate
from postsched.service import endings
from postsched.service.accounts import how_to_log_in
from postsched.service.checking.finding import Check, Fault
from postsched.service.desk import Desk

if TYPE_CHECKING:
    from postsched.secrets import Secrets

RELEASE = "Release it: postsched resume"


@dataclass(frozen=True, slots=True)
class Known:
    """An account. `can` is None where its platform can't say; `faults` are those of everything
    that goes to it."""

    account: Account
    title: str
    can: Capabilities | None
    quotas: tuple[Quota, ...] = ()
    spacing: timedelta = timedelta(0)
    """How far apart its posts are at least."""
    faults: tuple[Fault, ...] = ()

    @property
    def who(self) -> str:
        """How messages name it."""
        return f"{self.account.name} ({self.title})"

    @property
    def memory(self) -> timedelta:
        """For how long it matters what else goes to it; zero where that never matters."""
        equal = (self.can and self.can.refuses_equal) or timedelta(0)
        return max(equal, self.spacing, *(quota.per for quota in self.quotas))


def know(desk: Desk, secrets: Secrets, account: Account, *, all_paused: bool) -> Known:
    """What is known of an account; no network is asked and no keyring is opened."""
    try:
        title = platforms.get(account.platform).title
        can = platforms.capabilities(account.platform, account.facts)
    except (NotFound, NotAllowed) as error:
        return Known(account, account.platform, None, faults=(_no_platform(account, error),))
    quotas = quotas_of(desk, account.platform, can)
    spacing = desk.planner.timing.pace(account).spacing
    known = Known(account, title, can, quotas, spacing)
    faults = (*_paused(known, all_paused=all_paused), *_secret(known, secrets))
    return replace(known, faults=faults)


def quotas_of(desk: Desk, platform: str, can: Capabilities) -> tuple[Quota, ...]:
    """The quotas of an account; the setting `rate` takes the place of the first."""
    return with_rate(can.quotas, desk.settings.platform(platform).rate)


def login_fault(desk: Desk, known: Known, due: datetime | None) -> Iterator[Fault]:
    """A login that is refused, or will have ended by then."""
    for ending in endings.before([known.account], due):
        message = endings.words(ending, desk.now(), desk.zone)
        yield Fault(Check.LOGIN, message, endings.remedy(ending))


def _no_platform(account: Account, error: PostschedError) -> Fault:
    otherwise = f"install its package again, or remove the account {account.name}"
    hint = f"{error.hint}; or {otherwise}" if error.hint else otherwise.capitalize()
    return Fault(Check.PLATFORM, f"{account.name}: {error.message}", hint)


def _paused(known: Known, *, all_paused: bool) -> Iterator[Fault]:
    if all_paused:
        yield Fault(Check.PAUSED, "everything is paused", f"{RELEASE} --all")
    if known.account.paused:
        name = known.account.name
        yield Fault(Check.PAUSED, f"{known.who}: it is paused", f"{RELEASE} --account {name}")


def _secret(known: Known, secrets: Secrets) -> Iterator[Fault]:
    account = known.account
    if not platforms.get(account.platform).needs_secret:
        return
    try:
        if secrets.surely_has_none(account.name):
            message = f"{known.who}: there is no secret for it"
            yield Fault(Check.SECRET, message, how_to_log_in(account))
    except SecretUnavailable as error:
        yield Fault(Check.SECRET, f"{known.who}: {error.message}", error.hint or "")
