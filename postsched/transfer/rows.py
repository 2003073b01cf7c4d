"""What reading posts as data comes to: rows with a draft or with what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from postsched.domain.draft import Draft


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong with one field, or with the row as a whole (None)."""

    field: str | None
    message: str


@dataclass(frozen=True, slots=True)
class Row:
    """One post as it was found. `row` counts posts from 1, 0 where the file itself is at fault;
    `line` is where the row starts, from 1. There is a draft, or there are errors."""

    row: int
    line: int
    draft: Draft | None
    errors: Sequence[RowError] = ()

    def judged(self) -> Row:
        """The row itself."""
        return self


class Found(NamedTuple):
    """One row as a format's reader found it: names and plain values, not judged yet, and what the
    format itself had to object to."""

    row: int
    line: int
    record: Mapping[str, Any]
    errors: Sequence[RowError] = ()


class Unjudged(NamedTuple):
    """A row as it was found, and how to judge it: for whoever knows many rows without."""

    found: Found
    judge: Callable[[Found], Row]

    def judged(self) -> Row:
        """The row, with its draft or with what is wrong."""
        return self.judge(self.found)


class Unreadable(Exception):
    """The file can't be read on from here. `line` counts from 1; `field` is a CSV column."""

    def __init__(self, message: str, line: int, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.field = field


class Unfit(Exception):
    """A value can't be what its name says; the message is for the user."""
