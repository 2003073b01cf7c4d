"""Whatever leaves: what is decided from then on is what would have been decided without that."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postsched.config import Settings
from postsched.domain.account import Account
from postsched.domain.delivery import Attempt, Claim, DeliveryStatus
from postsched.domain.post import Content, Missed, Post
from postsched.domain.quota import Counts, Quota
from postsched.domain.schedule import Schedule, once
from postsched.planning import taking
from postsched.planning.chain import revive
from postsched.planning.planner import Planner
from postsched.retention.sweep import Sweep
from postsched.service.posts import known_by
from postsched.store import accounts as account_rows
from postsched.store import chains, lanes, plans, queue, spacing, spent
from postsched.store import deliveries as delivery_rows
from postsched.store import posts as post_rows
from postsched.store.database import Database
from postsched.store.neighbours import neighbours
from postsched.store.opening import open_database
from postsched.store.plans import Planned
from postsched.store.tables import deliveries, posts, targets
from tests.servers import postgres
from tests.store import rows
from tests.store.rows import NOON

S = DeliveryStatus
DAY = timedelta(days=1)
KEEP = 40 * DAY
LONG = 120
"""How many days the history goes back."""
SENT = (S.PUBLISHED,) * 6
ENDED = (*SENT, S.FAILED, S.MISSED, S.CANCELLED, S.UNCONFIRMED)
OPEN = (S.SCHEDULED, S.CONFIRMING, S.CONFIRMING)
AGES = (-2, 0, 1, 39, 40, 41, 44, 60, 90, 100)
"""In days: young, old enough, and old enough for what waits for a person."""
PLANNER = Planner(timedelta(minutes=10))


@dataclass(frozen=True)
class Told:
    """One post of a history: `ages` are of its deliveries, in days, each with how it stands. A
    series has them once a day, from the oldest on; `leads` is the age of what leads it, if it has
    not been lost, or it was `stopped`."""

    to: int
    ages: tuple[tuple[int, DeliveryStatus], ...]
    recurs: bool
    leads: int | None
    stopped: bool
    counted: bool
    missed: Missed
    keyed: bool
    touched: int
    """How many days ago something was tried last, beyond what was sent."""


@st.composite
def told(draw: Any) -> Told:
    """Any post."""
    recurs = draw(st.booleans())
    count = draw(st.integers(1, 4)) if recurs else 1
    newest = draw(st.sampled_from(AGES))
    state = st.sampled_from(ENDED if recurs else ENDED + OPEN)
    return Told(
        draw(st.integers(0, 1)),
        tuple((newest + n, draw(state)) for n in range(count)[::-1]),
        recurs,
        draw(st.sampled_from([None, newest - 1, min(newest - 1, -1)])) if recurs else None,
        draw(st.integers(0, 3)) == 0,
        draw(st.booleans()),
        draw(st.sampled_from(list(Missed))),
        draw(st.booleans()),
        draw(st.sampled_from([LONG, LONG, LONG, 1])),
    )


def write(database: Database, history: Sequence[Told]) -> None:
    """Have it happened."""
    with database.write() as connection:
        accounts = [rows.account(connection, name) for name in ("me", "work")]
        for number, one in enumerate(history):
            _write(connection, number, one, accounts[one.to])


def _write(connection: Any, number: int, one: Told, account: Account) -> None:
    first = NOON - one.ages[0][0] * DAY
    schedule, count = once(first, "UTC"), len(one.ages)
    if one.recurs:
        ends = (first + (count - 1) * DAY).replace(tzinfo=None).isoformat()
        rule = {"count": count, "ends": ends} if one.counted else {}
        schedule = Schedule("daily", first.replace(tzinfo=None).isoformat(), "UTC", rule)
    post = Post(
        0, f"{number:032x}", Content(f"text {number % 3}"), (), first - DAY, first - DAY,
        missed=one.missed, key=f"key {number}" if one.keyed else None,
    )  # fmt: skip
    post_id = post_rows.insert(connection, post, [account.id], schedule, f"{number:032x}")
    connection.execute(
        targets.update().where(targets.c.post_id == post_id).values(stopped=int(one.stopped))
    )
    leader = None if one.stopped else one.leads
    ages = [*one.ages, *([] if leader is None else [(leader, S.SCHEDULED)])]
    planned = [
        Planned(post_id, account.id, NOON - age * DAY, None, number=n if one.recurs else None)
        for n, (age, _) in enumerate(ages, 1)
    ]
    plans.plan(connection, planned)
    found = delivery_rows.of_posts(connection, [post_id])[post_id]
    for place, (delivery, (age, state)) in enumerate(zip(found, ages, strict=True)):
        leads = leader is not None and place == len(ages) - 1
        values = {"leads": 1} if leads else _standing(state, NOON - age * DAY)
        here = deliveries.c.id == delivery.id
        connection.execute(deliveries.update().where(here).values(**values))
        tried = NOON - min(one.touched, age) * DAY
        attempt = Attempt(1, tried, tried, "delete", "part 1", "removed", None, None)
        delivery_rows.add_attempt(connection, delivery.id, attempt)


def _standing(state: DeliveryStatus, at: Any) -> dict[str, Any]:
    out = [{"role": "part", "n": 1, "out": {"id": f"id {at}", "url": None, "data": {}}}]
    if state in OPEN:
        return {"status": state.value, "started_at": at}
    if at > NOON:
        return {"status": "cancelled", "next_at": None, "finished_at": NOON}
    values = {"status": state.value, "next_at": None, "finished_at": at}
    sent = state is S.PUBLISHED
    return {**values, "started_at": at, "steps": out} if sent else values


def prune(database: Database, folder: Path) -> int:
    """Let leave what may; how many posts and deliveries that were."""
    place = Settings(str(folder / "posts.db"), keep=KEEP, archive_dir=folder / "archive")
    walk, count = Sweep(database, place, lambda: NOON, most=1), 0
    if not walk.begin(anew=True):
        return 0
    while step := walk.take():
        with database.write() as connection:
            count += walk.leave(connection, step).deliveries
    return count


def decisions(database: Database, keys: Sequence[str]) -> list[Any]:
    """All that is decided from now on."""
    found: list[Any] = [None]
    with database.write() as connection:
        found.append([known_by(connection, key) for key in keys])
        accounts = account_rows.every(connection)
        for account in accounts:
            for what in Counts:
                quota = Quota(1, KEEP - DAY, what)
                found.append(spent.used(connection, account.id, quota, NOON))
                found.append(spent.room_at(connection, account.id, quota, NOON, 1))
            found.append(spacing.latest(connection, account.id, NOON, timedelta(days=31)))
        for row in connection.execute(
            delivery_rows.selected().where(deliveries.c.status == "confirming")
        ):
            doubtful = delivery_rows.delivery_of(row)
            post = post_rows.to_send(connection, [doubtful.post_id])[doubtful.post_id]
            account = account_rows.by_ids(connection, [doubtful.account_id])[doubtful.account_id]
            found.append(neighbours(connection, doubtful, post, account, NOON))
        revive(connection, PLANNER, NOON)
        found.append(_waiting(connection))
        for post_id, account_id in connection.execute(
            targets.select().with_only_columns(targets.c.post_id, targets.c.account_id)
        ):
            if chains.has_leader(connection, post_id, account_id):
                found.append(chains.tail(connection, post_id, account_id, NOON))
        held = Claim("token", 1, NOON, NOON + timedelta(minutes=2))
        for lane in lanes.waiting_lanes(connection):
            taken, late = queue.claim(connection, lane, 1000, NOON, NOON, held)
            works = taking.take_up(connection, PLANNER, queue.load(connection, taken), NOON)
            found.append((late, [replace(one.delivery, id=0) for one in works.works]))
        found.append(_waiting(connection))
        found.append(connection.scalar(posts.select().with_only_columns(posts.c.id.label("n"))
                                       .order_by(posts.c.id.desc()).limit(1)))  # fmt: skip
    return found


def _waiting(connection: Any) -> list[Any]:
    """What is still to come, by what it stands for: new rows may have other numbers."""
    row = deliveries.c
    columns = (row.post_id, row.account_id, row.occurrence, row.due_at, row.number, row.leads,
               row.status)  # fmt: skip
    query = deliveries.select().with_only_columns(*columns).where(row.finished_at.is_(None))
    return sorted(tuple(one) for one in connection.execute(query))


@pytest.mark.slow
@given(st.lists(told(), min_size=1, max_size=10))
@settings(deadline=None)
def test_nothing_is_decided_otherwise(history: list[Told]) -> None:
    with tempfile.TemporaryDirectory() as name:
        whole, pruned = Path(name) / "whole", Path(name) / "pruned"
        whole.mkdir()
        database = rows.opened(whole)
        write(database, history)
        database.close()
        kept, less = rows.opened(whole), _copied(whole, pruned)
        try:
            prune(less, pruned)
            keys = [f"key {n}" for n in range(len(history))]
            assert decisions(less, keys) == decisions(kept, keys)
        finally:
            kept.close()
            less.close()
            postgres.drop()


def _copied(folder: Path, target: Path) -> Database:
    """A copy of the database in a folder."""
    if postgres.is_used():
        postgres.copy(folder / "posts.db", target / "posts.db")
    else:
        shutil.copytree(folder, target)
    return open_database(postgres.place(target / "posts.db"))
