"""What an account is to be: the words of `account add` and `account set`, judged."""

from __future__ import annotations

import secrets as chance
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from postsched.domain.account import Account, AccountState, check_name
from postsched.domain.errors import InvalidInput
from postsched.domain.nearest import did_you_mean
from postsched.domain.secret import Secret
from postsched.domain.setting import LOOPBACK
from postsched.domain.timing import PACE_KEYS, pace_of
from postsched.platforms.base import PlatformError

if TYPE_CHECKING:
    from postsched.platforms.base import Platform
    from postsched.service.desk import Desk


@dataclass(frozen=True, slots=True)
class Wanted:
    """What `account add` was told."""

    name: str
    platform: str
    url: str | None = None
    user: str | None = None
    settings: Mapping[str, str] | None = None
    secret: Secret | None = None


def new_account(desk: Desk, platform: Platform, wanted: Wanted) -> Account:
    """The account that was asked for, not yet written. Raises InvalidInput."""
    account = Account(
        id=0,
        uid=chance.token_hex(16),
        name=check_name(wanted.name, "an account"),
        platform=platform.name,
        created_at=desk.now(),
        url=base_url(wanted.url) if wanted.url is not None else None,
        user=wanted.user,
        settings=wanted.settings or {},
    )
    return _judged(desk, platform, account)


def changed(desk: Desk, platform: Platform, account: Account, values: Mapping[str, str]) -> Account:
    """The account with other values: `url`, `user`, its pace, and the keys of its platform; an
    empty one means the default. What was known of another server or login is forgotten. Raises
    InvalidInput."""
    rest = dict(values)
    url = base_url(rest.pop("url")) if "url" in rest else account.url
    user = (rest.pop("user") or None) if "user" in rest else account.user
    settings = {key: value for key, value in {**account.settings, **rest}.items() if value}
    for key in rest:
        check_key(platform, key)
    after = _judged(desk, platform, replace(account, url=url, user=user, settings=settings))
    if (url, user) == (account.url, account.user):
        return after
    return replace(after, facts={}, facts_at=None, state=AccountState.UNCHECKED, state_message=None)


def base_url(url: str) -> str | None:
    """A service's base URL without a slash at the end; None for an empty one.

    Raises InvalidInput for anything else, and for plain http to another host than loopback.
    """
    if not url:
        return None
    parts = urlsplit(url)
    if "@" in parts.netloc or parts.query or parts.fragment:  # it may hold a secret: not repeated
        raise InvalidInput(
            "a base URL has no user, password, query or fragment",
            "Give the secret with --token-stdin",
        )
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    bad = port == 0 or not url.isprintable() or " " in url
    if parts.scheme not in ("http", "https") or not host or bad:
        raise InvalidInput(f"{url!r} is no base URL", "Give one like https://example.social")
    if parts.scheme == "http" and not LOOPBACK.fullmatch(host):
        raise InvalidInput(
            f"{url!r} would send the secret in the clear", "Use https://, or http:// to localhost"
        )
    return url.rstrip("/")


def check_key(platform: Platform, key: str) -> None:
    """Raise InvalidInput for a setting the platform does not have, and for one that belongs to the
    secret."""
    if key in PACE_KEYS:
        return
    if key in platform.secret_settings:
        raise InvalidInput(
            f"{key} is a secret and does not belong on the command line",
            "Give it with --token-stdin",
        )
    if key not in platform.settings:
        hint = did_you_mean(key, [*platform.settings, *PACE_KEYS])
        raise InvalidInput(f"{platform.name} has no setting {key!r}", hint)


def _judged(desk: Desk, platform: Platform, account: Account) -> Account:
    """The account with its folder, if it has one, once nothing is missing."""
    for key in account.settings:
        check_key(platform, key)
    pace_of(account.settings, None, None, desk.zone)
    try:
        account = replace(account, facts={**account.facts, **platform.stated(account.settings)})
    except PlatformError as error:
        raise InvalidInput(str(error), error.problem.hint) from None
    url = account.url or desk.settings.platform(platform.name).url or platform.url
    if platform.needs_secret and not url:
        raise InvalidInput(f"{platform.title} needs the address of your server", "Give it as --url")
    if platform.needs_user and not account.user:
        raise InvalidInput(f"{platform.title} needs {platform.needs_user}", "Give it as --user")
    if "dir" not in platform.settings:
        return account
    folder = account.settings.get("dir") or str(_default_folder(desk, account.name))
    absolute = str(Path(folder).expanduser().absolute())
    return replace(account, settings={**account.settings, "dir": absolute})


def _default_folder(desk: Desk, name: str) -> Path:
    return desk.settings.data_folder / "outbox" / name
