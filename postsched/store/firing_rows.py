"""The rows of the queue as a calendar needs them: by the instant at which they are due.

Read by index and a chunk at a time, each beginning where the last one ended: of a million rows only
those are read that are asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, cached_property
from heapq import merge
from itertools import islice
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Row,
    Select,
    Text,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    text,
    tuple_,
    type_coerce,
)

from postsched.domain.delivery import DeliveryStatus
from postsched.domain.firing import Firing
from postsched.domain.post import CatchUp, Content, Missed
from postsched.domain.schedule import Schedule
from postsched.store.columns import Json, micros
from postsched.store.compiled import ByIds, Compiled
from postsched.store.pauses import all_paused
from postsched.store.tables import LEADING, accounts, deliveries, posts, schedules
from postsched.store.windows import Window, spans_of, within

S = DeliveryStatus
WAITING = (S.SCHEDULED, S.RETRYING, S.CONFIRMING, S.PUBLISHING)
"""What is still to go out by itself, or is just going out."""
SEEN = (*WAITING, S.PUBLISHED, S.FAILED, S.MISSED, S.UNCONFIRMED)
"""What a calendar shows: all but what was cancelled."""
THREAD = "\n---\n"
"""What parts the posts of a thread in one text."""
CHUNK = 500
"""How many rows are read at once."""


@dataclass(frozen=True, slots=True)
class Among:
    """Which firings are wanted: of those accounts (none: of all), with that tag."""

    accounts: Sequence[int] = ()
    tag: str | None = None

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        """The same in SQL."""
        found: list[ColumnElement[bool]] = []
        if self.accounts:
            # The sum keeps SQLite from going through the accounts first, and sorting all of theirs.
            found.append((deliveries.c.account_id + 0).in_(self.accounts))
        if self.tag is not None:
            word = json.dumps(self.tag, ensure_ascii=False)
            found.append(type_coerce(posts.c.tags, Text).icontains(word, autoescape=True))
        return found


@dataclass(frozen=True, slots=True)
class Planned:
    """A row, with what is needed to tell what of its series comes after it: its schedule, whether
    it leads, and what its post says, as far as that is text. `shifted`: it is due at another time
    than its occurrence without having been tried."""

    firing: Firing
    schedule: Schedule
    leads: bool
    shifted: bool
    content: Content
    catch_up: CatchUp
    grace: timedelta | None
    """How late it may be, None for any."""


EVERY = Among()


class FiringRows:
    """Reads rows of one connection, within one transaction."""

    def __init__(self, connection: Connection, among: Among = EVERY) -> None:
        self.connection, self.among = connection, among

    @cached_property
    def _held(self) -> bool:
        return all_paused(self.connection)

    def due(
        self, statuses: Iterable[DeliveryStatus], window: Window, most: int | None = None
    ) -> Iterator[Planned]:
        """The rows of those statuses that are due in that window, soonest first: at most `most`."""
        streams = (self._stream(status, window, most) for status in statuses)
        return islice(merge(*streams, key=lambda one: one.firing.order), most)

    def counts(
        self, statuses: Iterable[DeliveryStatus], windows: Sequence[Window]
    ) -> list[dict[DeliveryStatus, int]]:
        """How many these are in each of the windows, of the statuses that there are any of."""
        row, spans = deliveries.c, spans_of(windows)
        wanted = [row.status.in_([status.value for status in statuses]), within(spans)]
        query = select(spans.c.n, row.status, func.count()).group_by(spans.c.n, row.status)
        query = query.select_from(spans).join(deliveries, and_(*wanted))
        if self.among.tag is not None:
            query = query.join(posts, posts.c.id == row.post_id)
        found: list[dict[DeliveryStatus, int]] = [{} for _ in windows]
        for number, status, count in self.connection.execute(query.where(*self.among.conditions)):
            found[number][S(status)] = count
        return found

    def firsts(
        self, statuses: Iterable[DeliveryStatus], windows: Sequence[Window], most: int
    ) -> Iterator[Planned]:
        """The first rows of each of the windows, of each status `most`; in no order."""
        spans, chosen = spans_of(windows), deliveries.alias("chosen")
        row, ids = deliveries.c, list[int]()
        for status in statuses:
            first = select(row.id).where(row.status == status.value, within(spans))
            if self.among.tag is not None:
                first = first.join(posts, posts.c.id == row.post_id)
            first = first.where(*self.among.conditions)
            first = first.order_by(row.due_at, row.post_id, row.account_id).limit(most)
            there = chosen.c.id.in_(first.correlate(spans))
            query = select(chosen.c.id).select_from(spans).join(chosen, there)
            ids += self.connection.scalars(query)
        return (_planned(one, self._held) for one in ROWS.records(self.connection, ids))

    def leading(self) -> list[Planned]:
        """Every row that leads a series."""
        query = _selected().where(text(f"deliveries.{LEADING}"), *self.among.conditions)
        return [_planned(row, self._held) for row in self.connection.execute(query)]

    def made_ahead(self) -> set[tuple[int, int, datetime]]:
        """What has a row behind the one that leads, as post, account and occurrence."""
        leader = deliveries.alias("leader")
        row = deliveries.c
        query = (
            select(row.post_id, row.account_id, row.occurrence)
            .select_from(leader)
            .join(
                deliveries,
                (row.post_id == leader.c.post_id)
                & (row.account_id == leader.c.account_id)
                & (row.occurrence > leader.c.occurrence),
            )
            .where(text(f"leader.{LEADING}"))
        )
        return {(post, account, at) for post, account, at in self.connection.execute(query)}

    def _stream(
        self, status: DeliveryStatus, window: Window, most: int | None
    ) -> Iterator[Planned]:
        row = deliveries.c
        size = CHUNK if most is None else min(CHUNK, most)
        found = self._first(status, window, size)
        while found:
            yield from (_planned(one, self._held) for one in found)
            if len(found) < size:
                return
            last = found[-1]
            place = tuple_(row.post_id, row.account_id) > (last.post_id, last.account_id)
            ahead = or_(row.due_at > last.due_at, place)
            query = self._in_order(status, Window(last.due_at, window.end), size)
            found = self.connection.execute(query.where(ahead)).all()

    def _first(self, status: DeliveryStatus, window: Window, size: int) -> Sequence[Any]:
        """The first rows of a stream; most often that is all, and nothing narrows them."""
        if self.among != EVERY:
            return self.connection.execute(self._in_order(status, window, size)).all()
        start, end = micros(window.start), micros(window.end)
        values = {"status": status.value, "start": start, "end": end, "size": size}
        return [ROWS.record(row) for row in FIRST.run(self.connection, values)]

    def _in_order(self, status: DeliveryStatus, window: Window, size: int) -> Select[Any]:
        row = deliveries.c
        query = _selected().where(row.status == status.value, *self.among.conditions)
        query = query.order_by(row.due_at, row.post_id, row.account_id).limit(size)
        return query.where(window.condition)


@cache  # made anew for each day of a calendar it would take as long as reading that day
def _selected() -> Select[Any]:
    row = deliveries.c
    steps = case((row.status == S.PUBLISHED.value, row.steps))
    return (
        select(
            row.id, row.post_id, row.account_id, row.occurrence, row.due_at, row.status,
            row.paused, row.attempts, row.number, row.leads, row.wording, row.published_at,
            type_coerce(steps, Json).label("steps"),
            posts.c.uid, posts.c.text, posts.c.variants, posts.c.texts, posts.c.catch_up,
            posts.c.missed, posts.c.grace, posts.c.vars,
            accounts.c.uid.label("account_uid"), accounts.c.name, accounts.c.platform,
            accounts.c.paused.label("account_paused"),
            schedules.c.kind, schedules.c.at, schedules.c.tz, schedules.c.rule,
        )
        .select_from(deliveries)
        .join(posts, posts.c.id == row.post_id)
        .join(accounts, accounts.c.id == row.account_id)
        .join(schedules, schedules.c.post_id == row.post_id)
    )  # fmt: skip


def _first_of_all() -> Select[Any]:
    row = deliveries.c
    due = and_(row.due_at >= bindparam("start"), row.due_at < bindparam("end"))
    found = _selected().where(row.status == bindparam("status"), due)
    found = found.order_by(row.due_at, row.post_id, row.account_id)
    return found.limit(bindparam("size", type_=Integer))


FIRST = Compiled(lambda connection: _first_of_all())
ROWS = ByIds(lambda ids: _selected().where(deliveries.c.id.in_(ids)))


def _planned(row: Row[Any], held: bool) -> Planned:
    content = Content(row.text, variants=row.variants or {}, texts=tuple(row.texts or ()),
                      vars=row.vars or {})  # fmt: skip
    firing = Firing(
        due_at=row.due_at,
        occurrence=row.occurrence,
        post_id=row.post_id,
        post_uid=row.uid,
        account_id=row.account_id,
        account=row.name,
        account_uid=row.account_uid,
        platform=row.platform,
        text=THREAD.join(row.wording["parts"]) if row.wording
        else text_of(content, row.name, row.number, row.occurrence, row.tz),
        status=S(row.status),
        delivery_id=row.id,
        number=row.number,
        paused=bool(row.paused or row.account_paused or held),
        reworded=bool(row.wording),
        published_at=row.published_at,
        url=_url(row.steps),
    )  # fmt: skip
    return Planned(
        firing,
        Schedule(row.kind, row.at, row.tz, row.rule or {}),
        bool(row.leads),
        row.status == S.SCHEDULED and not row.attempts and row.due_at != row.occurrence,
        content,
        CatchUp(row.catch_up),
        None if row.missed == Missed.LATE else row.grace,
    )


def text_of(
    content: Content, account: str, number: int | None, occurrence: datetime, tz: str
) -> str:
    """What the post says to that account at an occurrence (UTC) of that number in its series, None
    if it is in none. `tz` is the zone of its schedule."""
    if content.texts or content.vars or number is not None:
        from postsched.domain.occasion import rendered, turn_of

        content = rendered(content, turn_of(number, occurrence, tz))
    return content.variants.get(account, content.text)


def _url(steps: Sequence[dict[str, Any]] | None) -> str | None:
    first = steps[0] if steps else {}
    return None if first.get("removed") else (first.get("out") or {}).get("url")
