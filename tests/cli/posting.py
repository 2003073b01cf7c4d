"""Commands that are expected to work, or to be refused, by a person with outbox accounts."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cli.calling import Answer, Caller
from tests.servers import postgres


class Posting:
    """`cli("add", "Hello", "--at", "now")`."""

    def __init__(self, call: Caller) -> None:
        self.call = call

    def __call__(self, *words: str, code: int = 0, stdin: bytes | str = b"") -> Answer:
        """Call a command that ends with that code."""
        answer = self.call(*words, stdin=stdin)
        assert answer.code == code, answer
        assert "Traceback" not in answer.err
        return answer

    def account(self, name: str) -> None:
        """Add an outbox."""
        self("account", "add", name, "--platform", "outbox")

    def move_in(self, furnished: Path) -> None:
        """Take over what somebody else has set up, which is quicker than doing it again."""
        if postgres.is_used():
            self.account("me")
            return
        here = self.call.database.parent
        shutil.copytree(furnished, here)
        with self.database() as base:
            base.execute("UPDATE accounts SET settings = replace(settings, ?, ?)",
                         (str(furnished), str(here)))  # fmt: skip

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
    def database(self) -> Iterator[Any]:
        """The database itself, for looking behind the scenes and for setting scenes."""
        with postgres.behind(self.call.database) as base:
            yield base

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a query finds."""
        with self.database() as base:
            found: list[tuple[Any, ...]] = base.execute(query).fetchall()
            return found

    def count(self, table: str) -> int:
        """How many rows a table has."""
        ((number,),) = self.rows(f"SELECT count(*) FROM {table}")
        return int(number)

    def set_delivery(self, delivery: int = 1, **columns: Any) -> None:
        """Bring a delivery into a state that takes long to reach."""
        parts = ", ".join(f"{name} = ?" for name in columns)
        values = [_plain(value) for value in columns.values()]
        with self.database() as base:
            base.execute(f"UPDATE deliveries SET {parts} WHERE id = ?", (*values, delivery))


def _plain(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | Mapping) else value
