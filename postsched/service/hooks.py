"""Webhooks and callbacks: looked at, and sent again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from postsched.domain.errors import InvalidInput, NotFound
from postsched.domain.hook import Hook, HookState, shown
from postsched.domain.notice import Way
from postsched.service.callbacks import callback_of
from postsched.service.desk import LARGEST_ID, Desk
from postsched.store import hooks as rows
from postsched.transfer.documents import rfc3339

USUAL = 50
"""How many are listed unless more are asked for."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What will be sent again, and a sentence for each that could not be."""

    hooks: tuple[Hook, ...]
    refused: tuple[str, ...] = ()


def newest(
    desk: Desk, limit: int = USUAL, before: int | None = None, *, failed: bool = False
) -> list[Hook]:
    """Up to so many webhooks and callbacks, the newest first; those before that id. `failed`: only
    those that were not taken at their last try."""
    with desk.database.read() as connection:
        found = rows.newest(connection, limit, before, failed=failed)
    return [addressed(desk, hook) for hook in found]


def named(desk: Desk, ids: Sequence[int]) -> list[Hook]:
    """Those of these ids, each once, in the order given. Raises NotFound for the first that does
    not exist."""
    wanted = list(dict.fromkeys(ids))
    with desk.database.read() as connection:
        found = rows.by_ids(connection, [one for one in wanted if 0 < one <= LARGEST_ID])
    for one in wanted:
        if one not in found:
            raise NotFound(
                f"there is no webhook {one}",
                "They are kept for 30 days. See them with: postsched webhook list",
            )
    return [addressed(desk, found[one]) for one in wanted]


def replay(desk: Desk, ids: Sequence[int]) -> Replayed:
    """Have webhooks sent again, under the same id and with the same words, delivered or not:
    whoever tells (`run`, `serve`, `publish-due`) sends them. Raises NotFound."""
    hooks = named(desk, ids)
    refused = tuple(why for hook in hooks if (why := unfit(hook)))
    fit = [hook.id for hook in hooks if not unfit(hook)]
    with desk.database.write() as connection:
        rows.reopen(connection, fit, desk.now())
    desk.tell()
    return Replayed(tuple(named(desk, fit)), refused)


def address_to_try(desk: Desk, url: str | None) -> str:
    """Where a test message goes: to that address, or the one of the settings. Raises InvalidInput
    where there is none, and for what no callback may be."""
    if url is not None:
        internal = desk.settings.allow_private_addresses
        return callback_of(url, desk.callback_fault(), internal=internal)
    if desk.settings.webhook.url is None:
        raise InvalidInput(
            "there is nothing to test", "Give an address, or set url below [webhook]"
        )
    return desk.settings.webhook.url


def unfit(hook: Hook) -> str | None:
    """Why one can't be sent again now, None where it can."""
    if hook.state is HookState.SENDING:
        return f"webhook {hook.id} is being sent just now"
    if hook.url is None:
        return f"webhook {hook.id} has no address any more: set url below [webhook]"
    return None


def addressed(desk: Desk, hook: Hook) -> Hook:
    """With the address that it goes to now: that of a webhook is in the settings."""
    return replace(hook, url=desk.settings.webhook.url) if hook.way is Way.WEBHOOK else hook


def document(hook: Hook) -> dict[str, Any]:
    """One as JSON. Of its address only the server is shown: the rest may be a secret."""
    return {
        "id": hook.id,
        "webhook_id": hook.uid,
        "kind": hook.way.value,
        "event": hook.event.value,
        "at": rfc3339(hook.at),
        "account": hook.account,
        "post_id": hook.post_id,
        "url": shown(hook.url),
        "state": hook.state.value,
        "attempts": hook.attempts,
        "next_attempt_at": rfc3339(hook.next_at),
        "answer": hook.answer,
        "error": hook.problem,
        "finished_at": rfc3339(hook.finished_at),
    }
