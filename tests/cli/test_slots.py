"""Slots and the queue, as people use them."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from tests.cli.posting import Posting


def at(cli: Posting, post_id: int) -> list[str]:
    """The occurrences of a post, by account."""
    found = cli.json("show", str(post_id))["deliveries"]
    return [one["occurrence"] for one in sorted(found, key=lambda one: str(one["account"]))]


def queued(cli: Posting, *words: str) -> list[int | None]:
    """The posts in the queue, None for a free slot."""
    return [one["post_id"] for one in cli.json("queue", *words)]


@pytest.fixture
def slotted(cli: Posting) -> Posting:
    """`me` posts at 9 and 17 each day, `you` at 12; both are `team`."""
    cli.account("you")
    cli("account", "group", "team", "me", "you")
    cli("slots", "add", "me", "daily", "9:00", "5pm")
    cli("slots", "add", "you", "mon-sun", "12:00", "--tz", "UTC")
    return cli


def test_slots_are_added_once_listed_and_removed(slotted: Posting) -> None:
    again = slotted("slots", "add", "me", "sat,sun", "09:00,17:00")
    assert re.findall(r"^me +daily +(\S+) +UTC +\w+", again.out, re.MULTILINE) == ["09:00", "17:00"]
    slotted("slots", "add", "team", "mon", "08:30", "--tz", "America/New_York")
    listed = slotted.json("slots", "list")
    assert [(one["name"], one["group"], len(one["days"]), one["time"]) for one in listed] == [
        ("me", False, 7, "09:00"), ("me", False, 7, "17:00"), ("team", True, 1, "08:30"),
        ("you", False, 7, "12:00"),
    ]  # fmt: skip
    assert listed[2]["tz"] == "America/New_York"
    assert datetime.fromisoformat(listed[2]["next"]).strftime("%a %H") in ("Mon 12", "Mon 13")
    slotted("account", "group", "team", "me")  # its slots stay
    assert len(slotted.json("slots", "list", "team")) == 1
    gone = slotted.json("slots", "remove", "me", "sat,sun", "17:00")
    assert [len(one["days"]) for one in gone] == [7, 5]
    assert "12 slots of me removed" in slotted("slots", "remove", "me").out
    slotted("account", "group", "team", "--remove")
    assert [one["name"] for one in slotted.json("slots", "list")] == ["you"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("add", "nobody", "mon", "9:00"), 3, "no account or group 'nobody'"),
        (("add", "me", "mo", "9:00"), 2, "'mo' is no day of the week"),
        (("add", "me", "mon", "25:00"), 2, "'25:00' is no time of day"),
        (("add", "me", "mon", "9:00", "--tz", "Berlin"), 2, "Did you mean Europe/Berlin"),
        (("add", "me", "mon"), 2, "TIME"),
        (("remove", "me", "mon", "9:01"), 2, "me has no such slot"),
        (("list", "nobody"), 3, "no account or group"),
    ],
)
def test_what_is_refused(slotted: Posting, words: tuple[str, ...], code: int, said: str) -> None:
    assert said in slotted.refused(code, "slots", *words)


def test_each_account_has_its_own_next_free_slot(slotted: Posting) -> None:
    dry = slotted.json("add", "First", "--to", "team", "--slot", "--dry-run")
    first = slotted.json("add", "First", "--to", "team", "--slot")
    assert (first["schedule"]["kind"], first["schedule"]["at"]) == ("slot", None)
    mine, yours = at(slotted, 1)
    assert {mine[11:16], yours[11:16]} <= {"09:00", "17:00", "12:00"}
    assert {one["occurrence"] for one in dry["deliveries"]} == {mine, yours}
    assert sorted(first["schedule"]["next"]) == sorted([mine, yours])
    said = slotted("add", "Second", "--to", "me,you", "--slot").out
    assert re.search(r"to me; .*to you$|to you; .*to me$", said.strip()), said
    second = at(slotted, 2)
    hours = {datetime.fromisoformat(second[0]) - datetime.fromisoformat(mine)}
    assert hours <= {timedelta(hours=8), timedelta(hours=16)}
    slotted.account("bare")
    assert "bare has no slots" in slotted.refused(2, "add", "x", "--to", "bare", "--slot")
    both = slotted.refused(2, "add", "x", "--to", "me", "--slot", "--at", "now")
    assert "a slot and a time are both given" in both
    assert slotted.json("add", "y", "--to", "bare", "--slot", "--draft")["status"] == "draft"


def test_cancel_frees_a_slot_and_closes_the_gap_if_wished(slotted: Posting) -> None:
    for n in range(4):
        slotted("add", f"Post {n}", "--to", "me", "--slot")
    before = [at(slotted, n) for n in (1, 2, 3, 4)]
    slotted("cancel", "2")
    slotted("add", "Fifth", "--to", "me", "--slot")
    assert at(slotted, 5) == before[1]
    said = slotted("cancel", "5", "--close-gap").err
    assert "2 later posts move up" in said
    assert [at(slotted, n) for n in (1, 3, 4)] == before[:3]
    slotted("retry", "5")  # its slot is taken by now: it gets the next one
    assert at(slotted, 5) == before[3]
    slotted("cancel", "5")
    slotted.call.set(POSTSCHED_CLOSE_GAPS="true")
    slotted("cancel", "1", "--leave-gap")
    assert [at(slotted, n) for n in (3, 4)] == before[1:3]
    slotted("cancel", "3")
    assert at(slotted, 4) == before[1]
    revision = slotted.rows("SELECT revision FROM deliveries WHERE post_id = 4")
    assert revision == [(2,)]


def test_the_order_is_changed_and_shown(slotted: Posting) -> None:
    for n in range(3):
        slotted("add", f"Post {n}", "--to", "team", "--slot")
    free = [None] * 3
    assert queued(slotted) == [1, 2, 3, *free, 1, 2, 3, *free]
    slotted("queue", "up", "3", "--account", "me")
    assert queued(slotted, "--account", "me") == [1, 3, 2, *free]
    slotted("queue", "down", "1")
    assert queued(slotted) == [3, 1, 2, *free, 2, 1, 3, *free]
    slotted("queue", "swap", "2", "3")
    assert queued(slotted) == [2, 1, 3, *free, 3, 1, 2, *free]
    shuffled = [one["post_id"] for one in slotted.json("queue", "shuffle", "--seed", "5")]
    assert sorted(shuffled[:3]) == [1, 2, 3]
    slotted("queue", "shuffle", "--account", "you")
    assert queued(slotted, "--account", "me") == shuffled[:6]
    page = slotted("queue").out
    assert re.search(r"^me +\S.* (\d) +Post \d +scheduled$", page, re.MULTILINE)
    assert page.count("free") == 6


def test_what_can_not_be_moved_is_said(slotted: Posting) -> None:
    for n in range(3):
        slotted("add", f"Post {n}", "--to", "me", "--slot")
    assert "post 1 is the first already" in slotted.refused(1, "queue", "up", "1")
    assert "post 3 is the last already" in slotted.refused(1, "queue", "down", "3")
    assert "there is no post 9" in slotted.refused(3, "queue", "swap", "1", "9")
    assert "no slots of the same account" in slotted.refused(1, "queue", "swap", "1", "1")
    slotted("add", "Other", "--to", "me", "--at", "tomorrow 9am")
    assert "post 4 sits in no slot" in slotted.refused(1, "queue", "up", "4")
    before = [at(slotted, n) for n in (1, 2, 3)]
    slotted.set_delivery(2, status="publishing", claim="x", claim_until=4 * 10**15)
    assert "post 2 is publishing on me" in slotted.refused(1, "queue", "up", "3")
    slotted.set_delivery(2, status="retrying", attempts=1, claim=None, claim_until=None)
    assert "post 2 is retrying on me" in slotted.refused(1, "queue", "swap", "1", "2")
    slotted("queue", "shuffle", "--seed", "1")
    assert at(slotted, 2) == before[1]
    assert {*at(slotted, 1), *at(slotted, 3)} == {*before[0], *before[2]}
    slotted("cancel", "1", "--close-gap")
    assert sorted([*at(slotted, 2), *at(slotted, 3)]) == [*before[0], *before[1]]
    assert "stand behind" in slotted.refused(2, "queue", "--json", "up", "3")


def test_posts_keep_their_time_when_slots_go(slotted: Posting) -> None:
    slotted("add", "Post", "--to", "me", "--slot")
    (before,) = at(slotted, 1)
    assert "1 post sits in them and keeps its time" in slotted("slots", "remove", "me").err
    assert at(slotted, 1) == [before]
    assert queued(slotted, "--account", "me") == [1]


def test_edit_keeps_gives_and_takes_slots(slotted: Posting) -> None:
    slotted("add", "One", "--to", "me", "--slot")
    slotted("add", "Two", "--to", "me", "--at", "2099-01-01T09:00")
    slotted("edit", "1", "Uno", "--to", "me,you")
    mine, yours = at(slotted, 1)
    assert (mine[11:16] in ("09:00", "17:00"), yours[11:16]) == (True, "12:00")
    slotted("edit", "2", "--slot")
    assert slotted.json("show", "2")["schedule"]["kind"] == "slot"
    assert at(slotted, 2)[0] not in (mine, "2099-01-01T09:00:00Z")
    slotted("edit", "1", "--at", "2099-01-01T10:00")
    assert set(at(slotted, 1)) == {"2099-01-01T10:00:00Z"}
    slotted("add", "Three", "--to", "me", "--slot")
    assert at(slotted, 3) == [mine]  # it is free again
    slotted("add", "Draft", "--to", "me", "--draft")
    slotted("edit", "4", "--slot")
    assert slotted.json("show", "4")["status"] == "scheduled"
    slotted("add", "Series", "--to", "me,you", "--repeat", "daily", "--at", "10:00")
    slotted("edit", "5", "--slot")
    hours = [one[11:16] for one in at(slotted, 5)]
    assert (hours[0] in ("09:00", "17:00"), hours[1:]) == (True, ["12:00"])
    (exported,) = slotted("export", "4", "--format", "json").json
    assert exported["slot"] is True


def test_import_takes_slots_one_after_the_other(slotted: Posting) -> None:
    rows = '{"text": "a", "to": "me", "slot": true}\n{"text": "b", "to": "me", "slot": true}\n'
    for _ in range(2):
        slotted("import", "-", "--format", "jsonl", stdin=rows)
    assert queued(slotted, "--account", "me") == [1, 2, None, None, None]


@pytest.mark.slow
def test_two_processes_never_take_the_same_slot(slotted: Posting) -> None:
    script = """import sys
