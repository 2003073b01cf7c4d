"""The same said again to a network that refuses it: what `add` notes of it, and `check` finds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from postsched import platforms
from postsched.domain.account import Account
from postsched.domain.capabilities import Capabilities
from postsched.domain.duration import distance
from postsched.domain.post import Content
from postsched.domain.repetition import mark, texts
from postsched.service.compose import Composed, capabilities_of
from postsched.service.renditions import Rendition
from postsched.store import posts as post_rows
from postsched.store import repeats
from postsched.store.said import posts_said

if TYPE_CHECKING:
    from sqlalchemy import Connection

FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
WHAT = {"text": "the text", "then": "a further part", "comment": "the comment"}
LET_DIFFER = "Let it differ, with {{date}} or --texts"


def notes(connection: Connection, composed: Composed, zone: ZoneInfo) -> Iterator[str]:
    """What to say of a post that is to be written: one sentence for each account that has the same
    text, or will have it, at about that time. A look at the usual case only; `check` finds all."""
    if composed.occurrence is None:
        return
    for account in composed.accounts:
        can = capabilities_of(account)
        span = can.refuses_equal
        if not span:
            continue
        begin = f"{account.name} ({platforms.get(account.platform).title}): "
        if found := _equal(connection, composed, account, composed.occurrence, span):
            yield begin + said_before("text", found, None, span, zone)
        if again := in_series(composed.renditions, account, can):
            yield f"{begin}{said_again(again, span, zone)}. {LET_DIFFER}"


def said_before(
    field: str, before: tuple[datetime, int], post_id: int | None, span: timedelta, zone: ZoneInfo
) -> str:
    """Where the same is said and when, as (instant, post), and what becomes of it; `post_id` is
    the post itself."""
    at, other = before
    where = "another part of it" if other == post_id else f"post {other}"
    return f"{WHAT[field]} is also that of {where} ({_time(at, zone)}), and {_refused(span)}"


def said_again(again: tuple[str, datetime, datetime], span: timedelta, zone: ZoneInfo) -> str:
    """What a series says again and when, as (field, instant, instant), and what becomes of it."""
    field, first, second = again
    times = f"{_time(first, zone)} and again at {_time(second, zone)}"
    return f"{WHAT[field]} of this series is said at {times}, and {_refused(span)}"


def in_series(
    said: Sequence[Rendition], account: Account, can: Capabilities
) -> tuple[str, datetime, datetime] | None:
    """What a series says twice to an account within the time in which its network refuses that:
    the field, and the two instants (UTC). Networks do not say to the second how long that is: what
    is said daily to one that remembers a day counts."""
    known: dict[bytes, datetime] = {}
    for one in said:
        for field, text in _different(one.content, account, can):
            before = known.get(mark(text))
            if before and one.at and can.refuses_equal and one.at - before <= can.refuses_equal:
                return field, before, one.at
            if one.at:
                known[mark(text)] = one.at
    return None


def _different(content: Content, account: Account, can: Capabilities) -> Iterator[tuple[str, str]]:
    """The texts of one post, each once: equal ones within it are another matter."""
    seen: set[bytes] = set()
    for field, text in texts(content, account.name, can):
        if mark(text) not in seen:
            seen.add(mark(text))
            yield field, text


def _equal(
    connection: Connection, composed: Composed, account: Account, at: datetime, span: timedelta
) -> tuple[datetime, int] | None:
    content = composed.renditions[0].content
    since, until = max(at, FIRST + span) - span, min(at, LAST - span) + span
    near = repeats.may_be_equal(connection, account.id, content.text, since, until)
    others = post_rows.to_send(connection, list({d.post_id for d in near})) if near else {}
    can = capabilities_of(account)
    mine = {mark(text) for _, text in texts(content, account.name, can)}
    for delivery, post in zip(near, posts_said(connection, near, others), strict=True):
        theirs = texts(post.content, account.name, can)
        if not mine.isdisjoint(mark(text) for _, text in theirs):
            return delivery.due_at, delivery.post_id
    return None


def _refused(span: timedelta) -> str:
    return f"the same again is refused for about {distance(span).removeprefix('in ')}"


def _time(instant: datetime, zone: ZoneInfo) -> str:
    return f"{instant.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"
