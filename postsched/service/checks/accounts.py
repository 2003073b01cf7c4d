"""Accounts, and the platforms they are on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from postsched import platforms
from postsched.domain.account import Account, AccountState
from postsched.domain.duration import distance
from postsched.domain.errors import InvalidInput, NotFound, SecretUnavailable
from postsched.platforms.base import Platform
from postsched.service.accounts import how_to_log_in
from postsched.service.checks.finding import Finding, Subject, ok, problem, warning
from postsched.store import accounts as account_rows

SOON = timedelta(days=7)
"""How long before a login ends there is a warning."""


def platform_findings(subject: Subject) -> Iterator[Finding]:
    """The platforms that are installed; one that can't be loaded is the fault of its package."""
    good = []
    for name in platforms.names():
        try:
            platforms.get(name)
        except NotFound as error:
            yield warning("platforms", error.message, error.hint)
        else:
            good.append(name)
    if good:
        yield ok("platforms", ", ".join(good))
    else:
        yield problem("platforms", "none can be loaded", "Install postsched anew with pip")


def account_findings(subject: Subject) -> Iterator[Finding]:
    """Each account: its platform, its secret, and what its network last said."""
    found = _accounts(subject)
    if not found and subject.database is not None:
        yield warning(
            "accounts", "there are none", "Add one: postsched account add NAME --platform PLATFORM"
        )
    for account in found:
        yield _judged(subject, account)


def _judged(subject: Subject, account: Account) -> Finding:
    name = f"account {account.name}"
    platform, fault = _platform(account)
    if platform is None:
        return problem(name, fault, "Install its package again, or remove the account")
    source = "no secret needed"
    if platform.needs_secret:
        try:
            place = subject.secrets.source(account.name)
            subject.secrets.read(account.name)  # it may be there, and be none
        except SecretUnavailable as error:
            return problem(name, f"its secret can't be read: {error.message}", error.hint)
        except InvalidInput as error:
            return problem(name, error.message, error.hint)
        if place is None:
            return problem(name, "there is no secret for it", how_to_log_in(account))
        source = f"secret in the {place}"
    return _login(subject, account, name, source)


def _login(subject: Subject, account: Account, name: str, source: str) -> Finding:
    ends = account.token_expires_at
    check = f"postsched account check {account.name}"
    if account.state is AccountState.LOGIN:
        said = account.state_message or "no more is known"
        return problem(name, f"its login is refused: {said}", how_to_log_in(account))
    if ends is not None and ends <= subject.now():
        return problem(name, f"its login ended {distance(ends - subject.now())}", check)
    if ends is not None and ends <= subject.now() + SOON:
        return warning(name, f"its login ends {distance(ends - subject.now())}", check)
    if account.state is AccountState.UNCHECKED:
        return warning(name, f"{account.platform}, {source}, but its network was not asked", check)
    paused = ", paused" if account.paused else ""
    return ok(name, f"{account.platform}, {source}{paused}")


def _accounts(subject: Subject) -> Sequence[Account]:
    if subject.database is None:
        return ()
    with subject.database.read() as connection:
        return account_rows.every(connection)


def _platform(account: Account) -> tuple[Platform | None, str]:
    try:
        return platforms.get(account.platform), ""
    except NotFound as error:
        return None, error.message
