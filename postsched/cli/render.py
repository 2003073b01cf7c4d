"""Posts and deliveries for the eye: tables and pages, in colour where the terminal has it."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from rich.text import Text

from postsched.domain.delivery import Attempt, Delivery, DeliveryStatus
from postsched.domain.when import describe
from postsched.store.reading import Filed

if TYPE_CHECKING:
    from rich.console import RenderableType

COLOURS = {
    "published": "green",
    "scheduled": "cyan",
    "publishing": "yellow",
    "confirming": "yellow",
    "retrying": "yellow",
    "failed": "bold red",
    "missed": "bold red",
    "unconfirmed": "bold red",
    "partial": "red",
    "cancelled": "dim",
    "draft": "dim",
}
WIDTH_WITHOUT_TERMINAL = 160


def rendered(*things: RenderableType) -> str:
    """What rich makes of things for stdout: with colour only on a terminal that wants it."""
    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if terminal else WIDTH_WITHOUT_TERMINAL
    console = Console(file=io.StringIO(), width=width, force_terminal=terminal, highlight=False)
    for thing in things:
        console.print(thing)
    text = console.file.getvalue()  # type: ignore[attr-defined]  # it is the StringIO from above
    return "\n".join(line.rstrip() for line in text.rstrip("\n").split("\n"))


def status_text(status: str, paused: bool = False) -> Text:
    """A status in its colour."""
    text = Text(status, style=COLOURS.get(status, ""))
    if paused:
        text.append(" paused", style="dim")
    return text


def post_table(found: Sequence[Filed], now: datetime, zone: ZoneInfo) -> str:
    """Posts, one line for each account they go to."""
    if not found:
        return 'There are no posts here. Write one: postsched add "Hello" --at "tomorrow 9am"'
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("ID", justify="right")
    table.add_column("WHEN", no_wrap=True)
    table.add_column("ACCOUNT", no_wrap=True)
    table.add_column("STATUS", no_wrap=True)
    table.add_column("TEXT", ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_column("LINK OR REASON", overflow="fold")
    for filed in found:
        _add_rows(table, filed, now, zone)
    return rendered(table)


def _add_rows(table: Table, filed: Filed, now: datetime, zone: ZoneInfo) -> None:
    post, text = filed.post, Text(one_line(filed.post.content.text))
    if not filed.deliveries:
        names = ", ".join(post.accounts)
        when = short_time(filed.schedule.first(), now, zone)
        table.add_row(str(post.id), when, names, status_text(filed.status.value), text, "")
    for index, delivery in enumerate(filed.deliveries):
        table.add_row(
            str(post.id) if index == 0 else "",
            short_time(shown_instant(delivery), now, zone),
            delivery.account,
            status_text(delivery.status.value, post.paused),
            text if index == 0 else "",
            result_text(delivery),
        )


def shown_instant(delivery: Delivery) -> datetime:
    """The instant people want to see: when it went out, or when it is to be taken up next."""
    return delivery.published_at or delivery.next_at or delivery.occurrence


def result_text(delivery: Delivery) -> Text:
    """The permalink of what is out, or the reason why it isn't."""
    if delivery.problem:
        return Text(delivery.problem.message, style="red")
    return Text(delivery.url or "", style="blue")


def history_table(found: Sequence[Delivery], now: datetime, zone: ZoneInfo) -> str:
    """Finished deliveries, one a line."""
    if not found:
        return "Nothing has gone out yet"
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("WHEN", no_wrap=True)
    table.add_column("POST", justify="right")
    table.add_column("ACCOUNT", no_wrap=True)
    table.add_column("STATUS", no_wrap=True)
    table.add_column("LATE", justify="right", no_wrap=True)
    table.add_column("LINK OR REASON", overflow="fold")
    for delivery in found:
        table.add_row(
            short_time(shown_instant(delivery), now, zone),
            str(delivery.post_id),
            delivery.account,
            status_text(delivery.status.value),
            lateness(delivery),
            result_text(delivery),
        )
    return rendered(table)