from postsched.cli.app import run
for n in range(int(sys.argv[1])):
    assert run(["-q", "add", f"{sys.argv[2]} {n}", "--to", "team", "--slot"]) == 0"""
    command = [sys.executable, "-c", script, "50"]
    environ = slotted.call.environ()
    started = [
        subprocess.Popen([*command, name], env=environ, stdout=subprocess.DEVNULL)
        for name in ("one", "other")
    ]
    assert [process.wait(120) for process in started] == [0, 0]
    taken: Any = slotted.rows("SELECT account_id, occurrence FROM deliveries")
    assert (len(taken), len(set(taken))) == (200, 200)
    places = slotted.json("queue", "--account", "me")
    assert [place["free"] for place in places] == [False] * 100 + [True] * 3


def test_quiet_hours_spread_and_spacing_are_said(cli: Posting) -> None:
    cli.account("you")
    cli("account", "set", "me", "quiet_hours=22:00-07:00", "min_spacing=30m")
    shown = cli.json("account", "show", "me")["settings"]
    assert (shown["quiet_hours"], shown["min_spacing"]) == ("22:00-07:00", "30m")
    added = cli("add", "Night", "--to", "me,you", "--at", "2099-06-01T23:00", "--spread", "1h")
    assert "me has quiet hours until 07:00: it goes out Tue 2 Jun 2099, 07:00 UTC" in added.err
    assert "to you it goes out Tue 2 Jun 2099, 00:00 UTC" in added.err
    post = cli.json("show", "1")
    assert [one["due_at"][8:16] for one in post["deliveries"]] == ["02T07:00", "02T00:00"]
    assert [one["occurrence"][8:16] for one in post["deliveries"]] == ["01T23:00"] * 2
    near = cli("add", "Near", "--to", "me", "--at", "2099-06-02T07:29").err
    assert "post 1 goes out to me" in near
    assert "30m apart at least" in near
    assert not cli("add", "Far", "--to", "me", "--at", "2099-06-02T08:00").err
    late = cli.json("add", "Later", "--to", "you", "--at", "2099-06-02T08:00", "--jitter", "10m")
    (delivery,) = late["deliveries"]
    assert "2099-06-02T08:00:00Z" < delivery["due_at"] <= "2099-06-02T08:10:00Z"
    cli("edit", "1", "--no-spread")
    assert {one["due_at"][8:16] for one in cli.json("show", "1")["deliveries"]} == {
        "02T07:00", "01T23:00",
    }  # fmt: skip
    assert "the quiet hours can't be read" in cli.refused(
        2, "account", "set", "me", "quiet_hours=x"
    )
    assert "Did you mean min_spacing" in cli.refused(2, "account", "set", "me", "min_spacin=1m")
    cli("account", "set", "me", "quiet_hours=", "min_spacing=")
    assert "quiet_hours" not in cli.json("account", "show", "me")["settings"]


def test_a_slot_keeps_the_distance(cli: Posting) -> None:
    cli("slots", "add", "me", "daily", "09:00", "09:20", "17:00")
    cli("account", "set", "me", "min_spacing=30m")
    for n in range(4):
        cli("add", f"Post {n}", "--slot")
    times = [datetime.fromisoformat(at(cli, n)[0]) for n in (1, 2, 3, 4)]
    assert min(b - a for a, b in pairwise(times)) >= timedelta(minutes=30)


def test_what_waits_for_the_end_of_quiet_hours_is_said(cli: Posting) -> None:
    cli("add", "Late", "--at", "now")
    now = datetime.now(UTC)
    begins, ends = now - timedelta(hours=2), now + timedelta(hours=2)
    hours = f"{begins:%H:%M}-{ends:%H:%M}"
    cli("account", "set", "me", f"quiet_hours={hours}")
    said = cli("publish-due")
    assert f"1 due post waits for me, until {ends:%a}" in said.out + said.err
    assert f"quiet hours ({hours})" in cli("show", "1").out
    assert "quiet hours" in cli("list").out
    (account,) = cli.json("status")["accounts"]
    assert account["held_kind"] == "quiet_hours"
    moved = cli("add", "Now", "--at", "now")
    assert f"me has quiet hours until {ends:%H:%M}: it goes out" in moved.err
    assert "me has quiet hours" in cli("edit", "2", "Later", "--at", "in 1h").err
    cli("account", "set", "me", "quiet_hours=none")
    assert "1 published" in cli("publish-due").out
