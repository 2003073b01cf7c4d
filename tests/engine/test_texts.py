"""What a series says as it goes out: texts in turn, dates, numbers, one occurrence's own words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import update

from postsched.domain.capabilities import TextRules
from postsched.domain.delivery import Attempt, DeliveryStatus
from postsched.domain.post import Content, Part
from postsched.store import posts as post_rows
from postsched.store import queue, reading
from postsched.store.deliveries import add_attempt
from postsched.store.neighbours import neighbours
from postsched.store.tables import accounts, deliveries, posts
from postsched.store.upcoming import upcoming
from postsched.testing import FakeClock, FakePlatform
from tests.engine.rig import Rig
from tests.engine.test_series import DAY, chain, live, series, turns

S = DeliveryStatus
SECOND = timedelta(seconds=1)


def write(rig: Rig, content: Content) -> None:
    """Have the series say that from now on."""
    with rig.database.write() as connection:
        (post,) = post_rows.get(connection, [1]).values()
        schedule = post_rows.schedule_of(connection, [1])[1]
        post_rows.replace(connection, replace(post, content=content), [1], schedule)


def begin(rig: Rig, content: Content) -> None:
    """A daily series with that content, its first one planned."""
    series(rig, [rig.account()])
    write(rig, content)
    live(rig, SECOND)


def test_texts_take_turns_over_restarts_and_changes(
    rig: Rig, clock: FakeClock, fake: FakePlatform
) -> None:
    """Each turn is an engine of its own."""
    texts = ("one", "two {{city}}\n---\nmore", "three")
    begin(rig, Content("{{n}}: {{text}}", comment="no. {{n}}", texts=texts, vars={"city": "Rome"}))
    turns(rig, clock, 4)
    assert [one.text for one in fake.posts] == [
        "1: one", "no. 1", "2: two Rome", "more", "no. 2", "3: three", "no. 3", "4: one", "no. 4",
    ]  # fmt: skip
    found = chain(rig)
    assert [one.status for one in found] == [S.PUBLISHED] * 4 + [S.SCHEDULED]
    assert [len(one.steps) for one in found[:4]] == [2, 3, 2, 2]
    write(rig, Content("{{n}} {{text}} {{weekday}} {{date}}", texts=("a", "b")))
    with rig.other.read() as connection:
        assert upcoming(connection, 5).first[0].text.startswith("5 a ")
        (filed,) = reading.file_posts(connection, [1])
        assert len(filed.deliveries[-1].steps) == 1
    turns(rig, clock, 2)
    weekdays = [f"{one.occurrence:%A %Y-%m-%d}" for one in found[-1:]]
    weekdays += [f"{found[-1].occurrence + DAY:%A %Y-%m-%d}"]
    said = [one.text for one in fake.posts[-2:]]
    assert said == [f"5 a {weekdays[0]}", f"6 b {weekdays[1]}"]


def test_what_is_looked_up_is_what_was_said(rig: Rig, clock: FakeClock, fake: FakePlatform) -> None:
    """The first that is compared with one that was removed lately: each by what it says."""
    begin(rig, Content("", texts=("one", "two")))
    turns(rig, clock, 2)
    first, second, third = chain(rig)
    gone = Attempt(1, clock.now(), clock.now(), "delete", "part 1", "removed")
    with rig.database.write() as connection:
        add_attempt(connection, first.id, gone)
        removed = [
            neighbours(connection, work.delivery, work.post, work.account, clock.now()).removed
            for work in queue.load(connection, [second.id, third.id])
        ]
    assert removed == [False, True], "the third says what the first said"


def test_the_date_is_that_of_the_zone(rig: Rig, clock: FakeClock, fake: FakePlatform) -> None:
    begin(rig, Content("{{date}} {{time}}"))
    (row,) = chain(rig)
    with rig.database.write() as connection:
        (schedule,) = post_rows.schedule_of(connection, [1]).values()
        (post,) = post_rows.get(connection, [1]).values()
        post_rows.replace(connection, post, [1], replace(schedule, tz="Pacific/Kiritimati"))
    turns(rig, clock, 1)
    local = row.occurrence + timedelta(hours=14)
    assert fake.posts[-1].text == f"{local:%Y-%m-%d %H:%M}"


def test_an_occurrence_with_words_of_its_own_says_them_to_the_letter(
    rig: Rig, clock: FakeClock, fake: FakePlatform
) -> None:
    begin(rig, Content("{{n}}", texts=(), comment="no. {{n}}"))
    wording = {"parts": ["Today {{n}}", "---", "end"]}
    with rig.database.write() as connection:
        connection.execute(update(deliveries).values(wording=wording))
    turns(rig, clock, 2)
    said = [one.text for one in fake.posts]
    assert said == ["Today {{n}}", "---", "end", "no. 1", "2", "no. 2"]


def test_what_has_grown_too_long_is_refused_before_a_part_is_out(
    rig: Rig, clock: FakeClock, fake: FakePlatform
) -> None:
    """As `add` says it; where the limit was not read from the account, the network says it."""
    fake.able = replace(fake.able, text=TextRules(limit=6))
    begin(rig, Content("no. {{n}}", then=(Part("{{n}} of {{n}}"), Part("end"))))
    with rig.database.write() as connection:
        connection.execute(update(deliveries).values(number=9))
        connection.execute(update(accounts).values(facts={"seen": True}))
    turns(rig, clock, 2)
    assert [one.text for one in fake.posts] == ["no. 9", "9 of 9", "end"]
    grown = chain(rig)[1]
    assert (grown.status, grown.number) == (S.FAILED, 10)
    assert grown.problem
    assert grown.problem.message.startswith("me (Fake): part 2 has 8 graphemes, 2 more")
    assert "postsched edit 1" in (grown.problem.hint or "")
    assert chain(rig)[2].status is S.SCHEDULED
    with rig.database.write() as connection:
        connection.execute(update(accounts).values(facts={}))
    turns(rig, clock, 1)
    assert fake.posts[-2].text == "11 of 11"


def test_what_is_no_series_keeps_its_braces(rig: Rig, clock: FakeClock, fake: FakePlatform) -> None:
    rig.post(r"{{n}} \{{n}} {{date}}", rig.account(), clock.now() + SECOND)
    with_vars = rig.post(r"{{n}} \{{n}} {{x}}", rig.account("work"), clock.now() + SECOND)
    with rig.database.write() as connection:
        connection.execute(update(posts).where(posts.c.id == 2).values(vars={"x": "y"}))
    live(rig, timedelta(seconds=30))
    assert rig.delivery(with_vars).status is S.PUBLISHED
    assert {one.text for one in fake.posts} == {r"{{n}} \{{n}} {{date}}", "1 {{n}} y"}
