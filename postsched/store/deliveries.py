"""Deliveries and attempts: rows to objects and back, and reading them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, Select, select

from postsched.domain.delivery import Attempt, Claim, Delivery, DeliveryStatus, Role, Step
from postsched.domain.outcome import ErrorKind, Problem, Published
from postsched.store.columns import EPOCH, MICROSECOND, micros
from postsched.store.compiled import ByIds
from postsched.store.tables import accounts, attempts, deliveries

if TYPE_CHECKING:
    from postsched.domain.post import Content, Post

COLUMNS = (*deliveries.c, accounts.c.name.label("account"), accounts.c.platform)


def selected() -> Select[Any]:
    """The SELECT whose rows `delivery_of` reads."""
    return select(*COLUMNS).join_from(deliveries, accounts)


def delivery_of(row: Row[Any], steps: tuple[Step, ...] = ()) -> Delivery:
    """A delivery from a row of `selected()`; its steps are those, where it has none yet."""
    claim = row.claim and Claim(row.claim, row.claim_worker, row.claimed_at, row.claim_until)
    return Delivery(
        id=row.id,
        post_id=row.post_id,
        account_id=row.account_id,
        account=row.account,
        platform=row.platform,
        occurrence=row.occurrence,
        due_at=row.due_at,
        next_at=row.next_at,
        status=DeliveryStatus(row.status),
        attempts=row.attempts,
        revision=row.revision,
        grace_until=row.grace_until,
        came_from=DeliveryStatus(row.came_from) if row.came_from else None,
        claim=claim or None,
        sent_at=row.sent_at,
        asked=row.asked,
        not_there=row.not_there,
        steps=tuple(map(_step_of, row.steps)) if row.steps else steps,
        started_at=row.started_at,
        lateness=row.lateness,
        published_at=row.published_at,
        problem=problem_of(row),
        number=row.number,
        leads=bool(row.leads),
        wording=row.wording,
    )


def with_steps(delivery: Delivery, post: Post) -> Delivery:
    """The delivery with its steps laid out, if they are not yet. The post is as the delivery says
    it (`domain.occasion.said_by`): one of several texts may have more parts than another."""
    if delivery.steps:
        return delivery
    return replace(delivery, steps=laid_out(post.content, delivery.account))


def laid_out(content: Content, account: str) -> tuple[Step, ...]:
    """The steps of a post that the account of that name gets, none of them done."""
    return _laid_out(len(content.parts(account)), bool(content.comment))


@lru_cache(maxsize=64)
def _laid_out(parts: int, comment: bool) -> tuple[Step, ...]:
    steps = [Step(Role.PART, n) for n in range(1, parts + 1)]
    return (*steps, Step(Role.COMMENT, 1)) if comment else tuple(steps)


def values_of(delivery: Delivery) -> dict[str, Any]:
    """The columns that a move may change, to be written back."""
    claim = delivery.claim
    return {
        "due_at": delivery.due_at,
        "next_at": delivery.next_at,
        "status": delivery.status.value,
        "came_from": delivery.came_from.value if delivery.came_from else None,
        "attempts": delivery.attempts,
        "revision": delivery.revision,
        "asked": delivery.asked,
        "not_there": delivery.not_there,
        "grace_until": delivery.grace_until,
        "claim": claim.token if claim else None,
        "claim_worker": claim.worker if claim else None,
        "claimed_at": claim.at if claim else None,
        "claim_until": claim.until if claim else None,
        "sent_at": delivery.sent_at,
        "steps": plain_steps(delivery),
        "started_at": delivery.started_at,
        "lateness": delivery.lateness,
        "published_at": delivery.published_at,
        **problem_values(delivery.problem),
    }


CHANGING = (
    "due_at", "next_at", "status", "came_from", "attempts", "revision", "asked", "not_there",
    "grace_until", "claim", "claim_worker", "claimed_at", "claim_until", "sent_at", "steps",
    "started_at", "lateness", "published_at", "error_kind", "error_message", "error_status",
    "error_hint",
)  # fmt: skip
"""The names of the columns in `values_of`."""


def plain_steps(delivery: Delivery) -> list[dict[str, Any]]:
    """The steps as plain JSON."""
    return [_plain_step(step) for step in delivery.steps]


def problem_of(row: Row[Any]) -> Problem | None:
    """The problem in a row's error columns."""
    if row.error_kind is None:
        return None
    kind = ErrorKind(row.error_kind)
    return Problem(kind, row.error_message or "", row.error_status, row.error_hint)


