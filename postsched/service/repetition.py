"""The same said again to a network that refuses it: what `add` notes of it, and `check` finds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from postsched import platforms
from postsched.domain.account import Account
from postsched.domain.duration import distance
from postsched.domain.repetition import mark, texts
from postsched.service.compose import Composed, capabilities_of
from postsched.store import posts as post_rows
from postsched.store import repeats

if TYPE_CHECKING:
    from sqlalchemy import Connection

FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
WHAT = {"text": "the text", "then": "a further part", "comment": "the comment"}


def notes(connection: Connection, composed: Composed, zone: ZoneInfo) -> Iterator[str]:
    """What to say of a post that is to be written: one sentence for each account that has the same
    text, or will have it, at about that time. A look at the usual case only; `check` finds all."""
    if composed.occurrence is None:
        return
    for account in composed.accounts:
        span = capabilities_of(account).refuses_equal
        if span and (found := _equal(connection, composed, account, composed.occurrence, span)):
            title = platforms.get(account.platform).title
            yield f"{account.name} ({title}): {said_before('text', found, None, span, zone)}"


def said_before(
    field: str, before: tuple[datetime, int], post_id: int | None, span: timedelta, zone: ZoneInfo
) -> str:
    """Where the same is said and when, as (instant, post), and what becomes of it; `post_id` is
    the post itself."""
    at, other = before
    where = "another part of it" if other == post_id else f"post {other}"
    return (
        f"{WHAT[field]} is also that of {where} ({at.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}), and "
        f"the same again is refused for about {distance(span).removeprefix('in ')}"
    )


def _equal(
    connection: Connection, composed: Composed, account: Account, at: datetime, span: timedelta
) -> tuple[datetime, int] | None:
    content = composed.content
    since, until = max(at, FIRST + span) - span, min(at, LAST - span) + span
    near = repeats.may_be_equal(connection, account.id, content.text, since, until)
    others = post_rows.to_send(connection, [post_id for _, post_id in near]) if near else {}
    can = capabilities_of(account)
    mine = {mark(text) for _, text in texts(content, account.name, can)}
    for due, post_id in near:
        theirs = texts(others[post_id].content, account.name, can)
        if not mine.isdisjoint(mark(text) for _, text in theirs):
            return due, post_id
    return None
