"""Accounts, and the platforms they are on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from postsched import platforms
from postsched.domain.account import Account, AccountState
from postsched.domain.duration import distance
from postsched.domain.errors import InvalidInput, NotFound, SecretUnavailable
from postsched.platforms.base import Platform
from postsched.service.accounts import how_to_log_in
from postsched.service.checks.finding import Finding, Subject, ok, problem, warning
from postsched.service.endings import command_of, is_soon, of_waiting
from postsched.store import accounts as account_rows


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
    ends, now = account.token_expires_at, subject.now()
    check = f"postsched account check {account.name}"
    again = f"Log in again: {command_of(account)}"
    if account.state is AccountState.LOGIN:
        said = account.state_message or "its login is refused"
        return problem(name, f"it is held: {said}", again)
    if ends is not None and ends <= now:
        return problem(name, f"its login ended {distance(ends - now)}", again)
    due = _due_after_end(subject, account)
    if ends is not None and (due or is_soon(ends, now)):
        said = f"its login ends {distance(ends - now)}"
        if due:
            said += f", before what is due {distance(due - now)}"
        return warning(name, said, again)
    if account.state is AccountState.UNCHECKED:
        return warning(name, f"{account.platform}, {source}, but its network was not asked", check)
    paused = ", paused" if account.paused else ""
    return ok(name, f"{account.platform}, {source}{paused}")


def _accounts(subject: Subject) -> Sequence[Account]:
    if subject.database is None:
        return ()
    with subject.database.read() as connection:
        return account_rows.every(connection)


def _due_after_end(subject: Subject, account: Account) -> datetime | None:
    if subject.database is None:
        return None
    with subject.database.read() as connection:
        waiting = of_waiting(connection)
    return next((one.due for one in waiting if one.account.id == account.id), None)


def _platform(account: Account) -> tuple[Platform | None, str]:
    try:
        return platforms.get(account.platform), ""
    except NotFound as error:
        return None, error.message
