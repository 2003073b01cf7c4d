"""cancel, delete, pause, resume, retry, resolve: what they change, say and refuse."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.posting import Posting

LATER = "2030-05-01 09:00"
Z = "2030-05-01T09:00:00Z"
DOUBT = ("publishing", "confirming", "unconfirmed")


def step(n: int = 1, out: str | None = None, role: str = "part") -> dict[str, Any]:
    """A step as it is kept, out if it has an id."""
    kept: dict[str, Any] = {"role": role, "n": n, "prepared": {"any": "thing"}}
    return kept | ({"out": {"id": out, "url": None, "data": {}}} if out else {})


def statuses(posts: list[dict[str, Any]]) -> list[list[str]]:
    return [[delivery["status"] for delivery in post["deliveries"]] for post in posts]


@pytest.fixture
def two(cli: Posting) -> Posting:
    """Post 1 to me and work, post 2 to me."""
    cli.account("work")
    cli("add", "one", "--to", "me,work", "--at", LATER)
    cli("add", "two", "--to", "me", "--at", LATER)
    return cli


def test_cancel_prints_the_posts_each_once(two: Posting) -> None:
    posts = two.json("cancel", "2", "1", "2")
    assert [post["id"] for post in posts] == [2, 1]
    assert statuses(posts) == [["cancelled"], ["cancelled", "cancelled"]]
    assert [post["status"] for post in posts] == ["cancelled", "cancelled"]
    assert statuses(two.json("cancel", "1")) == [["cancelled", "cancelled"]]
    assert two.json("publish-due")["deliveries"] == []


@pytest.mark.parametrize("command", ["cancel", "retry"])
def test_narrowing(two: Posting, command: str) -> None:
    two("account", "group", "team", "work")
    for words in (["--account", "work"], ["--account", "team"], ["--delivery", "2"]):
        before = "failed" if command == "retry" else "scheduled"
        for delivery in (1, 2):
            two.set_delivery(delivery, status=before, next_at=1)
        after = "scheduled" if command == "retry" else "cancelled"
        assert statuses(two.json(command, "1", *words)) == [[before, after]], words
    for instant in (LATER, Z):
        for delivery in (1, 2):
            two.set_delivery(delivery, status=before, next_at=1)
        assert statuses(two.json(command, "1", "--occurrence", instant)) == [[after, after]]
    assert "no such delivery" in two.refused(3, command, "1", "--occurrence", "2030-05-01 09:01")
    assert "no such delivery" in two.refused(3, command, "1", "--delivery", "3")
    assert "no such delivery" in two.refused(3, command, "1", "--delivery", "9" * 30)
    assert "Did you mean work?" in two.refused(3, command, "1", "--account", "wrk")
    assert "--account is empty" in two.refused(2, command, "1", "--account", "")
    assert "day without a time" in two.refused(2, command, "1", "--occurrence", "2030-05-01")


def test_an_occurrence_is_named_by_its_second(cli: Posting) -> None:
    cli("add", "x", "--in", "1d")
    instant = cli.json("show", "1")["deliveries"][0]["occurrence"]
    whole = re.sub(r"\.\d+Z", "Z", instant)
    for words in (instant, whole):
        assert cli.json("cancel", "1", "--occurrence", words)[0]["status"] == "cancelled"


@pytest.mark.parametrize(
    "command", ["show", "cancel", "delete", "pause", "resume", "retry", "edit", "export"]
)
def test_a_post_that_does_not_exist(cli: Posting, command: str) -> None:
    cli("add", "x", "--at", LATER)
    for number in ("7", "0", str(2**63), str(2**200)):
        assert f"there is no post {number}" in cli.refused(3, command, number)
    assert "--help" in cli.refused(2, command, "one")
    assert "--help" in cli.refused(2, command, "-1")
    if command not in ("show", "edit"):
        cli.refused(3, command, "1", "7")
        post = cli.json("show", "1")
        assert (post["status"], post["paused"]) == ("scheduled", False)


@pytest.mark.parametrize("status", DOUBT)
def test_cancel_names_what_may_be_going_out_and_cancels_the_rest(two: Posting, status: str) -> None:
    two.set_delivery(1, status=status, steps=[step()])
    answer = two("cancel", "1", "2", "--json", code=1)
    assert statuses(answer.json) == [[status, "cancelled"], ["cancelled"]]
    assert answer.err.count("\n") == 1
    assert f"post 1 is {status} on me and can't be cancelled now" in answer.err


def test_cancel_of_what_is_out(two: Posting) -> None:
    two.set_delivery(3, status="published", steps=[step(out="r")], next_at=None, finished_at=1)
    answer = two("cancel", "1", "2", "--json", code=1)
    assert statuses(answer.json) == [["cancelled", "cancelled"], ["published"]]
    assert "post 2 is out already. Remove it: postsched delete 2" in answer.err


def test_cancel_discards_what_is_being_prepared(cli: Posting) -> None:
    cli("add", "x", "--at", LATER)
    cli.set_delivery(claim="t", claim_worker=1, claimed_at=1, claim_until=2**50)
    assert statuses(cli.json("cancel", "1")) == [["cancelled"]]
    assert cli.rows("SELECT claim, next_at, prepare_at FROM deliveries") == [(None, None, None)]


def test_cancel_of_a_draft(cli: Posting) -> None:
    cli("add", "x", "--draft")
    assert "no such delivery" in cli.refused(3, "cancel", "1", "--account", "me")
    assert cli.json("cancel", "1")[0]["status"] == "cancelled"
    assert cli.json("cancel", "1")[0]["status"] == "cancelled"


def test_retry_sends_failed_missed_and_cancelled_deliveries(two: Posting) -> None:
    two.set_delivery(1, status="failed", attempts=3, next_at=None, finished_at=1, steps=[step()])
    two.set_delivery(2, status="missed", next_at=None, finished_at=1)
    two.set_delivery(3, status="cancelled", next_at=None, finished_at=1)
    posts = two.json("retry", "1", "2")
    assert statuses(posts) == [["scheduled", "scheduled"], ["scheduled"]]
    assert posts[0]["deliveries"][0]["attempts"] == 0
    assert [d["due_at"] for d in posts[0]["deliveries"]] == [Z, Z]
    assert two.json("history") == []


def test_retry_of_what_is_past_goes_out_now(cli: Posting) -> None:
    cli("add", "x", "--in", "0s")
    cli.set_delivery(status="missed", grace_until=1, next_at=None, finished_at=1)
    cli("retry", "1")
    assert cli.json("publish-due")["published"] == 1


def test_retry_names_what_has_nothing_to_retry(two: Posting) -> None:
    two("cancel", "2")
    answer = two("retry", "1", "2", "--json", code=1)
    assert statuses(answer.json) == [["scheduled", "scheduled"], ["scheduled"]]
    assert "post 1 has nothing to retry" in answer.err
    two("add", "draft", "--draft", "--to", "me")
    assert "is a draft" in two("retry", "3", code=1).err


@pytest.mark.parametrize("status", [*DOUBT, "retrying", "published"])
def test_retry_leaves_other_statuses(cli: Posting, status: str) -> None:
    cli("add", "x", "--at", LATER)
    cli.set_delivery(status=status, steps=[step()])
    assert statuses(cli("retry", "1", "--json", code=1).json) == [[status]]


def test_pause_and_resume_posts(two: Posting) -> None:
    posts = two.json("pause", "1", "2")
    assert [(post["paused"], post["status"]) for post in posts] == [(True, "scheduled")] * 2
    assert two.rows("SELECT DISTINCT paused FROM deliveries") == [(1,)]
    assert [post["paused"] for post in two.json("resume", "1")] == [False]


def test_a_pause_says_what_goes_out_all_the_same(two: Posting) -> None:
    two.set_delivery(1, status="publishing", claim="some worker's", next_at=None)
    assert "1 is being sent and still goes out" in two("pause", "1").err
    assert "1 is being sent and still goes out" in two("pause", "--all").err
    assert two("pause", "2").err == ""


def test_what_is_paused_is_not_claimed(cli: Posting) -> None:
    cli("add", "x", "--in", "0s")
    for hold, release in ((["1"], ["1"]), (["--account", "me"], ["--account", "me"])):
        cli("pause", *hold)
        assert cli.json("publish-due")["deliveries"] == []
        cli("resume", *release)
    cli("pause", "--all")
    assert cli.json("publish-due")["deliveries"] == []
    assert cli.json("status")["paused"] is True
    cli("resume", "--all")
    assert cli.json("publish-due")["published"] == 1


@pytest.mark.parametrize("words", [["1"], ["--account", "me"], ["--account", "all"], ["--all"]])
def test_resume_counts_what_is_past_its_grace(cli: Posting, words: list[str]) -> None:
    cli("account", "group", "all", "me")
    cli("add", "x", "--in", "0s")
    cli("add", "y", "--at", LATER)
    cli("pause", *words)
    cli.set_delivery(1, grace_until=1)
    answer = cli("resume", *words, "--json")
    assert answer.json[0]["deliveries"][0]["status"] == "missed"
    assert "1 went past its grace meanwhile and is missed" in answer.err
    assert "postsched retry 1" in answer.err
    held = [post["id"] for post in answer.json]
    assert held == ([1] if words == ["1"] else [1, 2])


def test_pausing_an_account_says_how_much_it_holds(two: Posting) -> None:
    assert two("pause", "--account", "me").out == "me is paused: 2 posts to come\n"
    assert two("pause", "--account", "work").out == "work is paused: 1 post to come\n"
    assert two("resume", "--all").out == "everything is released: 2 posts to come\n"
    assert [post["id"] for post in two.json("pause", "--account", "work")] == [1]
    states = {a["name"]: a["paused"] for a in two.json("status")["accounts"]}
    assert states == {"me": True, "work": True}


@pytest.mark.parametrize("words", [[], ["1", "--all"], ["--account", "me", "--all"]])
def test_pause_wants_one_thing(cli: Posting, words: list[str]) -> None:
    cli("add", "x", "--at", LATER)
    for command in ("pause", "resume"):
        assert "IDs, --account or --all" in cli.refused(2, command, *words)


def unconfirmed(cli: Posting, delivery: int = 1, steps: int = 1) -> None:
    cli.set_delivery(
        delivery, status="unconfirmed", next_at=None, finished_at=1, attempts=1,
        steps=[step(n) for n in range(1, steps + 1)],
        error_kind="unconfirmed", error_message="lost",
    )  # fmt: skip


def test_resolve_published(cli: Posting) -> None:
    cli("add", "x", "--at", LATER)
    unconfirmed(cli)
    words = ("--url", "https://example.org/1", "--remote-id", "r1")
    (post,) = cli.json("resolve", "1", "published", *words)
    (delivery,) = post["deliveries"]
    assert (post["status"], delivery["url"]) == ("published", "https://example.org/1")
    assert (delivery["remote_id"], delivery["error"]) == ("r1", None)
    assert delivery["published_at"]
    (attempt,) = cli.json("show", "1")["deliveries"][0]["tries"]
    assert (attempt["action"], attempt["outcome"]) == ("resolve", "published")


def test_resolve_absent_sends_it_again(cli: Posting) -> None:
    cli("add", "x", "--in", "0s")
    unconfirmed(cli)
    assert statuses(cli.json("resolve", "1", "absent")) == [["scheduled"]]


def test_resolve_needs_the_id_that_later_parts_reply_to(cli: Posting) -> None:
    cli("add", "x", "--then", "y", "--at", LATER)
    unconfirmed(cli, steps=2)
    for words in ([], ["--url", "https://example.org/1"]):
        assert "--remote-id" in cli.refused(2, "resolve", "1", "published", *words)
    (post,) = cli.json("resolve", "1", "published", "--remote-id", "r1")
    (delivery,) = post["deliveries"]
    assert (delivery["status"], delivery["remote_id"]) == ("scheduled", "r1")
    assert [part["status"] for part in delivery["parts"]] == ["published", "scheduled"]


def test_resolve_refuses_and_lists_several(two: Posting) -> None:
    unconfirmed(two, 1)
    unconfirmed(two, 2)
    said = two.refused(2, "resolve", "1", "absent")
    assert "1 (me, 2030-05-01 09:00Z), 2 (work, 2030-05-01 09:00Z)" in said
    assert statuses(two.json("resolve", "1", "absent", "--account", "work")) == [
        ["unconfirmed", "scheduled"]
    ]
    assert statuses(two.json("resolve", "1", "absent")) == [["scheduled", "scheduled"]]
    assert "no unconfirmed delivery" in two.refused(1, "resolve", "1", "absent")


def test_resolve_lays_out_what_is_known(cli: Posting) -> None:
    """What to look for, since when, and what each answer does."""
    cli("add", "One", "--then", "The second part of it", "--comment", "c", "--at", LATER)
    unconfirmed(cli)
    steps = [step(1, out="r1"), step(2), step(1, role="comment")]
    cli.set_delivery(1, steps=steps, sent_at=1_000_000)
    answer = cli("resolve", "1", code=2)
    assert "part 2 may be out since Thu 1 Jan 1970, 00:00:01 UTC" in answer.out
    assert "The second part of it" in answer.out
    assert "published: what comes after it is sent; absent: it is sent again" in answer.out
    assert answer.out == cli("show", "1").out
    assert "Say published or absent" in answer.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["maybe"], "Say published or absent"),
        (["absent", "--url", "https://example.org"], "go with published"),
        (["absent", "--remote-id", ""], "go with published"),
        (["published", "--url", "example.org"], "no web address"),
    ],
)
def test_resolve_refuses_nonsense(cli: Posting, words: list[str], said: str) -> None:
    cli("add", "x", "--at", LATER)
    unconfirmed(cli)
    assert said in cli.refused(2, "resolve", "1", *words)


def test_delete_removes_what_is_out(cli: Posting) -> None:
    cli("add", "one", "--then", "two", "--comment", "c", "--at", "now")
    cli("publish-due")
    folder = cli.call.database.parent / "outbox" / "me"
    assert len(documents(folder)) == 3
    assert "--yes" in cli.refused(2, "delete", "1")
    assert len(documents(folder)) == 3
    (post,) = cli.json("delete", "1", "--yes")
    assert post["id"] == 1
    assert documents(folder) == []
    for page in (cli("list").out, cli("history").out):
        assert "file:" not in page
        assert "removed" in page
    (delivery,) = post["deliveries"]
    assert (delivery["status"], delivery["url"]) == ("published", None)
    parts = [(part["status"], part["url"]) for part in delivery["parts"]]
    assert parts == [("removed", None)] * 3
    assert "part 2: removed" in cli("show", "1").out
    tries = cli.json("show", "1")["deliveries"][0]["tries"]
    gone = [(one["step"], one["outcome"]) for one in tries if one["action"] == "delete"]
    assert gone == [("comment 1", "removed"), ("part 2", "removed"), ("part 1", "removed")]
    assert cli("delete", "1", "--yes").out == "post 1 is removed from me\n", "once more is harmless"


def documents(folder: Path) -> list[Path]:
    return list(folder.rglob("*.md"))


def test_delete_asks_on_a_terminal(cli: Posting) -> None:
    cli("add", "one", "--at", "now")
    cli("publish-due")
    terminal = cli.call.terminal("delete", "1", stdin="n\n")
    assert terminal.code == 130
    assert "Remove post 1 from me, for good?" in terminal.err
    assert len(documents(cli.call.database.parent / "outbox" / "me")) == 1
    assert cli.call.terminal("delete", "1", stdin="y\n").code == 0
    assert documents(cli.call.database.parent / "outbox" / "me") == []


def test_delete_refuses_what_is_not_settled(cli: Posting) -> None:
    cli("add", "one", "--then", "two", "--at", LATER)
    assert "nothing of post 1 is out" in cli.refused(1, "delete", "1", "--yes")
    steps = [step(1, "r"), step(2)]
    for status, hint in (
        ("publishing", "once that is settled"), ("confirming", "once that is settled"),
        ("unconfirmed", "postsched resolve 1"), ("retrying", "postsched cancel 1"),
        ("scheduled", "postsched cancel 1"),
    ):  # fmt: skip
        cli.set_delivery(status=status, steps=steps)
        assert hint in cli.refused(1, "delete", "1", "--yes")


def test_delete_says_what_the_network_refuses(cli: Posting) -> None:
    cli("add", "one", "--at", "now")
    cli("publish-due")
    cli.set_delivery(steps=[step(1, "../escape")])
    answer = cli("delete", "1", "--yes", code=1)
    assert "post 1 on me: " in answer.err
