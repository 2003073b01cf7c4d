"""What leaves the database, what stays, and that nothing is lost or sent twice by it."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text

from postsched.domain.delivery import DeliveryStatus
from postsched.domain.draft import Draft, DraftMedia, DraftPart
from postsched.domain.errors import InvalidInput, NotFound, StoreUnavailable
from postsched.domain.post import Post
from postsched.domain.schedule import Schedule
from postsched.domain.scope import Scope
from postsched.planning import taking
from postsched.retention.sweep import STEP, TOGETHER, Sweep, Tally
from postsched.service import (
    deliveries,
    drafts,
    editing,
    imports,
    occurrences,
    pausing,
    posts,
    sessions,
    tokens,
)
from postsched.service.deliveries import Which
from postsched.service.desk import Desk, posts_named
from postsched.service.drafts import exported
from postsched.service.gist import gist_of
from postsched.store import answers, chains, gone, queue, reading, retention
from postsched.store.answers import Answer
from postsched.store.retention import Progress
from postsched.store.tables import attempts, media, metadata, schedules, targets
from postsched.testing import FakeClock
from postsched.testing.picture import png
from postsched.transfer.rows import Row
from tests.service.desk import claim, desk_at, publish

S = DeliveryStatus
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
KEEP = timedelta(days=400)


class House:
    """A desk, its clock, and the archive."""

    def __init__(self, desk: Desk, clock: FakeClock) -> None:
        self.desk, self.clock = desk, clock
        self.media = desk.settings.media_folder

    def add(self, words: str = "Hello", to: str = "me", **more: Any) -> int:
        """A new post, in an hour unless told otherwise."""
        if not more.keys() & {"at", "repeat", "cron", "draft"}:
            more["at"] = "in 1h"
        found = posts.add(self.desk, Draft(words, tuple(to.split(",")), tz="UTC", **more))
        assert found.id is not None
        return found.id

    def send(self, parts: int | None = None) -> None:
        """Let all that is due go out."""
        for delivery in claim(self.desk):
            publish(self.desk, delivery, parts)

    def pass_(self, span: timedelta) -> None:
        """Let time pass."""
        self.clock.advance(span)

    def sent(self, words: str = "Hello", to: str = "me", **more: Any) -> int:
        """A post that has gone out."""
        post_id = self.add(words, to, **more)
        self.pass_(HOUR)
        self.send()
        return post_id

    def send_series(self, times: int, every: timedelta) -> None:
        """Let what leads series go out so many times, as the engine does."""
        for _ in range(times):
            self.pass_(every)
            taken = claim(self.desk)
            with self.desk.database.write() as connection:
                works = queue.load(connection, [one.id for one in taken])
                now = self.clock.now()
                works = taking.take_up(connection, self.desk.planner, works, now).works
            for work in works:
                publish(self.desk, work.delivery)

    def sweep(self, *, anew: bool = True, **settings: Any) -> Tally:
        """Let all leave that is old enough."""
        walk = self.walk(**settings)
        tally = Tally()
        if not walk.begin(anew=anew):
            return tally
        while step := walk.take():
            with self.desk.database.write() as connection:
                tally.take_in(walk.leave(connection, step))
        with self.desk.database.write() as connection:
            walk.end(connection)
        return tally

    def walk(self, most: int = STEP, **settings: Any) -> Sweep:
        """A walk that has not begun."""

        def gist(post: Post, schedule: Schedule) -> bytes:
            return gist_of(post, schedule, self.media)

        changed = replace(self.desk.settings, archive_dir=self.archive, **settings)
        return Sweep(self.desk.database, changed, self.clock.now, gist=gist, most=most)

    @property
    def archive(self) -> Path:
        """The folder of the archive."""
        return self.media.parent / "archive"

    def lines(self) -> list[dict[str, Any]]:
        """All that is archived."""
        files = sorted(self.archive.glob("*.jsonl")) if self.archive.exists() else []
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]

    def ids(self) -> list[int]:
        """The posts that are there."""
        with self.desk.database.read() as connection:
            return [filed.post.id for filed in reading.each_post(connection, reading.Filter())]

    def left_over(self, post_id: int) -> dict[str, int]:
        """How many rows belong to a post, by table."""
        with self.desk.database.read() as connection:
            found = {
                table.name: connection.scalar(
                    select(func.count()).select_from(table).where(table.c.post_id == post_id)
                )
                for table in (targets, media, schedules, metadata.tables["deliveries"])
            }
            found["attempts"] = connection.scalar(select(func.count()).select_from(attempts))
        return {name: count for name, count in found.items() if count}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A desk by a clock that is moved."""
    clock = FakeClock(datetime(2026, 11, 27, 9, 10, tzinfo=UTC))
    with desk_at(tmp_path, clock) as desk:
        yield House(desk, clock)


