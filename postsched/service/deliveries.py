"""What a person does with deliveries: cancel, retry, resolve."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from postsched.domain import moves
from postsched.domain.delivery import IN_DOUBT, Attempt, Delivery, DeliveryStatus
from postsched.domain.errors import InvalidInput, NotAllowed, NotFound
from postsched.domain.outcome import Published
from postsched.domain.post import Post
from postsched.service import occurrences, order
from postsched.service.desk import Desk, posts_named
from postsched.service.occurrences import Series
from postsched.store import chains, outbox, plans
from postsched.store import deliveries as delivery_rows
from postsched.store import posts as post_rows

if TYPE_CHECKING:
    from sqlalchemy import Connection

S = DeliveryStatus
CANCELLABLE = frozenset({S.SCHEDULED, S.RETRYING, S.FAILED, S.MISSED})
RETRYABLE = frozenset({S.FAILED, S.MISSED, S.CANCELLED})


@dataclass(frozen=True, slots=True)
class Which:
    """Narrows a command to some deliveries of a post; None for all. `accounts` are names."""

    accounts: frozenset[str] | None = None
    occurrence: datetime | None = None
    delivery: int | None = None

    @property
    def narrows(self) -> bool:
        """Whether it leaves anything out."""
        return self != Which()

    def fits(self, delivery: Delivery) -> bool:
        """Whether a delivery is one of them."""
        return (
            (self.accounts is None or delivery.account in self.accounts)
            and (self.occurrence is None or self._names(delivery.occurrence))
            and self.delivery in (None, delivery.id)
        )

    def _names(self, occurrence: datetime) -> bool:
        """People name whole seconds, occurrences may lie between them."""
        assert self.occurrence is not None
        if self.occurrence.microsecond == 0:
            occurrence = occurrence.replace(microsecond=0)
        return self.occurrence == occurrence


@dataclass(frozen=True, slots=True)
class Changed:
    """What a command did, and a sentence for each thing that it had to leave alone."""

    changed: tuple[Delivery, ...] = ()
    refused: tuple[str, ...] = ()
    moved_up: int = 0
    """How many later deliveries have moved up into the slots that were left."""


def cancel(
    desk: Desk,
    post_ids: Sequence[int],
    which: Which,
    *,
    close_gaps: bool | None = None,
    insist: bool = False,
) -> Changed:
    """Cancel what has not gone out; a draft is cancelled as a whole. What may be going out, or is
    out, is refused and named, and does not keep the rest from being cancelled. `close_gaps`: what
    sits in later slots moves up (None: as is set). With `insist`, NotAllowed is raised where
    nothing can be done."""
    now = desk.now()
    with desk.database.write() as connection:
        changed: list[Delivery] = []
        refused: list[str] = []
        for post in posts_named(connection, post_ids):
            if post.draft and not which.narrows:
                post_rows.cancel_draft(connection, post.id, now)
                continue
            series = occurrences.series_of(connection, post)
            if series and which.occurrence is not None:
                chosen = occurrences.rows_for(connection, desk, series, which)
            else:
                chosen = _chosen(connection, post, which)
            refused += _not_cancellable(post, chosen)
            fitting = [d for d in chosen if d.status in CANCELLABLE]
            cancelled = _move(connection, now, fitting, moves.cancel)
            outbox.note(connection, now, *cancelled)
            changed += cancelled
            if series and which.occurrence is None and which.delivery is None:
                _end(connection, series, which, fitting)
            elif series:
                occurrences.pass_on(connection, desk, series, fitting)
        if insist and refused and not changed:
            raise NotAllowed(refused[0])
        closing = desk.settings.close_gaps if close_gaps is None else close_gaps
        moved = order.close_gaps(connection, desk, changed) if closing else 0
    desk.tell()
    return Changed(tuple(changed), tuple(refused), moved)


def retry(desk: Desk, post_ids: Sequence[int], which: Which, *, insist: bool = False) -> Changed:
    """Send failed, missed or cancelled deliveries again, at the first part that is not out, but not
    to accounts that the post was taken from. A post that has none is refused and named, and does
    not keep the rest from being sent. With `insist`, NotAllowed is raised where none is."""
    now = desk.now()
    with desk.database.write() as connection:
        changed: list[Delivery] = []
        refused: list[str] = []
        for post in posts_named(connection, post_ids):
            wanted = (d for d in _chosen(connection, post, which) if d.account in post.accounts)
            fitting = [d for d in wanted if d.status in RETRYABLE]
            if post.draft or not fitting:
                refused.append(_nothing_to_retry(post))
                continue
            tried = _move(connection, now, fitting, lambda d: _fresh(moves.retry(d, now)))
            order.reseat(connection, desk, post, tried)
            changed += tried
            again = [d.account_id for d in fitting if d.status is S.CANCELLED]
            if ended := chains.stopped(connection, post.id) & set(again):
                occurrences.go_on(connection, desk, post, sorted(ended))
        if insist and refused and not changed:
            raise NotAllowed(refused[0])
    desk.tell()
    return Changed(tuple(changed), tuple(refused))


def resolve(desk: Desk, post_id: int, which: Which, published: Published | None) -> Delivery:
    """Settle an unconfirmed delivery: it is out, as `published` says, or (None) it is not.

    Raises NotAllowed if the post has none, InvalidInput if it has several, and if later parts must
    reply to the part in doubt and it is not said what its id is.
    """
    now = desk.now()
    with desk.database.write() as connection:
        (post,) = posts_named(connection, [post_id])
        delivery = _the_doubtful(connection, post, which)
        after = _resolved(delivery, published, now)
        _write(connection, now, delivery, after)
        attempt = Attempt(
            delivery.attempts, now, now, "resolve", "", after.status.value, None,
            "a person says it is out" if published else "a person says it is not out",
        )  # fmt: skip
        delivery_rows.add_attempt(connection, delivery.id, attempt)
        outbox.note(connection, now, after)
    desk.tell()
    return after


def _end(
    connection: Connection, series: Series, which: Which, cancelled: Sequence[Delivery]
) -> None:
    """A series was cancelled, whole or for some accounts: nothing follows."""
    ids = [a.id for a in series.accounts if which.accounts is None or a.name in which.accounts]
    chains.stop(connection, series.post.id, ids, stopped=True)
    chains.unlead(connection, [delivery.id for delivery in cancelled])


def _chosen(connection: Connection, post: Post, which: Which) -> list[Delivery]:
    every = delivery_rows.of_posts(connection, [post.id])[post.id]
    chosen = [delivery for delivery in every if which.fits(delivery)]
    if not chosen and (every or which.narrows):
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
    if not plans.rewrite(connection, after, before, now):
        raise NotAllowed(
            f"delivery {before.id} was just taken up by a worker", "Look again, and try again"
        )


def _not_cancellable(post: Post, chosen: Sequence[Delivery]) -> list[str]:
    """A sentence for each delivery that may be going out; one where all that is left is out."""
    found = [
        f"post {post.id} is {d.status} on {d.account} and can't be cancelled now. "
        f"See it: postsched show {post.id}"
        for d in chosen
        if d.status in IN_DOUBT
    ]
    left = [d for d in chosen if d.status is not S.CANCELLED]
    if left and all(d.status is S.PUBLISHED for d in left):
        found.append(f"post {post.id} is out already. Remove it: postsched delete {post.id}")
    return found


def _nothing_to_retry(post: Post) -> str:
    if post.draft:
        return f"post {post.id} is a draft. Give it a time: postsched edit {post.id} --at WHEN"
    return (
        f"post {post.id} has nothing to retry: no delivery failed, was missed or cancelled. "
        f"See it: postsched show {post.id}"
    )
