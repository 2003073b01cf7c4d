"""What is old enough to leave the database, judged post by post.

A post of which nothing more is to come leaves as a whole, also one that has no deliveries (a draft
that was cancelled). Of a series that goes on, the deliveries
that are over leave, but for the last one of each account, which says where the series stands, and
all from there on. Nothing leaves that is not over, that anything happened to since, that a person
has to settle, or that is needed to settle another one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, exists, func, select, text

from postsched.domain.delivery import DeliveryStatus
from postsched.domain.post import Missed
from postsched.domain.schedule import Schedule
from postsched.store.columns import Instant
from postsched.store.gone import OWN_KEY
from postsched.store.tables import LEADING, attempts, deliveries, posts, schedules, targets

S = DeliveryStatus
OVER = frozenset({S.PUBLISHED.value, S.CANCELLED.value})
"""What is over, and needs nobody."""
WANTING = frozenset({S.FAILED.value, S.MISSED.value})
"""What is over, and waits for a person to say what becomes of it."""
MOST = 1000
"""A post with more deliveries than that leaves as a whole only once they have become fewer."""
AROUND = timedelta(days=2)
"""How long before something in doubt the other posts of its account are needed, and more
(`neighbours.BEFORE`)."""
CHUNK = 500
"""How many ids one statement names."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What was finished before `over` leaves (UTC); what waits for a person, before `wanting`."""

    over: datetime
    wanting: datetime


@dataclass(frozen=True, slots=True)
class Leaving:
    """What leaves together: a `whole` post with these as all of its deliveries, or these of a post
    that stays. The `last` of them was finished at `at` (UTC); `rows` is how many rows that are, and
    `wanting` how many of the deliveries had failed or were missed. Where there are none, `last` is
    0, and `at` when the post was changed last. `key` is the post's, or the one its export has, and
    `digest` what that stands for."""

    post_id: int
    whole: bool
    deliveries: tuple[int, ...]
    last: int
    at: datetime
    rows: int
    wanting: int
    key: str
    digest: str | None


IsOver = Callable[[Schedule, datetime], bool]
"""Whether a schedule names nothing after that instant (UTC)."""
row = deliveries.c
JUDGED = select(
    row.id, row.post_id, row.account_id, row.status, row.occurrence, row.finished_at,
    row.started_at, row.claim, row.next_at,
)  # fmt: skip


def _posts() -> Any:
    """The posts, with whether a row leads them, and whether they have too many deliveries."""
    first, beyond = deliveries.alias("first"), deliveries.alias("beyond")
    leads = exists().where(first.c.post_id == posts.c.id, text(f"first.{LEADING}"))
    crowded = (
        select(beyond.c.id)
        .where(beyond.c.post_id == posts.c.id)
        .order_by(beyond.c.account_id, beyond.c.occurrence)
        .limit(1)
        .offset(MOST)
        .scalar_subquery()
    )
    post, plan = posts.c, schedules.c
    return (
        select(
            post.id, post.uid, post.key, post.digest, post.draft, post.missed, post.created_at,
            post.updated_at, plan.kind, plan.at, plan.tz, plan.rule,
            leads.label("leads"), crowded.label("crowded"),
        )
        .join_from(posts, schedules)
        .where(post.id.in_(bindparam("ids", expanding=True)))
    )  # fmt: skip


def _followed() -> Any:
    later, leader = deliveries.alias("later"), deliveries.alias("leader")
    led = exists().where(
        leader.c.post_id == row.post_id,
        leader.c.account_id == row.account_id,
        text(f"leader.{LEADING}"),
        leader.c.occurrence <= later.c.occurrence,
    )
    follows = exists().where(
        later.c.post_id == row.post_id,
        later.c.account_id == row.account_id,
        later.c.occurrence > row.occurrence,
        later.c.occurrence < bindparam("before", type_=Instant),
        ~led,
    )
    return JUDGED.where(row.id.in_(bindparam("ids", expanding=True)), follows)


POSTS, FOLLOWED = _posts(), _followed()
OF_POSTS = JUDGED.where(row.post_id.in_(bindparam("ids", expanding=True)))
TRIES = (
    select(attempts.c.delivery_id, func.max(attempts.c.started_at, type_=Instant), func.count())
    .where(attempts.c.delivery_id.in_(bindparam("ids", expanding=True)))
    .group_by(attempts.c.delivery_id)
)
NEWEST = select(
    select(func.max(posts.c.id)).scalar_subquery(), select(func.max(row.id)).scalar_subquery()
)
DOUBTFUL = (
    select(
        row.account_id,
        func.min(func.coalesce(row.sent_at, row.claimed_at, row.occurrence), type_=Instant),
    )
    .where(row.status.in_([S.PUBLISHING.value, S.CONFIRMING.value]))
    .group_by(row.account_id)
)
# Made once: to make them takes longer than to execute them.


def judge(
    connection: Connection, wanted: Mapping[int, Sequence[int]], bounds: Bounds, is_over: IsOver
) -> list[Leaving]:
    """What may leave of those posts, in their order; of those that stay, some of the deliveries
    that are named; of those for which none is named, only what has none. Judged twice, it says the
    same as long as nothing happened in between."""
    if not wanted:
        return []
    judging = _Judging(connection, bounds, is_over, _newest(connection), _floors(connection))
    known = {one.id: one for one in connection.execute(POSTS, {"ids": list(wanted)})}
    goes_on = {post_id for post_id, one in known.items() if one.leads or one.crowded}
    rows = judging.all_of([post_id for post_id in known if post_id not in goes_on])
    rows |= judging.some_of([n for post_id in goes_on for n in wanted[post_id]])
    tries = _tries(connection, [one.id for of_post in rows.values() for one in of_post])
    found = []
    for post_id in wanted:
        mine = rows.get(post_id, ())
        if post_id not in known or known[post_id].draft:
            continue
        if bool(mine) == bool(wanted[post_id]):
            part = judging.part if post_id in goes_on else judging.whole
            found.append(part(known[post_id], mine, tries))
    return [one for one in found if one is not None]