def test_what_is_over_for_long_leaves_and_is_archived(house: House, tmp_path: Path) -> None:
    picture = tmp_path / "cat.png"
    picture.write_bytes(png())
    old = house.sent(
        "Old", "me,work", media=(DraftMedia(str(picture)),), then=(DraftPart("more"),), tags=("t",)
    )
    house.pass_(HOUR)
    newer = house.sent("Newer")
    house.pass_(KEEP - HOUR)
    last = house.add("Last", at="in 30d")
    before = house.ids()
    tally = house.sweep()
    assert (tally.posts, tally.deliveries, tally.wanting) == (1, 2, 0)
    assert house.ids() == [one for one in before if one != old] == [newer, last]
    assert house.left_over(old) == {}
    (line,) = house.lines()
    assert (line["id"], line["text"], line["complete"]) == (old, "Old", True)
    assert line["tags"] == ["t"]
    assert line["media"][0]["path"].endswith("cat.png")
    assert [one["status"] for one in line["deliveries"]] == ["published"] * 2
    assert {one["remote_id"] for one in line["deliveries"]} == {"id-0"}
    (file,) = house.archive.iterdir()
    assert file.name == "2026-11.jsonl"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(tally.files) == 1
    with house.desk.database.read() as connection:
        assert retention.still_named(connection, tally.files) == set()
    assert house.sweep().posts == 0
    assert len(house.lines()) == 1


def test_nothing_leaves_before_its_time_or_for_ever(house: House) -> None:
    house.sent()
    house.add(at="in 30d")
    house.pass_(KEEP - HOUR)
    assert house.sweep().posts == 0
    house.pass_(2 * HOUR)
    assert house.sweep(keep=None).posts == 0
    assert house.sweep(archive=False).posts == 1
    assert house.lines() == []


def test_what_needs_a_person_stays_longer_and_what_is_in_doubt_stays(house: House) -> None:
    failed = house.add("Failed")
    missed = house.add("Missed", to="work", at="in 3h")
    skipped = house.add("Skipped", to="work", at="in 4h", missed="skip")
    house.pass_(HOUR)
    house.send(parts=0)
    house.pass_(10 * DAY)
    assert claim(house.desk) == []
    doubtful = house.add("Doubtful", to="work")
    draft = house.add("Draft", draft=True)
    house.pass_(HOUR)
    (taken,) = claim(house.desk)
    with house.desk.database.write() as connection:
        connection.execute(
            text("UPDATE deliveries SET status='unconfirmed', claim=NULL, next_at=NULL, "
                 "finished_at=due_at WHERE id = :id"), {"id": taken.id},
        )  # fmt: skip
    last = house.add("Last", at="in 5000d")
    house.pass_(KEEP + DAY)
    tally = house.sweep()
    assert house.ids() == [failed, missed, doubtful, draft, last]
    assert (tally.posts, tally.wanting) == (1, 0)
    house.pass_(KEEP)
    tally = house.sweep()
    assert (tally.posts, tally.wanting) == (2, 2)
    assert house.ids() == [doubtful, draft, last]
    assert {line["id"] for line in house.lines()} == {skipped, failed, missed}
    deliveries.resolve(house.desk, doubtful, Which(), None)
    assert house.ids() == [doubtful, draft, last]


