"""What is to be told, written in the transaction in which it happens: the table `notifications`.

A row is one event in one way; that for the callback of a post has its address. Whoever tells
claims rows for a while, so that no two processes tell the same; where a process dies over it, the
claim runs out and it is told again, under the same uid. Without an outlet, which is where nothing
is to be told, nothing is written or asked.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, exists, select

from postsched.domain.account import Account, AccountState
from postsched.domain.delivery import Delivery, DeliveryStatus
from postsched.domain.notice import GATHERED, OF_STATUS, WARNINGS, Event, Wanted, Way
from postsched.domain.post import Missed
from postsched.store import deliveries as delivery_rows
from postsched.store.columns import micros
from postsched.store.compiled import ByIds
from postsched.store.outbox_tables import notifications
from postsched.store.tables import deliveries, posts
from postsched.store.upserts import upsert

GATHERING = timedelta(seconds=2)
"""How long people are told nothing yet: what happens at once is to become one message."""
CHUNK = 500


class Outlet:
    """What a database's writers are to tell. `ring` is called after a commit that left something
    to be told, in the thread that made it."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.ring: Callable[[], None] = lambda: None

    def begin(self) -> Leaving:
        """For a new transaction."""
        return Leaving(self.wanted)


@dataclass(slots=True)
class Leaving:
    """One transaction of a writer: what is wanted, and whether any of it was `left`."""

    wanted: Wanted
    left: bool = False


def leaving(connection: Connection) -> Leaving | None:
    """What this transaction leaves to be told, None where nothing is to be."""
    found: Leaving | None = connection.get_execution_options().get("postsched_leaving")
    return found


def note(connection: Connection, now: datetime, *changed: Delivery) -> None:
    """Deliveries have come to an end, or to where a person is needed: to be called with every
    change of status, of which it takes those that are events."""
    note_all(connection, [(delivery, now) for delivery in changed])


def note_all(connection: Connection, changed: Sequence[tuple[Delivery, datetime]]) -> None:
    """The same for deliveries that have changed at different instants (UTC)."""
    here = leaving(connection)
    told = [one for one in changed if one[0].status in OF_STATUS] if here else []
    if here is None or not told:
        return
    calls = callbacks(connection, [delivery.post_id for delivery, _ in told])
    late = [d.id for d, _ in told if d.status is DeliveryStatus.MISSED and here.wanted.ways]
    quiet = _only_reported(connection, late) if late else frozenset()
    rows: list[dict[str, Any]] = []
    for delivery, now in told:
        event = OF_STATUS[delivery.status]
        ways = [
            way for way in here.wanted.ways_of(event)
            if not (way in GATHERED and delivery.id in quiet)
        ]  # fmt: skip
        ways += [Way.CALLBACK] if delivery.post_id in calls else []
        document = here.wanted.document(delivery) if ways else {}
        for way in ways:
            url = calls[delivery.post_id] if way is Way.CALLBACK else None
            belongs = {"post_id": delivery.post_id, "url": url}
            rows.append(_row(way, event, delivery.account, now, document) | belongs)
    if rows:
        connection.execute(notifications.insert(), rows)
        here.left = True


CALLED = ByIds(
    lambda ids: select(posts.c.id, posts.c.callback).where(
        posts.c.id.in_(ids), posts.c.callback.is_not(None)
    )
)


def callbacks(connection: Connection, post_ids: Sequence[int]) -> dict[int, str]:
    """The address that each of those posts names, by id; most name none."""
    return dict(map(tuple, CALLED.rows(connection, post_ids)))


def note_missed(connection: Connection, now: datetime, delivery_ids: Sequence[int]) -> None:
    """Deliveries, by id, have just become missed."""
    here = leaving(connection)
    if here is None:
        return
    query = delivery_rows.selected()
    if not here.wanted.ways_of(Event.MISSED):  # there may be thousands, which nobody asks about
        query = query.where(
            exists().where(posts.c.id == deliveries.c.post_id, posts.c.callback.is_not(None))
        )
    for chunk in _chunks(delivery_ids):
        found = connection.execute(query.where(deliveries.c.id.in_(chunk)))
        note(connection, now, *map(delivery_rows.delivery_of, found))


def note_held(connection: Connection, now: datetime, account: Account) -> None:
    """An account is held: its login was refused."""
    _note_account(connection, now, account, Event.LOGIN_EXPIRED, None)


def note_ending(connection: Connection, now: datetime, account: Account) -> None:
    """If the account's login ends soon, tell of it, once for each of WARNINGS."""
    if subject := _ending(account, now):
        _note_account(connection, now, account, Event.LOGIN_EXPIRING, subject)


def ending(connection: Connection, now: datetime, accounts: Iterable[Account]) -> list[Account]:
    """Those of which `note_ending` would tell something new in some way."""
    here = leaving(connection)
    ways = set(here.wanted.ways_of(Event.LOGIN_EXPIRING)) if here else set()
    found = []
    for account in accounts if ways else ():
        if subject := _ending(account, now):
            query = select(notifications.c.way).where(notifications.c.subject == subject)
            if ways - {Way(way) for way in connection.scalars(query)}:
                found.append(account)
    return found


def _ending(account: Account, now: datetime) -> str | None:
    """What the end of an account's login is told of by, None while there is time."""
    end = account.token_expires_at
    if end is None or end <= now or account.state is AccountState.LOGIN:
        return None
    stage = next((stage for stage in WARNINGS if end - now <= stage), None)
    return f"{account.uid} {micros(end)} {stage.days}" if stage else None


def _note_account(
    connection: Connection, now: datetime, account: Account, event: Event, subject: str | None
) -> None:
    here = leaving(connection)
    ways = here.wanted.ways_of(event) if here else []
    if here is None or not ways:
        return
    document = here.wanted.document(account)
    rows = [{**_row(way, event, account.name, now, document), "subject": subject} for way in ways]
    connection.execute(upsert(connection, notifications).on_conflict_do_nothing(), rows)
    here.left = True


def _only_reported(connection: Connection, delivery_ids: Sequence[int]) -> frozenset[int]:
    """The missed ones of which nobody wants to be asked: `missed` is skip."""
    found: set[int] = set()
    for chunk in _chunks(delivery_ids):
        query = (
            select(deliveries.c.id)
            .join_from(deliveries, posts)
            .where(deliveries.c.id.in_(chunk), posts.c.missed == Missed.SKIP.value)
        )
        found.update(connection.scalars(query))
    return frozenset(found)


def _row(
    way: Way, event: Event, account: str, now: datetime, document: dict[str, Any]
) -> dict[str, Any]:
    return {
        "uid": f"msg_{secrets.token_hex(12)}",
        "way": way.value,
        "event": event.value,
        "account": account,
        "at": now,
        "document": document,
        "next_at": now + GATHERING if way in GATHERED else now,
    }


def _chunks(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))
