"""A post that is only tried: what it would be, and what to know of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from postsched.domain.delivery import Delivery, DeliveryStatus
from postsched.domain.occasion import said_by
from postsched.service import endings
from postsched.service.posts import new_post, planned_for
from postsched.store.deliveries import with_steps
from postsched.transfer.documents import post_document

if TYPE_CHECKING:
    from postsched.service.compose import Composed
    from postsched.service.desk import Desk


def document(desk: Desk, composed: Composed) -> dict[str, Any]:
    """The JSON of a post that was not written: it has no number, nor have its deliveries."""
    post, accounts = new_post(composed, desk.now()), composed.accounts
    planned = {row.account_id: row for row in planned_for(desk, post, composed, accounts)}
    deliveries = [
        Delivery(
            0, 0, account.id, account.name, account.platform, row.occurrence, row.due, row.due,
            DeliveryStatus.SCHEDULED, number=row.number, leads=row.leads,
        )
        for account in accounts
        if (row := planned.get(account.id)) is not None
    ]  # fmt: skip
    said = [with_steps(one, said_by(one, post, composed.schedule.tz)) for one in deliveries]
    document = post_document(post, composed.schedule, said)
    document["id"] = None
    for delivery in document["deliveries"]:
        delivery["id"] = delivery["post_id"] = None
    return document


def notes(desk: Desk, composed: Composed) -> list[str]:
    """What a person would be told of a post, written or not: logins that will have ended, too."""
    ending = endings.before(composed.accounts, composed.occurrence)
    return [*composed.notes, *(endings.sentence(one, desk.now(), desk.zone) for one in ending)]
