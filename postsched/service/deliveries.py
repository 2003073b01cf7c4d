"""What a person does with deliveries: cancel, retry, resolve, pause, resume."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from postsched.domain import delivery as moves
from postsched.domain.account import Account
from postsched.domain.delivery import IN_DOUBT, Attempt, Delivery, DeliveryStatus
from postsched.domain.errors import InvalidInput, NotAllowed, NotFound
from postsched.domain.outcome import Published
from postsched.domain.post import Post
from postsched.service.desk import Desk, posts_named, unknown_account
from postsched.store import accounts as account_rows
from postsched.store import deliveries as delivery_rows
from postsched.store import posts as post_rows
from postsched.store import queue

if TYPE_CHECKING:
    from sqlalchemy import Connection

S = DeliveryStatus
CANCELLABLE = frozenset({S.SCHEDULED, S.RETRYING, S.FAILED, S.MISSED})
RETRYABLE = frozenset({S.FAILED, S.MISSED, S.CANCELLED})


@dataclass(frozen=True, slots=True)
class Which:
    """Narrows a command to some deliveries of a post; None for all."""

    account: str | None = None
    occurrence: datetime | None = None
    delivery: int | None = None

    def fits(self, delivery: Delivery) -> bool:
        """Whether a delivery is one of them."""
        return (
            self.account in (None, delivery.account)
            and self.occurrence in (None, delivery.occurrence)
            and self.delivery in (None, delivery.id)
        )


@dataclass(frozen=True, slots=True)
class Changed:
    """What a command did, and what it had to leave alone."""

    changed: tuple[Delivery, ...] = ()
    refused: tuple[Delivery, ...] = ()


def cancel(desk: Desk, post_ids: Sequence[int], which: Which) -> Changed:
    """Cancel what has not gone out. What may be going out is refused and named; a draft is
    cancelled as a whole. Raises NotAllowed where there is nothing at all to cancel."""
    with desk.database.write() as connection:
        changed: list[Delivery] = []
        refused: list[Delivery] = []
        for post in posts_named(connection, post_ids):
            if post.draft:
                post_rows.set_draft(connection, post.id, draft=False, now=desk.now())
                continue
            chosen = _chosen(connection, post, which)
            refused += [d for d in chosen if d.status in IN_DOUBT]
            fitting = [d for d in chosen if d.status in CANCELLABLE]
            if not fitting and not any(d.status in IN_DOUBT for d in chosen):
                _refuse_nothing_left(post, chosen)
            changed += _move(connection, desk.now(), fitting, moves.cancel)
    desk.tell()
    return Changed(tuple(changed), tuple(refused))


def retry(desk: Desk, post_ids: Sequence[int], which: Which) -> Changed:
    """Send failed, missed or cancelled deliveries again, at the first part that is not out."""
    now = desk.now()
    with desk.database.write() as connection:
        changed: list[Delivery] = []
        for post in posts_named(connection, post_ids):
            fitting = [d for d in _chosen(connection, post, which) if d.status in RETRYABLE]
            if not fitting:
                raise NotAllowed(
                    f"post {post.id} has nothing to retry: no delivery failed, was missed or "
                    "cancelled",
                    f"See it with: postsched show {post.id}",
                )
            changed += _move(connection, now, fitting, lambda d: _fresh(moves.retry(d, now)))
    desk.tell()
    return Changed(tuple(changed))


def resolve(
    desk: Desk, post_ids: Sequence[int], which: Which, published: Published | None
) -> Changed:
    """Settle an unconfirmed delivery: it is out, as `published` says, or (None) it is not."""
    now = desk.now()
    with desk.database.write() as connection:
        changed: list[Delivery] = []
        for post in posts_named(connection, post_ids):
            delivery = _the_doubtful(connection, post, which)
            after = _resolved(delivery, published, now)
            _write(connection, now, delivery, after)
            attempt = Attempt(
                delivery.attempts, now, now, "resolve", "", after.status.value, None,
                "a person says it is out" if published else "a person says it is not out",
            )  # fmt: skip
            delivery_rows.add_attempt(connection, delivery.id, attempt)
            changed.append(after)
    desk.tell()
    return Changed(tuple(changed))


def pause(desk: Desk, post_ids: Sequence[int]) -> None:
    """Hold posts: nothing of them is claimed until they are resumed."""
    with desk.database.write() as connection:
        for post in posts_named(connection, post_ids):
            queue.set_paused(connection, post.id, paused=True)
    desk.tell()


def resume(desk: Desk, post_ids: Sequence[int]) -> list[Delivery]:
    """Release posts. What is past its grace becomes missed, and is returned."""
    with desk.database.write() as connection:
        posts = posts_named(connection, post_ids)
        for post in posts:
            queue.set_paused(connection, post.id, paused=False)
        missed = queue.miss(connection, desk.now(), post_ids=[post.id for post in posts])
    desk.tell()
    return missed


def pause_account(desk: Desk, name: str, *, paused: bool) -> list[Delivery]:
    """Hold or release an account or a group; what was missed meanwhile is returned."""
    with desk.database.write() as connection:
        held = accounts_named(connection, [name])
        for account in held:
            account_rows.save(connection, replace(account, paused=paused))
        ids = [account.id for account in held]
        missed = [] if paused else queue.miss(connection, desk.now(), account_ids=ids)
    desk.tell()
    return missed


def pause_all(desk: Desk, *, paused: bool) -> list[Delivery]:
    """Hold or release everything; what was missed meanwhile is returned."""
    with desk.database.write() as connection:
        queue.set_all_paused(connection, paused=paused)
        missed = [] if paused else queue.miss(connection, desk.now())
    desk.tell()
    return missed


def accounts_named(connection: Connection, names: Iterable[str]) -> list[Account]:
    """The accounts of those names, groups spread out. Raises NotFound for an unknown one."""
    known = {account.name: account for account in account_rows.every(connection)}
    groups = {group.name: group.accounts for group in account_rows.all_groups(connection)}
    found: dict[str, Account] = {}
    for name in names:
        members = (name,) if name in known else groups.get(name)
        if members is None:
            raise unknown_account(name, [*known, *groups])
        found.update({member: known[member] for member in members})
    return list(found.values())


def _chosen(connection: Connection, post: Post, which: Which) -> list[Delivery]:
    every = delivery_rows.of_posts(connection, [post.id])[post.id]
    chosen = [delivery for delivery in every if which.fits(delivery)]
    if every and not chosen:
        raise NotFound(
            f"post {post.id} has no such delivery", f"See them with: postsched show {post.id}"
        )
    return chosen


def _the_doubtful(connection: Connection, post: Post, which: Which) -> Delivery:
    fitting = [d for d in _chosen(connection, post, which) if d.status is S.UNCONFIRMED]
    if not fitting:
        raise NotAllowed(
            f"post {post.id} has no unconfirmed delivery", f"See it: postsched show {post.id}"
        )
    if len(fitting) > 1:
        listed = ", ".join(f"{d.id} ({d.account}, {d.occurrence:%Y-%m-%d %H:%M}Z)" for d in fitting)
        raise InvalidInput(
            f"post {post.id} has {len(fitting)} unconfirmed deliveries: {listed}",
            "Say which with --account, --occurrence or --delivery",
        )
    return fitting[0]


def _resolved(delivery: Delivery, published: Published | None, now: datetime) -> Delivery:
    if published is None:
        return moves.resolve_absent(delivery, now)
    index = delivery.next_step
    more = index is not None and index + 1 < len(delivery.steps)
    if more and not published.remote_id:
        raise InvalidInput(
            "later parts must reply to the part in doubt", "Name it with --remote-id"
        )
    return moves.resolve_published(delivery, published, now)


def _fresh(delivery: Delivery) -> Delivery:
    """What was prepared may have expired; it is made anew, unless parts that are out hang on it."""
    if delivery.out:
        return delivery
    return replace(delivery, steps=())


def _move(
    connection: Connection,
    now: datetime,
    fitting: Sequence[Delivery],
    move: Callable[[Delivery], Delivery],
) -> list[Delivery]:
    changed = [(before, move(before)) for before in fitting]
    for before, after in changed:
        _write(connection, now, before, after)
    return [after for _, after in changed]


def _write(connection: Connection, now: datetime, before: Delivery, after: Delivery) -> None:
    if not queue.rewrite(connection, after, before, now):
        raise NotAllowed(
            f"delivery {before.id} was just taken up by a worker", "Look again, and try again"
        )


def _refuse_nothing_left(post: Post, chosen: Sequence[Delivery]) -> None:
    if all(d.status is S.CANCELLED for d in chosen):
        return  # cancelled already: what was asked for is so
    raise NotAllowed(
        f"post {post.id} is out already", f"Remove it with: postsched delete {post.id}"
    )
