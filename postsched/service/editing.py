"""Changing a post: only what surely isn't out, all of it in one transaction.

A post that goes out once has at most one delivery to each account, whatever is changed. One that
failed or was missed stays so until a `retry`, unless it gets a new time. What was prepared for a
delivery is made anew, and its revision rises, so that no network takes the changed post for the
old one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from postsched.domain.delivery import IN_DOUBT, Delivery, DeliveryStatus
from postsched.domain.draft import Draft
from postsched.domain.errors import InvalidInput, NotAllowed
from postsched.domain.post import Post
from postsched.domain.schedule import SLOT
from postsched.service import pacing, posts, scheduling, serial, single
from postsched.service.compose import Composed, Composer
from postsched.service.desk import Desk, posts_named
from postsched.service.drafts import draft_of, fingerprint, written_as
from postsched.service.slots import allotted
from postsched.service.subject import Subject
from postsched.store import chains, proposals
from postsched.store import deliveries as delivery_rows
from postsched.store import posts as post_rows

if TYPE_CHECKING:
    from sqlalchemy import Connection

S = DeliveryStatus


def edit(desk: Desk, post_id: int, before: Draft, after: Draft) -> Composed:
    """Write `after` over a post that read `before`.

    Raises NotAllowed while one of its deliveries may be going out, where nothing is left to
    change, and where the post was changed by somebody else meanwhile; InvalidInput and NotFound
    for what can't be taken.
    """
    (composed,) = _edit_all(desk, [(post_id, before, after)])
    return composed


def approve(
    desk: Desk, post_ids: Sequence[int], seen: Mapping[int, str] | None = None
) -> list[Composed]:
    """Let drafts go out at the time that each names: all of them, or none. `seen` has the
    fingerprints (see drafts) of what was looked at, by id.

    Raises NotFound, NotAllowed for what is no draft and for what is another than was seen,
    InvalidInput for one whose time is not set or has passed, and for one that can't be sent.
    """
    changes = []
    for post_id in dict.fromkeys(post_ids):
        before = draft_of(desk, post_id)
        if not before.draft:
            raise NotAllowed(
                f"post {post_id} is no draft, so there is nothing to approve",
                f"See it: postsched show {post_id}",
            )
        if seen is not None and seen.get(post_id) != fingerprint(before):
            raise NotAllowed(f"draft {post_id} was changed since you saw it", "Read it again")
        if not before.has_time:
            raise InvalidInput(
                f"post {post_id} has no time yet",
                f"Give it one, which approves it: postsched edit {post_id} --at WHEN",
            )
        changes.append((post_id, before, replace(before, draft=False)))
    return _edit_all(desk, changes)


def _edit_all(desk: Desk, changes: Sequence[tuple[int, Draft, Draft]]) -> list[Composed]:
    """Write each `after` over the post that read `before`, in one transaction."""
    composed = []
    with desk.database.read() as connection:  # media are copied while nobody has to wait
        for post_id, before, after in changes:
            subject = _subject(connection, post_id, before)
            composed.append(_composed(connection, desk, subject, before, after))
            _check(connection, subject, composed[-1])
    with desk.database.write() as connection:
        written = [
            _written(connection, desk, *change, one)
            for change, one in zip(changes, composed, strict=True)
        ]
    desk.tell()
    return written


def _written(
    connection: Connection,
    desk: Desk,
    post_id: int,
    before: Draft,
    after: Draft,
    composed: Composed,
) -> Composed:
    subject = _subject(connection, post_id, before)
    _check(connection, subject, composed)
    posts.check_accounts(connection, composed.accounts)
    composed = allotted(connection, desk, composed, _kept_slots(subject))
    changed = _write(connection, subject, composed, after, desk.now())
    planned = posts.planned_for(desk, changed, composed, composed.accounts)
    said = (
        *serial.notes(desk, subject, composed),
        *pacing.notes(connection, desk, composed, planned),
    )
    composed = replace(composed, notes=composed.notes + said)
    if subject.schedule.recurs or composed.schedule.recurs:
        serial.replan(connection, desk, subject, changed, composed)
    else:
        single.replan(connection, desk, subject, changed, composed)
    return composed


def _kept_slots(subject: Subject) -> dict[int, datetime]:
    """The slots that a post's accounts have, by id: they keep them."""
    if subject.schedule.kind != SLOT:
        return {}
    return {delivery.account_id: delivery.occurrence for delivery in subject.deliveries}


