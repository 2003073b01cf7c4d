"""What `check` does: it goes over all that is still to go out, and says what would keep it from
that. Offline: no network is asked, no keyring is opened, nothing is written.

One pass in the order of time, a chunk after the other, so that it takes no more memory for a long
queue, but for what is found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from postsched.domain.delivery import Delivery
from postsched.domain.post import Content, Post
from postsched.service.checking.accounts import Known, know, login_fault
from postsched.service.checking.content import Judge
from postsched.service.checking.finding import Check, Fault, Finding
from postsched.service.checking.traffic import Traffic
from postsched.service.desk import Desk, posts_named
from postsched.service.renditions import Rendition, renditions, sample
from postsched.store import accounts as account_rows
from postsched.store import pauses, waiting
from postsched.store import posts as post_rows
from postsched.store.said import posts_said, those_apart
from postsched.store.waiting import CHUNK, Among, Timed

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from postsched.secrets import Secrets

__all__ = ["Check", "Checked", "Fault", "Finding", "check"]
Progress = Callable[[int, int], None]
"""Told how many deliveries are done, and how many there are."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found, post by post; how many posts and deliveries were looked at."""

    findings: Sequence[Finding]
    posts: int
    deliveries: int


def check(
    desk: Desk,
    secrets: Secrets,
    post_ids: Sequence[int] = (),
    *,
    drafts: bool = False,
    progress: Progress = lambda done, total: None,
) -> Checked:
    """Look at all that is to go out, or at those posts; with `drafts` at all drafts, too. A draft
    that is named is looked at anyway. Raises NotFound for a post that does not exist."""
    with desk.database.read() as connection:
        named = posts_named(connection, post_ids)
        walk = _Walk(connection, desk, secrets, {post.id for post in named})
        posts, deliveries = walk.go_over_deliveries(progress)
        also = waiting.drafts(connection) if drafts else (one.id for one in named if one.draft)
        posts += walk.go_over_drafts(iter(also))
        return Checked(walk.findings, len(named) if named and not drafts else posts, deliveries)


@dataclass(frozen=True, slots=True)
class _Row:
    """A delivery in the order of time, with its post as it says it and as it was written; the
    `delivery` itself where these may differ."""

    timed: Timed
    post: Post
    written: Post
    delivery: Delivery | None


class _Walk:
    """One pass. `wanted` are the posts to look at, none for all; what else goes to an account is
    counted only where that matters."""

    def __init__(
        self, connection: Connection, desk: Desk, secrets: Secrets, wanted: set[int]
    ) -> None:
        self._connection, self._desk, self._wanted = connection, desk, wanted
        paused = pauses.all_paused(connection)
        self._known = {
            account.id: know(desk, secrets, account, all_paused=paused)
            for account in account_rows.every(connection)
        }
        self._traffic = {
            account_id: Traffic(known, desk.zone)
            for account_id, known in self._known.items()
            if known.memory
        }
        self._judge = Judge(connection, desk, secrets)
        self._found: dict[int, list[Finding]] = {}

    @property
    def findings(self) -> list[Finding]:
        """What was found, by post, in the order in which they were met."""
        return [one for found in self._found.values() for one in found]

    def go_over_deliveries(self, progress: Progress) -> tuple[int, int]:
        """Look at them in the order of time; how many posts and deliveries these were."""
        now = self._desk.now()
        self._recall(now)
        mine = Among(posts=self._wanted or None)
        among = Among(self._traffic, self._wanted) if self._wanted else mine
        total, _ = waiting.count(self._connection, among)
        rows = waiting.to_go_out(self._connection, among)
        for done, row in enumerate(self._with_posts(rows)):
            if done % CHUNK == 0:
                progress(done, total)
            self._look(row, max(row.timed.at, now))
        deliveries, posts = waiting.count(self._connection, mine)
        return posts, deliveries

    def go_over_drafts(self, ids: Iterator[int]) -> int:
        """Look at what those drafts say, and at logins where a time is set; how many there are."""
        by_name = {known.account.name: known for known in self._known.values()}
        count, now = 0, self._desk.now()
        while chunk := list(islice(ids, CHUNK)):
            plans = post_rows.schedule_of(self._connection, chunk)
            for post_id, post in post_rows.get(self._connection, chunk).items():
                first = plans[post_id].first()
                said = sample(post.content, recurs=plans[post_id].recurs, at=first or now)
                for name in post.accounts:
                    self._keep(post_id, None, by_name[name], first, said.content)
            count += len(chunk)
        return count

    def _recall(self, now: datetime) -> None:
        """Tell the accounts what went out lately."""
        if not self._traffic:
            return
        since = now - max(known.memory for known in self._known.values())
        rows = waiting.gone_out(self._connection, Among(self._traffic), since)
        for row in self._with_posts(rows):
            timed, post = row.timed, row.post
            self._traffic[timed.account_id].is_out(post.content, min(timed.at, now), post.id)

    def _with_posts(self, rows: Iterator[Timed]) -> Iterator[_Row]:
        while chunk := list(islice(rows, CHUNK)):
            posts = post_rows.to_send(self._connection, list({one.post_id for one in chunk}))
            apart = those_apart(self._connection, [one.delivery_id for one in chunk])
            said = posts_said(self._connection, apart, posts)
            found = {d.id: (post, d) for d, post in zip(apart, said, strict=True)}
            for one in chunk:
                written = posts[one.post_id]
                post, delivery = found.get(one.delivery_id, (written, None))
                yield _Row(one, post, written, delivery)

    def _look(self, row: _Row, at: datetime) -> None:
        timed, post = row.timed, row.post
        traffic = self._traffic.get(timed.account_id)
        met = list(traffic.faults(post.content, at, post.id)) if traffic else []
        if not self._wanted or post.id in self._wanted:
            if traffic and row.delivery and row.delivery.leads:
                met += traffic.repeats(self._next(row.written, row.delivery), post.id)
            known = self._known[timed.account_id]
            self._keep(post.id, timed.delivery_id, known, timed.at, post.content, met)

    def _next(self, post: Post, leader: Delivery) -> Sequence[Rendition]:
        """What a series says from the delivery on that leads it."""
        schedule = post_rows.schedule_of(self._connection, [post.id])[post.id]
        first, number = leader.occurrence, leader.number or 1
        return renditions(post.content, schedule, first, self._desk.now(), number)

    def _keep(
        self,
        post_id: int,
        delivery_id: int | None,
        known: Known,
        due: datetime | None,
        content: Content,
        met: Iterable[Fault] = (),
    ) -> None:
        """Look at one delivery, or a draft for one account, and keep what is found."""
        name, platform = known.account.name, known.account.platform
        for fault in (
            *known.faults,
            *login_fault(self._desk, known, due),
            *self._judge.faults(content, known, post_id),
            *met,
        ):
            finding = Finding(post_id, delivery_id, name, platform, due, fault)
            self._found.setdefault(post_id, []).append(finding)
