"""Posts, deliveries and status as JSON documents: the shapes that scripts depend on.

Times are RFC 3339 in UTC with Z, ids are integers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from postsched.domain.delivery import Attempt, Delivery, DeliveryStatus, Step
from postsched.domain.duration import format_duration
from postsched.domain.occasion import framed
from postsched.domain.outcome import Problem
from postsched.domain.post import Media, Post, joined_thread, post_status
from postsched.domain.schedule import Schedule

S = DeliveryStatus
LIVE = frozenset({S.SCHEDULED, S.RETRYING, S.CONFIRMING, S.PUBLISHING})
NEXT = 10


def rfc3339(moment: datetime | None) -> str | None:
    """An instant as RFC 3339 in UTC, with fractions only where there are any."""
    if moment is None:
        return None
    text = moment.astimezone(UTC).isoformat().removesuffix("+00:00")
    return (text.rstrip("0") if "." in text else text) + "Z"


def post_document(
    post: Post,
    schedule: Schedule,
    deliveries: Sequence[Delivery],
    attempts: dict[int, list[Attempt]] | None = None,
) -> dict[str, Any]:
    """A post with its schedule and deliveries; with every attempt, where they are given."""
    content = post.content
    status = post_status(post.draft, [(d.occurrence, d.status) for d in deliveries])
    return {
        "id": post.id,
        "status": status.value,
        "paused": post.paused,
        "text": content.text,
        "parts": [
            {"text": part.text, "media": [_medium(medium) for medium in part.media]}
            for part in framed(content).parts()
        ],
        "comment": content.comment,
        "media": [_medium(medium) for medium in content.media],
        "link": content.link,
        "title": content.title,
        "variants": dict(content.variants),
        "tags": list(post.tags),
        "visibility": content.visibility.value if content.visibility else None,
        "warning": content.warning,
        "lang": content.lang,
        **({"texts": list(content.texts)} if content.texts else {}),
        **({"vars": dict(content.vars)} if content.vars else {}),
        "missed": post.missed.value,
        "grace": format_duration(post.grace),
        "callback": post.callback,
        "priority": post.priority,
        "key": post.key,
        "accounts": list(post.accounts),
        "created_at": rfc3339(post.created_at),
        "updated_at": rfc3339(post.updated_at),
        "deliveries": [
            delivery_document(d, attempts.get(d.id, []) if attempts is not None else None)
            for d in deliveries
        ],
        "schedule": schedule_document(schedule, deliveries),
    }


def schedule_document(schedule: Schedule, deliveries: Iterable[Delivery]) -> dict[str, Any]:
    """A schedule; `next` are the instants still to come of it: those that wait, and what a series
    names after them."""
    rule = schedule.rule
    every = {"every": rule["every"]} if rule.get("every") else {}
    return {
        "kind": schedule.kind,
        "at": rfc3339(schedule.first()),
        "tz": schedule.tz,
        "rule": rule.get("rule"),
        **every,
        "times": list(rule.get("times") or ()),
        "on": list(rule.get("on") or ()),
        "except": list(rule.get("except") or ()),
        "from": rule.get("from"),
        "until": rule.get("until"),
        "count": rule.get("count"),
        "next": [rfc3339(moment) for moment in coming(schedule, deliveries)],
    }


def coming(schedule: Schedule, deliveries: Iterable[Delivery], most: int = NEXT) -> list[datetime]:
    """The next instants (UTC) of a post: when what waits is due, and the occurrences after it that
    a series has no delivery for yet."""
    known = list(deliveries)
    found = {_instant(d) for d in known if d.status in LIVE}
    leading = [d.occurrence for d in known if d.leads]
    if leading and schedule.recurs:
        from postsched.domain.recurrence import occurrences  # few posts have one: start-up time

        taken = {d.occurrence for d in known}
        later = (one.instant for one in occurrences(schedule, min(leading)))
        found |= set(islice((at for at in later if at not in taken), most))
    return sorted(found)[:most]


def _instant(delivery: Delivery) -> datetime:
    """The occurrence; the time that a person gave instead to one of a series."""
    apart = delivery.number is not None and not delivery.leads
    return delivery.due_at if apart and delivery.status is S.SCHEDULED else delivery.occurrence


def delivery_document(
    delivery: Delivery, attempts: Sequence[Attempt] | None = None
) -> dict[str, Any]:
    """A delivery; with `tries`, every attempt and its evidence, where they are given."""
    late = delivery.lateness
    document: dict[str, Any] = {
        "id": delivery.id,
        "post_id": delivery.post_id,
        "account": delivery.account,
        "platform": delivery.platform,
        "occurrence": rfc3339(delivery.occurrence),
        "due_at": rfc3339(delivery.due_at),
        "status": delivery.status.value,
        "attempts": delivery.attempts,
        "next_attempt_at": rfc3339(delivery.next_at),
        "published_at": rfc3339(delivery.published_at),
        "lateness_ms": None if late is None else round(late.total_seconds() * 1000, 3),
        "remote_id": delivery.remote_id,
        "url": delivery.url,
        "parts": _parts(delivery),
        "error": _problem(delivery.problem),
    }
    if delivery.wording:
        document["text"] = joined_thread(delivery.wording["parts"])
    if attempts is not None:
        document["tries"] = [_attempt(attempt) for attempt in attempts]
    return document


def _parts(delivery: Delivery) -> list[dict[str, Any]]:
    return [
        {
            "n": step.n,
            "role": step.role.value,
            "status": _status(delivery, step, index),
            "remote_id": (step.published.remote_id or None) if step.published else None,
            "url": step.published.url if step.published and not step.removed else None,
        }
        for index, step in enumerate(delivery.steps)
    ]


def _status(delivery: Delivery, step: Step, index: int) -> str:
    if step.removed:
        return "removed"
    return "published" if step.published else _waiting(delivery, index)


def _waiting(delivery: Delivery, index: int) -> str:
    """The status of a step that is not out: the delivery's for the next one, else scheduled."""
    if index == delivery.next_step:
        return delivery.status.value
    ended = delivery.status in (S.CANCELLED, S.MISSED, S.FAILED)
    return delivery.status.value if ended else S.SCHEDULED.value


def _problem(problem: Problem | None) -> dict[str, Any] | None:
    if problem is None:
        return None
    return {
        "kind": problem.kind.value,
        "message": problem.message,
        "http_status": problem.http_status,
        "hint": problem.hint,
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "n": attempt.n,
        "started_at": rfc3339(attempt.started_at),
        "finished_at": rfc3339(attempt.finished_at),
        "action": attempt.action,
        "step": attempt.step,
        "outcome": attempt.outcome,
        "error": _problem(attempt.problem),
        "evidence": attempt.evidence,
    }


def _medium(medium: Media) -> dict[str, Any]:
    where = {"url": medium.url} if medium.url else {"path": medium.path}
    return {**where, "alt": medium.alt, "type": medium.type, "bytes": medium.bytes}
