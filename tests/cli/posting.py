"""Commands that are expected to work, or to be refused, by a person with outbox accounts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, text

from postsched.store.database import open_database
from tests.cli.calling import Answer, Caller


class Posting:
    """`cli("add", "Hello", "--at", "now")`. The account `me` is there."""

    def __init__(self, call: Caller) -> None:
        self.call = call
        self.account("me")

    def __call__(self, *words: str, code: int = 0, stdin: bytes | str = b"") -> Answer:
        """Call a command that ends with that code."""
        answer = self.call(*words, stdin=stdin)
        assert answer.code == code, answer
        assert "Traceback" not in answer.err
        return answer

    def account(self, name: str) -> None:
        """Add an outbox."""
        self("account", "add", name, "--platform", "outbox")

    def json(self, *words: str, code: int = 0, stdin: bytes | str = b"") -> Any:
        """The JSON that a command prints."""
        return self(*words, "--json", code=code, stdin=stdin).json

    def refused(self, code: int, *words: str, stdin: bytes | str = b"") -> str:
        """The one line on stderr of a command that prints nothing else."""
        answer = self.call(*words, stdin=stdin)
        answer.refused(code)
        assert not answer.out, answer
        return answer.err

    @contextmanager
    def database(self) -> Iterator[Connection]:
        """A transaction on the database, for looking behind the scenes and for setting scenes."""
        database = open_database(str(self.call.database))
        try:
            with database.write() as connection:
                yield connection
        finally:
            database.close()

    def set_delivery(self, delivery: int = 1, **columns: Any) -> None:
        """Bring a delivery into a state that takes long to reach."""
        values = {name: _plain(value) for name, value in columns.items()}
        parts = ", ".join(f"{name} = :{name}" for name in values)
        with self.database() as connection:
            connection.execute(
                text(f"UPDATE deliveries SET {parts} WHERE id = :id"), {**values, "id": delivery}
            )

    def count(self, table: str) -> int:
        """How many rows a table has."""
        with self.database() as connection:
            return connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0


def _plain(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | Mapping) else value
