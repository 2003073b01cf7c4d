"""What is archived of a post: the document that `show --json` prints, and its `uid`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from postsched.domain.delivery import Attempt, Delivery
from postsched.domain.occasion import said_by
from postsched.domain.post import Post
from postsched.domain.schedule import Schedule
from postsched.store import deliveries as delivery_rows
from postsched.store import posts as post_rows
from postsched.store import retention
from postsched.store.leaving import Leaving
from postsched.transfer.documents import post_document, rfc3339

Written = Mapping[int, tuple[Post, Schedule]]
"""Posts with their schedules, by id."""


def written(connection: Connection, leaving: Sequence[Leaving]) -> Written:
    """The posts of what leaves."""
    ids = [one.post_id for one in leaving]
    schedules = post_rows.schedule_of(connection, ids)
    found = post_rows.get(connection, ids)
    return {number: (post, schedules[number]) for number, post in found.items()}


def lines(
    connection: Connection, leaving: Sequence[Leaving], posts: Written, now: datetime
) -> dict[int, list[dict[str, Any]]]:
    """A line for each, by the month in which it was over. `complete` says whether the post leaves
    with it; a series that goes on has lines with some of its deliveries each."""
    numbers = [number for one in leaving for number in one.deliveries]
    deliveries = retention.deliveries_of(connection, numbers)
    tries = retention.attempts_of(connection, numbers)
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for one in leaving:
        post, schedule = posts[one.post_id]
        mine = [_laid_out(deliveries[number], post, schedule) for number in one.deliveries]
        found[month_of(one)].append(_line(one, post, schedule, mine, tries, now))
    return dict(found)


def month_of(leaving: Leaving) -> int:
    """The month (UTC) in which it was over, such as 202611."""
    return leaving.at.year * 100 + leaving.at.month


def _line(
    leaving: Leaving,
    post: Post,
    schedule: Schedule,
    deliveries: Sequence[Delivery],
    tries: dict[int, list[Attempt]],
    now: datetime,
) -> dict[str, Any]:
    document = post_document(post, schedule, deliveries, tries)
    return {
        "uid": post.uid,
        "archived_at": rfc3339(now),
        "complete": leaving.whole,
        **document,
    }


def _laid_out(delivery: Delivery, post: Post, schedule: Schedule) -> Delivery:
    if delivery.steps:
        return delivery
    return delivery_rows.with_steps(delivery, said_by(delivery, post, schedule.tz))
