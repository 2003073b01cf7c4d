"""What the shell completes with: names of accounts and groups, numbers of posts.

Read straight from the SQLite file, for a completion must not take longer than the blink of an
eye; where that can't be done, nothing is completed, and nothing is said.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from typer import Context

from postsched.cli.characters import without_controls

COMPLETING = "_POSTSCHED_COMPLETE"
"""The variable that a shell sets when it asks for completions."""
PATIENCE = 0.2
"""Seconds to wait for a database that is locked."""
POSTS = 200
"""How many posts are offered at the most, newest first."""


def spare_rich() -> None:
    """Keep typer from importing rich, which would render help texts that have no markup: it takes
    as long as all the rest of a completion."""
    sys.modules["rich"] = None  # type: ignore[assignment]  # what makes an import fail at once


def join_options() -> None:
    """Leave out the `=` of `--to=me`, which bash takes for a word of its own."""
    words = os.environ.get("COMP_WORDS", "").split("\n")
    at = [n for n, word in enumerate(words) if word == "=" and words[n - 1].startswith("--")]
    if at and os.environ.get("COMP_CWORD", "").isdigit():
        last = int(os.environ["COMP_CWORD"])
        kept = [word for n, word in enumerate(words) if n not in at]
        os.environ["COMP_WORDS"] = "\n".join(kept)
        os.environ["COMP_CWORD"] = str(last - sum(n < last for n in at))


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
            yield str(number), without_controls(" ".join(text.split()))


def _rows(ctx: Context, query: str) -> list[tuple[str, str]]:
    import sqlite3

    place = _place(ctx)
    if "://" in place:  # asking a server may take long
        return []
    try:
        base = sqlite3.connect(_read_only(place), uri=True, timeout=PATIENCE)
        try:
            return base.execute(query).fetchall()
        finally:
            base.close()
    except (sqlite3.Error, OSError):
        return []


def _read_only(path: str) -> str:
    """The URI by which SQLite opens a file only to read."""
    for special in "%?#":
        path = path.replace(special, f"%{ord(special):02x}")
    return f"file:{path}?mode=ro"


def _place(ctx: Context) -> str:
    """The database file: of the flag, the environment or the default place."""
    given = ctx.find_root().params.get("db") or os.environ.get("POSTSCHED_DB")
    if given:
        return os.path.expanduser(given.removeprefix("sqlite:///"))
    from platformdirs import user_data_dir

    return os.path.join(user_data_dir("postsched", False), "postsched.db")
