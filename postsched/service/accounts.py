"""Accounts and groups: add, check, set, remove. Secrets go to the keyring, and are read back."""

from __future__ import annotations

import secrets as chance
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from postsched import platforms
from postsched.domain.account import Account, AccountState, check_name
from postsched.domain.errors import InvalidInput, NotAllowed, PostschedError
from postsched.domain.nearest import did_you_mean
from postsched.domain.outcome import ErrorKind
from postsched.domain.secret import Secret
from postsched.platforms.base import Platform, PlatformError
from postsched.secrets import check_names
from postsched.service.deliveries import accounts_named
from postsched.service.desk import Desk
from postsched.store import accounts as account_rows

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from postsched.secrets import Secrets

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Checked:
    """An account after its network was asked. `warning` says what the person should know: that it
    could not be reached, or that a secret is still missing."""

    account: Account
    warning: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What `account add` was told."""

    name: str
    platform: str
    url: str | None = None
    user: str | None = None
    settings: Mapping[str, str] | None = None
    secret: Secret | None = None


def add(desk: Desk, secrets: Secrets, wanted: Wanted) -> Checked:
    """Add an account. A secret that the network refuses is not kept, nor is the account.

    Raises InvalidInput, NotFound for an unknown platform, NotAllowed for a refused login,
    SecretUnavailable where the keyring can't be used; then nothing was written.
    """
    platform = platforms.get(wanted.platform)
    account = _new_account(desk, platform, wanted)
    with desk.database.read() as connection:
        _check_new_name(connection, account.name)
    if wanted.secret is not None:
        secrets.write(account.name, wanted.secret)
    try:
        with desk.database.write() as connection:
            _check_new_name(connection, account.name)
            account = account_rows.insert(connection, account)
        return check(desk, secrets, account)
    except BaseException:
        _take_back(desk, secrets, account, wanted)
        raise


def check(desk: Desk, secrets: Secrets, account: Account) -> Checked:
    """Ask the network who this is and what it allows, and keep the answer.

    Raises NotAllowed if it refuses the login; the account is then held.
    """
    platform = platforms.get(account.platform)
    if platform.needs_secret and secrets.read(account.name) is None:
        return Checked(account, f"{account.name} has no secret yet: {how_to_log_in(account)}")
    try:
        checked = _inspected(desk, secrets, account)
    except PlatformError as error:
        if error.problem.kind is not ErrorKind.AUTH:
            return Checked(account, f"{account.name} could not be checked: {error}")
        _save(desk, replace(account, state=AccountState.LOGIN, state_message=str(error)))
        raise NotAllowed(
            f"{platform.title} refuses the login of {account.name}: {error}",
            error.problem.hint or how_to_log_in(account),
        ) from None
    except PostschedError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever stands between us and the network
        what = str(error) or type(error).__name__
        return Checked(account, f"{account.name} could not be checked: {what}")
    _save(desk, checked)
    desk.tell()
    return Checked(checked)


def set_secret(desk: Desk, secrets: Secrets, account: Account, secret: Secret) -> Checked:
    """Give an account another secret, and check it."""
    before = secrets.read(account.name)
    secrets.write(account.name, secret)
    try:
        return check(desk, secrets, replace(account, state=AccountState.UNCHECKED))
    except NotAllowed:
        if before is not None:
            secrets.write(account.name, before)
        raise


def set_values(desk: Desk, account: Account, values: Mapping[str, str]) -> Account:
    """Change `url`, `user` or settings of the account's platform."""
    platform = platforms.get(account.platform)
    values = dict(values)
    changed = account
    if "url" in values:
        changed = replace(changed, url=base_url(values.pop("url")))
    if "user" in values:
        changed = replace(changed, user=values.pop("user") or None)
    if values:
        merged = {**account.settings, **check_settings(platform, values)}
        changed = replace(changed, settings={k: v for k, v in merged.items() if v != ""})
    _save(desk, changed)
    desk.tell()
    return changed


