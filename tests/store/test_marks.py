"""A mark changes at once with whatever is written, and with nothing else."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from postsched.domain.errors import StoreRefused
from postsched.store import age, marks
from tests.store import rows
from tests.store.rows import opened


def test_a_mark_is_another_after_each_commit(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as ours, closing(opened(tmp_path)) as others:
        before = marks.of(ours)
        for number in range(3):  # right after each other
            with others.write() as connection:
                rows.account(connection, f"account{number}")
            assert (after := marks.of(ours)) != before
            with others.read() as connection:
                uid = age.of(connection)[0]
            with others.turn(number) as connection:
                age.grow(connection, uid, others.age_of(number))
            assert marks.of(ours) not in (before, after)
            before = marks.of(ours)
        with others.read() as connection:
            connection.execute(text("SELECT * FROM accounts"))
        with pytest.raises(StoreRefused), others.write() as connection:
            rows.account(connection, "account0")
        assert marks.of(ours) == before
