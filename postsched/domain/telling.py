"""What people read of an event: a title and a sentence or two, with what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from postsched.domain.errors import advised
from postsched.domain.notice import Event, Message

LONGEST = 600
"""Characters of a text: more is cut off by those who show it."""


def title(message: Message) -> str:
    """A few words."""
    count, account = len(message.items), message.account
    match message.event:
        case Event.TEST:
            return "postsched: test"
        case Event.LOGIN_EXPIRING:
            return f"postsched: the login of {account} ends soon"
        case Event.LOGIN_EXPIRED:
            return f"postsched: {account} is held"
    posts = "a post" if count == 1 else f"{count} posts"
    said = {
        Event.FAILED: f"{posts} to {account} failed",
        Event.MISSED: f"{posts} to {account} missed {'its' if count == 1 else 'their'} time",
        Event.UNCONFIRMED: f"{posts} to {account} must be looked at",
        Event.PUBLISHED: f"{posts} to {account} published",
        Event.CANCELLED: f"{posts} to {account} cancelled",
    }
    return f"postsched: {said[message.event]}"


def text(message: Message) -> str:
    """What happened, and what to do."""
    first = message.items[0]
    match message.event:
        case Event.TEST:
            said = "This is what you are told when something goes wrong."
        case Event.LOGIN_EXPIRING | Event.LOGIN_EXPIRED:
            said = _login(message, first)
        case _ if len(message.items) > 1:
            said = _several(message, first)
        case _:
            said = _one(message.event, first)
    return said if len(said) <= LONGEST else f"{said[: LONGEST - 1]}…"


def _login(message: Message, account: Mapping[str, Any]) -> str:
    words = account.get("message")
    if message.event is Event.LOGIN_EXPIRED:
        return f"Its posts wait. {words or 'Its login is refused'}"
    if words:
        return str(words)
    return (
        f"It ends {_time(account['token_expires_at'])}; its posts wait from then on. "
        f"See: postsched account check {message.account}"
    )


def _several(message: Message, first: Mapping[str, Any]) -> str:
    see = f"See: postsched list --all --status {message.event} --account {message.account}"
    return f"The first: {_one(message.event, first)} {see}"


def _one(event: Event, delivery: Mapping[str, Any]) -> str:
    post, error = delivery["post_id"], delivery.get("error") or {}
    why = advised(error["message"], error.get("hint")) if error else "no more is known"
    which = f"Post {post}, due {_time(delivery['occurrence'])}"
    match event:
        case Event.PUBLISHED:
            return f"{which}, is out: {delivery.get('url') or delivery['account']}"
        case Event.CANCELLED:
            return f"{which}, is cancelled. Send it after all: postsched retry {post}"
        case Event.MISSED:
            kept = f". What was in the way: {why}" if error else ""
            return f"{which}. Send it: postsched retry {post}. Or: postsched cancel {post}{kept}"
        case Event.UNCONFIRMED:
            doubt = error.get("message") or "nobody can tell whether it is out"
            return (
                f"{which}: {doubt.rstrip('.')}. "
                f"Look at the account, then: postsched resolve {post} published|absent"
            )
    return f"{which}: {why.rstrip('.')}. See: postsched show {post}"


def _time(written: str) -> str:
    """An RFC 3339 instant to the minute."""
    return f"{written[:10]} {written[11:16]} UTC"