def post_page(
    filed: Filed, attempts: Mapping[int, Sequence[Attempt]], now: datetime, zone: ZoneInfo
) -> str:
    """Everything about one post."""
    post, content = filed.post, filed.post.content
    lines: list[RenderableType] = [
        Text.assemble(
            (f"Post {post.id}", "bold"), "  ", status_text(filed.status.value, post.paused)
        )
    ]
    lines += [Text(f"  {line}") for line in content.text.splitlines()]
    lines += [Text(f"  then: {part.text}") for part in content.then]
    fields = {
        "comment": content.comment, "link": content.link, "title": content.title,
        "warning": content.warning, "visibility": content.visibility, "language": content.lang,
        "tags": ", ".join(post.tags), "key": post.key, "priority": post.priority or None,
        "media": ", ".join(f"{m.path or m.url} ({m.alt or 'no alt text'})" for m in content.media),
        **{f"for {name}": text for name, text in content.variants.items()},
    }  # fmt: skip
    lines += [Text(f"{name}: {value}", style="dim") for name, value in fields.items() if value]
    first = filed.schedule.first()
    if first:
        lines.append(Text(f"scheduled for {describe(first, now, zone)}"))
    for delivery in filed.deliveries:
        lines += _delivery_lines(delivery, attempts.get(delivery.id, ()), now, zone)
    return rendered(*lines)


def _delivery_lines(
    delivery: Delivery, attempts: Sequence[Attempt], now: datetime, zone: ZoneInfo
) -> list[RenderableType]:
    lines: list[RenderableType] = [
        Text.assemble(
            f"\n{delivery.account} ({delivery.platform}), delivery {delivery.id}: ",
            status_text(delivery.status.value),
            f", {describe(shown_instant(delivery), now, zone)}",
        )
    ]
    if delivery.lateness is not None:
        lines.append(Text(f"  sent {lateness(delivery)} after it was due", style="dim"))
    for step in delivery.steps:
        if step.published:
            name = f"part {step.n}" if step.role == "part" else "comment"
            where = step.published.url or step.published.remote_id
            lines.append(Text(f"  {name}: {where}", style="green"))
    if delivery.problem:
        lines.append(Text(f"  {delivery.problem.kind}: {delivery.problem.message}", style="red"))
        if delivery.problem.hint:
            lines.append(Text(f"  {delivery.problem.hint}"))
    if delivery.status is DeliveryStatus.UNCONFIRMED:
        lines.append(
            Text(f"  Look at the account, then: postsched resolve {delivery.post_id} "
                 "published|absent")
        )  # fmt: skip
    lines += [_attempt_line(attempt, zone) for attempt in attempts]
    return lines


def _attempt_line(attempt: Attempt, zone: ZoneInfo) -> Text:
    at = attempt.started_at.astimezone(zone)
    took = (attempt.finished_at - attempt.started_at).total_seconds() * 1000
    words = [f"  {at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}", f"try {attempt.n}:"]
    words += [attempt.action, attempt.step, "->", attempt.outcome, f"({took:.0f} ms)"]
    if attempt.problem:
        status = f"HTTP {attempt.problem.http_status}: " if attempt.problem.http_status else ""
        words.append(f"{status}{attempt.problem.message}")
    if attempt.evidence:
        words.append(attempt.evidence)
    return Text(" ".join(word for word in words if word), style="dim")


def lateness(delivery: Delivery) -> str:
    """How long after it was due the request began."""
    if delivery.lateness is None:
        return ""
    seconds = delivery.lateness.total_seconds()
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    from postsched.domain.duration import distance

    return distance(delivery.lateness).removeprefix("in ")


def short_time(moment: datetime | None, now: datetime, zone: ZoneInfo) -> str:
    """An instant as briefly as it can be said without doubt: the time today, else day and time."""
    if moment is None:
        return ""
    local, today = moment.astimezone(zone), now.astimezone(zone)
    seconds = ":%S" if abs((moment - now).total_seconds()) < 600 else ""
    if local.date() == today.date():
        return local.strftime(f"today %H:%M{seconds}")
    day = "%Y-%m-%d" if local.year != today.year else "%m-%d"
    return local.strftime(f"%a {day} %H:%M")


def one_line(text: str) -> str:
    """A text in one line."""
    return " ".join(text.split())
