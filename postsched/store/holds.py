"""Accounts and services that are left alone for a while.

Written in the transaction that settles what brought it about, and shared by all processes. Nothing
is written of a network that answers and has room.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, text, update

from postsched.domain import holding
from postsched.domain.account import Account
from postsched.domain.holding import FREE, Hold, Why
from postsched.domain.outcome import Asked, Limit, Sent
from postsched.store import direct, said_limits
from postsched.store.columns import Instant
from postsched.store.compiled import ByIds
from postsched.store.limit_tables import holds
from postsched.store.sharing import is_shared
from postsched.store.tables import CLAIMED, deliveries
from postsched.store.upserts import upsert


@dataclass(frozen=True, slots=True)
class Wait:
    """Until when nothing is sent for an account (UTC), which may be over. `trial` names what is
    tried out with one delivery at a time, of all accounts with the same name; until `busy` one of
    those is in some worker's hands."""

    until: datetime | None
    why: Why | None = None
    message: str | None = None
    trial: str | None = None
    busy: datetime | None = None

    @property
    def over(self) -> datetime | None:
        """When something can be claimed again, as far as is known."""
        return max((at for at in (self.until, self.busy) if at), default=None)


def own(account_id: int) -> str:
    """The name under which an account is held."""
    return f"account {account_id}"


def service(account: Account) -> str:
    """The name under which the server is held that an account is on."""
    return f"service {account.platform} {account.url or ''}"


ROWS = ByIds(lambda subjects: select(holds).where(holds.c.subject.in_(subjects)))


@dataclass(frozen=True, slots=True)
class Call:
    """What a call to a network came to: it began at `started`, was over at `now`, and its delivery
    is taken up again at `again` (UTC)."""

    account: Account
    outcome: Sent | Asked
    started: datetime
    again: datetime | None
    now: datetime


def note(connection: Connection, calls: Sequence[Call], rng: Random) -> list[Hold | None]:
    """Write what calls mean for their accounts and services; for each the longest hold that began
    with it. They are in the order in which they were over."""
    said_limits.note(connection, [(c.account.id, _limits(c), c.now) for c in calls])
    subjects = sorted({name for c in calls for name in (own(c.account.id), service(c.account))})
    known = {row.subject: _hold_of(row) for row in ROWS.records(connection, subjects)}
    changed, found = _judged(known, calls, rng)
    if changed and is_shared(connection):  # others may be writing the same
        latest = {s: (n, _lock(connection, s, n)) for s, (n, _) in sorted(changed.items())}
        known |= {subject: hold for subject, (_, hold) in latest.items()}
        again, found = _judged(known, calls, rng)
        changed = latest | again
    for subject, (account_id, hold) in changed.items():
        write(connection, subject, account_id, hold)
    return found


Changed = dict[str, tuple[int | None, Hold]]
"""By subject, the account that it is about, if it is one, and the hold."""


def _judged(
    known: Mapping[str, Hold], calls: Sequence[Call], rng: Random
) -> tuple[Changed, list[Hold | None]]:
    """The holds that calls change, and for each call the longest that began with it."""
    now_known, changed = dict(known), Changed()
    found: list[Hold | None] = []
    for call in calls:
        begun: list[tuple[datetime, Hold]] = []
        mine, servers = own(call.account.id), service(call.account)
        for subject, account_id in ((mine, call.account.id), (servers, None)):
            before = now_known.get(subject, FREE)
            after = _after(before, call, rng, limits=account_id is not None)
            if after is before or after == before:
                continue
            now_known[subject], changed[subject] = after, (account_id, after)
            if after.until != before.until and after.until is not None:
                begun.append((after.until, after))
        found.append(max(begun, key=lambda one: one[0])[1] if begun else None)
    return changed, found


def _lock(connection: Connection, subject: str, account_id: int | None) -> Hold:
    """Keep other workers from writing the hold until the end of the transaction; as it is then. It
    is to be written: where there was none, there is one now that holds nothing."""
    values = {"subject": subject, "account_id": account_id, "failures": 0, "opened": 0}
    statement = upsert(connection, holds).values(values)
    kept = statement.on_conflict_do_update(
        index_elements=[holds.c.subject], set_={"subject": statement.excluded.subject}
    )
    return _hold_of(connection.execute(kept.returning(*holds.c)).one())


def _limits(call: Call) -> Sequence[Limit]:
    return getattr(call.outcome, "limits", ())


def _after(before: Hold, call: Call, rng: Random, *, limits: bool) -> Hold:
    after = holding.tried(before, call.outcome, call.started, call.now, rng)
    return holding.limited(after, call.outcome, call.again, call.now) if limits else after


