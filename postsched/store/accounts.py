"""Accounts, groups, and leases that one process at a time may hold."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    Row,
    Select,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
    text,
    update,
)

from postsched.domain.account import Account, AccountState, Group
from postsched.store import outbox
from postsched.store.compiled import ByIds
from postsched.store.tables import (
    FREE,
    accounts,
    deliveries,
    group_members,
    groups,
    leases,
    targets,
)
from postsched.store.upserts import upsert


def insert(connection: Connection, account: Account) -> Account:
    """Write a new account; the same with its id."""
    result = connection.execute(accounts.insert(), _values(account))
    assert result.inserted_primary_key is not None
    return replace(account, id=result.inserted_primary_key[0])


def save(connection: Connection, account: Account) -> None:
    """Write a changed account over the one with its id."""
    connection.execute(update(accounts).where(accounts.c.id == account.id).values(_values(account)))


def remove(connection: Connection, account_id: int) -> None:
    """Remove an account, and what it is in."""
    connection.execute(delete(accounts).where(accounts.c.id == account_id))


def every(connection: Connection) -> list[Account]:
    """All accounts, by name."""
    return [_account_of(row) for row in connection.execute(select(accounts).order_by("name"))]


def by_name(connection: Connection, name: str) -> Account | None:
    """The account of that name."""
    row = connection.execute(select(accounts).where(accounts.c.name == name)).one_or_none()
    return None if row is None else _account_of(row)


BY_IDS = select(accounts).where(accounts.c.id.in_(bindparam("ids", expanding=True)))


def by_ids(connection: Connection, ids: Sequence[int]) -> dict[int, Account]:
    """Accounts by id."""
    rows = connection.execute(BY_IDS, {"ids": ids})
    return {row.id: _account_of(row) for row in rows}


TO_SEND = ByIds(lambda ids: select(accounts).where(accounts.c.id.in_(ids)))


def to_send(connection: Connection, ids: Sequence[int]) -> dict[int, Account]:
    """The same for every turn: an account that is as it was is the same object."""
    return {row[0]: _kept(tuple(row)) for row in TO_SEND.rows(connection, ids)}


@lru_cache(maxsize=1024)
def _kept(row: tuple[Any, ...]) -> Account:
    return _account_of(TO_SEND.record(row))


def set_state(
    connection: Connection, account_id: int, state: AccountState, message: str | None = None
) -> None:
    """Note whether the network takes the account's secret."""
    connection.execute(
        update(accounts)
        .where(accounts.c.id == account_id)
        .values(state=state.value, state_message=message)
    )


def hold(connection: Connection, account_id: int, message: str, now: datetime) -> None:
    """Note that the network refuses the account's secret, and tell of it."""
    set_state(connection, account_id, AccountState.LOGIN, message)
    held = by_ids(connection, [account_id]).get(account_id)
    if held is not None:
        outbox.note_held(connection, now, held)


def note_renewal(connection: Connection, account_id: int, end: datetime | None) -> None:
    """Note that the account's login was renewed, and when a person must log in again (None: never,
    or not known). One that was refused is free again."""
    row = accounts.c
    refused = row.state == AccountState.LOGIN.value
    connection.execute(
        update(accounts)
        .where(row.id == account_id)
        .where(
            refused | row.state_message.is_not(None) | row.token_expires_at.is_distinct_from(end)
        )
        .values(
            state=case((refused, AccountState.OK.value), else_=row.state),
            state_message=None,
            token_expires_at=end,
        )
    )


def note_end(
    connection: Connection, account_id: int, end: datetime, message: str, now: datetime
) -> None:
    """Note that the account's login ends and why, though the network still takes it; tell of it,
    once."""
    connection.execute(
        update(accounts)
        .where(accounts.c.id == account_id)
        .values(state_message=message, token_expires_at=end)
    )
    ending = by_ids(connection, [account_id]).get(account_id)
    if ending is not None:
        outbox.note_ending(connection, now, ending)


def due_after_end(connection: Connection) -> list[tuple[Account, datetime]]:
    """The accounts whose login ends before something of theirs is due, with the first instant."""
    query = select(accounts).where(accounts.c.token_expires_at.is_not(None)).order_by("name")
    found = []
    for account in map(_account_of, connection.execute(query).all()):
        row = deliveries.c
        due = connection.scalar(
            select(func.min(row.next_at)).where(
                text(FREE), row.account_id == account.id, row.next_at >= account.token_expires_at
            )
        )
        if due is not None:
            found.append((account, due))
    return found


