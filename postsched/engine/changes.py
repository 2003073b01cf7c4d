"""What is written in a turn: changes one by one, and those of a kind all at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection

Change = Callable[[Connection], Any]
"""Writes something, and returns what came of it. Where it has `together`, a function that takes a
connection and changes, that writes all of them at once, and returns what came of each."""


def write(connection: Connection, changes: Sequence[Change]) -> list[Any]:
    """Write them in their order; what came of each."""
    results: list[Any] = []
    for together, some in groupby(changes, key=lambda one: getattr(one, "together", None)):
        if together is None:
            results += [change(connection) for change in some]
        else:
            results += together(connection, list(some))
    return results
