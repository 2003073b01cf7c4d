"""The next of a series: planned as soon as the one before it is taken up.

A chain has exactly one row that leads, unless it is over or was stopped; planning it twice is
harmless.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from postsched.domain.account import Account
from postsched.domain.errors import PostschedError
from postsched.domain.post import Post
from postsched.domain.schedule import Schedule
from postsched.planning.planner import Occasion, Planner
from postsched.planning.timing import turn_in
from postsched.store import accounts as account_rows
from postsched.store import chains, plans
from postsched.store import posts as post_rows

log = logging.getLogger("postsched.engine")
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Chain:
    """A series to one account."""

    post: Post
    account: Account
    schedule: Schedule
    planner: Planner

    def plan_after(
        self, connection: Connection, after: datetime, number: int, now: datetime
    ) -> datetime | None:
        """Plan the first occurrence after that one (UTC, with its number) that has no row yet: it
        leads from now on. Returns it, None where the series is over or was stopped."""
        if not chains.is_active(connection, self.post.id, self.account.id):
            return None
        try:
            occasion = self.next_free(connection, after, number)
        except PostschedError as error:  # a zone that is not known here must not keep others back
            log.error("post %d to %s has no next: %s", self.post.id, self.account.name, error)
            return None
        if occasion is None:
            return None
        plans.plan(connection, [self.planner.row(self.post, self.account, occasion, now)])
        return occasion.at

    def next_free(self, connection: Connection, after: datetime, number: int) -> Occasion | None:
        """The first occurrence after that one which has no row, with its number."""
        from postsched.domain.recurrence import occurrences

        taken = chains.taken(connection, self.post.id, self.account.id, after)
        for n, one in enumerate(occurrences(self.schedule, after), number + 1):
            if one.instant not in taken:
                turn = turn_in(connection, self.post, self.account)
                return Occasion(one.instant, n, leads=True, turn=turn)
        return None


def revive(connection: Connection, planner: Planner, now: datetime) -> int:
    """Plan the next of every series that has none though it should; how many that were.

    Nothing that lies in the past is planned but what has become due since the last one: that is
    for catching up to judge.
    """
    lacking = chains.leaderless(connection)
    if not lacking:
        return 0
    post_ids = list({post_id for post_id, _ in lacking})
    posts = post_rows.get(connection, post_ids)
    schedules = post_rows.schedule_of(connection, post_ids)
    accounts = account_rows.by_ids(connection, list({number for _, number in lacking}))
    planned = 0
    for post_id, account_id in lacking:
        chain = Chain(posts[post_id], accounts[account_id], schedules[post_id], planner)
        tail = chains.tail(connection, post_id, account_id, now)
        after = tail.occurrence if tail else posts[post_id].updated_at - MICROSECOND
        number = tail.number if tail else 0
        planned += chain.plan_after(connection, after, number, now) is not None
    return planned