def test_what_was_touched_since_stays(house: House) -> None:
    cancelled, future = house.add("a"), house.add("d", at="in 800d")
    deliveries.cancel(house.desk, [cancelled, future], Which())
    edited, gone_ = house.sent("b"), house.sent("c")
    house.add("last", at="in 5000d")
    house.pass_(KEEP + DAY)
    with house.desk.database.write() as connection:
        connection.execute(
            text("UPDATE posts SET updated_at = :now WHERE id = :id"),
            {"now": int(house.clock.now().timestamp() * 1_000_000), "id": edited},
        )
    walk = house.walk()
    assert walk.begin()
    step = walk.take()
    assert step is not None
    assert {one.post_id for one in step.leaving} == {cancelled, gone_}
    house.pass_(KEEP + DAY)
    assert {cancelled, edited, future} <= set(house.ids())
    walk = house.walk()
    assert walk.begin(anew=True)
    step = walk.take()
    assert step is not None
    assert {one.post_id for one in step.leaving} == {edited, gone_, cancelled}
    deliveries.retry(house.desk, [cancelled], Which())
    with house.desk.database.write() as connection:
        assert walk.leave(connection, step).posts == 2
    assert cancelled in house.ids()


def test_a_key_that_was_used_stays_known(house: House) -> None:
    keyed = house.sent("Once", key="k1")
    bare = house.sent("Bare")
    with house.desk.database.read() as connection:
        filed = reading.file_posts(connection, [keyed, bare])
    rows = [exported(one, house.media, house.clock.now()) for one in filed]
    house.add("Last", at="in 5000d")
    house.pass_(KEEP + DAY)
    assert house.sweep().posts == 2

    again = posts.add(house.desk, Draft("Once", ("me",), at="in 1h", tz="UTC", key="k1"))
    assert (again.id, again.known) == (keyed, True)
    with pytest.raises(InvalidInput, match="belongs to post 1, which was written with other words"):
        posts.add(house.desk, Draft("Other", ("me",), at="in 1h", tz="UTC", key="k1"))
    found: list[str] = []
    watch = imports.Watch(lambda bad: found.append(bad.message))
    done = imports.run(
        house.desk, [("f", [Row(n, n, one) for n, one in enumerate(rows, 1)])], watch
    )
    assert (done.added, done.known, list(done.ids), found) == (0, 2, [keyed, bare], [])
    changed = [Row(1, 1, replace(rows[1], text="Other"))]
    done = imports.run(house.desk, [("f", changed)], watch)
    assert done.bad == 1
    assert "was written with other words" in found[0]

    with house.desk.database.read() as connection:
        with pytest.raises(NotFound, match=r"is in the archive, in 2026-11\.jsonl"):
            posts_named(connection, [keyed])
        with pytest.raises(NotFound, match=r"there is no post 99\."):
            posts_named(connection, [99])
        left = gone.get(connection, keyed)
    assert left is not None
    assert left.month == 202611


def test_a_number_is_never_given_twice(house: House) -> None:
    first, last = house.sent("a"), house.sent("b")
    house.pass_(KEEP + DAY)
    assert house.sweep().posts == 1
    assert house.ids() == [last]
    assert house.add("c") == last + 1
    assert first not in house.ids()


