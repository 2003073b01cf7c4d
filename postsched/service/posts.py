"""Writing posts: add, and edit what surely isn't out."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from postsched.domain import delivery as moves
from postsched.domain.account import Account
from postsched.domain.delivery import IN_DOUBT, Delivery, DeliveryStatus
from postsched.domain.draft import Draft, DraftMedia
from postsched.domain.errors import InvalidInput, NotAllowed
from postsched.domain.post import Content, Media, Post
from postsched.domain.schedule import Schedule
from postsched.media.kept import MediaStore
from postsched.service.compose import Composed, capabilities_of, compose, digest_of, looked_at
from postsched.service.desk import Desk, posts_named
from postsched.store import deliveries as delivery_rows
from postsched.store import posts as post_rows
from postsched.store import queue
from postsched.store.queue import Planned

if TYPE_CHECKING:
    from sqlalchemy import Connection

S = DeliveryStatus
SOON = timedelta(seconds=1)
"""What is due sooner is not prepared ahead: the claim does it at once."""


@dataclass(frozen=True, slots=True)
class Added:
    """A post that was added, or was known already by its key. `id` is None for a dry run."""

    id: int | None
    composed: Composed | None = None
    known: bool = False


def add(desk: Desk, draft: Draft, *, dry_run: bool = False) -> Added:
    """Write a post and plan its deliveries. The key is looked up before the time is judged.

    Raises InvalidInput, NotFound, StoreUnavailable; then nothing was written.
    """
    if dry_run:
        with desk.database.read() as connection:
            known = find_key(connection, draft)
            return known or Added(None, compose(connection, desk, draft, _examine(desk)))
    with desk.database.write() as connection:
        added = add_within(connection, desk, draft)
    if not added.known:
        desk.tell()
    return added


def add_within(connection: Connection, desk: Desk, draft: Draft) -> Added:
    """`add` inside the caller's transaction, without telling anyone."""
    if known := find_key(connection, draft):
        return known
    composed = compose(connection, desk, draft, _keep(desk))
    post = _new_post(composed, desk.now())
    account_ids = [account.id for account in composed.accounts]
    post_id = post_rows.insert(connection, post, account_ids, composed.schedule, composed.digest)
    queue.plan(connection, _planned(desk, replace(post, id=post_id), composed, composed.accounts))
    return Added(post_id, composed)


def find_key(connection: Connection, draft: Draft) -> Added | None:
    """The post that has the draft's key already.

    Raises InvalidInput if it was written with other content.
    """
    if draft.key is None:
        return None
    if not draft.key.strip() or len(draft.key) > 200:
        raise InvalidInput("a key has 1 to 200 characters")
    found = post_rows.by_key(connection, draft.key)
    if found is None:
        return None
    if found[1] != digest_of(draft):
        raise InvalidInput(
            f"the key {draft.key!r} belongs to post {found[0]}, which says something else",
            f"Change that one with: postsched edit {found[0]}",
        )
    return Added(found[0], known=True)


def edit(desk: Desk, post_id: int, draft: Draft, *, rescheduled: bool) -> Composed:
    """Write what `draft` says over a post; `rescheduled` tells that its time was given anew.

    Changes only deliveries of which surely nothing is out. Raises NotAllowed while one may be
    going out, and where nothing is left to change.
    """
    with desk.database.write() as connection:
        (post,) = posts_named(connection, [post_id])
        deliveries = delivery_rows.of_posts(connection, [post_id])[post_id]
        changeable = _changeable(post, deliveries)
        old = post_rows.schedule_of(connection, [post_id])[post_id]
        composed = _recompose(connection, desk, draft, old, rescheduled=rescheduled)
        changed = _changed_post(post, composed, desk.now())
        account_ids = [account.id for account in composed.accounts]
        post_rows.replace(connection, changed, account_ids, composed.schedule, composed.digest)
        _replan(connection, desk, changed, composed, deliveries, changeable)
    desk.tell()
    return composed


def _changeable(post: Post, deliveries: Sequence[Delivery]) -> list[Delivery]:
    doubtful = [d for d in deliveries if d.status in IN_DOUBT]
    if doubtful:
        raise NotAllowed(
            f"post {post.id} is {doubtful[0].status} on {doubtful[0].account}",
            f"Try again once that is settled: postsched show {post.id}",
        )
    changeable = [
        d
        for d in deliveries
        if d.status in (S.SCHEDULED, S.RETRYING, S.FAILED, S.MISSED) and not d.out
    ]
    if deliveries and not changeable and not post.draft:
        raise NotAllowed(
            f"post {post.id} can't be edited any more: nothing of it is still to go out",
            "Write a new one with: postsched add",
        )
    return changeable


