"""One step of a delivery as an adapter gets it."""

from __future__ import annotations

from datetime import datetime

from postsched.domain.delivery import Delivery, Role, delivery_key
from postsched.domain.outcome import Published
from postsched.domain.post import Media
from postsched.platforms.base import Attachment, Message, Prepared
from postsched.platforms.messages import message_of
from postsched.store.neighbours import Neighbours
from postsched.store.queue import Work


def step_key(work: Work, index: int) -> str:
    """The key of one step of a delivery."""
    delivery = work.delivery
    return delivery_key(
        work.post.uid,
        work.account.uid,
        delivery.occurrence,
        delivery.revision,
        delivery.steps[index],
    )


def in_doubt_since(delivery: Delivery) -> datetime:
    """When the step in doubt may first have been sent (UTC)."""
    return delivery.sent_at or delivery.occurrence


def published_before(delivery: Delivery, index: int) -> list[Published]:
    """The steps before that one which are out, in order."""
    return [earlier.published for earlier in delivery.steps[:index] if earlier.published]


def prepared_step(
    delivery: Delivery, index: int, now: datetime, neighbours: Neighbours | None
) -> Prepared:
    """A prepared step, with the parts it follows; with neighbours, one that is in doubt."""
    step = delivery.steps[index]
    before = published_before(delivery, index)
    return Prepared(
        data=step.prepared or {},
        role=step.role,
        n=step.n,
        root=before[0] if before else None,
        parent=before[-1] if before else None,
        now=now,
        since=in_doubt_since(delivery) if neighbours else None,
        others=neighbours.others if neighbours else frozenset(),
        removed=neighbours.removed if neighbours else False,
        anew=step.doubtful,
    )


def step_media(work: Work, index: int) -> tuple[Media, ...]:
    """The media that go with a step; none with a comment."""
    step = work.delivery.steps[index]
    if step.role is Role.COMMENT or not work.post.content.has_media():
        return ()
    return work.post.content.parts(work.account.name)[step.n - 1].media


def step_message(
    work: Work, index: int, now: datetime, attachments: tuple[Attachment, ...]
) -> Message:
    """What a step is to say, with its media."""
    step = work.delivery.steps[index]
    before = published_before(work.delivery, index)
    return message_of(
        work.post.content,
        work.account.name,
        step.role,
        step.n,
        key=step_key(work, index),
        occurrence=work.delivery.occurrence,
        now=now,
        attachments=attachments,
        tags=work.post.tags,
        root=before[0] if before else None,
        parent=before[-1] if before else None,
    )