def _subject(connection: Connection, post_id: int, before: Draft) -> Subject:
    (post,) = posts_named(connection, [post_id])
    schedule = post_rows.schedule_of(connection, [post_id])[post_id]
    deliveries = delivery_rows.of_posts(connection, [post_id])[post_id]
    if doubtful := [d for d in deliveries if d.status in IN_DOUBT]:
        raise NotAllowed(
            f"post {post.id} is {doubtful[0].status} on {doubtful[0].account}",
            f"Try again once that is settled: postsched show {post.id}",
        )
    if written_as(post, schedule) != before:
        raise NotAllowed(f"post {post.id} was changed by somebody else meanwhile", "Edit it anew")
    return Subject(post, schedule, deliveries)


def _composed(
    connection: Connection, desk: Desk, subject: Subject, before: Draft, after: Draft
) -> Composed:
    """Compose the draft; a time that was not given anew stays, even if it has passed."""
    composer = Composer(connection, desk, posts.intake(desk))
    found = scheduling.changed(subject.schedule, before, after, desk.now())
    if isinstance(found, Draft):
        return composer.compose(found)
    return composer.compose(after, found)


def _check(connection: Connection, subject: Subject, composed: Composed) -> None:
    """Raise NotAllowed for a change that would come too late or reach too far."""
    post = subject.post
    anew = composed.draft or composed.schedule != subject.schedule
    if not anew and composed.occurrence is None and composed.schedule.recurs:
        _check_not_over(connection, subject, composed)
    extended = subject.schedule.recurs and anew
    if (
        not post.draft
        and not subject.changeable
        and (subject.deliveries or not anew)
        and not extended
    ):
        raise _finished(post, subject.deliveries)
    begun = [d for d in subject.deliveries if d.out and d.status is not S.PUBLISHED]
    if begun and composed.content != post.content and not subject.schedule.recurs:
        raise NotAllowed(
            f"a part of post {post.id} is out on {begun[0].account}, and the rest must fit it",
            "Change what is still to go out elsewhere by a new post",
        )
    if composed.key is not None and composed.key != post.key:
        posts.check_key(composed.key)
        if taken := posts.known_by(connection, composed.key):
            raise posts.key_taken(composed.key, taken[0])


def _check_not_over(connection: Connection, subject: Subject, composed: Composed) -> None:
    """Raise NotAllowed for a series that has come to its end, with nothing left to change."""
    post = subject.post
    stopped = chains.stopped(connection, post.id)
    if subject.changeable or stopped.issuperset(one.id for one in composed.accounts):
        return
    raise NotAllowed(
        f"the series of post {post.id} is over: nothing of it is still to go out",
        "Give it a new end with --until or --count (--no-until, --no-count: none), "
        f"or begin it anew: postsched edit {post.id} --at WHEN",
    )


def _finished(post: Post, deliveries: Sequence[Delivery]) -> NotAllowed:
    why, hint = "it is cancelled", f"Give it a time: postsched edit {post.id} --at WHEN"
    if deliveries:
        hint = f"Send it after all: postsched retry {post.id}"
    if any(delivery.status is not S.CANCELLED for delivery in deliveries):
        why, hint = "nothing of it is still to go out", "Write a new one: postsched add"
    return NotAllowed(f"post {post.id} can't be changed: {why}", hint)


def _write(
    connection: Connection, subject: Subject, composed: Composed, after: Draft, now: datetime
) -> Post:
    post, schedule = subject.post, subject.schedule
    changed = replace(
        post,
        content=composed.content,
        accounts=composed.names,
        updated_at=now,
        tags=composed.tags,
        missed=composed.missed,
        grace=composed.grace,
        catch_up=composed.catch_up,
        priority=composed.priority,
        key=composed.key,
        draft=composed.draft,
        spread=composed.spread,
        jitter=composed.jitter,
        callback=composed.callback,
    )
    digest = posts.digest_of(after) if changed.key != post.key else None
    account_ids = [account.id for account in composed.accounts]
    goes_on = schedule == composed.schedule and not (post.draft or composed.draft)
    stopped = chains.stopped(connection, post.id) if goes_on else ()
    post_rows.replace(connection, changed, account_ids, composed.schedule, digest)
    if post.draft and not composed.draft:
        proposals.forget(connection, post.id)
    chains.stop(connection, post.id, stopped, stopped=True)
    return changed
