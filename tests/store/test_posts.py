"""Posts as rows: what is written comes back, for people and for workers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from postsched.domain.post import CatchUp, Content, Media, Missed, Part, Post, Visibility
from postsched.domain.schedule import Schedule, once
from postsched.store import bulk
from postsched.store import posts as post_rows
from postsched.store.database import Database
from tests.store import rows
from tests.store.rows import NOON, opened

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=40)
MEDIA = st.builds(
    Media,
    path=st.none() | TEXT,
    url=st.none() | st.just("https://x.example/a.png"),
    alt=st.none() | TEXT,
    type=st.none() | st.just("image/png"),
    bytes=st.none() | st.integers(0, 2**40),
    sha256=st.none() | st.just("a" * 64),
    width=st.none() | st.integers(1, 9999),
    height=st.none() | st.integers(1, 9999),
)
PICTURES = st.lists(MEDIA, max_size=3).map(tuple)
CONTENT = st.builds(
    Content,
    text=TEXT,
    media=PICTURES,
    then=st.lists(st.builds(Part, TEXT, PICTURES), max_size=3).map(tuple),
    comment=st.none() | TEXT,
    link=st.none() | TEXT,
    title=st.none() | TEXT,
    variants=st.dictionaries(TEXT, TEXT, max_size=2),
    visibility=st.none() | st.sampled_from(Visibility),
    warning=st.none() | TEXT,
    lang=st.none() | st.just("de"),
)
POST = st.builds(
    Post,
    id=st.just(0),
    uid=st.uuids().map(lambda uid: uid.hex),
    content=CONTENT,
    accounts=st.just(("b", "a")),
    created_at=st.just(NOON),
    updated_at=st.integers(0, 10**9).map(lambda n: NOON + timedelta(microseconds=n)),
    tags=st.lists(TEXT, max_size=3).map(tuple),
    missed=st.sampled_from(Missed),
    grace=st.integers(0, 10**12).map(lambda n: timedelta(microseconds=n)),
    catch_up=st.sampled_from(CatchUp),
    priority=st.integers(-9, 9),
    key=st.none(),
    draft=st.booleans(),
    paused=st.booleans(),
)
PLAN = Schedule("once", "2026-12-01T09:00:00", "Europe/Berlin", {"on": ["mon"]})


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = opened(tmp_path)
    with found.write() as connection:
        for name in ("a", "b"):
            rows.account(connection, name)
    yield found
    found.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(POST, POST)
def test_a_post_comes_back(database: Database, post: Post, other: Post) -> None:
    with database.write() as connection:
        post_id = post_rows.insert(connection, post, [2, 1], PLAN, "digest")
        post = replace(post, id=post_id)
        assert post_rows.get(connection, [post_id, 10**9]) == {post_id: post}
        assert post_rows.schedule_of(connection, [post_id]) == {post_id: PLAN}
        for_workers = replace(post, accounts=())
        assert post_rows.to_send(connection, [post_id]) == {post_id: for_workers}
        changed = replace(other, id=post_id, uid=post.uid)
        post_rows.replace(connection, changed, [2, 1], once(NOON, "UTC"), "other")
        assert post_rows.get(connection, [post_id]) == {post_id: changed}
        connection.rollback()


def test_its_parts_keep_their_order(database: Database) -> None:
    content = Content("One", then=tuple(Part(f"{n}") for n in range(30)))
    with database.write() as connection:
        post = Post(0, "u", content, ("a",), NOON, NOON)
        post_id = post_rows.insert(connection, post, [1], PLAN, "")
        found = post_rows.get(connection, [post_id])[post_id]
    assert [part.text for part in found.content.then] == [f"{n}" for n in range(30)]


def test_a_key_names_one_post(database: Database) -> None:
    post = Post(0, "u", Content("One"), ("a",), NOON, NOON, key="k")
    with database.write() as connection:
        post_id = post_rows.insert(connection, post, [1], PLAN, "digest")
        assert post_rows.by_key(connection, "k") == (post_id, "digest")
        assert post_rows.by_key(connection, "K") is None
    with (
        pytest.raises(Exception, match=r"(?i)unique constraint"),
        database.write() as connection,
    ):
        post_rows.insert(connection, replace(post, uid="v"), [1], PLAN, "digest")


def test_hundreds_at_once(database: Database) -> None:
    shown = (Media(url="https://x.example/a.png"),)
    with database.write() as connection:
        ids = [
            post_rows.insert(
                connection,
                Post(0, f"{n}", Content(f"{n}", shown), ("a",), NOON, NOON),
                [1],
                PLAN,
                "",
            )
            for n in range(1100)
        ]
        found = post_rows.get(connection, [*ids, ids[0]])
        assert list(found) == ids
        assert {one.content.media for one in found.values()} == {shown}
        assert {one.accounts for one in found.values()} == {("a",)}
        assert post_rows.get(connection, []) == {}
        assert post_rows.kept_files(connection) == set()


def test_what_is_written_in_bulk_takes_no_id_from_others(tmp_path: Path) -> None:
    base = opened(tmp_path)
    packed = [
        bulk.pack(Post(0, uid, Content(uid), (), NOON, NOON), "", once(NOON, "UTC"), [], [])
        for uid in "abcd"
    ]
    alone = Post(0, "z", Content("z"), (), NOON, NOON)
    with base.write() as connection:
        first = bulk.write(connection, packed[:2])
        third = post_rows.insert(connection, alone, [], once(NOON, "UTC"), "")
        rest = bulk.write(connection, packed[2:])
        assert [*first, third, *rest] == [1, 2, 3, 4, 5]
    base.close()
