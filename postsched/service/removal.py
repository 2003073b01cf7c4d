"""Removing published posts from their networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from postsched.domain.account import Account
from postsched.domain.delivery import IN_DOUBT, Attempt, Delivery, DeliveryStatus
from postsched.domain.errors import NotAllowed
from postsched.domain.outcome import Published
from postsched.platforms.base import PlatformError
from postsched.service.deliveries import Which
from postsched.service.desk import Desk, posts_named
from postsched.service.network import call
from postsched.store import accounts as account_rows
from postsched.store import deliveries as delivery_rows

if TYPE_CHECKING:
    from postsched.secrets import Secrets

S = DeliveryStatus
HOW_TO_END = {
    S.PUBLISHING: "Try again once that is settled",
    S.CONFIRMING: "Try again once that is settled",
    S.UNCONFIRMED: "Settle it first: postsched resolve {} published|absent",
    S.SCHEDULED: "Keep the rest from going out first: postsched cancel {}",
    S.RETRYING: "Keep the rest from going out first: postsched cancel {}",
}
"""What to do about a delivery of which more may still go out, before any of it is removed."""
REMOVED = "removed"


def published(desk: Desk, post_ids: Sequence[int], which: Which) -> list[Delivery]:
    """The deliveries of posts of which something is out. Raises NotAllowed where nothing is, or
    where more may still go out."""
    found: list[Delivery] = []
    with desk.database.read() as connection:
        for post in posts_named(connection, post_ids):
            every = delivery_rows.of_posts(connection, [post.id])[post.id]
            mine = [d for d in every if which.fits(d) and (d.out or d.status in IN_DOUBT)]
            if not mine:
                raise NotAllowed(
                    f"nothing of post {post.id} is out",
                    f"To keep it from going out: postsched cancel {post.id}",
                )
            for delivery in mine:
                _refuse_unsettled(delivery)
            found += mine
    return found


def _refuse_unsettled(delivery: Delivery) -> None:
    hint = HOW_TO_END.get(delivery.status)
    if hint:
        raise NotAllowed(
            f"post {delivery.post_id} is {delivery.status} on {delivery.account}",
            hint.format(delivery.post_id),
        )


def remove(desk: Desk, secrets: Secrets, deliveries: Sequence[Delivery]) -> list[str]:
    """Remove what is out of them, last part first. Each failure is one sentence; what is gone is
    on record in the delivery's attempts, and asking again is harmless."""
    failures: list[str] = []
    with desk.database.read() as connection:
        known = account_rows.by_ids(connection, list({d.account_id for d in deliveries}))
    for delivery in deliveries:
        account = known[delivery.account_id]
        for index, step in reversed([*enumerate(delivery.steps)]):
            if step.published is None:
                continue
            failure = _remove(desk, secrets, account, step.published)
            if failure:
                failures.append(f"post {delivery.post_id} on {account.name}: {failure}")
            _record(desk, delivery, index, failure)
    return failures


def _remove(desk: Desk, secrets: Secrets, account: Account, out: Published) -> str | None:
    try:
        call(
            desk, secrets, account, lambda platform, login, http: platform.delete(out, login, http)
        )
    except PlatformError as error:
        return str(error)
    return None


def _record(desk: Desk, delivery: Delivery, index: int, failure: str | None) -> None:
    now, step = desk.now(), delivery.steps[index]
    outcome, name = "failed" if failure else REMOVED, f"{step.role} {step.n}"
    attempt = Attempt(delivery.attempts, now, now, "delete", name, outcome, None, failure)
    with desk.database.write() as connection:
        if not failure:
            delivery_rows.mark_removed(connection, delivery.id, index)
        delivery_rows.add_attempt(connection, delivery.id, attempt)
