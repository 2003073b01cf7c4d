"""Accounts and groups: where posts go, and what is known of the servers behind them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from postsched.domain.errors import InvalidInput

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


class AccountState(StrEnum):
    """Whether the network takes the account's secret, as far as is known."""

    UNCHECKED = "unchecked"
    """The network was not asked yet, or could not be reached."""
    OK = "ok"
    LOGIN = "login"
    """The network refused the secret: nothing is sent until there is a new one."""


@dataclass(frozen=True, slots=True)
class Account:
    """A named login on one platform. Its secret is in the keyring, never here.

    Accounts are compared by what a person or the server said; `state_message` and
    `token_expires_at` change by themselves whenever a login is renewed, and don't count.
    `url` is the instance or service base URL, without a slash at the end, or None for the
    platform's own. `facts` is what `Platform.inspect` read from the server, plain JSON.
    """

    id: int
    uid: str
    name: str
    platform: str
    created_at: datetime
    url: str | None = None
    user: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    facts_at: datetime | None = None
    state: AccountState = AccountState.UNCHECKED
    state_message: str | None = field(default=None, compare=False)
    token_expires_at: datetime | None = field(default=None, compare=False)
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """A name for several accounts, usable wherever an account name is."""

    name: str
    accounts: tuple[str, ...]


def check_name(name: str, what: str) -> str:
    """The name itself, or InvalidInput if no account or group may be called that."""
    if not NAME.fullmatch(name):
        raise InvalidInput(
            f"{name!r} can't be the name of {what}",
            "Use letters, digits and . _ @ - (64 at most), starting with a letter or digit",
        )
    return name
