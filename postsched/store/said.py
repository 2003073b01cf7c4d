"""Posts as their deliveries say them: rendered for the occurrence, or worded by a person.

Only posts that are templates need their zone, and only for those is it read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, or_, select

from postsched.domain.delivery import Delivery
from postsched.domain.occasion import is_template, said_by
from postsched.domain.post import Post
from postsched.store.deliveries import delivery_of, selected
from postsched.store.tables import deliveries, posts, schedules


def posts_said(
    connection: Connection, deliveries: Sequence[Delivery], posts: Mapping[int, Post]
) -> list[Post]:
    """What each of the deliveries says, in their order. `posts` are theirs, by id."""
    zones = _zones(connection, {d.post_id for d in deliveries if _needs_zone(d, posts)})
    return [said_by(d, posts[d.post_id], zones.get(d.post_id, "UTC")) for d in deliveries]


def apart() -> ColumnElement[bool]:
    """Of joined deliveries and posts those that may say something else than the post reads."""
    columns = (deliveries.c.number, deliveries.c.wording, posts.c.texts, posts.c.vars)
    return or_(*(column.is_not(None) for column in columns))


def those_apart(connection: Connection, delivery_ids: Sequence[int]) -> list[Delivery]:
    """Of those deliveries the ones that may say something else than their posts read."""
    query = selected().join(posts, posts.c.id == deliveries.c.post_id)
    query = query.where(deliveries.c.id.in_(delivery_ids), apart())
    return [delivery_of(row) for row in connection.execute(query)]


def _needs_zone(delivery: Delivery, posts: Mapping[int, Post]) -> bool:
    return is_template(posts[delivery.post_id].content, recurs=delivery.number is not None)


def _zones(connection: Connection, post_ids: set[int]) -> dict[int, str]:
    """The zones of the schedules of those posts."""
    found: dict[int, str] = {}
    ids = sorted(post_ids)
    for start in range(0, len(ids), 500):
        query = select(schedules.c.post_id, schedules.c.tz)
        chunk = connection.execute(query.where(schedules.c.post_id.in_(ids[start : start + 500])))
        found.update({row.post_id: row.tz for row in chunk})
    return found
