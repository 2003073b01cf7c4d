"""What `add` says of quiet hours, spread, jitter and spacing: when it really goes out, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from postsched.domain.account import Account
from postsched.domain.timing import Pace
from postsched.service.desk import Desk
from postsched.store import spacing
from postsched.store.plans import Planned

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from postsched.service.compose import Composed

MOST = 20
"""How many accounts are told of one by one."""


def notes(
    connection: Connection, desk: Desk, composed: Composed, planned: Sequence[Planned]
) -> Iterator[str]:
    """A sentence for each account to which it goes out at another time than was said, and for each
    that gets it too close to another post; nothing is loaded where nothing is set."""
    accounts = {account.id: account for account in composed.accounts}
    for row in planned[:MOST]:
        account = accounts[row.account_id]
        pace = desk.planner.timing.pace(account)
        if row.due != row.occurrence:
            yield _moved(desk, account, pace, row)
        if pace.spacing:
            yield from _too_close(connection, desk, account, pace, row)


def _moved(desk: Desk, account: Account, pace: Pace, row: Planned) -> str:
    from postsched.domain.when import describe

    until = pace.quiet_until(row.occurrence)
    out = f"it goes out {describe(row.due, desk.now(), desk.zone)}"
    if until is None and not pace.quiet:
        return f"to {account.name} {out}"
    if until is None:
        return f"to {account.name} {out} (not in its quiet hours)"
    local = until.astimezone(desk.zone)
    return f"{account.name} has quiet hours until {local:%H:%M}: {out}"


def _too_close(
    connection: Connection, desk: Desk, account: Account, pace: Pace, row: Planned
) -> Iterator[str]:
    from postsched.domain.duration import format_duration
    from postsched.domain.when import describe

    apart = f"posts are {format_duration(pace.spacing)} apart at least (min_spacing)"
    last = spacing.latest(connection, account.id, desk.now(), pace.spacing)
    if last is not None and row.due < last + pace.spacing:
        until = describe(last + pace.spacing, desk.now(), desk.zone)
        yield f"{account.name} has just posted, and its {apart}: this waits until {until}"
    near = spacing.near(connection, account.id, row.due, pace.spacing, row.post_id)
    if near is not None:
        post_id, at = near
        when = describe(at, desk.now(), desk.zone)
        yield (
            f"post {post_id} goes out to {account.name} {when}, and its {apart}: "
            "the second of them will wait"
        )
