"""Accounts, groups and leases as rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from postsched.domain.account import Account, AccountState
from postsched.store import accounts as account_rows
from postsched.store.database import Database
from tests.store import rows
from tests.store.rows import NOON, opened

MINUTE = timedelta(minutes=1)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = opened(tmp_path)
    yield found
    found.close()


def test_every_column_comes_back(database: Database) -> None:
    account = Account(
        0, "u" * 32, "me", "mastodon", NOON, "https://x.example", "@me", {"dir": "ü"},
        {"limit": 500, "nested": {"a": [1, None]}}, NOON + MINUTE, AccountState.LOGIN, "revoked",
        NOON + 2 * MINUTE, True,
    )  # fmt: skip
    with database.write() as connection:
        account = account_rows.insert(connection, account)
    with database.read() as connection:
        assert account_rows.by_name(connection, "me") == account
        assert account_rows.by_ids(connection, [account.id, 99]) == {account.id: account}
        assert account_rows.by_ids(connection, []) == {}
        assert account_rows.by_name(connection, "you") is None
        assert account_rows.every(connection) == [account]


def test_saving_and_noting_a_state(database: Database) -> None:
    with database.write() as connection:
        me, you = rows.account(connection, "me"), rows.account(connection, "you")
        account_rows.save(connection, replace(me, facts={"a": 1}, facts_at=NOON))
        account_rows.set_state(connection, me.id, AccountState.LOGIN, "revoked")
        found = account_rows.by_ids(connection, [me.id])[me.id]
        assert (found.state, found.state_message) == (AccountState.LOGIN, "revoked")
        assert found.facts == {"a": 1}
        assert account_rows.by_name(connection, "you") == you


def test_uses_are_counted(database: Database) -> None:
    with database.write() as connection:
        me = rows.account(connection)
        assert account_rows.uses(connection, me.id) == (0, 0)
        rows.post(connection, "Hello", [me], NOON)
        (done,) = rows.post(connection, "Hello", [me], NOON)
        connection.execute(
            text("UPDATE deliveries SET status = 'published', next_at = NULL WHERE id = :id"),
            {"id": done},
        )
        assert account_rows.uses(connection, me.id) == (2, 1)


def test_groups(database: Database) -> None:
    with database.write() as connection:
        known = [rows.account(connection, name) for name in ("c", "a", "b")]
        account_rows.set_group(connection, "all", [account.id for account in known])
        account_rows.set_group(connection, "one", [known[0].id])
        account_rows.set_group(connection, "one", [known[1].id])
        found = {group.name: group.accounts for group in account_rows.all_groups(connection)}
        assert found == {"all": ("a", "b", "c"), "one": ("a",)}
        assert account_rows.remove_group(connection, "one")
        assert not account_rows.remove_group(connection, "one")
        account_rows.remove(connection, known[0].id)
        (group,) = account_rows.all_groups(connection)
        assert group.accounts == ("a", "b")


class TestLeases:
    """One process at a time."""

    def take(self, database: Database, holder: str, at: timedelta = timedelta(0)) -> bool:
        with database.write() as connection:
            return account_rows.take_lease(
                connection, "login:x", holder, NOON + at, NOON + at + MINUTE
            )

    def test_one_holder(self, database: Database) -> None:
        assert self.take(database, "a")
        assert not self.take(database, "b")
        assert not self.take(database, "b", MINUTE)

    def test_its_holder_may_renew_it(self, database: Database) -> None:
        assert self.take(database, "a")
        assert self.take(database, "a", MINUTE / 2)
        assert not self.take(database, "b", MINUTE + MINUTE / 4)

    def test_it_runs_out(self, database: Database) -> None:
        assert self.take(database, "a")
        assert self.take(database, "b", MINUTE + timedelta(microseconds=1))
        assert not self.take(database, "a", MINUTE + timedelta(seconds=1))

    def test_it_is_given_back_by_its_holder_only(self, database: Database) -> None:
        assert self.take(database, "a")
        with database.write() as connection:
            account_rows.end_lease(connection, "login:x", "b")
        assert not self.take(database, "b")
        with database.write() as connection:
            account_rows.end_lease(connection, "login:x", "a")
        assert self.take(database, "b")
