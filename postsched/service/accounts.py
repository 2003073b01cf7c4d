"""Accounts and groups: add, check, set, remove. Secrets go to the keyring, and are read back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from postsched import platforms
from postsched.domain.account import Account, AccountState, check_name
from postsched.domain.errors import InvalidInput, NotAllowed, NotFound, advised
from postsched.domain.outcome import ErrorKind
from postsched.domain.secret import Secret
from postsched.domain.timing import PACE_KEYS
from postsched.platforms.base import Login, Platform, PlatformError
from postsched.secrets import check_names
from postsched.service.desk import Desk, accounts_named
from postsched.service.endings import command_of, end_of
from postsched.service.wanted import Wanted, changed, new_account
from postsched.store import accounts as account_rows
from postsched.store import holds

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from postsched.secrets import Secrets


NEVER = (ErrorKind.INVALID, ErrorKind.PERMANENT)
"""What a network calls wrong for good."""


@dataclass(frozen=True, slots=True)
class Checked:
    """An account after its network was asked. `warning` says what the person should know: that it
    could not be reached, or that a secret is still missing."""

    account: Account
    warning: str | None = None


def add(desk: Desk, secrets: Secrets, wanted: Wanted) -> Checked:
    """Add an account. A secret that the network refuses is not kept, nor is the account.

    Raises InvalidInput, NotFound for an unknown platform, NotAllowed for a refused login,
    SecretUnavailable where the keyring can't be used; then nothing was written.
    """
    platform = platforms.get(wanted.platform)
    account = new_account(desk, platform, wanted)
    with desk.database.read() as connection:
        _check_new_name(connection, account.name)
    if wanted.secret is not None:
        secrets.write(account.name, wanted.secret)
    try:
        with desk.database.write() as connection:
            _check_new_name(connection, account.name)
            account = account_rows.insert(connection, account)
        return check(desk, secrets, account, new=True)
    except NotAllowed as error:
        _take_back(desk, secrets, account, wanted)
        raise _anew(error, account, secrets) from None
    except BaseException:
        _take_back(desk, secrets, account, wanted)
        raise


def check(desk: Desk, secrets: Secrets, account: Account, *, new: bool = False) -> Checked:
    """Ask the network who this is and what it allows, and keep the answer.

    Raises NotAllowed if it refuses the login; the account is then held. InvalidInput where a `new`
    account can never be used as it was given: with a folder that is none, at a wrong address.
    """
    from postsched.service.network import call

    platform = platforms.get(account.platform)
    if platform.needs_secret and secrets.source(account.name) is None:
        return Checked(account, f"{account.name} has no secret yet: {how_to_log_in(account)}")

    async def ask(
        platform: Platform, login: Login, http: Any
    ) -> tuple[dict[str, Any], Secret | None]:
        return _plain(await platform.inspect(login, http)), login.secret

    try:
        facts, secret = call(desk, secrets, account, ask)
    except PlatformError as error:
        if new and error.problem.kind in NEVER:
            raise InvalidInput(
                f"{account.name} can't be used: {error.problem.message}", error.problem.hint
            ) from None
        if error.problem.kind is not ErrorKind.AUTH:
            return Checked(account, _unchecked(account, error.problem.message))
        said, hint = error.problem.message, error.problem.hint or how_to_log_in(account)
        _save(desk, account, state=AccountState.LOGIN, state_message=advised(said, hint))
        raise NotAllowed(
            f"{platform.title} refuses the login of {account.name}: {said}", hint
        ) from None
    known: dict[str, Any] = {}
    in_environment = secrets.in_environment(account.name)
    if in_environment:  # a session that was made of it ends, but another one is made then
        secret = secrets.read(account.name)
    end = end_of(secret, facts, in_environment=in_environment)
    if end is not None or in_environment:
        known["token_expires_at"] = end  # else what was noted at the last renewal holds
    if account.state is AccountState.LOGIN:
        known["state_message"] = None  # else it says that the login can't be renewed
    checked = _save(
        desk,
        account,
        facts=facts,
        facts_at=desk.now(),
        user=account.user or facts.get("user"),
        state=AccountState.OK,
        **known,
    )
    desk.tell()
    return Checked(checked)


def _plain(facts: object) -> dict[str, Any]:
    """The facts that an adapter gives, if they can be kept. Raises TypeError, ValueError."""
    if not isinstance(facts, dict):
        raise TypeError(f"facts are an object, not {type(facts).__name__}")
    kept: dict[str, Any] = json.loads(json.dumps(facts, allow_nan=False))
    return kept


def set_secret(
    desk: Desk,
    secrets: Secrets,
    account: Account,
    secret: Secret,
    *,
    expires_at: datetime | None = None,
    same_person: bool = False,
) -> Checked:
    """Give an account another secret, which ends at `expires_at` as far as is known (UTC), and
    check it. One that the network refuses is not kept, nor is one of another person where it must
    be the `same_person`; the account is then as it was. Raises NotAllowed then, SecretUnavailable
    where the keyring can't be used."""
    before = secrets.before_writing(account.name)
    secrets.write(account.name, secret)
    try:
        # The old refusal says nothing of the new secret, also if the network can't be asked now.
        fresh = _save(
            desk, account, state=AccountState.UNCHECKED, state_message=None,
            token_expires_at=expires_at,
        )  # fmt: skip
        checked = check(desk, secrets, fresh)
        if same_person:
            _refuse_other_person(account, checked.account)
        return checked
    except BaseException:
        if before is not None:
            secrets.write(account.name, before)
        else:
            secrets.delete(account.name)
        names = ("state", "state_message", "token_expires_at", "facts", "facts_at", "user")
        _save(desk, account, **{name: getattr(account, name) for name in names})
        raise


