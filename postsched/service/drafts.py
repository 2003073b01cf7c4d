"""A post as the draft it could have been written from: for editing and for export."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from postsched.domain.delivery import DeliveryStatus
from postsched.domain.draft import Draft, DraftMedia, DraftPart
from postsched.domain.duration import format_duration
from postsched.domain.post import Media, Post
from postsched.domain.schedule import Schedule
from postsched.service.desk import Desk, posts_named
from postsched.service.scheduling import MICROSECOND, from_now_on, words_of
from postsched.store import posts as post_rows
from postsched.store.gone import OWN_KEY
from postsched.store.reading import Filed

if TYPE_CHECKING:
    from sqlalchemy import Connection


def draft_of(desk: Desk, post_id: int) -> Draft:
    """The draft of one post. Raises NotFound."""
    with desk.database.read() as connection:
        (post,) = posts_named(connection, [post_id])
        return written_as(post, post_rows.schedule_of(connection, [post_id])[post_id])


def fingerprint(draft: Draft) -> str:
    """What tells a draft from any other: whoever changes what they saw shows that of it."""
    return hashlib.sha256(repr(draft).encode()).hexdigest()[:32]


def with_media(connection: Connection, post_id: int) -> tuple[Draft, list[Media]]:
    """A post as a draft, and the media that it has. Raises NotFound."""
    (post,) = posts_named(connection, [post_id])
    schedule = post_rows.schedule_of(connection, [post_id])[post_id]
    shown = [*post.content.media, *(one for part in post.content.then for one in part.media)]
    return written_as(post, schedule), shown


def written_as(post: Post, schedule: Schedule, folder: Path | None = None) -> Draft:
    """The draft of a post. With the media `folder`, media are named by the files kept there, so
    that the draft can be read elsewhere; else by the names they were added under."""
    content = post.content

    def media(mediums: Sequence[Media]) -> tuple[DraftMedia, ...]:
        return tuple(_medium(medium, folder) for medium in mediums)

    return Draft(
        text=content.text,
        to=post.accounts,
        **words_of(schedule),
        media=media(content.media),
        then=tuple(DraftPart(part.text, media(part.media)) for part in content.then),
        comment=content.comment,
        link=content.link,
        title=content.title,
        variants=dict(content.variants),
        tags=post.tags,
        visibility=content.visibility.value if content.visibility else None,
        warning=content.warning,
        lang=content.lang,
        texts=content.texts,
        vars=dict(content.vars),
        missed=post.missed.value,
        grace=format_duration(post.grace),
        catch_up=post.catch_up.value,
        spread=format_duration(post.spread) if post.spread else None,
        jitter=format_duration(post.jitter) if post.jitter else None,
        callback=post.callback,
        priority=post.priority,
        key=post.key,
        draft=post.draft,
    )


def exported(filed: Filed, folder: Path, now: datetime) -> Draft:
    """A post for another database: such that there goes out what would still go out here, and
    nothing else. What would not go out by itself (it is out, cancelled, held, or its time has
    passed) becomes a draft. A post without a key gets one, so that it is known where it came from.
    """
    post = filed.post
    draft = written_as(post, filed.schedule, folder)
    draft = replace(draft, key=post.key or OWN_KEY + post.uid)
    names = {
        delivery.account
        for delivery in filed.deliveries
        if delivery.status is DeliveryStatus.SCHEDULED
        and (delivery.leads if filed.schedule.recurs else delivery.occurrence > now)
    }
    if filed.schedule.recurs and names:
        words = from_now_on(_without_skipped(filed, names, now), now)
        draft, names = (replace(draft, **words), names) if words else (draft, set())
    if not names or post.paused:
        return replace(draft, draft=True)
    return _only_to(draft, names)


def apart(filed: Filed, now: datetime) -> bool:
    """Whether single occurrences to come of a series were moved or have texts of their own, which
    no post as data can say."""
    return filed.schedule.recurs and any(
        one.status is DeliveryStatus.SCHEDULED
        and one.occurrence > now
        and (one.wording is not None or (not one.leads and one.due_at != one.occurrence))
        for one in filed.deliveries
    )


def _without_skipped(filed: Filed, names: Collection[str], now: datetime) -> Schedule:
    """The schedule without the occurrences to come that are skipped for all of those accounts."""
    from postsched.domain.recurrence import next_occurrence

    schedule, skipped = filed.schedule, set[str]()
    for instant in {one.occurrence for one in filed.deliveries if one.occurrence > now}:
        by = {
            one.account
            for one in filed.deliveries
            if one.occurrence == instant and one.status is DeliveryStatus.CANCELLED
        }
        found = next_occurrence(schedule, instant - MICROSECOND) if by >= set(names) else None
        if found is not None and found.instant == instant:
            skipped.add(found.local.isoformat())
    if not skipped:
        return schedule
    kept = schedule.rule.get("except") or ()
    return replace(schedule, rule={**schedule.rule, "except": sorted({*kept, *skipped})})


def _only_to(draft: Draft, names: Collection[str]) -> Draft:
    return replace(
        draft,
        to=tuple(name for name in draft.to if name in names),
        variants={name: text for name, text in draft.variants.items() if name in names},
    )


def _medium(medium: Media, folder: Path | None) -> DraftMedia:
    if folder is not None and medium.sha256:
        path = str(folder / medium.sha256[:2] / medium.sha256)
        return DraftMedia(path, medium.url, medium.alt)
    return DraftMedia(medium.path, medium.url, medium.alt, medium)