def remove(desk: Desk, secrets: Secrets, name: str) -> None:
    """Remove an account and its secret. Refused while posts go to it: their history would go."""
    with desk.database.write() as connection:
        account = one(connection, name)
        posts, waiting = account_rows.uses(connection, account.id)
        if waiting:
            raise NotAllowed(
                f"{name} still has {waiting} deliveries to come",
                f"Cancel them first; see them with: postsched list --account {name}",
            )
        if posts:
            raise NotAllowed(
                f"{name} is named by {posts} posts, whose history would go with it",
                f"Pause it instead: postsched pause --account {name}",
            )
        account_rows.remove(connection, account.id)
    if platforms.get(account.platform).needs_secret:
        secrets.delete(name)


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


def how_to_log_in(account: Account) -> str:
    """The one command that gives an account a secret."""
    return f"Give it one with: postsched account set {account.name} --token-stdin"


def base_url(url: str) -> str | None:
    """A service's base URL without a slash at the end; empty for none.

    Raises InvalidInput for anything else, and for plain http to another host than loopback.
    """
    if not url:
        return None
    parts = urlsplit(url)
    try:
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if parts.scheme not in ("http", "https") or not host:
        raise InvalidInput(f"{url!r} is no base URL", "Give one like https://example.social")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise InvalidInput(
            "a base URL has no user, password, query or fragment",
            "Give the secret with --token-stdin",
        )
    if parts.scheme == "http" and host not in LOOPBACK:
        raise InvalidInput(
            f"{url!r} would send the secret in the clear", "Use https://, or http:// to loopback"
        )
    return url.rstrip("/")


def check_settings(platform: Platform, values: Mapping[str, str]) -> dict[str, str]:
    """Settings of a platform. Raises InvalidInput for a key it does not have, and for one that
    belongs to the secret."""
    for key in values:
        if key in platform.secret_settings:
            raise InvalidInput(
                f"{key} is a secret and does not belong in --set", "Give it with --token-stdin"
            )
        if key not in platform.settings:
            hint = did_you_mean(key, platform.settings) if platform.settings else "It has none"
            raise InvalidInput(f"{platform.name} has no setting {key!r}", hint)
    return dict(values)


def _new_account(desk: Desk, platform: Platform, wanted: Wanted) -> Account:
    name = check_name(wanted.name, "an account")
    url = base_url(wanted.url) if wanted.url else None
    if platform.url is None and platform.needs_secret and not url:
        configured = desk.settings.platform(platform.name).url
        if not configured:
            raise InvalidInput(f"{platform.title} needs the address of your server", "Give --url")
    if platform.needs_user and not wanted.user:
        raise InvalidInput(f"{platform.title} needs {platform.needs_user}", "Give --user")
    settings = check_settings(platform, wanted.settings or {})
    if "dir" in platform.settings:
        folder = settings.get("dir") or str(_default_folder(desk, name))
        settings["dir"] = str(Path(folder).expanduser().absolute())
    return Account(
        id=0,
        uid=chance.token_hex(16),
        name=name,
        platform=platform.name,
        created_at=desk.now(),
        url=url,
        user=wanted.user,
        settings=settings,
    )


def _default_folder(desk: Desk, name: str) -> Path:
    assert desk.database.path is not None
    return desk.database.path.parent / "outbox" / name


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


def _inspected(desk: Desk, secrets: Secrets, account: Account) -> Account:
    from postsched.service.network import call

    facts = call(
        desk, secrets, account, lambda platform, login, http: platform.inspect(login, http)
    )
    return replace(
        account,
        facts=facts,
        facts_at=desk.now(),
        user=account.user or facts.get("user"),
        state=AccountState.OK,
        state_message=None,
    )


def _save(desk: Desk, account: Account) -> None:
    with desk.database.write() as connection:
        account_rows.save(connection, account)