def _refuse_other_person(before: Account, after: Account) -> None:
    """Raise NotAllowed if the network knows the account as somebody else: what is scheduled was not
    meant for them."""
    for name in ("id", "did", "user"):
        if before.facts.get(name) and after.facts.get(name):
            if before.facts[name] == after.facts[name]:
                return
            was, now = before.facts.get("user"), after.facts.get("user")
            raise NotAllowed(
                f"{before.name} is {was}, and the login is {now}'s",
                f"Log in there as {was}, or add an account for {now}",
            )


def set_values(desk: Desk, account: Account, values: Mapping[str, str]) -> Checked:
    """Change `url`, `user`, settings of the account's platform or its pace. Raises InvalidInput."""
    with desk.database.write() as connection:
        current = one(connection, account.name)
        after = changed(desk, platforms.get(account.platform), current, values)
        account_rows.save(connection, after)
        if not {*PACE_KEYS}.isdisjoint(values):
            holds.count_anew(connection, after.id)
    desk.tell()
    if {"url", "user"}.isdisjoint(values) or after.state is not AccountState.UNCHECKED:
        return Checked(after)
    return Checked(after, f"{after.name} is not checked yet: postsched account check {after.name}")


def remove(desk: Desk, secrets: Secrets, name: str) -> None:
    """Remove an account and its secret, or neither. Refused while posts go to it: their history
    would go. Raises NotAllowed, SecretUnavailable."""
    with desk.database.read() as connection:
        has_secret = _may_have_secret(one(connection, name))
    if has_secret:
        secrets.source(name)  # a keyring that is locked asks now, while nobody waits for us
    with desk.database.write() as connection:
        account = one(connection, name)
        _refuse_in_use(connection, account)
        account_rows.remove(connection, account.id)
        if has_secret:
            secrets.delete(name)


def _may_have_secret(account: Account) -> bool:
    try:
        return platforms.get(account.platform).needs_secret
    except NotFound:
        return True  # its platform is gone; whether it needed one can't be told


def _refuse_in_use(connection: Connection, account: Account) -> None:
    posts, waiting = account_rows.uses(connection, account.id)
    if waiting:
        raise NotAllowed(
            f"{account.name} still has {waiting} deliveries to come",
            f"Cancel them first; see them with: postsched list --account {account.name}",
        )
    if posts:
        raise NotAllowed(
            f"{account.name} is named by {posts} posts, whose history would go with it",
            f"Pause it instead: postsched pause --account {account.name}",
        )


def set_group(desk: Desk, name: str, accounts: Sequence[str]) -> None:
    """Make a group of those accounts (or groups)."""
    check_name(name, "a group")
    with desk.database.write() as connection:
        if account_rows.by_name(connection, name):
            raise InvalidInput(f"there is an account {name!r}", "Give the group another name")
        members = accounts_named(connection, accounts)
        account_rows.set_group(connection, name, [account.id for account in members])


def one(connection: Connection, name: str) -> Account:
    """The account of that name. Raises NotFound for an unknown name, InvalidInput for a group."""
    found = accounts_named(connection, [name])
    if len(found) != 1 or found[0].name != name:
        raise InvalidInput(f"{name!r} is a group", "Name one account")
    return found[0]


def _unchecked(account: Account, reason: str) -> str:
    return (
        f"{account.name} could not be checked: {reason}. Try again: postsched account check "
        f"{account.name}"
    )


def _anew(error: NotAllowed, account: Account, secrets: Secrets) -> NotAllowed:
    """A refusal with what mends it where the account was not kept: no command for it works."""
    if secrets.in_environment(account.name):
        return error
    hint = (error.hint or "").partition("postsched account ")[0].removesuffix("Log in again: ")
    return NotAllowed(
        error.message,
        f"{hint.rstrip(' :')}. Then add it again" if hint else "Add it again with another secret",
    )


def how_to_log_in(account: Account) -> str:
    """The one command that gives an account a secret."""
    return f"Give it one with: {command_of(account)}"


def _check_new_name(connection: Connection, name: str) -> None:
    names = [account.name for account in account_rows.every(connection)]
    if name in names:
        raise InvalidInput(f"there is an account {name!r} already", "Give another name")
    if name in [group.name for group in account_rows.all_groups(connection)]:
        raise InvalidInput(f"there is a group {name!r}", "Give another name")
    check_names([*names, name])


def _take_back(desk: Desk, secrets: Secrets, account: Account, wanted: Wanted) -> None:
    """Leave nothing behind of an account that could not be added."""
    if account.id:
        with desk.database.write() as connection:
            account_rows.remove(connection, account.id)
    if wanted.secret is not None:
        secrets.delete(account.name)


def _save(desk: Desk, account: Account, **values: Any) -> Account:
    """Write some values of an account, and leave what others have changed meanwhile."""
    with desk.database.write() as connection:
        current = account_rows.by_ids(connection, [account.id]).get(account.id)
        if current is None:
            raise NotFound(f"the account {account.name!r} was removed meanwhile")
        account_rows.save(connection, replace(current, **values))
    return replace(current, **values)
