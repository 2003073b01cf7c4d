"""next: what is to come, as JSON, in lines that say all, and by day on a terminal."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.cli.posting import Posting


def test_every_firing_in_order_with_all_that_is_known(cli: Posting) -> None:
    cli.account("work")
    cli.call.set(POSTSCHED_TIMEZONE="Europe/Berlin")
    nightly = ("--repeat", "daily", "--at", "2031-10-24 02:30", "--count", "4")
    cli("add", "Night {{n}}", "--to", "me,work", *nightly)
    cli("add", "Held", "--to", "me", "--at", "2031-10-25 12:00")
    cli("pause", "2")
    cli("edit", "1", "--occurrence", "2031-10-25 02:30", "Own", "--account", "me")
    found = cli.json("next")
    assert [(one["due_at"], one["account"], one["text"]) for one in found] == [
        ("2031-10-24T00:30:00Z", "me", "Night 1"), ("2031-10-24T00:30:00Z", "work", "Night 1"),
        ("2031-10-25T00:30:00Z", "me", "Own"), ("2031-10-25T00:30:00Z", "work", "Night 2"),
        ("2031-10-25T10:00:00Z", "me", "Held"),
        ("2031-10-26T00:30:00Z", "me", "Night 3"), ("2031-10-26T00:30:00Z", "work", "Night 3"),
        ("2031-10-27T01:30:00Z", "me", "Night 4"), ("2031-10-27T01:30:00Z", "work", "Night 4"),
    ]  # fmt: skip
    assert found[5] == {
        "due_at": "2031-10-26T00:30:00Z", "occurrence": "2031-10-26T00:30:00Z", "post_id": 1,
        "account": "me", "platform": "outbox", "text": "Night 3", "number": 3,
        "delivery_id": None, "status": "scheduled", "paused": False, "moved": False,
        "own_text": False, "change": "repeated", "published_at": None, "url": None,
    }  # fmt: skip
    assert [one["paused"] for one in found].index(True) == 4
    assert cli.json("next", "2") == found[:2]
    assert cli.json("next", "--account", "work", "1") == [found[1]]

    plain = cli("next").out
    assert re.search(r"Sat 25 Oct 2031 02:30 CEST .*me +1 +Own +\(own text\)", plain)
    assert re.search(r"Sun 26 Oct 2031 02:30 CEST .*me, work .*Night 3 .*first of two", plain)
    assert "Clocks go back 1 hour on Sun 26 Oct 2031: 03:00 CEST is 02:00 CET\n" in plain
    assert plain.index("Clocks go back 1 hour on Sun 26") > plain.index("Night 3")
    assert plain.index("Clocks go back 1 hour on Sun 26") < plain.index("Night 4")
    assert "more times before that" in plain

    cli.call.set(COLUMNS="80")
    by_day = cli("next").out.splitlines()
    assert max(map(len, by_day)) <= 80
    assert by_day[by_day.index("Sat 25 Oct 2031") + 1].startswith("  02:30 CEST")
    assert any("Held" in line and "paused" in line for line in by_day)


def test_a_range_of_days_and_what_is_overdue(cli: Posting) -> None:
    cli("add", "Late", "--at", "2031-01-01 09:00", "--tag", "a")
    cli("add", "Daily", "--repeat", "daily", "--at", "00:00", "--count", "100", "--tag", "b")
    passed = datetime.now(UTC) - timedelta(hours=2)
    micros = int(passed.timestamp() * 1_000_000)
    cli.set_delivery(1, occurrence=micros, due_at=micros, next_at=micros)
    found = cli.json("next", "--days", "30")
    assert [one["text"] for one in found] == ["Late", *["Daily"] * 30]
    assert len(cli.json("next", "5", "--days", "30")) == 5
    assert len(cli.json("next")) == 10
    assert len(cli.json("next", "200")) == 101
    assert [one["text"] for one in cli.json("next", "--tag", "A")] == ["Late"]
    line = cli("next").out.splitlines()[1]
    assert re.search(r"2 hours ago .*Late +overdue$", line)


def test_it_says_the_same_as_show(cli: Posting) -> None:
    cli("add", "x", "--cron", "*/20 6 * * mon-fri", "--tz", "America/New_York")
    shown = cli.json("show", "1")["schedule"]["next"]
    assert len(shown) == 10
    assert [one["due_at"] for one in cli.json("next")] == shown


def test_nothing_is_to_come(cli: Posting) -> None:
    assert cli("next").out.startswith("Nothing is to come. Write a post")
    assert cli("next", "--days", "1").out == "Nothing is to come that fits\n"
    assert cli.json("next") == []


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["0"], 2, "not in the range"),
        (["ten"], 2, "is no whole number"),
        (["--days", "-1"], 2, "not in the range"),
        (["--days", "99999"], 2, "not in the range"),
        (["--days", "soon"], 2, "is no whole number"),
        (["9" * 30], 2, "not in the range"),
        (["--account", "nobody"], 3, "'nobody'"),
    ],
)
def test_what_is_refused(cli: Posting, words: list[str], code: int, said: str) -> None:
    assert said in cli.refused(code, "next", *words)
