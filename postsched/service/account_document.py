"""Accounts and groups as JSON. No secret is in it: the database has none."""

from __future__ import annotations

from typing import Any

from postsched.domain.account import Account, Group
from postsched.transfer.documents import rfc3339


def account_document(account: Account) -> dict[str, Any]:
    """An account."""
    return {
        "name": account.name,
        "platform": account.platform,
        "url": account.url,
        "user": account.user,
        "state": account.state.value,
        "state_message": account.state_message,
        "paused": account.paused,
        "settings": dict(account.settings),
        "token_expires_at": rfc3339(account.token_expires_at),
        "created_at": rfc3339(account.created_at),
        "checked_at": rfc3339(account.facts_at),
    }


def group_document(group: Group) -> dict[str, Any]:
    """A group."""
    return {"name": group.name, "accounts": list(group.accounts)}