def uses(connection: Connection, account_id: int) -> tuple[int, int]:
    """How many posts name the account, and how many of its deliveries are not finished."""
    named = connection.scalar(
        select(func.count()).select_from(targets).where(targets.c.account_id == account_id)
    )
    waiting = connection.scalar(
        select(func.count())
        .select_from(deliveries)
        .where(
            deliveries.c.account_id == account_id,
            or_(deliveries.c.next_at.is_not(None), deliveries.c.claim.is_not(None)),
        )
    )
    return named or 0, waiting or 0


def all_groups(connection: Connection) -> list[Group]:
    """All groups with the names of their accounts, by name."""
    query = (
        select(groups.c.name, accounts.c.name.label("account"))
        .select_from(groups.join(group_members).join(accounts))
        .order_by(groups.c.name, accounts.c.name)
    )
    found: dict[str, list[str]] = {}
    for row in connection.execute(query):
        found.setdefault(row.name, []).append(row.account)
    return [Group(name, tuple(names)) for name, names in found.items()]


def set_group(connection: Connection, name: str, account_ids: Sequence[int]) -> None:
    """Make the group consist of those accounts, at least one; what else belongs to it stays."""
    group_id = connection.scalar(select(groups.c.id).where(groups.c.name == name))
    if group_id is None:
        result = connection.execute(groups.insert(), {"name": name})
        assert result.inserted_primary_key is not None
        group_id = result.inserted_primary_key[0]
    connection.execute(delete(group_members).where(group_members.c.group_id == group_id))
    members = [{"group_id": group_id, "account_id": account_id} for account_id in account_ids]
    connection.execute(group_members.insert(), members)


def remove_group(connection: Connection, name: str) -> bool:
    """Remove a group; whether there was one."""
    return connection.execute(delete(groups).where(groups.c.name == name)).rowcount > 0


def lock(connection: Connection, account_ids: Collection[int], *, wait: bool = True) -> set[int]:
    """Keep other workers from locking the same accounts until the end of the transaction; those
    that are locked. Where another one has locked some: wait for it, or else go without these."""
    statement = LOCK if wait else LOCK_FREE
    return {number for (number,) in statement.rows(connection, sorted(account_ids))}


def _locking(ids: Sequence[BindParameter[int]], *, skip: bool) -> Select[tuple[int]]:
    query = select(accounts.c.id).where(accounts.c.id.in_(ids)).order_by(accounts.c.id)
    return query.with_for_update(key_share=True, skip_locked=skip)


LOCK = ByIds(lambda ids: _locking(ids, skip=False))
LOCK_FREE = ByIds(lambda ids: _locking(ids, skip=True))


def take_lease(
    connection: Connection, name: str, holder: str, now: datetime, until: datetime
) -> bool:
    """Take or renew a lease until then, if nobody else holds it; whether it is held now."""
    statement = upsert(connection, leases).values(name=name, holder=holder, until=until)
    statement = statement.on_conflict_do_update(
        index_elements=[leases.c.name],
        set_={"holder": holder, "until": until},
        where=(leases.c.holder == holder) | (leases.c.until < now),
    )
    return connection.scalar(statement.returning(leases.c.name)) is not None


def end_lease(connection: Connection, name: str, holder: str) -> None:
    """Give a lease back."""
    connection.execute(delete(leases).where(leases.c.name == name, leases.c.holder == holder))


def _values(account: Account) -> dict[str, Any]:
    return {
        "uid": account.uid,
        "name": account.name,
        "platform": account.platform,
        "url": account.url,
        "user_name": account.user,
        "settings": _plain(account.settings),
        "facts": _plain(account.facts),
        "facts_at": account.facts_at,
        "state": account.state.value,
        "state_message": account.state_message,
        "token_expires_at": account.token_expires_at,
        "paused": int(account.paused),
        "created_at": account.created_at,
    }


def _plain(mapping: Mapping[str, Any]) -> dict[str, Any]:
    return dict(mapping)


def _account_of(row: Row[Any]) -> Account:
    return Account(
        id=row.id,
        uid=row.uid,
        name=row.name,
        platform=row.platform,
        created_at=row.created_at,
        url=row.url,
        user=row.user_name,
        settings=row.settings or {},
        facts=row.facts or {},
        facts_at=row.facts_at,
        state=AccountState(row.state),
        state_message=row.state_message,
        token_expires_at=row.token_expires_at,
        paused=bool(row.paused),
    )