def test_a_series_goes_on_as_before(house: House) -> None:
    daily = house.add("Day {{n}}", to="me,work", at="09:00", repeat="daily", catch_up="newest")
    house.add("Last", at="in 9000d")
    house.send_series(30, DAY)
    house.pass_(KEEP - 10 * DAY)
    house.send_series(1, DAY)
    with house.desk.database.read() as connection:
        (before,) = reading.file_posts(connection, [daily])
    tally = house.sweep()
    assert (tally.posts, tally.deliveries) == (0, 2 * 20)
    with house.desk.database.read() as connection:
        (after,) = reading.file_posts(connection, [daily])
        for account in (1, 2):
            tail = chains.tail(connection, daily, account, house.clock.now())
            assert tail is not None
            assert tail.number == 31
    assert after.deliveries == before.deliveries[40:]
    assert after.status == before.status
    (first, *_) = house.lines()
    assert not first["complete"]
    assert first["id"] == daily
    archived = [one["occurrence"] for line in house.lines() for one in line["deliveries"]]
    assert len(archived) == 40
    assert len(set(archived)) == 20

    deliveries.cancel(house.desk, [daily], Which())
    house.add("Very last", at="in 9000d")
    house.pass_(KEEP + DAY)
    assert house.sweep().posts == 1
    numbers = [one["id"] for line in house.lines() for one in line["deliveries"]]
    assert sorted(numbers) == sorted(one.id for one in before.deliveries)
    assert [line["complete"] for line in house.lines()][-1]


def test_a_series_that_waits_for_years_keeps_what_was_arranged_for_it(house: House) -> None:
    daily = house.add("Day", at="09:00", repeat="daily", missed="late", catch_up="all")
    house.add("Last", at="in 9000d")
    house.send_series(3, DAY)
    with house.desk.database.read() as connection:
        (filed,) = reading.file_posts(connection, [daily])
    (leader,) = [one for one in filed.deliveries if one.leads]
    skipped = leader.occurrence + 5 * DAY
    deliveries.cancel(house.desk, [daily], Which(occurrence=skipped))
    pausing.pause(house.desk, [daily])
    house.pass_(2 * KEEP)
    tally = house.sweep()
    assert tally.deliveries == 2
    with house.desk.database.read() as connection:
        assert skipped in chains.taken(connection, daily, 1, leader.occurrence)
        tail = chains.tail(connection, daily, 1, leader.occurrence)
    assert tail is not None
    assert tail.number == 3


def test_a_series_that_is_over_leaves_and_one_that_only_lacks_its_next_stays(house: House) -> None:
    ended = house.add("Two", at="09:00", repeat="daily", count=2)
    lacking = house.add("More", to="work", at="09:00", repeat="daily")
    house.add("Last", at="in 9000d")
    house.send_series(3, DAY)
    with house.desk.database.write() as connection:
        connection.execute(
            text("DELETE FROM deliveries WHERE leads = 1 AND post_id = :id"), {"id": lacking}
        )
    house.pass_(KEEP + DAY)
    assert house.sweep().posts == 1
    assert ended not in house.ids()
    assert lacking in house.ids()


def test_what_is_needed_to_settle_a_doubt_stays(house: House) -> None:
    doubtful, neighbour, other = house.add("a"), house.add("b"), house.add("c", to="work")
    house.add("Last", at="in 9000d")
    house.pass_(HOUR)
    taken = claim(house.desk)
    for one in taken:
        if one.post_id != doubtful:
            publish(house.desk, one)
    with house.desk.database.write() as connection:
        connection.execute(
            text("UPDATE deliveries SET started_at = due_at, status = CASE post_id WHEN :id "
                 "THEN 'confirming' ELSE status END"), {"id": doubtful},
        )  # fmt: skip
    house.pass_(KEEP + DAY)
    assert house.sweep().posts == 1
    assert neighbour in house.ids()
    assert other not in house.ids()


def test_a_walk_goes_on_where_another_has_ended(house: House) -> None:
    for n in range(TOGETHER + 2):
        house.add(f"post {n}")
    house.pass_(HOUR)
    house.send()
    house.add("Last", at="in 9000d")
    house.pass_(KEEP + HOUR)
    walk = house.walk(most=1)
    assert walk.begin()
    step = walk.take()
    assert step is not None
    assert len(step.leaving) == TOGETHER
    with house.desk.database.write() as connection:
        walk.leave(connection, step)
        assert step.upto is not None
        assert retention.progress(connection).upto == replace(step.upto, post_id=0)
    again = house.walk(most=1)
    assert again.begin()
    step = again.take()
    assert step is not None
    assert len(step.leaving) == 2
    assert again.take() is None
    with house.desk.database.write() as connection:
        again.end(connection)
        assert retention.progress(connection) == Progress(house.clock.now())
    assert not house.walk().begin(), "it rests for a day"
    house.pass_(DAY)
    assert house.walk().begin(), "what could not leave is looked at again"
    assert house.sweep().posts == 2
    assert len(house.lines()) == TOGETHER + 4, "a step that did not come to its end comes again"


