"""Posts: rows to objects and back, finding them, and their media and targets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, delete, exists, func, select, text, update

from postsched.domain.post import CatchUp, Content, Media, Missed, Part, Post, Visibility
from postsched.domain.schedule import Schedule
from postsched.store import proposals, zone_notes
from postsched.store.compiled import ByIds
from postsched.store.tables import accounts, media, posts, schedules, targets

CONTENT = ("text", "then", "comment", "link", "title", "variants", "visibility", "warning", "lang")


def insert(
    connection: Connection,
    post: Post,
    account_ids: Sequence[int],
    schedule: Schedule,
    digest: str | None,
) -> int:
    """Write a new post with its targets, media and schedule; its new id. `post.id` is ignored,
    `digest` is what its key stands for."""
    result = connection.execute(posts.insert(), new_values(post, digest))
    assert result.inserted_primary_key is not None
    post_id: int = result.inserted_primary_key[0]
    _write_parts(connection, post_id, post.content, account_ids, schedule)
    return post_id


def replace(
    connection: Connection,
    post: Post,
    account_ids: Sequence[int],
    schedule: Schedule,
    digest: str | None = None,
) -> None:
    """Write a changed post over the one with its id. `digest` is what its key stands for, None if
    that stays: a key goes on standing for what was added with it."""
    values = _values(post) if digest is None else {**_values(post), "digest": digest}
    connection.execute(update(posts).where(posts.c.id == post.id).values(values))
    for table in (targets, media, schedules):
        connection.execute(delete(table).where(table.c.post_id == post.id))
    _write_parts(connection, post.id, post.content, account_ids, schedule)


def cancel_draft(connection: Connection, post_id: int, now: datetime) -> None:
    """Nothing comes of a draft any more: nor does a series begin, for none of its accounts."""
    connection.execute(update(posts).where(posts.c.id == post_id).values(draft=0, updated_at=now))
    connection.execute(update(targets).where(targets.c.post_id == post_id).values(stopped=1))
    proposals.forget(connection, post_id)


def get(connection: Connection, post_ids: Sequence[int]) -> dict[int, Post]:
    """The posts of those ids that exist."""
    rows = POSTS.records(connection, post_ids)
    pictures = media_of(connection, post_ids)
    names = _targets_of(connection, post_ids)
    found = {}
    for row in sorted(rows, key=lambda row: row.id):
        content = content_of(row, pictures.get(row.id, ()))
        found[row.id] = _post_of(row, content, names.get(row.id, ()))
    return found


POSTS = ByIds(lambda ids: select(posts).where(posts.c.id.in_(ids)))
SCHEDULES = ByIds(lambda ids: select(schedules).where(schedules.c.post_id.in_(ids)))
MEDIA = ByIds(lambda ids: select(media).where(media.c.post_id.in_(ids)))
NAMES = ByIds(
    lambda ids: (
        select(targets.c.post_id, targets.c.position, accounts.c.name)
        .join_from(targets, accounts)
        .where(targets.c.post_id.in_(ids))
    )
)
PICTURED = exists().where(media.c.post_id == posts.c.id).label("pictured")
TO_SEND = ByIds(lambda ids: select(posts, PICTURED).where(posts.c.id.in_(ids)))


def to_send(connection: Connection, post_ids: Sequence[int]) -> dict[int, Post]:
    """The posts of those ids, without the names of their accounts: what a worker needs."""
    rows = TO_SEND.records(connection, post_ids)
    with_media = [row.id for row in rows if row.pictured]
    pictures = media_of(connection, with_media) if with_media else {}
    return {row.id: _post_of(row, content_of(row, pictures.get(row.id, ())), ()) for row in rows}


def by_key(connection: Connection, key: str) -> tuple[int, str | None] | None:
    """The id and the digest of the post with that key."""
    row = connection.execute(select(posts.c.id, posts.c.digest).where(posts.c.key == key)).first()
    return (row.id, row.digest) if row is not None else None


def by_keys(connection: Connection, keys: Sequence[str]) -> dict[str, tuple[int, str | None]]:
    """Key -> id and digest of the posts with those keys."""
    query = select(posts.c.key, posts.c.id, posts.c.digest).where(posts.c.key.in_(keys))
    return {row.key: (row.id, row.digest) for row in connection.execute(query)}


def keys_since(connection: Connection, post_id: int) -> dict[str, tuple[int, str | None]]:
    """The same for the keys of all posts after that one."""
    query = select(posts.c.key, posts.c.id, posts.c.digest)
    query = query.where(posts.c.id > post_id, posts.c.key.is_not(None))
    return {row.key: (row.id, row.digest) for row in connection.execute(query)}


def by_uids(connection: Connection, uids: Sequence[str]) -> dict[str, int]:
    """Uid -> id of the posts with those uids."""
    query = select(posts.c.uid, posts.c.id).where(posts.c.uid.in_(uids))
    return {row.uid: row.id for row in connection.execute(query)}


def newest(connection: Connection) -> int:
    """The highest id of a post, 0 if there are none."""
    return connection.scalar(select(func.max(posts.c.id))) or 0


SEQUENCE = "pg_get_serial_sequence('posts', 'id')"
NEXT = text(f"SELECT nextval({SEQUENCE})")
UP_TO = text(f"SELECT setval({SEQUENCE}, :last)")


def take_ids(connection: Connection, count: int) -> range:
    """The ids of so many posts to be written, which no others get. The caller holds the write
    lock."""
    if not count:
        return range(0)
    if connection.dialect.name == "sqlite":
        first = newest(connection) + 1
    else:  # it counts for itself, whatever is there
        first = connection.scalar(NEXT) or 1
        connection.execute(UP_TO, {"last": first + count - 1})
    return range(first, first + count)


def schedule_of(connection: Connection, post_ids: Sequence[int]) -> dict[int, Schedule]:
    """The schedules of those posts."""
    return {
        row.post_id: Schedule(row.kind, row.at, row.tz, row.rule or {})
        for row in SCHEDULES.records(connection, post_ids)
    }


def media_of(
    connection: Connection, post_ids: Sequence[int]
) -> Mapping[int, Sequence[tuple[int, Media]]]:
    """The media of posts: by post id, (index of the part, medium) in order."""
    found: dict[int, list[tuple[int, Media]]] = defaultdict(list)
    rows = MEDIA.records(connection, post_ids)
    for row in sorted(rows, key=lambda row: (row.part, row.position)):
        medium = Media(
            path=row.path, url=row.url, alt=row.alt, type=row.type, bytes=row.bytes,
            sha256=row.sha256, width=row.width, height=row.height,
        )  # fmt: skip
        found[row.post_id].append((row.part, medium))
    return found


def kept_files(connection: Connection) -> set[str]:
    """The SHA-256 of every media file that a post still names."""
    query = select(media.c.sha256).where(media.c.sha256.is_not(None)).distinct()
    return set(connection.scalars(query))


def content_of(row: Row[Any], pictures: Iterable[tuple[int, Media]] = ()) -> Content:
    """What a post says, from its row and its media."""
    by_part: dict[int, list[Media]] = {}
    for part, medium in pictures:
        by_part.setdefault(part, []).append(medium)
    then = [Part(text, tuple(by_part.get(n, ()))) for n, text in enumerate(row.then or (), start=1)]
    return Content(
        text=row.text,
        media=tuple(by_part.get(0, ())),
        then=tuple(then),
        comment=row.comment,
        link=row.link,
        title=row.title,
        variants=row.variants or {},
        visibility=Visibility(row.visibility) if row.visibility else None,
        warning=row.warning,
        lang=row.lang,
        texts=tuple(row.texts or ()),
        vars=row.vars or {},
    )


def _post_of(row: Row[Any], content: Content, names: Sequence[str]) -> Post:
    return Post(
        id=row.id,
        uid=row.uid,
        content=content,
        accounts=tuple(names),
        created_at=row.created_at,
        updated_at=row.updated_at,
        tags=tuple(row.tags or ()),
        missed=Missed(row.missed),
        grace=row.grace,
        catch_up=CatchUp(row.catch_up),
        priority=row.priority,
        key=row.key,
        draft=bool(row.draft),
        paused=bool(row.paused),
        spread=row.spread,
        jitter=row.jitter,
        callback=row.callback,
    )


def new_values(post: Post, digest: str | None) -> dict[str, Any]:
    """All columns of a new post but its id."""
    return {
        "uid": post.uid,
        "created_at": post.created_at,
        "digest": digest,
        **_values(post),
    }


def _values(post: Post) -> dict[str, Any]:
    content = post.content
    return {
        **{name: getattr(content, name) for name in CONTENT},
        "then": [part.text for part in content.then],
        "variants": dict(content.variants),
        "visibility": content.visibility.value if content.visibility else None,
        "texts": list(content.texts) or None,
        "vars": dict(content.vars) or None,
        "tags": list(post.tags),
        "missed": post.missed.value,
        "grace": post.grace,
        "catch_up": post.catch_up.value,
        "priority": post.priority,
        "key": post.key,
        "draft": int(post.draft),
        "paused": int(post.paused),
        "spread": post.spread,
        "jitter": post.jitter,
        "callback": post.callback,
        "updated_at": post.updated_at,
    }


def part_values(
    post_id: int, content: Content, account_ids: Sequence[int], schedule: Schedule
) -> dict[Table, list[dict[str, Any]]]:
    """The rows that belong to a post, by their tables."""
    pictures = [content.media, *(part.media for part in content.then)]
    return {
        targets: [
            {"post_id": post_id, "account_id": account_id, "position": position}
            for position, account_id in enumerate(account_ids)
        ],
        media: [
            {"post_id": post_id, "part": part, "position": position, **asdict(medium)}
            for part, mediums in enumerate(pictures)
            for position, medium in enumerate(mediums)
        ],
        schedules: [
            {
                "post_id": post_id,
                "kind": schedule.kind,
                "at": schedule.at,
                "tz": schedule.tz,
                "rule": dict(schedule.rule),
            }
        ],
    }


def _write_parts(
    connection: Connection,
    post_id: int,
    content: Content,
    account_ids: Sequence[int],
    schedule: Schedule,
) -> None:
    for table, rows in part_values(post_id, content, account_ids, schedule).items():
        if rows:
            connection.execute(table.insert(), rows)
    zone_notes.note(connection, [schedule.tz])


def _targets_of(connection: Connection, post_ids: Sequence[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for post_id, _, name in sorted(NAMES.rows(connection, post_ids)):
        found[post_id].append(name)
    return found
