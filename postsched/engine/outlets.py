"""What writers leave for those who tell. Cheap to import: every command that writes does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from postsched.domain.account import Account
from postsched.domain.notice import Wanted, ways_of
from postsched.store.outbox import Outlet

if TYPE_CHECKING:
    from postsched.config import Settings
    from postsched.domain.delivery import Delivery


def is_set(settings: Settings) -> bool:
    """Whether the settings want anything told, or a sign of life given."""
    ways = ways_of(settings.notify, settings.webhook)
    return bool(ways or settings.notify.heartbeat_url)


def outlet_for(settings: Settings) -> Outlet:
    """Where writers are to leave what is to be told; a post may name an address where no way is
    set."""
    return Outlet(Wanted(ways_of(settings.notify, settings.webhook), _document))


def _document(thing: Delivery | Account) -> dict[str, Any]:
    from postsched.transfer.documents import delivery_document, rfc3339  # start-up time

    if not isinstance(thing, Account):
        return delivery_document(thing)
    return {
        "account": thing.name,
        "platform": thing.platform,
        "state": thing.state.value,
        "token_expires_at": rfc3339(thing.token_expires_at),
        "message": thing.state_message,
    }