def test_an_archive_that_cant_be_written_keeps_everything(house: House) -> None:
    house.sent()
    house.add("Last", at="in 9000d")
    house.pass_(KEEP + DAY)
    house.archive.write_text("in the way")
    with pytest.raises(StoreUnavailable, match="can't be written"):
        house.sweep()
    assert len(house.ids()) == 2


def test_occurrences_still_count_from_the_last(house: House) -> None:
    daily = house.add("Day", at="09:00", repeat="daily")
    house.add("Last", at="in 9000d")
    house.send_series(5, DAY)
    house.pass_(KEEP)
    house.send_series(2, DAY)
    assert house.sweep().deliveries > 0
    with house.desk.database.read() as connection:
        (filed,) = reading.file_posts(connection, [daily])
    (leader,) = [one for one in filed.deliveries if one.leads]
    wanted = leader.occurrence + 3 * DAY
    once = occurrences.change(house.desk, daily, Which(occurrence=wanted), None, "Other")
    (changed,) = once.changed
    assert (changed.number, changed.occurrence) == ((leader.number or 0) + 3, wanted)


def test_posts_without_deliveries_leave_with_the_rest(house: House) -> None:
    bare = [house.add(f"Draft {n}", draft=True) for n in range(5)]
    series = house.add("Daily", repeat="daily", at="09:00", draft=True)
    kept, touched = house.add("Draft", draft=True), house.add("Touched", draft=True)
    deliveries.cancel(house.desk, [*bare, series], Which())
    house.pass_(KEEP - DAY)
    deliveries.cancel(house.desk, [touched], Which())
    last = house.add("Last", at="in 5000d")
    assert house.sweep().posts == 0
    house.pass_(2 * DAY)
    walk = house.walk(most=2)
    assert walk.begin()
    step = walk.take()
    assert step is not None
    assert [one.post_id for one in step.leaving] == bare[:2]
    before = drafts.draft_of(house.desk, bare[0])
    editing.edit(house.desk, bare[0], before, replace(before, at="in 1h"))
    with house.desk.database.write() as connection:
        assert walk.leave(connection, step).posts == 1
    tally = house.sweep()
    assert (tally.posts, tally.deliveries) == (4, 0)
    assert house.ids() == [bare[0], kept, touched, last]
    assert house.left_over(series) == {}
    assert [line["status"] for line in house.lines() if line["id"] == series] == ["cancelled"]
    assert not house.walk().begin()


def test_what_callers_were_told_and_who_had_signed_in_leaves_with_the_rest(house: House) -> None:
    desk = house.desk
    house.sent()
    house.add("Last", at="in 500d")
    house.pass_(KEEP)
    _, secret = tokens.add(desk, "page", Scope.WRITE, None)

    def note(key: str) -> None:
        with desk.database.write() as connection:
            answers.note(connection, "me", key, Answer("d", 201, {}, "{}"), desk.now())

    for _ in range(2):
        assert sessions.begin(desk, str(secret.reveal()))
        house.pass_(DAY)
    house.pass_(sessions.LASTS - 3 * DAY)
    note("early")
    house.pass_(20 * HOUR)
    note("late")
    house.pass_(5 * HOUR)
    assert house.sweep().posts == 1
    with desk.database.read() as connection:
        assert connection.scalars(text("SELECT key FROM answers")).all() == ["late"]
        assert connection.scalar(text("SELECT count(*) FROM sessions")) == 1
