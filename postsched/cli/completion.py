"""What the shell completes with: names of accounts and groups, numbers of posts.

Read straight from the SQLite file, for a completion must not take longer than the blink of an
eye; where that can't be done, nothing is completed, and nothing is said.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from typer import Context

POSTS = 200
"""How many posts are offered at the most, newest first."""


def complete_account(ctx: Context, incomplete: str) -> Iterator[tuple[str, str]]:
    """Names of accounts and groups, with their platform."""
    head, comma, last = incomplete.rpartition(",")
    query = (
        "SELECT name, platform FROM accounts UNION ALL SELECT name, 'group' FROM groups ORDER BY 1"
    )
    for name, platform in _rows(ctx, query):
        if name.startswith(last):
            yield f"{head}{comma}{name}", platform


def complete_post(ctx: Context, incomplete: str) -> Iterator[tuple[str, str]]:
    """Numbers of posts, newest first, with the beginning of their text."""
    query = f"SELECT id, substr(text, 1, 50) FROM posts ORDER BY id DESC LIMIT {POSTS}"  # noqa: S608
    for number, text in _rows(ctx, query):
        if str(number).startswith(incomplete):
            yield str(number), " ".join(text.split())


def _rows(ctx: Context, query: str) -> list[tuple[str, str]]:
    try:
        with contextlib.closing(sqlite3.connect(f"file:{_place(ctx)}?mode=ro", uri=True)) as base:
            return base.execute(query).fetchall()
    except (sqlite3.Error, OSError):
        return []


def _place(ctx: Context) -> str:
    """The database file, as the settings name it; only the flag and the environment are asked
    before the default place, to be quick."""
    given = ctx.find_root().params.get("db") or os.environ.get("POSTSCHED_DB")
    if given:
        return str(Path(given.removeprefix("sqlite:///")).expanduser())
    from platformdirs import user_data_path

    return str(user_data_path("postsched") / "postsched.db")