def write(connection: Connection, subject: str, account_id: int | None, hold: Hold) -> None:
    """Write a hold; one that holds nothing is struck off."""
    if hold == FREE:
        connection.execute(delete(holds).where(holds.c.subject == subject))
        return
    values = {
        "until": hold.until, "why": hold.why.value if hold.why else None, "message": hold.message,
        "failures": hold.failures, "opened": hold.opened,
    }  # fmt: skip
    statement = upsert(connection, holds).values(subject=subject, account_id=account_id, **values)
    connection.execute(
        statement.on_conflict_do_update(index_elements=[holds.c.subject], set_=values)
    )


def hold_for(
    connection: Connection, account_id: int, until: datetime, why: Why, message: str
) -> None:
    """Hold an account for what we count ourselves: as much of it went out as its network takes, or
    as it is to post."""
    subject = own(account_id)
    if is_shared(connection):
        before = _lock(connection, subject, account_id)
    else:
        before = next(map(_hold_of, ROWS.records(connection, [subject])), FREE)
    after = holding.later(before, until, why, message)
    if after != before:
        write(connection, subject, account_id, after)


def take_trial(connection: Connection, trial: str, now: datetime) -> bool:
    """Whether one delivery may be tried of those that wait for this `trial`; if so, no other worker
    tries any until the end of the transaction."""
    if not is_shared(connection):
        return True
    query = select(holds.c.until).where(holds.c.subject == trial)
    row = connection.execute(query.with_for_update(skip_locked=True)).first()
    if row is None or (row.until is not None and row.until > now):
        return False
    # Another one may have begun since the look, and have let go of the lock.
    busy = (w.busy for w in waits(connection).values() if w.trial == trial and w.busy)
    return not any(until > now for until in busy)


def count_anew(connection: Connection, account_id: int | None = None) -> None:
    """Count anew what went out of an account (None: of all): quotas, quiet hours and distances may
    be others now."""
    row = holds.c
    statement = update(holds).where(row.why.in_([why.value for why in holding.OURS]))
    if account_id is not None:
        statement = statement.where(row.account_id == account_id)
    connection.execute(statement.values(until=None, why=None, message=None))


WAITS = text(
    """
    SELECT a.id, h.subject, h.until, h.why, h.message, h.failures, h.opened
    FROM holds h JOIN accounts a ON a.id = h.account_id
    UNION ALL
    SELECT a.id, h.subject, h.until, h.why, h.message, h.failures, h.opened
    FROM holds h JOIN accounts a
        ON h.subject = 'service ' || a.platform || ' ' || coalesce(a.url, '')
    WHERE h.account_id IS NULL
    """
).columns(until=Instant)


def waits(connection: Connection) -> dict[int, Wait]:
    """By account id, those that are or were held. Costs next to nothing where there are none."""
    found: dict[int, Wait] = {}
    if not direct.fetch(connection, "SELECT 1 FROM holds LIMIT 1"):
        return found
    for row in connection.execute(WAITS):
        hold = _hold_of(row)
        wait = found.get(row.id, Wait(None))
        if hold.until and (wait.until is None or hold.until > wait.until):
            wait = replace(wait, until=hold.until, why=hold.why, message=hold.message)
        if hold.opened:  # the service comes last: its trials are those of all its accounts
            wait = replace(wait, trial=row.subject)
        found[row.id] = wait
    return _with_claims(connection, found) if found else found


def _with_claims(connection: Connection, found: Mapping[int, Wait]) -> dict[int, Wait]:
    trials = {number: wait.trial for number, wait in found.items() if wait.trial}
    if not trials:
        return dict(found)
    row = deliveries.c
    query = (
        select(row.account_id, func.max(row.claim_until, type_=Instant).label("until"))
        .where(text(CLAIMED), row.account_id.in_(list(trials)))
        .group_by(row.account_id)
    )
    busy: dict[str | None, datetime] = {}
    for claimed in connection.execute(query):
        trial = trials[claimed.account_id]
        busy[trial] = max(busy.get(trial, claimed.until), claimed.until)
    return {
        number: replace(wait, busy=busy.get(wait.trial) if wait.trial else None)
        for number, wait in found.items()
    }


def broken(connection: Connection) -> list[tuple[str, str, Hold]]:
    """The services that don't answer: platform, URL ("" for its own), and the hold."""
    query = select(holds).where(holds.c.account_id.is_(None), holds.c.opened > 0)
    return [
        (*row.subject.split(" ", 2)[1:], _hold_of(row))
        for row in connection.execute(query.order_by(holds.c.subject))
    ]


def _hold_of(row: Row[Any]) -> Hold:
    why = Why(row.why) if row.why else None
    return Hold(row.until, why, row.message, row.failures, row.opened)