Tries = Mapping[int, tuple[datetime, int]]
"""By delivery, when the last of its attempts was made, and how many there are."""


@dataclass(frozen=True, slots=True)
class _Judging:
    connection: Connection
    bounds: Bounds
    is_over: IsOver
    newest: tuple[int, int]
    """The highest ids of a post and of a delivery: those stay, so that no id is given twice."""
    floors: Mapping[int, datetime]
    """By account, since when all that was sent is needed to settle something."""

    def all_of(self, post_ids: Sequence[int]) -> dict[int, list[Row[Any]]]:
        """All deliveries of those posts."""
        found: list[Row[Any]] = []
        for chunk in _chunks(post_ids):
            found += self.connection.execute(OF_POSTS, {"ids": chunk})
        return _by_post(found)

    def some_of(self, delivery_ids: Sequence[int]) -> dict[int, list[Row[Any]]]:
        """Those of the deliveries that have a later one, which is old too, before the one that
        leads their series."""
        found: list[Row[Any]] = []
        for chunk in _chunks(delivery_ids):
            values = {"ids": chunk, "before": self.bounds.over}
            found += self.connection.execute(FOLLOWED, values)
        return _by_post(found)

    def whole(self, post: Row[Any], rows: Sequence[Row[Any]], tries: Tries) -> Leaving | None:
        """A post that leaves with all its deliveries."""
        stays = post.updated_at >= self.bounds.over or post.id == self.newest[0]
        if stays or not all(self._is_ripe(one, post, tries) for one in rows):
            return None
        schedule = Schedule(post.kind, post.at, post.tz, post.rule or {})
        if rows and schedule.recurs and not self._has_ended(post, schedule, rows):
            return None
        return self._leaving(post, rows, tries, whole=True)

    def part(self, post: Row[Any], rows: Sequence[Row[Any]], tries: Tries) -> Leaving | None:
        """Some deliveries of a post that stays."""
        ripe = [one for one in rows if self._is_ripe(one, post, tries)]
        return self._leaving(post, ripe, tries, whole=False) if ripe else None

    def _is_ripe(self, one: Row[Any], post: Row[Any], tries: Tries) -> bool:
        open_ = one.finished_at is None or one.claim is not None or one.next_at is not None
        if open_ or one.id == self.newest[1] or one.occurrence >= self.bounds.over:
            return False
        if one.status not in OVER | WANTING:
            return False
        limit = self.bounds.wanting if _is_wanting(one, post) else self.bounds.over
        floor = self.floors.get(one.account_id)
        needed = floor is not None and one.started_at is not None and one.started_at >= floor
        touched = one.id in tries and tries[one.id][0] >= self.bounds.over
        return bool(one.finished_at < limit) and not (needed or touched)

    def _has_ended(self, post: Row[Any], schedule: Schedule, rows: Sequence[Row[Any]]) -> bool:
        """Whether nothing more is to come of a series that no row leads."""
        lasts: dict[int, datetime] = {}
        for one in rows:
            lasts[one.account_id] = max(one.occurrence, lasts.get(one.account_id, one.occurrence))
        target = targets.c
        query = select(target.account_id).where(target.post_id == post.id, target.stopped == 0)
        going = self.connection.scalars(query).all()
        return all(self.is_over(schedule, lasts.get(one, post.created_at)) for one in going)

    def _leaving(
        self, post: Row[Any], rows: Sequence[Row[Any]], tries: Tries, *, whole: bool
    ) -> Leaving:
        ids = tuple(sorted(one.id for one in rows))
        ends = [(one.finished_at, one.id) for one in rows]
        at, last = max(ends, default=(post.updated_at, 0))
        return Leaving(
            post.id,
            whole,
            ids,
            last,
            at,
            len(ids) + sum(tries[one][1] for one in ids if one in tries),
            sum(_is_wanting(one, post) for one in rows),
            post.key or OWN_KEY + post.uid,
            post.digest or None,
        )


def _is_wanting(one: Row[Any], post: Row[Any]) -> bool:
    """Whether it waits for a person: not what is only reported."""
    quiet = one.status == S.MISSED.value and post.missed == Missed.SKIP.value
    return one.status in WANTING and not quiet


def _by_post(rows: Iterable[Row[Any]]) -> dict[int, list[Row[Any]]]:
    found: dict[int, list[Row[Any]]] = defaultdict(list)
    for one in rows:
        found[one.post_id].append(one)
    return dict(found)


def _newest(connection: Connection) -> tuple[int, int]:
    post, delivery = connection.execute(NEWEST).one()
    return post or 0, delivery or 0


def _floors(connection: Connection) -> dict[int, datetime]:
    """By account, the first instant from which its posts are needed to settle one in doubt."""
    return {account_id: at - AROUND for account_id, at in connection.execute(DOUBTFUL)}


def _tries(connection: Connection, ids: Sequence[int]) -> dict[int, tuple[datetime, int]]:
    found: dict[int, tuple[datetime, int]] = {}
    for chunk in _chunks(ids):
        rows = connection.execute(TRIES, {"ids": chunk})
        found |= {delivery: (at, count) for delivery, at, count in rows}
    return found


def _chunks(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))
