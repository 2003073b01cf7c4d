"""Posts and deliveries for the eye: tables and pages, in colour where the terminal has it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from postsched.cli.doubt import doubt_lines
from postsched.cli.screen import Cell, Column, Screen
from postsched.domain.delivery import DeliveryStatus
from postsched.domain.when import describe

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from postsched.domain.delivery import Attempt, Delivery
    from postsched.domain.post import Content
    from postsched.store.holds import Wait
    from postsched.store.reading import Filed

SHOWN_NEXT, SHOWN_OVER = 3, 10
"""How many of what a series is to send next, and of what it has sent, a page shows."""
NOTHING_HELD: Mapping[int, Wait] = {}
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
PAST_GRACE = "it could not go out within its grace"
"""Why a delivery is missed, where no attempt says more."""
NO_NAME = "it is out; the network did not say where"
HISTORY_COLUMNS = (
    Column("WHEN"),
    Column("POST", right=True),
    Column("ACCOUNT"),
    Column("STATUS"),
    Column("LATE", right=True),
    Column("LINK OR REASON", flexible="fold"),
)


def status_cell(status: str, paused: bool = False) -> Cell:
    """A status in its colour."""
    return status + (" paused" if paused else ""), COLOURS.get(status, "")


def waits_for(delivery: Delivery, held: Mapping[int, Wait]) -> str | None:
    """Why a delivery that would be taken up before has to wait, if its account is held."""
    wait = held.get(delivery.account_id)
    if wait is None or wait.until is None or delivery.next_at is None:
        return None
    return wait.message if delivery.next_at < wait.until else None


def shown_instant(delivery: Delivery) -> datetime:
    """The instant people want to see: when it went out, or when it is to be taken up next."""
    return delivery.published_at or delivery.next_at or delivery.occurrence


def result_cell(delivery: Delivery, waits: str | None = None) -> Cell:
    """The permalink of what is out, or the reason why it isn't, or isn't any more; `waits` is why
    it has to wait."""
    if delivery.problem:
        return delivery.problem.message, "red"
    if waits:
        return waits, "yellow"
    if delivery.status is DeliveryStatus.MISSED:
        return PAST_GRACE, "red"
    if delivery.removed:
        return "removed", "dim"
    return delivery.url or "", "blue"


def history_table(found: Sequence[Delivery], now: datetime, zone: ZoneInfo, screen: Screen) -> str:
    """Finished deliveries, one a line."""
    if not found:
        return "Nothing has gone out yet"
    rows = [
        (
            (short_time(shown_instant(delivery), now, zone), ""),
            (str(delivery.post_id), ""),
            (delivery.account, ""),
            status_cell(delivery.status.value),
            (lateness(delivery), ""),
            result_cell(delivery),
        )
        for delivery in found
    ]
    return screen.table(HISTORY_COLUMNS, rows)


def post_page(
    filed: Filed,
    attempts: Mapping[int, Sequence[Attempt]],
    now: datetime,
    zone: ZoneInfo,
    screen: Screen,
    held: Mapping[int, Wait] = NOTHING_HELD,
) -> str:
    """Everything about one post; `held` are the accounts that have to wait."""
    post, content, paint = filed.post, filed.post.content, screen.paint
    status = paint(*status_cell(filed.status.value, post.paused))
    lines = [f"{paint(f'Post {post.id}', 'bold')}  {status}"]
    lines += [paint(f"  {line}") for line in content.text.splitlines()]
    lines += [paint(f"  text {n}: {one_line(text)}") for n, text in enumerate(content.texts, 1)]
    lines += [paint(f"  then: {part.text}") for part in content.then]
    fields = {
        "comment": content.comment, "link": content.link, "title": content.title,
        "warning": content.warning, "visibility": content.visibility, "language": content.lang,
        "tags": ", ".join(post.tags), "key": post.key, "priority": post.priority or None,
        "callback": post.callback,
        "media": ", ".join(f"{m.path or m.url} ({m.alt or 'no alt text'})" for m in content.media),
        **{f"for {name}": text for name, text in content.variants.items()},
        **{f"{{{{{name}}}}}": value for name, value in content.vars.items()},
    }  # fmt: skip
    lines += [paint(f"{name}: {value}", "dim") for name, value in fields.items() if value]
    lines += _when_lines(filed, now, zone)
    shown, earlier = _newest(filed)
    if earlier:
        lines.append(f"\n{earlier:,} earlier ones are in: postsched show {post.id} --json")
    for delivery in shown:
        made = attempts.get(delivery.id, ())
        lines += _delivery_lines(delivery, content, made, now, zone, screen)
        if (why := waits_for(delivery, held)) and (until := held[delivery.account_id].until):
            lines.append(paint(f"  waits until {describe(until, now, zone)}: {why}", "yellow"))
    return "\n".join(lines)


def _when_lines(filed: Filed, now: datetime, zone: ZoneInfo) -> Iterator[str]:
    """When it goes out; of a series, what it is and what comes next."""
    schedule = filed.schedule
    first = schedule.first()
    if not schedule.recurs:
        if first:
            yield f"scheduled for {describe(first, now, zone)}"
        return
    from postsched.service.patterns import pattern
    from postsched.transfer.documents import coming

    yield f"goes out {pattern(filed, now)}"
    for at in coming(schedule, filed.deliveries, SHOWN_NEXT):
        yield f"  next: {describe(at, now, zone)}"


def _newest(filed: Filed) -> tuple[Sequence[Delivery], int]:
    """The deliveries to show, and how many finished ones came before them: a series has many."""
    over = [d for d in filed.deliveries if d.next_at is None and d.claim is None]
    known = [d for d in over if d.status is not DeliveryStatus.UNCONFIRMED]
    if not filed.schedule.recurs or len(known) <= SHOWN_OVER:
        return filed.deliveries, 0
    left_out = {d.id for d in known[:-SHOWN_OVER]}
    return [d for d in filed.deliveries if d.id not in left_out], len(left_out)


def _delivery_lines(
    delivery: Delivery,
    content: Content,
    attempts: Sequence[Attempt],
    now: datetime,
    zone: ZoneInfo,
    screen: Screen,
) -> Iterator[str]:
    paint = screen.paint
    head = f"{delivery.account} ({delivery.platform}), delivery {delivery.id}: "
    status = paint(*status_cell(delivery.status.value))
    yield f"\n{paint(head)}{status}, {describe(shown_instant(delivery), now, zone)}"
    if delivery.lateness is not None:
        begun = delivery.sent_at or any(step.published for step in delivery.steps)
        word = "sent" if begun else "tried"
        yield paint(f"  {word} {lateness(delivery)} after it was due", "dim")
    if delivery.wording:
        yield paint(f"  own text: {one_line(' --- '.join(delivery.wording['parts']))}", "dim")
    for step in delivery.steps:
        if step.published:
            name = f"part {step.n}" if step.role == "part" else "comment"
            where = step.published.url or step.published.remote_id or NO_NAME
            shown = ("removed", "dim") if step.removed else (where, "green")
            yield paint(f"  {name}: {shown[0]}", shown[1])
    if delivery.problem:
        yield paint(f"  {delivery.problem.kind}: {delivery.problem.message}", "red")
        if delivery.problem.hint:
            yield paint(f"  {delivery.problem.hint}")
    if delivery.status is DeliveryStatus.MISSED:
        yield f"  {PAST_GRACE}. Send it late: postsched retry {delivery.post_id}"
    if delivery.status is DeliveryStatus.UNCONFIRMED:
        yield from doubt_lines(delivery, content, now, zone, screen)
    for attempt in attempts:
        yield paint(_attempt_line(attempt, zone), "dim")


def _attempt_line(attempt: Attempt, zone: ZoneInfo) -> str:
    at = attempt.started_at.astimezone(zone)
    took = (attempt.finished_at - attempt.started_at).total_seconds() * 1000
    words = [f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}", f"try {attempt.n}:"]
    if not attempt.n:
        words.pop()
    words += [attempt.action, attempt.step, "->", attempt.outcome, f"({took:.0f} ms)"]
    if attempt.problem:
        status = f"HTTP {attempt.problem.http_status}: " if attempt.problem.http_status else ""
        words.append(f"{status}{attempt.problem.message}")
    if attempt.evidence:
        words.append(attempt.evidence)
    return "  " + " ".join(word for word in words if word)


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
