"""Writing new posts, and what a post's deliveries are planned to be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from postsched.domain.account import Account
from postsched.domain.draft import Draft
from postsched.domain.errors import InvalidInput, NotFound
from postsched.domain.post import Post
from postsched.media.kept import MediaStore
from postsched.planning.planner import Occasion, Planner
from postsched.service import pacing, repetition
from postsched.service.compose import Composed, Composer
from postsched.service.content import Intake, check_plain
from postsched.service.desk import Desk
from postsched.service.slots import allotted
from postsched.store import accounts as account_rows
from postsched.store import gone, plans, proposals
from postsched.store import posts as post_rows
from postsched.store.plans import Planned

if TYPE_CHECKING:
    from sqlalchemy import Connection

LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class Added:
    """A post that was added, or was `known` already by its key. `id` is None for a dry run."""

    id: int | None
    composed: Composed | None = None
    known: bool = False


def add(
    desk: Desk,
    draft: Draft,
    *,
    dry_run: bool = False,
    noted: Callable[[int], object] = lambda post_id: None,
    author: str | None = None,
) -> Added:
    """Write a post and plan its deliveries. The key is looked up before the time is judged.
    `noted` is told the id of a new post while its transaction is open; `author` is who only
    proposes it.

    Raises InvalidInput, NotFound, StoreUnavailable; then nothing was written.
    """
    with desk.database.read() as connection:  # media are copied while nobody has to wait
        if known := find_key(connection, draft):
            return known
        composer = Composer(connection, desk, intake(desk, keep=not dry_run))
        composed = composer.compose(draft)
        planned = planned_for(desk, new_post(composed, desk.now()), composed, composed.accounts)
        said = (
            *repetition.notes(connection, composed, desk.zone),
            *pacing.notes(connection, desk, composed, planned),
        )
        composed = replace(composed, notes=composed.notes + said)
    if dry_run:
        return Added(None, composed)
    with desk.database.write() as connection:
        if known := find_key(connection, draft):
            return known
        composed = allotted(connection, desk, composed)
        post_id = insert(connection, desk, composed, digest_of(draft))
        if author is not None:
            proposals.note(connection, post_id, author)
        noted(post_id)
    desk.tell()
    return Added(post_id, composed)


def digest_of(draft: Draft) -> str | None:
    """What the draft's key stands for, None where it has no key."""
    if draft.key is None:
        return None
    from postsched.transfer.keys import content_digest  # few posts have a key: start-up time

    return content_digest(draft).hex()


def insert(connection: Connection, desk: Desk, composed: Composed, digest: str | None) -> int:
    """Write a post inside the caller's transaction, without telling anyone; its id. `digest` is
    what its key stands for."""
    check_accounts(connection, composed.accounts)
    post = new_post(composed, desk.now())
    account_ids = [account.id for account in composed.accounts]
    post_id = post_rows.insert(connection, post, account_ids, composed.schedule, digest)
    planned = planned_for(desk, replace(post, id=post_id), composed, composed.accounts)
    plans.plan(connection, planned)
    return post_id


def check_accounts(connection: Connection, accounts: Sequence[Account]) -> None:
    """Raise NotFound for an account that was removed since it was looked up."""
    there = {account.uid for account in account_rows.every(connection)}
    for account in accounts:
        if account.uid not in there:
            raise NotFound(f"the account {account.name} was just removed", "Name another")


def find_key(connection: Connection, draft: Draft) -> Added | None:
    """The post that has the draft's key already.

    Raises InvalidInput if it was written with other content.
    """
    if draft.key is None:
        return None
    check_key(draft.key)
    found = known_by(connection, draft.key)
    if found is None:
        return None
    if found[1] != digest_of(draft):
        raise key_taken(draft.key, found[0])
    return Added(found[0], known=True)


def known_by(connection: Connection, key: str) -> tuple[int, str | None] | None:
    """The id and the digest of the post that has that key, or had it when it left."""
    return post_rows.by_key(connection, key) or gone.by_key(connection, key)


def check_key(key: str) -> None:
    """Raise InvalidInput for what can't be a key."""
    check_plain("key", key)
    if not key.strip() or len(key) > LONGEST_KEY:
        error = InvalidInput(f"a key has 1 to {LONGEST_KEY} characters", "Give another")
        error.field = "key"
        raise error


def key_taken(key: str, post_id: int) -> InvalidInput:
    """The error for a key that belongs to a post with other content."""
    error = InvalidInput(
        f"the key {key!r} belongs to post {post_id}, which was written with other words",
        f"Give another key, or change that post: postsched edit {post_id}",
    )
    error.field = "key"
    return error


def new_post(composed: Composed, now: datetime, key: str | None = None) -> Post:
    """A post that is to be written; its id is not known yet. `key` is for one without its own."""
    return Post(
        id=0,
        uid=composed.uid,
        content=composed.content,
        accounts=composed.names,
        created_at=now,
        updated_at=now,
        tags=composed.tags,
        missed=composed.missed,
        grace=composed.grace,
        catch_up=composed.catch_up,
        priority=composed.priority,
        key=composed.key or key,
        draft=composed.draft,
        spread=composed.spread,
        jitter=composed.jitter,
        callback=composed.callback,
    )


def planned_for(
    desk: Desk,
    post: Post,
    composed: Composed,
    accounts: Sequence[Account],
    planner: Planner | None = None,
) -> list[Planned]:
    """The deliveries of a post to those accounts, none for a draft."""
    planner, now = planner or desk.planner, desk.now()
    recurs = composed.schedule.recurs
    return [
        planner.row(post, account, Occasion(at, 1 if recurs else None, leads=recurs), now)
        for account in accounts
        if (at := composed.at(account)) is not None
    ]


def intake(desk: Desk, *, keep: bool = True) -> Intake:
    """What takes the media of drafts into the media folder, or only looks at them."""
    settings = desk.settings
    internal = settings.allow_private_addresses
    return Intake(
        MediaStore(settings.media_folder, settings.media_fault), keep=keep, internal=internal
    )
