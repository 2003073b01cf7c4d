"""Which posts wait for a network, in words."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from postsched.cli.program import Program


def waiting_words(program: Program, upto: datetime) -> list[str]:
    """For each account that is held, a sentence that says how many due posts wait, until when and
    why."""
    from postsched.domain.when import describe
    from postsched.service.limits import held_now
    from postsched.store import accounts as account_rows
    from postsched.store import outlook

    with program.database.read() as connection:
        held = held_now(connection, upto)
        counts = outlook.count_waiting(connection, list(held), upto)
        known_accounts = account_rows.by_ids(connection, list(counts))
    said = []
    for number, count in counts.items():
        wait = held[number]
        assert wait.until is not None
        posts = "post waits" if count == 1 else "posts wait"
        until = describe(wait.until, upto, program.zone)
        said.append(
            f"{count} due {posts} for {known_accounts[number].name}, until {until}: {wait.message}"
        )
    return said
