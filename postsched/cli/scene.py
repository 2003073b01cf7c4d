"""What the live view says: a line for each event, and the block of what is going on."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from postsched.cli.characters import without_controls
from postsched.cli.render import COLOURS, lateness, one_line, short_time
from postsched.domain.delivery import Delivery, DeliveryStatus
from postsched.domain.duration import distance
from postsched.store.upcoming import Coming

if TYPE_CHECKING:
    from postsched.engine.uploads import Amount
    from postsched.store.queue import Work

LABEL = 10
"""Columns of the first word of a line of the block."""
SHOWN = 5
"""How many of the next posts, and of those in flight, are shown."""
NARROW = 70
"""Columns below which the countdown stands for the time."""
WIDEST = 30
"""Columns that the longest list of accounts may ask of the others."""
LONGEST = 300
"""Characters of a text that are looked at: no terminal is wider."""
LEVELS = {logging.WARNING: "yellow", logging.ERROR: "bold red", logging.CRITICAL: "bold red"}


@dataclass(frozen=True, slots=True)
class Scene:
    """All that the block shows. `sending` are the works in flight and since how many seconds,
    `preparing` those whose files go ahead of them, `uploads` how far the files have got, by
    delivery. `waiting` are those to come, soonest first, `beyond` how many more there are, `many`
    whether that is only the least; `notes` are the troubles, each a label and a sentence."""

    now: datetime
    zone: ZoneInfo
    columns: int = 80
    sending: Sequence[tuple[Work, float]] = ()
    preparing: Sequence[Work] = ()
    uploads: Mapping[int, Amount] = field(default_factory=dict)
    waiting: Sequence[Coming] = ()
    beyond: int = 0
    many: bool = False
    notes: Sequence[tuple[str, str]] = ()
    stopping: bool = False
    until_idle: bool = False


class Row(NamedTuple):
    """One delivery in the block."""

    when: Text
    post: str
    text: Text


def block(scene: Scene) -> list[Text]:
    """The lines at the bottom of the screen, the most urgent first: a small terminal shows only
    those."""
    lines = [_noted(label, sentence) for label, sentence in scene.notes]
    lines += _crowd("sending", [_sending(work, took, scene) for work, took in scene.sending])
    lines += _crowd("uploading", [_uploading(work, scene) for work in scene.preparing])
    if scene.stopping:
        return [*lines, Text("stopping: no more is begun; Ctrl-C again ends at once", "dim")]
    return lines + (_coming(scene) or [_nothing(scene)])


def _coming(scene: Scene) -> list[Text]:
    groups = [list(group) for _, group in groupby(scene.waiting, _occasion)]
    rows = _columns([_next(group, scene) for group in groups[:SHOWN]])
    more = sum(len(group) for group in groups[SHOWN:]) + scene.beyond
    if more:
        rows.append(Text(f"and {'more than ' if scene.many else ''}{more} more", "dim"))
    return _labelled("next", rows)


def _occasion(one: Coming) -> tuple[int, datetime, DeliveryStatus]:
    """What is shown in one line: a post to all its accounts at one instant."""
    return one.post_id, one.at, one.status


def _next(group: Sequence[Coming], scene: Scene) -> Row:
    first = group[0]
    left = first.at - scene.now
    when = distance(left) if left > timedelta(seconds=0.5) else "now"
    if scene.columns >= NARROW:
        when = f"{short_time(first.at, scene.now, scene.zone)}, {when}"
    text = Text(_clean(first.text))
    # One that is claimed already is shown as what it was.
    if first.status in (DeliveryStatus.RETRYING, DeliveryStatus.CONFIRMING):
        text = Text.assemble((f"{first.status.value}  ", COLOURS[first.status.value]), text)
    accounts = ", ".join(one.account for one in group)
    return Row(Text(when, "cyan"), f"post {first.post_id} on {accounts}", text)


def _crowd(label: str, rows: Sequence[Row]) -> list[Text]:
    """The first of these, and how many more there are."""
    lines = _labelled(label, _columns(rows[:SHOWN]))
    if len(rows) > SHOWN:
        lines.append(_row("", Text(f"and {len(rows) - SHOWN} more")))
    return lines


def _sending(work: Work, took: float, scene: Scene) -> Row:
    delivery = work.delivery
    parts = len(delivery.steps)
    what = f"part {(delivery.next_step or 0) + 1} of {parts}, " if parts > 1 else ""
    if delivery.status is DeliveryStatus.CONFIRMING:
        what = "asking whether it is out, "
    if amount := scene.uploads.get(delivery.id):
        what += f"{uploaded(amount)}, "
    return _under_way(work, f"{what}{took:.0f} s")


def _uploading(work: Work, scene: Scene) -> Row:
    return _under_way(work, uploaded(scene.uploads[work.delivery.id]))


def _under_way(work: Work, state: str) -> Row:
    place = f"post {work.delivery.post_id} on {work.delivery.account}"
    return Row(Text(state, "yellow"), place, Text(_clean(work.post.content.text)))


def uploaded(amount: Amount) -> str:
    """How far an upload has got: the share, rounded down, and megabytes of 1,000,000 bytes."""
    share = 100 * amount.sent // max(1, amount.total)
    return f"↑ {share} %  {amount.sent / 1e6:.1f} of {amount.total / 1e6:.1f} MB"


def _columns(rows: Sequence[Row]) -> list[Text]:
    """The rows below each other."""
    when = max((row.when.cell_len for row in rows), default=0)
    post = min(max((cell_len(row.post) for row in rows), default=0), WIDEST)
    return [
        Text.assemble(
            row.when, " " * (when - row.when.cell_len + 2),
            set_cell_size(row.post, max(post, cell_len(row.post))), "  ", row.text,
        )
        for row in rows
    ]  # fmt: skip


def _nothing(scene: Scene) -> Text:
    if scene.until_idle:
        return _row("next", Text("nothing; it ends when what is under way is done", "dim"))
    return _row("next", Text('nothing. In another terminal: postsched add "Hello" --in 10s', "dim"))


def _labelled(label: str, rows: Iterable[Text]) -> list[Text]:
    return [_row("" if index else label, row) for index, row in enumerate(rows)]


def _noted(label: str, sentence: str) -> Text:
    return _row(label, Text(_clean(sentence)), "bold red")


def _row(label: str, text: Text, style: str = "bold") -> Text:
    return Text.assemble((set_cell_size(label, LABEL), style), text)


def event_line(at: datetime, word: str, delivery: Delivery, zone: ZoneInfo) -> Text:
    """What became of a delivery, in one line: the permalink, or the reason."""
    line = _dated(at, zone, word, COLOURS.get(word, ""))
    line.append(f"post {delivery.post_id} on {delivery.account}  ")
    if word == "published" and delivery.lateness is not None:
        line.append(f"{lateness(delivery)} late  ", "dim")
    if delivery.problem and word != "published":
        line.append(_clean(delivery.problem.message), "red")
        if delivery.problem.hint and word in ("failed", "unconfirmed"):
            line.append(f". {_clean(delivery.problem.hint)}")
    elif word == "missed":
        line.append(f"it was past its grace. Send it late: postsched retry {delivery.post_id}")
    if delivery.next_at and word in ("retrying", "confirming", "scheduled"):
        line.append(f"; again {distance(delivery.next_at - at)}")
    if delivery.url:
        line.append(f" {delivery.url}" if delivery.problem else delivery.url, "blue")
    return line


def summary_line(at: datetime, word: str, count: int, zone: ZoneInfo) -> Text:
    """So many more deliveries of which the same can be said."""
    line = _dated(at, zone, word, COLOURS.get(word, ""))
    return line.append(f"and {count} more: postsched history")


def log_line(at: datetime, level: int, message: str, zone: ZoneInfo) -> Text:
    """A line of the log."""
    word = logging.getLevelName(level).lower() if level >= logging.WARNING else ""
    return _dated(at, zone, word, LEVELS.get(level, "")).append(_clean(message))


def day_line(at: datetime, zone: ZoneInfo) -> Text:
    """Above the first event of a day."""
    return Text(f"{at.astimezone(zone):%Y-%m-%d}", "bold")


def _dated(at: datetime, zone: ZoneInfo, word: str, style: str) -> Text:
    clock = f"{at.astimezone(zone):%H:%M:%S}  "
    return Text.assemble((clock, "dim"), (set_cell_size(word, 13) if word else "", style))


def _clean(text: str) -> str:
    """The text in one line, without what would move the cursor."""
    return without_controls(one_line(text[:LONGEST]))
