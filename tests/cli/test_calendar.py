"""calendar: the grid stays straight whatever is in it, and every form of it says the same."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
from rich.cells import cell_len

from postsched.cli.looks.agenda import Reader
from postsched.cli.looks.almanac import Almanac
from postsched.cli.screen import Screen
from postsched.domain.delivery import DeliveryStatus
from postsched.domain.errors import InvalidInput
from postsched.domain.firing import Firing
from postsched.domain.spans import month_span, week_span
from postsched.service.firings import Day
from tests.cli.posting import Posting

S = DeliveryStatus
BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 10, 22, 9, 30, tzinfo=UTC)
NASTY = (
    "日本語のテキストは幅が広い",
    "שלום עולם",
    "👩‍👩‍👧 🎉🎉🎉🎉🎉🎉🎉",
    "é" * 30,
    "a\x1b[2Jb\u202ec\nd",
    "",
)
PLAIN = Firing(NOW, NOW, 1, "p", 1, "me", "a", "outbox", "Hello world")


def october() -> list[Day]:
    """A month with all there is: overdue, out, failed, held, to three accounts, far too much."""
    days = {n: Day(date(2026, 10, n)) for n in range(1, 32)}

    def put(number: int, *firings: Firing, count: int = 0, crowded: bool = False) -> None:
        day = date(2026, 10, number)
        days[number] = Day(day, firings, count or len(firings), crowded)

    def at(number: int, hour: int, **more: Any) -> Firing:
        due = datetime(2026, 10, number, hour, 15, tzinfo=BERLIN).astimezone(UTC)
        return replace(PLAIN, due_at=due, occurrence=due, **more)

    put(1, at(1, 9, status=S.PUBLISHED), at(1, 10, status=S.FAILED), at(1, 11, status=S.MISSED))
    put(21, at(21, 9))
    put(22, *(at(22, 12, account=name, account_id=n) for n, name in enumerate(("me", "sky", "x"))))
    put(23, *(at(23, hour, text=text) for hour, text in enumerate(NASTY)), count=17)
    put(24, at(24, 8, paused=True), count=1, crowded=True)
    put(29, at(29, 9, text=NASTY[0]), at(29, 10, text=NASTY[2]))
    put(30, at(30, 9))
    return list(days.values())


def drawn(width: int, *, colour: bool = False, signs: bool = True) -> list[str]:
    """The month on a screen of that width."""
    reader = Reader(NOW, BERLIN, Screen(width, colour))
    page = Almanac("October 2026", october(), reader, signs)
    return "\n".join(page.lines()).split("\n")


@pytest.mark.parametrize("width", [80, 120, 69, 200])
def test_the_columns_of_a_grid_are_straight(width: int) -> None:
    lines = drawn(width)
    assert max(cell_len(line) for line in lines) <= width
    assert lines[0].startswith("October 2026  Europe/Berlin")
    column = (width - 6) // 7
    starts = [n * (column + 1) for n in range(7)]
    assert [lines[2].index(name) for name in ("Mon", "Thu", "Sun")] == [
        starts[0], starts[3], starts[6],
    ]  # fmt: skip
    (today,) = [line for line in lines if "22 today" in line]
    assert cell_len(today[: today.index("22 today")]) in (starts[3], starts[3] + 1)
    for line in lines:
        for found in re.finditer(r"\d\d:15", line):
            assert cell_len(line[: found.start()]) in starts, line
    text = "\n".join(lines)
    for words in ("09:15✓a", "10:15✗a", "11:15!a", "09:15◂a", "12:15 abc", "08:15‖a", ">0 more",
                  "a me", "b sky", "c x", "✓ published", "‖ paused", "◂ overdue",
                  "Clocks go back 1 hour on Sun 25 Oct 2026: 03:00 CEST is 02:00 CET"):  # fmt: skip
        assert words in text, words
    assert re.search(r"\+1[1-5] more", text)
    assert "\x1b" not in text


def test_in_colour_each_cell_begins_at_its_column() -> None:
    """A terminal that takes an emoji for wider or narrower than it is can't shift what follows."""
    lines = drawn(120, colour=True)
    moved = 0
    for line in lines:
        for found in re.finditer(r"\x1b\[(\d+)G", line):
            before = re.sub(r"\x1b\[\d*(;\d+)*[mG]", "", line[: found.start()])
            assert cell_len(before) == int(found[1]) - 1
            moved += 1
    assert moved > 2
    text = "\n".join(lines)
    assert "\x1b[36m●" in text or "\x1b[35m●" in text
    assert "\x1b[7m 22 today \x1b[0m" in text
    assert "\x1b[2J" not in text
    assert "\u202e" not in text


def test_where_there_is_no_room_days_are_listed_and_ascii_is_enough() -> None:
    lines = drawn(50)
    assert max(map(cell_len, lines)) <= 50
    assert "Today, Thu 22 Oct" in lines
    assert "Mon 5 Oct" not in lines
    ascii_only = "\n".join(drawn(80, signs=False))
    assert "09:15va" in ascii_only
    own = re.sub("|".join(map(re.escape, NASTY[:4])), "", ascii_only)
    assert not set(own) & set("─●✓✗‖◂")


TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("", date(2026, 11, 1)), ("this", date(2026, 11, 1)), ("next month", date(2026, 12, 1)),
        ("last", date(2026, 10, 1)), ("2026-12", date(2026, 12, 1)), ("2028-2", date(2028, 2, 1)),
        ("dec", date(2026, 12, 1)), ("Nov.", date(2026, 11, 1)), ("jan", date(2027, 1, 1)),
        ("Sept", date(2027, 9, 1)), ("december 2026", date(2026, 12, 1)),
        ("2026 DEC", date(2026, 12, 1)),
    ],
)  # fmt: skip
def test_months(words: str, first: date) -> None:
    span = month_span(words, TODAY)
    assert span.first == first
    assert span.first + timedelta(days=span.count) == (first + timedelta(days=31)).replace(day=1)


@pytest.mark.parametrize(
    "words", ["13", "2026-13", "2026-00", "decembr", "ma", "ju", "0001-01", "9999-12", "dec 26",
              "next year", "2026-12-01", "x" * 10_000, "²026-12"],
)  # fmt: skip
def test_what_is_no_month(words: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        month_span(words, TODAY)
    assert len(str(refused.value)) < 200


def test_weeks() -> None:
    assert week_span("", TODAY).first == date(2026, 11, 16)
    assert week_span("next", TODAY).first == date(2026, 11, 23)
    assert week_span("2026-12-27", TODAY).first == date(2026, 12, 21)
    assert week_span("2026-12-28", TODAY).title == "28 Dec 2026 to 3 Jan 2027"
    for words in ("2026-02-30", "monday", "dec", "9999-12-31"):
        with pytest.raises(InvalidInput):
            week_span(words, TODAY)


@pytest.fixture
def planned(cli: Posting) -> Posting:
    """A series of 9 o'clock in May 2031, and a post to two accounts."""
    cli.account("work")
    words = ("--repeat", "daily", "--at", "2031-05-03 09:00", "--until", "2031-05-30")
    cli("add", "Every day", "--to", "me", *words)
    cli("add", "Once; with, signs\nand 日本", "--to", "me,work", "--at", "2031-05-07 12:00")
    return cli


def test_a_month_in_every_form(planned: Posting) -> None:
    month = planned.json("calendar", "may", "2031")
    assert (month["from"], month["until"], month["tz"]) == (
        "2031-05-01T00:00:00Z", "2031-06-01T00:00:00Z", "UTC",
    )  # fmt: skip
    assert len(month["days"]) == 31
    days = {int(day["date"][-2:]): day["firings"] for day in month["days"]}
    assert [n for n, found in days.items() if found] == list(range(3, 31))
    assert [(one["post_id"], one["account"], one["number"]) for one in days[7]] == [
        (1, "me", 5), (2, "me", None), (2, "work", None),
    ]  # fmt: skip
    assert days[7][0]["due_at"] == "2031-05-07T09:00:00Z"
    written = planned("calendar", "2031-05", "--format", "ics").out
    events = icalendar.Calendar.from_ical(written).walk("VEVENT")
    assert len(events) == 30
    assert sorted(str(one["SUMMARY"]) for one in events)[-2:] == [
        "me: Once; with, signs and 日本", "work: Once; with, signs and 日本",
    ]  # fmt: skip
    page = planned("calendar", "2031-05").out
    assert page.count("09:00") == 28
    assert re.search(r"^12:00 ab *$|12:00 ab", page, re.MULTILINE)
    week = planned("calendar", "--week", "2031-05-07").out
    assert len(re.findall(r"09:00 +me +1 +Every day", week)) == 7
    assert re.search(r"12:00 +me, work +2 +Once; with, signs and 日本", week)
    assert "Wed 7 May 2031" in week
    work = planned.json("calendar", "2031-05", "--account", "work")["days"]
    assert sum(len(day["firings"]) for day in work) == 1


def test_a_file_of_what_is_to_come_in_a_year(planned: Posting) -> None:
    planned("add", "Soon", "--to", "me", "--in", "3d")
    file = planned.call.home / "posts.ics"
    assert "1 event written" in planned("calendar", "--format", "ics", "-o", str(file)).err
    assert file.read_bytes().endswith(b"END:VCALENDAR\r\n")
    again = planned("calendar", "--format", "ics").out.encode()
    uids = [re.findall(rb"UID:(.+?)\r?\nDTSTAMP", one, re.DOTALL) for one in
            (file.read_bytes(), again)]  # fmt: skip
    assert [one.replace(b"\r", b"") for one in uids[0]] == [
        one.replace(b"\r", b"") for one in uids[1]
    ]


def test_nothing_is_said_to_be_there(cli: Posting) -> None:
    for words in (("calendar",), ("calendar", "--week"), ("calendar", "2031-05")):
        assert "Nothing is here" in cli(*words).out
    assert json.loads(cli("calendar", "--json").out)["days"][0]["firings"] == []


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["13"], 2, "is no month"),
        (["2026-13"], 2, "there is no month 13"),
        (["--week", "2026-02-30"], 2, "no such day"),
        (["--format", "pdf"], 2, "There is: ics"),
        (["--format", "ics", "--json"], 2, "Leave one of them out"),
        (["--output", "x.ics"], 2, "--format ics"),
        (["--format", "ics", "--output", "/no/such/folder/x.ics"], 2, "can't be written"),
        (["--account", "nobody"], 3, "'nobody'"),
        (["--tag", ""], 2, "--tag is empty"),
    ],
)
def test_what_is_refused(cli: Posting, words: list[str], code: int, said: str) -> None:
    assert said in cli.refused(code, "calendar", *words)


def test_sorted_by_time_within_each_day(planned: Posting) -> None:
    for day in planned.json("calendar", "2031-05")["days"]:
        assert all(a["due_at"] <= b["due_at"] for a, b in pairwise(day["firings"]))
