"""Holding and releasing: single posts, accounts, everything. Nothing is claimed of what is held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from postsched.domain.delivery import Delivery
from postsched.planning import taking
from postsched.service.desk import Desk, accounts_named, posts_named
from postsched.store import accounts as account_rows
from postsched.store import pauses, queue

if TYPE_CHECKING:
    from sqlalchemy import Connection

CHUNK = 500
"""How many ids one statement names."""


def pause(desk: Desk, post_ids: Sequence[int]) -> list[Delivery]:
    """Hold posts: nothing of them is claimed until they are resumed. Nothing is missed by that."""
    with desk.database.write() as connection:
        for post in posts_named(connection, post_ids):
            pauses.set_paused(connection, post.id, paused=True)
    desk.tell()
    return []


def resume(desk: Desk, post_ids: Sequence[int]) -> list[Delivery]:
    """Release posts. What is past its grace becomes missed, and is returned."""
    with desk.database.write() as connection:
        posts = posts_named(connection, post_ids)
        for post in posts:
            pauses.set_paused(connection, post.id, paused=False)
        ids, missed = [post.id for post in posts], []
        for start in range(0, len(ids), CHUNK):
            chunk = ids[start : start + CHUNK]
            missed += _missed(connection, desk, post_ids=chunk)
    desk.tell()
    return missed


def pause_accounts(desk: Desk, names: Sequence[str], *, paused: bool) -> list[Delivery]:
    """Hold or release accounts or groups; what was missed meanwhile is returned."""
    with desk.database.write() as connection:
        held = accounts_named(connection, names)
        for account in held:
            account_rows.save(connection, replace(account, paused=paused))
        ids = [account.id for account in held]
        missed = [] if paused else _missed(connection, desk, account_ids=ids)
    desk.tell()
    return missed


def pause_all(desk: Desk, *, paused: bool) -> list[Delivery]:
    """Hold or release everything; what was missed meanwhile is returned."""
    with desk.database.write() as connection:
        pauses.set_all_paused(connection, paused=paused)
        missed = [] if paused else _missed(connection, desk)
    desk.tell()
    return missed


def _missed(connection: Connection, desk: Desk, **which: Sequence[int]) -> list[Delivery]:
    """Take what is past its grace out of the queue, and go on with the series among it."""
    now, missed = desk.now(), list[Delivery]()
    while leading := pauses.leading(connection, now, **which):  # the next of one may be late, too
        found = queue.load(connection, leading)
        late = taking.take_up(connection, desk.planner, found, now).late
        missed += [work.delivery for work in queue.load(connection, late)]
        if not late:
            break
    return missed + pauses.miss(connection, now, **which)
