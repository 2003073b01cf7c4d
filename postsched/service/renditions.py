"""What a post will say at its next occurrences: for judging it, and for showing it.

A series is judged by all of its texts, and by more than one of its occurrences: a month has a
longer name than another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from postsched.domain.errors import InvalidInput
from postsched.domain.fitting import Finding
from postsched.domain.occasion import check, framed, ignored, is_template, rendered, turn_of
from postsched.domain.post import Content
from postsched.domain.schedule import Schedule
from postsched.service.content import web_address

LEAST = 10
"""So many occurrences are looked at, more where there are more texts."""
MOST_SAID = 5
"""So many different faults are said of one account."""
Judge = Callable[[Content], Sequence[Finding]]


@dataclass(frozen=True, slots=True)
class Rendition:
    """What one occurrence says. `at` is its instant (UTC), None where none is set; `name` says
    which it is, and is empty for the only one there is."""

    content: Content
    at: datetime | None = None
    name: str = ""


def renditions(
    content: Content, schedule: Schedule, first: datetime | None, now: datetime, number: int = 1
) -> tuple[Rendition, ...]:
    """The next occurrences from the `first` on (UTC), which has that number: each text once and
    the first again at least; one for what is no template. Where no time is set, `now` is taken.
    Raises InvalidInput for a template that can't be rendered."""
    if not is_template(content, recurs=schedule.recurs):
        return (Rendition(content, first),)
    check(content)
    count = max(LEAST, len(content.texts) + 1) if schedule.recurs or content.texts else 1
    instants = _instants(schedule, first, count)
    if not instants:
        instants = [None] * len(content.texts or ("",))
    turns = enumerate(instants, number)
    found = [_rendition(content, n, at, now, schedule.tz) for n, at in turns]
    if found[0].content.link:
        web_address(found[0].content.link, "link")
    return tuple(found)


def sample(content: Content, *, recurs: bool, at: datetime) -> Rendition:
    """What would be said then (UTC), where more is not known; a template with faults stays one."""
    if not is_template(content, recurs=recurs):
        return Rendition(content)
    try:
        check(content)
    except InvalidInput:
        return Rendition(framed(content))
    return Rendition(rendered(content, turn_of(1, at, "UTC")))


def judged(found: Sequence[Rendition], judge: Judge) -> list[Finding]:
    """All that is wrong with them for one account. What is not wrong with all of them is said with
    the name of the first it is wrong with; and no more than a few are said."""
    different = [one for n, one in enumerate(found) if n == 0 or one.content != found[0].content]
    if len(different) == 1:
        return list(judge(different[0].content))
    names: dict[Finding, dict[str, None]] = {}
    for one in different:
        for finding in judge(one.content):
            names.setdefault(finding, {})[one.name] = None
    every = len({one.name for one in different})
    fatal = [_named(one, [*said], every) for one, said in names.items() if one.fatal]
    left_out = [_named(one, [*said], every) for one, said in names.items() if not one.fatal]
    return [*_few(fatal), *_few(left_out)]


def notes(content: Content, schedule: Schedule, found: Sequence[Rendition]) -> list[str]:
    """What the person should know: of what was not taken for a template, and of texts that never
    have a turn."""
    texts = len(content.texts)
    if not is_template(content, recurs=schedule.recurs):
        place = ignored(content)
        return [f"{place} is sent as it stands: it is filled in only in a series"] if place else []
    if texts > 1 and not schedule.recurs and found[0].at is not None:
        return [f"of the {texts} texts only the first is sent: this is no series"]
    if len(found) < texts:
        return [f"of the {texts} texts only {len(found)} are sent: the series ends before"]
    return []


def _named(finding: Finding, names: Sequence[str], of: int) -> Finding:
    """The finding, with what it is about unless that is everything."""
    if len(names) == of:
        return finding
    more = f", and {len(names) - 1:,} more" if len(names) > 1 else ""
    return replace(finding, message=f"{finding.message} ({names[0]}{more})")


def _few(findings: Sequence[Finding]) -> list[Finding]:
    if len(findings) <= MOST_SAID:
        return list(findings)
    last, more = findings[MOST_SAID], len(findings) - MOST_SAID
    words = f"{last.account}: {more:,} more such faults, in other texts"
    return [*findings[:MOST_SAID], replace(last, message=words)]


def _instants(schedule: Schedule, first: datetime | None, count: int) -> list[datetime | None]:
    if first is None:
        return []
    if not schedule.recurs:
        return [first]
    from postsched.domain.recurrence import occurrences

    later = (one.instant for one in occurrences(schedule, first))
    return [first, *islice(later, count - 1)]


def _rendition(
    content: Content, number: int, at: datetime | None, now: datetime, tz: str
) -> Rendition:
    turn = turn_of(number, at or now, tz)
    texts = len(content.texts)
    name = f"occurrence {number}, {turn.local:%Y-%m-%d %H:%M}"
    if texts:
        name = f"text {(number - 1) % texts + 1} of {texts}"
    return Rendition(rendered(content, turn), at, name)
