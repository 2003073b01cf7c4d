"""What is left of the networks' limits, and who waits for one, without asking anybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from postsched.store import holds, said_limits

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from postsched.domain.account import Account
    from postsched.domain.holding import Hold
    from postsched.domain.outcome import Limit
    from postsched.service.desk import Desk
    from postsched.store.holds import Wait


@dataclass(frozen=True, slots=True)
class Limits:
    """Of all accounts, by id: what is left of each limit, and those that are held now. `broken`
    are the services that don't answer: platform, URL ("" for its own), and since when not."""

    left: Mapping[int, Sequence[Limit]]
    held: Mapping[int, Wait]
    broken: Sequence[tuple[str, str, Hold]]


def known(desk: Desk, connection: Connection, accounts: Sequence[Account]) -> Limits:
    """What is known of the accounts' limits, without asking anybody."""
    now = desk.now()
    said = said_limits.known(connection, now)
    left = {
        account.id: _smallest(
            [*said.get(account.id, ()), *_of_quotas(desk, connection, account, now)]
        )
        for account in accounts
    }
    return Limits(left, held_now(connection, now), holds.broken(connection))


def held_now(connection: Connection, now: datetime) -> dict[int, Wait]:
    """The accounts that nothing is sent for just now, by id."""
    waits = holds.waits(connection)
    return {number: one for number, one in waits.items() if one.until and one.until > now}


def _smallest(limits: Sequence[Limit]) -> list[Limit]:
    """Each limit once: of what the network says and what is counted here, the one that leaves
    less. Others may post by the account, too."""
    found: dict[str, Limit] = {}
    for one in limits:
        if one.name not in found or one.remaining < found[one.name].remaining:
            found[one.name] = one
    return list(found.values())


def _of_quotas(desk: Desk, connection: Connection, account: Account, now: datetime) -> list[Limit]:
    from postsched import platforms
    from postsched.domain.errors import PostschedError
    from postsched.domain.outcome import Limit
    from postsched.domain.quota import with_rate
    from postsched.store import spent

    try:
        can = platforms.capabilities(account.platform, account.facts)
    except PostschedError:
        return []
    found = []
    for quota in with_rate(can.quotas, desk.settings.platform(account.platform).rate):
        used = spent.used(connection, account.id, quota, now)
        found.append(Limit(quota.name, max(0, quota.count - used), limit=quota.count))
    return found


def document(limits: Limits, account: Account) -> dict[str, Any]:
    """The part of an account's JSON in `status`."""
    from postsched.transfer.documents import rfc3339

    wait = limits.held.get(account.id)
    return {
        "held_until": rfc3339(wait.until) if wait else None,
        "held_kind": wait.why.value if wait and wait.why else None,
        "held_reason": wait.message if wait else None,
        "limits": [
            {
                "name": one.name,
                "remaining": one.remaining,
                "limit": one.limit,
                "reset": rfc3339(one.reset),
            }
            for one in limits.left[account.id]
        ],
    }


def services(limits: Limits) -> list[dict[str, Any]]:
    """The JSON of the services that don't answer."""
    from postsched.transfer.documents import rfc3339

    return [
        {
            "platform": platform,
            "url": url or None,
            "reason": hold.message,
            "next_try_at": rfc3339(hold.until),
        }
        for platform, url, hold in limits.broken
    ]
