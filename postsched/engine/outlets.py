"""What writers leave for those who tell. Cheap to import: every command that writes does, where
anything is set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from postsched.domain.account import Account
from postsched.domain.notice import Wanted, ways_of
from postsched.store.outbox import Outlet
from postsched.transfer.documents import delivery_document, rfc3339

if TYPE_CHECKING:
    from postsched.config import Settings
    from postsched.domain.delivery import Delivery


def is_set(settings: Settings) -> bool:
    """Whether anything is to be told, or a sign of life given."""
    ways = ways_of(settings.notify, settings.webhook)
    return bool(ways or settings.notify.heartbeat_url)


def outlet_for(settings: Settings) -> Outlet | None:
    """Where writers are to leave what is to be told; None where no way is set."""
    ways = ways_of(settings.notify, settings.webhook)
    return Outlet(Wanted(ways, _document)) if ways else None


def _document(thing: Delivery | Account) -> dict[str, Any]:
    if not isinstance(thing, Account):
        return delivery_document(thing)
    return {
        "account": thing.name,
        "platform": thing.platform,
        "state": thing.state.value,
        "token_expires_at": rfc3339(thing.token_expires_at),
        "message": thing.state_message,
    }