def _recompose(
    connection: Connection, desk: Desk, draft: Draft, old: Schedule, *, rescheduled: bool
) -> Composed:
    """Compose the draft; a time that was not given anew stays, even if it has passed."""
    if rescheduled:
        return compose(connection, desk, draft, _keep(desk))
    composed = compose(connection, desk, replace(draft, draft=True, at=None), _keep(desk))
    return replace(
        composed,
        schedule=old,
        draft=draft.draft,
        digest=digest_of(draft),
        occurrence=None if draft.draft else old.first(),
    )


def _replan(
    connection: Connection,
    desk: Desk,
    post: Post,
    composed: Composed,
    deliveries: Sequence[Delivery],
    changeable: Sequence[Delivery],
) -> None:
    """Bring the deliveries into line with the changed post."""
    wanted = {account.id: account for account in composed.accounts}
    for delivery in changeable:
        account = wanted.get(delivery.account_id)
        if account is None or composed.occurrence is None:
            _drop(connection, delivery, desk.now())
            continue
        (planned,) = _planned(desk, post, composed, [account])
        queue.rewrite_plan(connection, delivery, _moved(delivery, planned), planned)
    there = {delivery.account_id for delivery in deliveries}
    for account_id, account in wanted.items():
        if account_id not in there and composed.occurrence is not None:
            (planned,) = _planned(desk, post, composed, [account])
            _refuse_past(planned, desk.now(), account)
            queue.plan(connection, [planned])


def _moved(delivery: Delivery, planned: Planned) -> Delivery:
    """The delivery at the planned time. One that failed or was missed waits for a `retry`, unless
    it was given a new time."""
    moved = replace(delivery, occurrence=planned.occurrence, grace_until=planned.grace_until)
    if delivery.occurrence == planned.occurrence:
        return moved
    if delivery.status in (S.FAILED, S.MISSED):
        moved = moves.retry(moved, planned.occurrence)
    return replace(
        moved,
        due_at=planned.occurrence,
        next_at=planned.occurrence,
        grace_until=planned.grace_until,
    )


def _drop(connection: Connection, delivery: Delivery, now: datetime) -> None:
    """Take a delivery out; one that was tried keeps its row and its attempts, cancelled."""
    if delivery.status is S.SCHEDULED and delivery.attempts == 0:
        queue.forget(connection, delivery)
    else:
        queue.rewrite(connection, moves.cancel(delivery), delivery, now)


def _refuse_past(planned: Planned, now: datetime, account: Account) -> None:
    if planned.occurrence < now:
        raise InvalidInput(
            f"the time of this post has passed, so {account.name} can't join it",
            "Give a new time with --at",
        )


def _new_post(composed: Composed, now: datetime) -> Post:
    blank = Post(0, secrets.token_hex(16), composed.content, (), now, now)
    return _changed_post(blank, composed, now)


def _changed_post(post: Post, composed: Composed, now: datetime) -> Post:
    return replace(
        post,
        content=composed.content,
        accounts=tuple(account.name for account in composed.accounts),
        updated_at=now,
        tags=composed.tags,
        missed=composed.missed,
        grace=composed.grace,
        catch_up=composed.catch_up,
        priority=composed.priority,
        key=composed.key,
        draft=composed.draft,
    )


def _planned(
    desk: Desk, post: Post, composed: Composed, accounts: Sequence[Account]
) -> list[Planned]:
    if composed.occurrence is None:
        return []
    occurrence = composed.occurrence
    return [
        Planned(
            post.id,
            account.id,
            occurrence,
            composed.grace_until,
            post.priority,
            post.paused,
            _prepare_at(desk, post.content, account, occurrence),
        )
        for account in accounts
    ]


def _prepare_at(
    desk: Desk, content: Content, account: Account, occurrence: datetime
) -> datetime | None:
    """When to begin preparing, for what takes requests before it can be sent."""
    now = desk.now()
    has_media = any(part.media for part in content.parts(account.name))
    if occurrence - now < SOON:
        return None
    if has_media or (content.link and capabilities_of(account).prepares_link):
        return max(now, occurrence - desk.settings.prepare_ahead)
    return None


def _keep(desk: Desk) -> KeepMedium:
    return KeepMedium(MediaStore(desk.settings.media_folder), keep=True)


def _examine(desk: Desk) -> KeepMedium:
    return KeepMedium(MediaStore(desk.settings.media_folder), keep=False)


class KeepMedium:
    """Takes the media of a draft into the media folder, or only looks at them."""

    def __init__(self, store: MediaStore, *, keep: bool) -> None:
        self._look = store.keep if keep else store.examine

    def __call__(self, medium: DraftMedia) -> Media:
        """The medium, known by its content."""
        return looked_at(medium, self._look)
