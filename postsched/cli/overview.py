"""The state at a glance: what is running, what waits, what needs a hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from postsched.domain.account import AccountState

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from postsched.cli.program import Program
    from postsched.domain.account import Account

NEED_A_HAND = ("failed", "missed", "unconfirmed")
"""The statuses that somebody should look at."""


def status_page(program: Program, document: dict[str, Any]) -> str:
    """`status` for the eye."""
    from postsched.cli.render import status_cell
    from postsched.domain.duration import distance
    from postsched.domain.when import describe
    from postsched.store import accounts as account_rows

    now, zone, paint = program.now(), program.zone, program.screen.paint
    counts = document["counts"]
    lines = _worker_lines(document, now, paint, hosts=program.database.path is None)
    if document["paused"]:
        lines.append(paint("paused      everything; release it: postsched resume --all", "yellow"))
    if document["next_due_at"]:
        due = datetime.fromisoformat(document["next_due_at"])
        lines.append(f"next        {describe(due, now, zone)}")
    if document["oldest_due_s"] is not None:
        late = distance(timedelta(seconds=document["oldest_due_s"])).removeprefix("in ")
        lines.append(paint(f"overdue     since {late}", "red"))
    shown = [
        paint(f"{count} {name}", status_cell(name)[1]) for name, count in counts.items() if count
    ]
    lines.append(f"deliveries  {', '.join(shown) or 'none yet'}")
    bad = [name for name in NEED_A_HAND if counts[name]]
    if bad:
        lines.append(f"            look at them: postsched list --status {','.join(bad)}")
    with program.database.read() as connection:
        accounts = account_rows.every(connection)
    lines += _service_lines(document, now, zone, paint)
    for account, limited in zip(accounts, document["accounts"], strict=True):
        lines += [_account_line(account, now, paint), *_limit_lines(limited, now, zone, paint)]
    return "\n".join(lines)


def _worker_lines(
    document: dict[str, Any], now: datetime, paint: Callable[..., str], *, hosts: bool
) -> list[str]:
    """Who is at work, and where, if that may be on several hosts."""
    from postsched.domain.duration import distance

    def named(one: dict[str, Any]) -> str:
        return f"process {one['pid']} on {one['host']}" if hosts else f"process {one['pid']}"

    daemon = document["daemon"]
    if daemon["running"]:
        lines = [f"daemon      {paint('running', 'green')} ({named(daemon)})"]
    else:
        lines = [f"daemon      {paint('not running', 'red')}: start it with postsched run"]
    own = (daemon["host"], daemon["pid"])
    for one in document["workers"]:
        if one["silent"]:
            seen = distance(datetime.fromisoformat(one["seen_at"]) - now)
            said = f"workers     {named(one)} was last heard of {seen}: it may be dead, or cut off"
            lines.append(paint(said, "yellow"))
        elif (one["host"], one["pid"]) != own:
            lines.append(f"workers     also {named(one)}")
    return lines


def _service_lines(
    document: dict[str, Any], now: datetime, zone: ZoneInfo, paint: Callable[..., str]
) -> list[str]:
    """The services that don't answer."""
    from postsched.domain.when import describe

    lines = []
    for one in document["services"]:
        at = one["next_try_at"] and datetime.fromisoformat(one["next_try_at"])
        tried = f"tried again {describe(at, now, zone)}" if at and at > now else "tried one by one"
        name = f"{one['platform']} {one['url'] or ''}".rstrip()
        lines.append(paint(f"service     {name}: {one['reason']}; {tried}", "red"))
    return lines


def _limit_lines(
    limited: dict[str, Any], now: datetime, zone: ZoneInfo, paint: Callable[..., str]
) -> list[str]:
    """What holds an account, and what is left of limits that are not untouched."""
    from postsched.domain.when import describe

    lines = []
    if limited["held_until"]:
        until = describe(datetime.fromisoformat(limited["held_until"]), now, zone)
        lines.append(paint(f"            waits until {until}: {limited['held_reason']}", "yellow"))
    for one in limited["limits"]:
        if one["remaining"] != one["limit"]:
            most = f" of {one['limit']:,}" if one["limit"] is not None else ""
            lines.append(f"            left: {one['remaining']:,}{most} {paint(one['name'])}")
    return lines


def _account_line(account: Account, now: datetime, paint: Callable[..., str]) -> str:
    from postsched.domain.duration import distance
    from postsched.service import endings

    said = f"account     {account.name} ({account.platform}): {account.state.value}"
    if account.paused:
        said += ", paused"
    if account.state is AccountState.LOGIN:
        refused = f"its login is refused: {endings.command_of(account)}"
        return paint(f"{said}, {account.state_message or refused}", "red")
    if account.token_expires_at is None:
        return paint(said)
    ends = account.token_expires_at - now
    said += f", its login {'ends' if ends > timedelta(0) else 'ended'} {distance(ends)}"
    if not endings.is_soon(account.token_expires_at, now):
        return paint(said)
    colour = "yellow" if ends > timedelta(0) else "red"
    return paint(f"{said}: {endings.command_of(account)}", colour)
