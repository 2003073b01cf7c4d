"""One occurrence of a series: skipped, moved, or with a text of its own.

A row is made for it ahead of its turn, for each account; the series passes it over. What has a row
already is changed as any delivery is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from postsched.domain.account import Account
from postsched.domain.delivery import IN_DOUBT, Delivery, DeliveryStatus
from postsched.domain.errors import InvalidInput, NotAllowed, NotFound
from postsched.domain.occasion import said_by
from postsched.domain.post import Post, split_thread
from postsched.domain.schedule import Schedule
from postsched.planning.chain import Chain
from postsched.planning.planner import Occasion
from postsched.service.desk import Desk, posts_named
from postsched.store import accounts as account_rows
from postsched.store import chains, plans
from postsched.store import deliveries as delivery_rows
from postsched.store import posts as post_rows

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from postsched.service.deliveries import Which

S = DeliveryStatus
SECOND, MICROSECOND = timedelta(seconds=1), timedelta(microseconds=1)
MOST_AHEAD = 100_000
"""So many occurrences are counted in less than a second, for which nobody else can write."""


@dataclass(frozen=True, slots=True)
class Series:
    """A post that recurs, with its accounts, those for which it was cancelled left out."""

    post: Post
    schedule: Schedule
    accounts: Sequence[Account]


@dataclass(frozen=True, slots=True)
class Once:
    """One occurrence, for the accounts for which it was changed, and a sentence for each account
    for which it stays as it is."""

    changed: tuple[Delivery, ...]
    notes: tuple[str, ...]


def series_of(connection: Connection, post: Post) -> Series | None:
    """The series that a post is, None for one that goes out once, and for a draft."""
    schedule = post_rows.schedule_of(connection, [post.id])[post.id]
    if post.draft or not schedule.recurs:
        return None
    stopped = chains.stopped(connection, post.id)
    by_name = {account.name: account for account in account_rows.every(connection)}
    accounts = [by_name[name] for name in post.accounts if name in by_name]
    return Series(post, schedule, [one for one in accounts if one.id not in stopped])


def rows_for(connection: Connection, desk: Desk, series: Series, which: Which) -> list[Delivery]:
    """The deliveries of the occurrence that `which` names, made ahead where they are not there
    yet. Raises NotFound if the series has no such occurrence."""
    assert which.occurrence is not None
    at = _named(series.schedule, which.occurrence)
    every = delivery_rows.of_posts(connection, [series.post.id])[series.post.id]
    known = {d.account_id for d in every if d.occurrence == at}
    wanted = [a for a in series.accounts if which.accounts is None or a.name in which.accounts]
    if at is not None and at > desk.now():
        for account in wanted:
            if account.id not in known:
                _make(connection, desk, series, account, at)
        every = delivery_rows.of_posts(connection, [series.post.id])[series.post.id]
    found = [delivery for delivery in every if which.fits(delivery)]
    if not found:
        raise NotFound(
            f"post {series.post.id} has no such occurrence",
            f"See them with: postsched show {series.post.id}",
        )
    return found


def pass_on(connection: Connection, desk: Desk, series: Series, left: Sequence[Delivery]) -> None:
    """Plan the next where one of those that led has left the queue, or is not to lead any more."""
    accounts = {account.id: account for account in series.accounts}
    for delivery in left:
        if delivery.leads:
            chains.unlead(connection, [delivery.id])
            if account := accounts.get(delivery.account_id):
                chain = Chain(series.post, account, series.schedule, desk.planner)
                chain.plan_after(connection, delivery.occurrence, delivery.number or 0, desk.now())


def go_on(connection: Connection, desk: Desk, post: Post, account_ids: Sequence[int]) -> None:
    """Take a series up again for accounts for which it was cancelled, from now on."""
    chains.stop(connection, post.id, account_ids, stopped=False)
    series = series_of(connection, post)
    for account in series.accounts if series else ():
        if account.id in account_ids and not chains.has_leader(connection, post.id, account.id):
            assert series is not None
            now = desk.now()
            tail = chains.tail(connection, post.id, account.id, now)
            chain = Chain(post, account, series.schedule, desk.planner)
            chain.plan_after(connection, now, tail.number if tail else 0, now)


def change(desk: Desk, post_id: int, which: Which, at: datetime | None, text: str | None) -> Once:
    """Move one occurrence to `at` (UTC), give it another text, or both, for the accounts for which
    it still waits.

    Raises NotFound, NotAllowed where it may be going out, or waits for nobody, InvalidInput for
    what can't be.
    """
    if at is not None and at < desk.now():
        raise InvalidInput("the new time is past", "Give a time to come")
    if text is not None and not text.strip():
        raise InvalidInput("the text is empty", "Give one, or skip it: postsched cancel")
    with desk.database.write() as connection:
        (post,) = posts_named(connection, [post_id])
        series = series_of(connection, post)
        if series is None:
            raise NotAllowed(
                f"post {post_id} goes out once", f"Change it: postsched edit {post_id} --at WHEN"
            )
        rows, notes = _parted(series, rows_for(connection, desk, series, which))
        pass_on(connection, desk, series, rows)
        by_id = {account.id: account for account in series.accounts}
        changed = [
            _changed(connection, desk, series.post, by_id[one.account_id], one, at, text)
            for one in rows
        ]
        if text is not None:
            _check_fits(connection, desk, series, by_id, changed)
    desk.tell()
    return Once(tuple(changed), notes)


def _parted(series: Series, rows: Sequence[Delivery]) -> tuple[Sequence[Delivery], tuple[str, ...]]:
    """The rows that can be changed, and why the others are not. Raises NotAllowed where none can
    be, and where one may be going out just now."""
    ids, post_id = {account.id for account in series.accounts}, series.post.id
    waiting = [one for one in rows if one.status is S.SCHEDULED and not one.out]
    fitting = [one for one in waiting if one.account_id in ids]
    others = [one for one in rows if one not in fitting and one.account in series.post.accounts]
    if doubtful := [one for one in others if one.status in IN_DOUBT]:
        raise _unchangeable(post_id, doubtful[:1])
    if not fitting:
        raise _unchangeable(post_id, others or rows)
    return fitting, tuple(f"{_state(one)}, and that stays so" for one in others)


def _unchangeable(post_id: int, rows: Sequence[Delivery]) -> NotAllowed:
    said = "; ".join(_state(one) for one in rows)
    return NotAllowed(
        f"that occurrence of post {post_id} can't be changed: {said}",
        f"See it: postsched show {post_id}",
    )


def _state(delivery: Delivery) -> str:
    if delivery.out and delivery.status is not S.PUBLISHED:
        return f"a part of it is out on {delivery.account}"
    return f"it is {delivery.status} on {delivery.account}"


def _check_fits(
    connection: Connection, desk: Desk, series: Series, by_id: Mapping[int, Account],
    changed: Sequence[Delivery],
) -> None:  # fmt: skip
    """Raise Unfit where a text of its own breaks the limits of an account."""
    from postsched.service import posts  # what `cancel` has no use for
    from postsched.service.compose import Composer, Unfit

    composer = Composer(connection, desk, posts.intake(desk, keep=False))
    fatal = [
        finding
        for delivery in changed
        for finding in composer.verdict(
            said_by(delivery, series.post, series.schedule.tz).content, by_id[delivery.account_id]
        )[1]
        if finding.fatal
    ]
    if fatal:
        raise Unfit(fatal)


def _changed(
    connection: Connection, desk: Desk, post: Post, account: Account, before: Delivery,
    at: datetime | None, text: str | None,
) -> Delivery:  # fmt: skip
    wording = before.wording if text is None else {"parts": list(split_thread(text))}
    due = at or before.due_at
    occasion = Occasion(before.occurrence, before.number, wording=wording)
    planned = desk.planner.row(post, account, replace(occasion, at=due), desk.now())
    planned = replace(planned, occurrence=before.occurrence, due_at=due)
    after = replace(
        before, due_at=due, next_at=due, grace_until=planned.grace_until, wording=wording,
        leads=False, steps=(),
    )  # fmt: skip
    plans.rewrite_plan(connection, before, after, planned)
    return after


def _make(
    connection: Connection, desk: Desk, series: Series, account: Account, at: datetime
) -> None:
    """The row of an occurrence to come, which does not lead."""
    number = _number(connection, series, account, at)
    occasion = Occasion(at, number)
    plans.plan(connection, [desk.planner.row(series.post, account, occasion, desk.now())])


def _number(connection: Connection, series: Series, account: Account, at: datetime) -> int:
    """The number of an occurrence to come, counted from the last one that has a row. Raises
    NotAllowed where that would take long."""
    from postsched.domain.recurrence import occurrences

    last = chains.tail(connection, series.post.id, account.id, at)
    if last is None:
        return 1
    rest = islice(occurrences(series.schedule, last.occurrence), MOST_AHEAD)
    for n, one in enumerate(rest, last.number + 1):
        if one.instant >= at:
            return n
    raise NotAllowed(
        f"more than {MOST_AHEAD:,} occurrences of post {series.post.id} come before that one",
        "Change it nearer to its time",
    )


def _named(schedule: Schedule, wanted: datetime) -> datetime | None:
    """The occurrence that a person means by an instant: whole seconds are enough."""
    from postsched.domain.recurrence import next_occurrence

    found = next_occurrence(schedule, wanted - MICROSECOND)
    if found is None or found.instant - wanted >= (
        SECOND if not wanted.microsecond else MICROSECOND
    ):
        return None
    return found.instant
