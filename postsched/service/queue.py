"""What sits in the weekly slots, and changing its order: posts exchange their instants.

All of a change is one transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Any

from postsched.domain.account import Account
from postsched.domain.delivery import Delivery, DeliveryStatus
from postsched.domain.errors import NotAllowed
from postsched.domain.post import Post
from postsched.domain.slots import instants
from postsched.service.desk import Desk, accounts_named, posts_named
from postsched.service.order import Order, is_movable
from postsched.store import accounts as account_rows
from postsched.store import posts as post_rows
from postsched.store import slots as slot_rows
from postsched.store.said import posts_said
from postsched.transfer.documents import rfc3339

if TYPE_CHECKING:
    from sqlalchemy import Connection

S = DeliveryStatus
FREE_SHOWN = 3
"""How many free slots are shown behind the last post."""
MOST_FREE = 100
"""How many free slots are shown of an account, at the most."""


@dataclass(frozen=True, slots=True)
class Place:
    """A slot of an account: what sits in it, with its post as it is said, or None where it is
    free."""

    account: str
    at: datetime
    delivery: Delivery | None = None
    post: Post | None = None


def places(
    connection: Connection, now: datetime, names: Sequence[str] | None = None
) -> list[Place]:
    """The slots of accounts or groups (None: of all that have any) in the order of time, taken and
    free, account by account."""
    wanted = accounts_named(connection, names) if names else account_rows.every(connection)
    ids = {account.id for account in wanted}
    queued: dict[int, list[Delivery]] = defaultdict(list)
    for delivery in slot_rows.queued(connection, ids):
        queued[delivery.account_id].append(delivery)
    every = [delivery for mine in queued.values() for delivery in mine]
    written = post_rows.get(connection, list({delivery.post_id for delivery in every}))
    said = posts_said(connection, every, written)
    posts = {delivery.id: post for delivery, post in zip(every, said, strict=True)}
    found: list[Place] = []
    for account in sorted(wanted, key=lambda one: one.name):
        mine = [Place(account.name, d.occurrence, d, posts[d.id]) for d in queued[account.id]]
        free = _free(connection, account, now, queued[account.id])
        found += sorted([*mine, *free], key=lambda place: place.at)
    return found


def _free(
    connection: Connection, account: Account, now: datetime, queued: Sequence[Delivery]
) -> list[Place]:
    """The free slots up to the last post, and a few behind it."""
    slots = slot_rows.of_accounts(connection, {account.id}).get(account.id)
    if not slots:
        return []
    taken = {
        one.occurrence for one in slot_rows.sitting(connection, account.id, now) if one.by_slot
    }
    last = max((delivery.occurrence for delivery in queued), default=now)
    free = (at for at in instants(slots, now) if at not in taken)
    found: list[Place] = []
    behind = 0
    for at in islice(free, MOST_FREE):
        behind += at > last
        if behind > FREE_SHOWN:
            break
        found.append(Place(account.name, at))
    return found


def place_document(place: Place) -> dict[str, Any]:
    """A place as JSON; what is free has no post."""
    delivery, post = place.delivery, place.post
    return {
        "account": place.account,
        "at": rfc3339(place.at),
        "free": delivery is None,
        "post_id": post.id if post else None,
        "delivery_id": delivery.id if delivery else None,
        "text": post.content.text if post else None,
        "status": delivery.status.value if delivery else None,
        "due_at": rfc3339(delivery.due_at) if delivery else None,
        "paused": post.paused if post else None,
    }


def step(desk: Desk, post_id: int, names: Sequence[str] | None, by: int) -> list[str]:
    """Exchange a post with the one before it (`by` -1) or behind it (+1), for each account where
    there is one; the accounts for which that was done.

    Raises NotFound, NotAllowed where it is the first or last already, or in no slot, and where one
    of the two can't be moved any more.
    """
    with desk.database.write() as connection:
        posts_named(connection, [post_id])
        order = Order(connection, desk, _named(connection, names))
        pairs = [
            (one, other)
            for one in order.seats(post_id)
            if (other := slot_rows.beside(connection, one, by)) is not None
        ]
        if not pairs:
            end = "first" if by < 0 else "last"
            raise NotAllowed(f"post {post_id} is the {end} already", "See: postsched queue")
        for one, other in pairs:
            order.exchange([one, other], [other.occurrence, one.occurrence])
    desk.tell()
    return [one.account for one, _ in pairs]


def swap(desk: Desk, post_id: int, other_id: int, names: Sequence[str] | None) -> list[str]:
    """Exchange two posts, for each account where both sit in slots; the accounts for which that was
    done. Raises as `step` does."""
    with desk.database.write() as connection:
        posts_named(connection, [post_id, other_id])
        order = Order(connection, desk, _named(connection, names))
        seats = order.seats(post_id, other_id)
        others = {d.account_id: d for d in seats if d.post_id == other_id != post_id}
        pairs = [
            (one, others[one.account_id])
            for one in seats
            if one.post_id == post_id and one.account_id in others
        ]
        if not pairs:
            raise NotAllowed(
                f"posts {post_id} and {other_id} sit in no slots of the same account",
                "See: postsched queue",
            )
        for one, other in pairs:
            order.exchange([one, other], [other.occurrence, one.occurrence])
    desk.tell()
    return [one.account for one, _ in pairs]


def shuffle(desk: Desk, names: Sequence[str] | None, rng: Random) -> int:
    """Put the posts in the slots of each account into another order, by chance; how many that can
    be moved there are. What can't be moved any more stays."""
    with desk.database.write() as connection:
        order = Order(connection, desk, _named(connection, names))
        count = 0
        for mine in order.every():
            movable = [delivery for delivery in mine if is_movable(delivery)]
            occurrences = [delivery.occurrence for delivery in movable]
            rng.shuffle(occurrences)
            order.exchange(movable, occurrences)
            count += len(movable)
    desk.tell()
    return count


def _named(connection: Connection, names: Sequence[str] | None) -> list[Account] | None:
    return accounts_named(connection, names) if names else None
