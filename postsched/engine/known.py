"""What follows from an account, remembered for as long as the account is the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from postsched.domain.account import Account
from postsched.domain.capabilities import Guarantee
from postsched.login import login_for, servers
from postsched.platforms.base import Platform

if TYPE_CHECKING:
    from postsched.config import Settings


@dataclass(slots=True)
class _Followed:
    account: Account
    guarantee: Guarantee | None = None
    servers: tuple[str, ...] | None = None


class Known:
    """What follows from the accounts, by uid. `platform` gives an adapter by name."""

    def __init__(self, platform: Callable[[str], Platform], settings: Settings) -> None:
        self._platform = platform
        self._settings = settings
        self._followed: dict[str, _Followed] = {}

    def guarantee(self, account: Account) -> Guarantee:
        """How a lost answer of this account can be settled; the weakest if that can't be told."""
        found = self._of(account)
        if found.guarantee is None:
            try:
                platform = self._platform(account.platform)
                found.guarantee = platform.capabilities(account.facts).guarantee
            except Exception:  # noqa: BLE001 - a plug-in may raise anything
                return Guarantee()
        return found.guarantee

    def servers(self, account: Account) -> tuple[str, ...]:
        """The addresses that a person has set for it. Raises what `login_for` does."""
        found = self._of(account)
        if found.servers is None:
            platform = self._platform(account.platform)
            found.servers = servers(login_for(account, platform, self._settings, None))
        return found.servers

    def _of(self, account: Account) -> _Followed:
        found = self._followed.get(account.uid)
        if found is None or (found.account is not account and found.account != account):
            found = self._followed[account.uid] = _Followed(account)
        return found
