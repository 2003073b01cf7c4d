"""list, history, show: what is found, in which order, and what each line says."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.cli.posting import Posting

MOMENT = {"id", "n", "started_at", "finished_at", "action", "step", "outcome", "error", "evidence"}


def ids(posts: list[dict[str, Any]]) -> list[int]:
    return [post["id"] for post in posts]


def micros(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000)


@pytest.fixture
def shelf(cli: Posting) -> Posting:
    """One post of each kind: 1 and 2 to come, 3 out, 4 failed, 5 partial, 6 cancelled, 7 a draft,
    8 a cancelled draft, 9 missed, 10 unconfirmed, 11 retrying."""
    cli.account("work")
    for number in range(1, 12):
        words = ["--draft"] if number in (7, 8) else ["--at", f"2030-05-{number:02} 09:00"]
        to = "me,work" if number == 5 else "work" if number == 2 else "me"
        cli("add", f"Post number {number}", "--to", to, *words, "--tag", f"t{number}")
    cli("cancel", "6", "8")
    delivery = {row[1]: row[0] for row in cli.rows("SELECT min(id), post_id FROM deliveries GROUP "
                                                   "BY post_id")}  # fmt: skip
    for number, status in (
        (3, "published"), (4, "failed"), (5, "published"), (9, "missed"), (10, "unconfirmed"),
    ):  # fmt: skip
        cli.set_delivery(delivery[number], status=status, next_at=None, finished_at=number)
    cli.set_delivery(delivery[5] + 1, status="failed", next_at=None, finished_at=5)
    cli.set_delivery(delivery[11], status="retrying")
    return cli


@pytest.mark.parametrize(
    ("status", "found"),
    [
        ("scheduled", [1, 2]),
        ("published", [3]),
        ("failed", [4, 9, 10]),
        ("partial", [5]),
        ("cancelled", [6, 8]),
        ("draft", [7]),
        ("missed", [9]),
        ("unconfirmed", [10]),
        ("retrying", [11]),
        ("publishing", [11]),
        ("confirming", []),
        ("draft,partial", [5, 7]),
    ],
)
def test_by_status(shelf: Posting, status: str, found: list[int]) -> None:
    assert sorted(ids(shelf.json("list", "--status", status))) == found
    assert sorted(ids(shelf.json("list", "--all", "--status", status))) == found


def test_all_is_every_post_of_every_status(shelf: Posting) -> None:
    assert sorted(ids(shelf.json("list", "--all"))) == list(range(1, 12))
    assert ids(shelf.json("list", "--all", "--limit", "2")) == ids(
        shelf.json("list", "--limit", "2")
    )


def test_other_choices(shelf: Posting) -> None:
    assert ids(shelf.json("list", "--account", "work")) == [2, 5]
    shelf("account", "group", "team", "work")
    assert ids(shelf.json("list", "--account", "team")) == [2, 5]
    assert ids(shelf.json("list", "--account", "work", "--account", "me", "--tag", "t2")) == [2]
    assert ids(shelf.json("list", "--from", "2030-05-02", "--until", "2030-05-03")) == [2, 3]
    assert ids(shelf.json("list", "--from", "2030-05-02 09:00", "--until", "2030-05-02 09:00")) == [
        2
    ]
    assert (
        ids(shelf.json("list", "--from", "2030-05-02 09:01", "--until", "2030-05-03 08:59")) == []
    )
    assert ids(shelf.json("list", "--tag", "T3")) == [3]
    assert ids(shelf.json("list", "--tag", "t")) == []
    assert ids(shelf.json("list", "--search", "NUMBER 4")) == [4]
    assert ids(shelf.json("list", "--account", "work", "--search", "number", "--tag", "t5")) == [5]


def test_a_range_and_an_account_mean_the_same_delivery(cli: Posting) -> None:
    cli.account("work")
    cli("add", "x", "--to", "me,work", "--at", "2030-05-01 09:00")
    cli.set_delivery(2, occurrence=micros(datetime(2030, 6, 1, 9, tzinfo=UTC)))
    june = ("--from", "2030-06-01")
    assert ids(cli.json("list", *june, "--account", "work")) == [1]
    assert ids(cli.json("list", *june, "--account", "me")) == []


@pytest.mark.parametrize(
    "text", ['50%_"\\off', "Grüne Äpfel", "línea\nnueva", "🎉", "a'b", "{}[]", "ǅ"]
)
def test_search_takes_every_character_literally(cli: Posting, text: str) -> None:
    later = ("--at", "2030-05-01 09:00")
    cli("add", text, *later)
    cli("add", "x", "--then", text, *later)
    cli("add", "x", "--comment", text, *later)
    cli("add", "x", "--title", text, *later)
    cli("add", "x", "--for", f"me={text}", *later)
    cli("add", "x", "--tag", text.replace(",", ""), *later)
    cli("add", "none of it", *later)
    assert ids(cli.json("list", "--search", text)) == [1, 2, 3, 4, 5]
    assert ids(cli.json("list", "--search", text.upper())) == [1, 2, 3, 4, 5]
    assert ids(cli.json("list", "--tag", text)) == [6]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--status", "finished"], 2, "no status 'finished'"),
        (["--status", "publshed"], 2, "Did you mean published?"),
        (["--status", ""], 2, "--status is empty"),
        (["--account", "who"], 3, "'who'"),
        (["--from", "whenever"], 2, "not understood"),
        (["--from", "2030-02-30"], 2, "no such day"),
        (["--until", "tomorrow"], 2, "day without a time"),
        (["--tag", ""], 2, "--tag is empty"),
        (["--search", ""], 2, "--search is empty"),
        (["--search", "a\udcff"], 2, "no proper text"),
        (["--limit", "0"], 2, "--limit"),
        (["--limit", "9" * 25], 2, "--limit"),
    ],
)
@pytest.mark.parametrize("command", ["list", "history"])
def test_choices_that_are_none(
    cli: Posting, command: str, words: list[str], code: int, said: str
) -> None:
    assert said in cli.refused(code, command, *words)


def test_days_at_the_ends_of_the_calendar(cli: Posting) -> None:
    cli("add", "x", "--at", "2030-05-01 09:00")
    cli.call.set(POSTSCHED_TIMEZONE="Asia/Tokyo")
    for words in (["--from", "0001-01-01"], ["--until", "9999-12-31"]):
        assert ids(cli.json("list", *words)) == [1]
        assert cli.json("history", *words) == []


def test_history_has_delivery_statuses_only(cli: Posting) -> None:
    assert "no status 'draft'" in cli.refused(2, "history", "--status", "draft")


def test_history_is_what_is_finished_newest_first(shelf: Posting) -> None:
    found = shelf.json("history")
    assert {delivery["post_id"] for delivery in found} == {3, 4, 5, 6, 9, 10}
    finished = [d["post_id"] for d in shelf.json("history", "--until", "2000-01-01")]
    assert finished == [10, 9, 5, 5, 4, 3]
    assert [d["post_id"] for d in shelf.json("history", "--status", "published")] == [5, 3]
    assert [d["post_id"] for d in shelf.json("history", "--account", "work")] == [5]
    assert [d["post_id"] for d in shelf.json("history", "--tag", "t9")] == [9]
    assert [d["post_id"] for d in shelf.json("history", "--search", "number 10")] == [10]
    assert len(shelf.json("history", "--limit", "2")) == 2
    assert all(delivery["parts"] for delivery in found)


def test_history_has_permalinks(cli: Posting) -> None:
    cli("add", "x", "--at", "now")
    cli("publish-due")
    (delivery,) = cli.json("history")
    assert (delivery["status"], delivery["attempts"]) == ("published", 1)
    assert delivery["url"]
    assert delivery["lateness_ms"] >= 0
    assert delivery["url"] in cli("history").out


def test_the_list_shows_what_comes_and_what_went_out_lately(cli: Posting) -> None:
    now = datetime.now(UTC)
    rows = [
        {"text": f"p{n}", "to": "me", "at": (now + timedelta(days=1, minutes=n)).isoformat()}
        for n in range(120)
    ]
    cli("import", "-", "--format", "jsonl", stdin="\n".join(map(json_of, rows)))
    assert ids(cli.json("list")) == list(range(1, 51))
    for number in range(101, 121):
        cli.set_delivery(number, status="published", next_at=None, finished_at=number,
                         occurrence=number)  # fmt: skip
    assert ids(cli.json("list")) == [*range(105, 121), *range(1, 35)]
    assert ids(cli.json("list", "--limit", "3")) == [120, 1, 2]
    assert len(cli.json("list", "--limit", "80")) == 80
    assert len(cli.json("list", "--all")) == 120


def json_of(row: dict[str, str]) -> str:
    import json

    return json.dumps(row)


def test_the_table(cli: Posting) -> None:
    assert "There are no posts here" in cli("list").out
    cli.account("work")
    cli("add", "First line\nsecond line", "--to", "me,work", "--at", "2030-05-01 09:00")
    lines = cli("list").out.splitlines()
    assert lines[0].split()[:5] == ["ID", "WHEN", "ACCOUNT", "STATUS", "TEXT"]
    assert "2030-05-01 09:00" in lines[1]
    assert "First line second line" in lines[1]
    assert "work" in lines[2]


def test_show_has_every_attempt_with_its_evidence(cli: Posting) -> None:
    cli("add", "x", "--at", "now")
    cli("publish-due")
    post = cli.json("show", "1")
    assert post["schedule"]["next"] == []
    (delivery,) = post["deliveries"]
    tries = delivery["tries"]
    assert tries
    assert all(one.keys() == MOMENT - {"id"} for one in tries)
    assert tries[-1]["outcome"] == "published"
    page = cli("show", "1").out
    assert "Post 1" in page
    assert "try 1: publish part 1 -> published" in page


def test_show_says_that_the_network_did_not_say_where(cli: Posting) -> None:
    cli("add", "x", "--at", "now")
    out = {"id": "", "url": None}
    cli.set_delivery(status="published", steps=[{"role": "part", "n": 1, "out": out}])
    assert "  part 1: it is out; the network did not say where\n" in cli("show", "1").out


def test_publish_due_has_all_its_members(cli: Posting) -> None:
    assert cli.json("publish-due") == {
        "published": 0, "failed": 0, "retrying": 0, "confirming": 0, "unconfirmed": 0,
        "missed": 0, "deliveries": [],
    }  # fmt: skip
    cli("add", "x", "--at", "now")
    done = cli.json("publish-due")
    assert done["published"] == 1
    (delivery,) = done["deliveries"]
    (post,) = cli.json("list")
    assert delivery == post["deliveries"][0]


def test_on_a_terminal_it_is_by_day_and_elsewhere_each_line_says_all(cli: Posting) -> None:
    cli.account("work")
    cli("add", "No time yet", "--to", "me", "--draft")
    cli("add", "Twice", "--to", "me,work", "--at", "2030-05-01 09:00")
    cli("add", "That day too", "--to", "me", "--at", "2030-05-01 17:30")
    cli("add", "Soon", "--to", "me", "--in", "25h")
    plain = cli("list").out
    assert "2030-05-01 09:00" in plain
    assert "\nWed 1 May" not in plain
    cli.call.set(COLUMNS="100")
    lines = cli("list").out.splitlines()
    assert max(map(len, lines)) <= 100
    heads = [line for line in lines if line[:1].isalpha()]
    assert (heads[0], heads[-1]) == ("Drafts", "Wed 1 May 2030")
    assert len(heads) == 3
    below = lines[lines.index("Wed 1 May 2030") + 1 :]
    assert [line.split()[:3] for line in below] == [
        ["2", "09:00", "me"], ["09:00", "work", "scheduled"], ["3", "17:30", "me"],
    ]  # fmt: skip


def test_a_series_has_one_line_and_what_stands_out_of_it(cli: Posting) -> None:
    cli.account("work")
    cli("add", "News", "--to", "me,work", "--repeat", "weekly", "--on", "mon,thu", "--count", "9",
        "--at", "2031-05-05 09:00")  # fmt: skip
    cli("cancel", "1", "--occurrence", "2031-05-08 09:00")
    cli("edit", "1", "--occurrence", "2031-05-12 09:00", "Own words", "--account", "me")
    cli.call.set(COLUMNS="80")
    lines = cli("list").out.splitlines()
    assert lines[1] == "Mon 5 May 2031"
    assert lines[2].split() == ["1", "09:00", "me,", "work", "scheduled", "News"]
    assert lines[3] == "      every Mon and Thu at 09:00 UTC, 9 left"
    assert [re.sub(" +", " ", line) for line in lines[4:]] == [
        " Thu 2031-05-08 09:00 me, work skipped",
        " Mon 2031-05-12 09:00 me scheduled own text",
    ]
    day = micros(datetime(2031, 5, 5, 9, tzinfo=UTC))
    cli.set_delivery(1, status="failed", leads=0, next_at=None, finished_at=day, error_kind="auth",
                     error_message="the login is refused")  # fmt: skip
    assert re.search(r"09:00 +me +failed +the login is refused", cli("list").out)
    cli.call.set(COLUMNS="0")
    assert "every Mon and Thu at 09:00 UTC, 9 left" in cli("list").out.splitlines()[1]
    cli("cancel", "1")
    assert "\ngoes out every Mon and Thu at 09:00 UTC, over\n" in cli("show", "1").out
    assert cli("list").out.splitlines()[1].endswith("every Mon and Thu at 09:00 UTC, over")