def problem_values(problem: Problem | None) -> dict[str, Any]:
    """A problem as the error columns of a row."""
    return {
        "error_kind": problem.kind.value if problem else None,
        "error_message": problem.message if problem else None,
        "error_status": problem.http_status if problem else None,
        "error_hint": problem.hint if problem else None,
    }


OF_POSTS = ByIds(lambda ids: selected().where(deliveries.c.post_id.in_(ids)))


def of_posts(connection: Connection, post_ids: Sequence[int]) -> dict[int, list[Delivery]]:
    """All deliveries of the given posts, by post, in the order of their occurrences."""
    found: dict[int, list[Delivery]] = {post_id: [] for post_id in post_ids}
    rows = OF_POSTS.records(connection, post_ids)
    for row in sorted(rows, key=lambda row: (row.occurrence, row.id)):
        found[row.post_id].append(delivery_of(row))
    return found


def get(connection: Connection, delivery_id: int) -> Delivery | None:
    """One delivery by its number."""
    row = connection.execute(selected().where(deliveries.c.id == delivery_id)).one_or_none()
    return delivery_of(row) if row is not None else None


def attempts_of(connection: Connection, delivery_id: int) -> list[Attempt]:
    """Every attempt at a delivery, oldest first."""
    query = select(attempts).where(attempts.c.delivery_id == delivery_id).order_by(attempts.c.id)
    return [
        Attempt(
            row.n, row.started_at, row.finished_at, row.action, row.step, row.outcome,
            problem_of(row), row.evidence,
        )
        for row in connection.execute(query)
    ]  # fmt: skip


def mark_removed(connection: Connection, delivery_id: int, index: int) -> None:
    """Note that the step with that index was removed from its network."""
    found = get(connection, delivery_id)
    if found is None or index >= len(found.steps):
        return
    steps = list(found.steps)
    steps[index] = replace(steps[index], removed=True)
    plain = plain_steps(replace(found, steps=tuple(steps)))
    row = deliveries.update().where(deliveries.c.id == delivery_id)
    connection.execute(row.values(steps=plain))


ADD_ATTEMPT = attempts.insert()


def add_attempt(connection: Connection, delivery_id: int, attempt: Attempt) -> None:
    """Append one attempt."""
    add_attempts(connection, [(delivery_id, attempt)])


def add_attempts(connection: Connection, attempts: Sequence[tuple[int, Attempt]]) -> None:
    """Append attempts, each to the delivery of that number."""
    values = [attempt_values(number, attempt) for number, attempt in attempts]
    if values:
        connection.execute(ADD_ATTEMPT, values if len(values) > 1 else values[0])


def attempt_values(delivery_id: int, attempt: Attempt) -> dict[str, Any]:
    """All columns of a new attempt but its id."""
    return {
        "delivery_id": delivery_id,
        "n": attempt.n,
        "started_at": attempt.started_at,
        "finished_at": attempt.finished_at,
        "action": attempt.action,
        "step": attempt.step,
        "outcome": attempt.outcome,
        "evidence": attempt.evidence,
        **problem_values(attempt.problem),
    }


def _plain_step(step: Step) -> dict[str, Any]:
    plain: dict[str, Any] = {"role": step.role.value, "n": step.n}
    if step.prepared is not None:
        plain["prepared"] = dict(step.prepared)
        plain["at"] = micros(step.prepared_at) if step.prepared_at else None
    if step.published is not None:
        out = step.published
        plain["out"] = {"id": out.remote_id, "url": out.url, "data": dict(out.data)}
    if step.removed:
        plain["removed"] = True
    if step.doubtful:
        plain["doubtful"] = True
    return plain


def _step_of(plain: dict[str, Any]) -> Step:
    out = plain.get("out")
    published = Published(out["id"], out.get("url"), out.get("data") or {}) if out else None
    at = plain.get("at")
    prepared_at = None if at is None else EPOCH + at * MICROSECOND
    role, prepared = Role(plain["role"]), plain.get("prepared")
    flags = plain.get("removed", False), plain.get("doubtful", False)
    return Step(role, plain["n"], prepared, published, prepared_at, *flags)
