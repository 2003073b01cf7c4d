"""edit: what may still be changed, what that does to deliveries, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from postsched.testing.picture import png
from tests.cli.posting import Posting

LATER = "2030-05-01 09:00"
Z = "2030-05-01T09:00:00Z"


def micros(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000)


def out(n: int, remote_id: str | None = None) -> dict[str, Any]:
    """A step, as it is kept."""
    step: dict[str, Any] = {"role": "part", "n": n, "prepared": {"any": "thing"}}
    return step | ({"out": {"id": remote_id, "url": None, "data": {}}} if remote_id else {})


def revisions(cli: Posting) -> list[tuple[Any, ...]]:
    """Delivery, status, revision."""
    return cli.rows("SELECT id, status, revision FROM deliveries ORDER BY id")


def test_every_option_of_add_is_one_of_edit(cli: Posting, tmp_path: Path) -> None:
    cli.account("work")
    cli("add", "Hello", "--to", "me", "--at", LATER)
    (tmp_path / "cat.png").write_bytes(png())
    post = cli.json(
        "edit", "1", "Bye", "--to", "me,work", "--in", "1d", "--media", str(tmp_path / "cat.png"),
        "--alt", "A cat", "--then", "two", "--then", "three", "--comment", "c",
        "--link", "https://example.org", "--title", "t", "--for", "work=Hi", "--visibility",
        "direct", "--warning", "w", "--lang", "de", "--tag", "x", "--missed", "late",
        "--grace", "1h", "--priority", "-2", "--key", "k",
    )  # fmt: skip
    said = {name: post[name] for name in ("comment", "link", "title", "visibility", "warning")}
    assert said == {
        "comment": "c", "link": "https://example.org", "title": "t", "visibility": "direct",
        "warning": "w",
    }  # fmt: skip
    assert [part["text"] for part in post["parts"]] == ["Bye", "two", "three"]
    assert (post["accounts"], post["variants"]) == (["me", "work"], {"work": "Hi"})
    assert (post["missed"], post["grace"], post["priority"]) == ("late", "1h", -2)
    assert (post["lang"], post["tags"], post["key"]) == ("de", ["x"], "k")
    assert (post["media"][0]["alt"], post["media"][0]["type"]) == ("A cat", "image/png")
    assert [d["account"] for d in post["deliveries"]] == ["me", "work"]
    assert len({d["due_at"] for d in post["deliveries"]}) == 1


def test_a_repeatable_option_replaces_its_list_and_no_clears(cli: Posting, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(png())
    cli(
        "add", "x", "--at", LATER, "--tag", "a", "--tag", "b", "--then", "2", "--comment", "c",
        "--media", str(tmp_path / "a.png"), "--alt", "A", "--media", str(tmp_path / "b.png"),
        "--link", "https://example.org", "--title", "t", "--for", "me=y", "--visibility", "direct",
        "--warning", "w", "--lang", "de", "--grace", "1h", "--missed", "late", "--priority", "4",
        "--key", "k",
    )  # fmt: skip
    post = cli.json("edit", "1", "--tag", "c", "--alt", "One", "--alt", "Two")
    assert (post["tags"], [m["alt"] for m in post["media"]]) == (["c"], ["One", "Two"])
    assert [m["alt"] for m in cli.json("edit", "1", "--no-alt")["media"]] == [None, None]
    assert "3 --alt for 2 media" in cli.refused(2, "edit", "1", *["--alt", "x"] * 3)
    names = ("then", "comment", "link", "title", "for", "visibility", "warning", "lang", "tag")
    more = ("media", "missed", "grace", "priority", "key")
    post = cli.json("edit", "1", *(f"--no-{name}" for name in (*names, *more)))
    empty = ("comment", "link", "title", "visibility", "warning", "lang", "key")
    assert [post[name] for name in empty] == [None] * len(empty)
    assert (post["variants"], post["tags"], post["media"], len(post["parts"])) == ({}, [], [], 1)
    assert (post["missed"], post["grace"], post["priority"]) == ("ask", "1d", 0)
    assert "both given and cleared" in cli.refused(2, "edit", "1", "--tag", "x", "--no-tag")


REFUSED: tuple[tuple[list[str], int, str], ...] = (
    (["7", "x"], 3, "there is no post 7"),
    (["99999999999999999999", "x"], 3, "there is no post 99999999999999999999"),
    (["0", "x"], 3, "there is no post 0"),
    (["1", ""], 2, "the text is empty"),
    (["1", "--to", "nobody"], 3, "'nobody'"),
    (["1", "--at", "2020-01-01 09:00"], 2, "is past"),
    (["1", "--comment", ""], 2, "--comment is empty"),
    (["1", "a", "--text", "b"], 2, "two texts"),
    (["1", "a", "--file", "b.md"], 2, "a text and a --file"),
    (["1", "--tz", "Mars"], 2, "no time zone"),
    (["1", "--for", "work=x"], 2, "does not go there"),
    (["1", "--key", "taken"], 2, "belongs to post 2"),
)


def test_bad_input_changes_nothing(cli: Posting) -> None:
    cli("add", "x", "--at", LATER)
    cli("add", "y", "--at", LATER, "--key", "taken")
    before = cli.json("list", "--all")
    for words, code, said in REFUSED:
        assert said in cli.refused(code, "edit", *words), words
    assert cli.json("list", "--all") == before


def test_what_goes_out_once_has_no_bounds(cli: Posting) -> None:
    cli("add", "Once", "--in", "9h")
    cli("add", "Draft", "--draft")
    for post in ("1", "2"):
        for bound in (("--count", "3"), ("--until", "2099-01-01"), ("--except", "2099-01-01")):
            said = cli.refused(2, "edit", post, *bound)
            assert f"'{bound[0][2:]}' belongs to a post that recurs" in said


def test_the_answer_repeats_the_time(cli: Posting) -> None:
    cli("add", "x", "--at", LATER, "--tz", "Asia/Tokyo")
    assert "Post 1: Wed 1 May 2030, 09:00 JST, in " in cli("edit", "1", "y").out
    assert "14:00 UTC" in cli("edit", "1", "--at", "2030-05-01 14:00").out


def test_a_series_stays_in_its_zone(cli: Posting) -> None:
    cli("add", "{{n}}", "--at", LATER, "--tz", "Asia/Tokyo", "--repeat", "daily")
    assert "every day at 14:00 Asia/Tokyo" in cli("edit", "1", "--at", "2030-05-01 14:00").out
    assert "at 15:00 UTC" in cli("edit", "1", "--at", "2030-05-01 15:00", "--tz", "UTC").out


def test_what_an_edit_takes_from_single_occurrences_is_said(cli: Posting) -> None:
    cli("add", "x", "--at", LATER, "--repeat", "daily")
    cli("cancel", "1", "--occurrence", "2030-05-03 09:00")
    cli("edit", "1", "y", "--occurrence", "2030-05-04 09:00")
    assert "  own text: y\n" in cli("show", "1").out
    assert "is gone" not in cli("edit", "1", "--until", "2030-05-04").err
    answer = cli("edit", "1", "--at", "2030-05-01 10:00")
    gone = "skipped, moved or worded anew is gone with its time: Fri 3 May 2030, 09:00 UTC, in "
    assert gone in answer.err
    assert "; Sat 4 May 2030, 09:00 UTC, in " in answer.err


def test_what_was_to_go_out_once_begins_no_second_row_of_its_series(cli: Posting) -> None:
    cli("add", "x", "--at", "2030-05-04 09:00")
    cli("edit", "1", "{{n}}", "--repeat", "daily", "--at", LATER)
    assert cli.rows("SELECT number, leads FROM deliveries") == [(1, 1)]
    coming = cli.json("next", "4")
    assert [(one["due_at"][8:10], one["text"]) for one in coming] == [
        ("01", "1"), ("02", "2"), ("03", "3"), ("04", "4"),
    ]  # fmt: skip


def test_a_zone_alone_changes_how_the_same_instant_is_told(cli: Posting) -> None:
    cli("add", "x", "--at", LATER, "--tz", "UTC")
    assert "18:00 JST" in cli("edit", "1", "--tz", "Asia/Tokyo").out
    post = cli.json("show", "1")
    assert (post["schedule"]["at"], post["schedule"]["tz"]) == (Z, "Asia/Tokyo")


def test_a_new_time_moves_the_delivery(cli: Posting) -> None:
    cli("add", "x", "--at", LATER)
    (delivery,) = cli.json("edit", "1", "--at", "2030-06-01 09:00")["deliveries"]
    instant = "2030-06-01T09:00:00Z"
    assert (delivery["id"], delivery["status"]) == (1, "scheduled")
    assert {delivery[name] for name in ("occurrence", "due_at", "next_attempt_at")} == {instant}


def test_a_time_that_has_passed_stays_where_it_is_not_given_anew(cli: Posting) -> None:
    cli("add", "x", "--at", "now")
    (delivery,) = cli.json("edit", "1", "y")["deliveries"]
    assert delivery["status"] == "scheduled"
    cli.account("work")
    said = cli.refused(2, "edit", "1", "--to", "me,work")
    assert "has passed, so it can't go to work" in said


def test_the_revision_rises_and_what_was_prepared_is_discarded(cli: Posting) -> None:
    cli("add", "x", "--at", LATER)
    cli.set_delivery(claim="token", claim_worker=1, claimed_at=1, claim_until=2**50, steps=[out(1)])
    cli("edit", "1", "y")
    assert revisions(cli) == [(1, "scheduled", 1)]
    assert cli.rows("SELECT claim, steps FROM deliveries") == [(None, None)]


@pytest.mark.parametrize("status", ["publishing", "confirming", "unconfirmed"])
def test_what_may_be_going_out_is_refused(cli: Posting, status: str) -> None:
    cli("add", "x", "--at", LATER)
    cli.set_delivery(status=status, steps=[out(1)])
    before = cli.json("show", "1")
    assert f"post 1 is {status} on me" in cli.refused(1, "edit", "1", "y")
    assert cli.json("show", "1") == before


def test_what_is_out_everywhere_is_refused(cli: Posting) -> None:
    cli("add", "x", "--at", "now")
    cli("publish-due")
    assert "nothing of it is still to go out" in cli.refused(1, "edit", "1", "y")
    assert "nothing of it is still to go out" in cli.refused(1, "edit", "1", "--draft")


def test_only_what_is_not_out_is_changed(cli: Posting) -> None:
    cli.account("work")
    cli("add", "x", "--to", "me,work", "--at", LATER)
    cli.set_delivery(1, status="published", next_at=None, steps=[out(1, "r1")], finished_at=1)
    post = cli.json("edit", "1", "y", "--at", "2030-06-01 09:00")
    assert [(d["status"], d["occurrence"]) for d in post["deliveries"]] == [
        ("published", Z), ("scheduled", "2030-06-01T09:00:00Z"),
    ]  # fmt: skip
    assert revisions(cli) == [(1, "published", 0), (2, "scheduled", 1)]


@pytest.mark.parametrize("status", ["failed", "missed"])
def test_failed_and_missed_stay_so_unless_there_is_a_new_time(cli: Posting, status: str) -> None:
    cli("add", "x", "--at", LATER)
    problem: dict[str, Any] = {"error_kind": "permanent", "error_message": "no"}
    cli.set_delivery(status=status, next_at=None, finished_at=1, attempts=2, **problem)
    (delivery,) = cli.json("edit", "1", "y")["deliveries"]
    assert (delivery["status"], delivery["next_attempt_at"]) == (status, None)
    assert revisions(cli) == [(1, status, 1)]
    (delivery,) = cli.json("edit", "1", "--in", "1h")["deliveries"]
    assert (delivery["status"], delivery["attempts"], delivery["error"]) == ("scheduled", 0, None)
    assert cli.json("history") == []


def test_retrying_goes_on_unless_there_is_a_new_time(cli: Posting) -> None:
    cli("add", "x", "--at", LATER)
    soon = datetime.now(UTC) + timedelta(hours=1)
    cli.set_delivery(status="retrying", attempts=2, due_at=micros(soon), next_at=micros(soon))
    (delivery,) = cli.json("edit", "1", "y")["deliveries"]
    assert (delivery["status"], delivery["attempts"]) == ("retrying", 2)
    assert delivery["next_attempt_at"].startswith(soon.isoformat()[:19])
    (delivery,) = cli.json("edit", "1", "--at", "2030-06-01 09:00")["deliveries"]
    assert (delivery["status"], delivery["attempts"]) == ("scheduled", 0)
    assert delivery["due_at"] == "2030-06-01T09:00:00Z"


@pytest.mark.parametrize("status", ["failed", "retrying", "cancelled"])
def test_the_rest_of_a_thread_must_fit_what_is_out(cli: Posting, status: str) -> None:
    cli.account("work")
    cli("add", "a", "--then", "b", "--to", "me,work", "--at", LATER)
    cli.set_delivery(1, status=status, next_at=None, steps=[out(1, "r1"), out(2)])
    assert "is out on me, and the rest must fit" in cli.refused(1, "edit", "1", "other")
    post = cli.json("edit", "1", "--tag", "t")
    assert post["tags"] == ["t"]
    assert revisions(cli) == [(1, status, 0), (2, "scheduled", 1)]


def test_an_account_that_leaves_and_comes_back(cli: Posting) -> None:
    cli.account("work")
    cli("add", "x", "--to", "me,work", "--at", LATER)
    assert [d["account"] for d in cli.json("edit", "1", "--to", "me")["deliveries"]] == ["me"]
    post = cli.json("edit", "1", "--to", "work,me")
    assert [(d["account"], d["status"]) for d in post["deliveries"]] == [
        ("me", "scheduled"), ("work", "scheduled"),
    ]  # fmt: skip
    assert post["accounts"] == ["work", "me"]


def test_what_was_tried_keeps_its_attempts_when_its_account_leaves(cli: Posting) -> None:
    cli.account("work")
    cli("add", "x", "--to", "me,work", "--at", LATER)
    cli.set_delivery(2, status="failed", attempts=3, next_at=None, finished_at=1)
    assert revisions(cli)[1] == (2, "failed", 0)
    post = cli.json("edit", "1", "--to", "me")
    assert [d["status"] for d in post["deliveries"]] == ["scheduled", "cancelled"]
    post = cli.json("edit", "1", "--to", "me,work")
    assert [d["status"] for d in post["deliveries"]] == ["scheduled", "scheduled"]
    assert revisions(cli)[1] == (2, "scheduled", 1)


def test_what_a_person_cancelled_stays_cancelled(cli: Posting) -> None:
    cli.account("work")
    cli("add", "x", "--to", "me,work", "--at", LATER)
    cli("cancel", "1", "--account", "work")
    post = cli.json("edit", "1", "y", "--at", "2030-06-01 09:00")
    assert [d["status"] for d in post["deliveries"]] == ["cancelled", "scheduled"]
    cli("cancel", "1")
    said = cli.refused(1, "edit", "1", "z")
    assert "it is cancelled" in said
    assert "postsched retry 1" in said


def test_a_draft_is_scheduled_by_a_time(cli: Posting) -> None:
    cli("add", "x", "--draft")
    assert cli.json("edit", "1", "y")["status"] == "draft"
    said = cli.refused(2, "edit", "1", "--no-draft")
    assert "it isn't said when" in said
    post = cli.json("edit", "1", "--at", LATER)
    assert (post["status"], post["deliveries"][0]["due_at"]) == ("scheduled", Z)


def test_a_draft_that_has_a_time_is_scheduled_by_saying_so(cli: Posting) -> None:
    cli("add", "x", "--draft", "--at", LATER)
    assert cli.json("edit", "1", "--no-draft")["deliveries"][0]["due_at"] == Z
    cli("add", "y", "--draft", "--in", "0s")
    assert "has passed" in cli.refused(2, "edit", "2", "--no-draft")
    post = cli.json("edit", "2", "--draft", "--at", LATER)
    assert (post["status"], post["schedule"]["at"]) == ("draft", Z)


def test_a_post_becomes_a_draft_and_comes_back(cli: Posting) -> None:
    cli("add", "x", "--at", LATER)
    post = cli.json("edit", "1", "--draft")
    assert (post["status"], post["deliveries"], post["schedule"]["at"]) == ("draft", [], Z)
    (made,) = cli.json("edit", "1", "--no-draft")["deliveries"]
    cli.set_delivery(made["id"], status="failed", attempts=1, next_at=None, finished_at=1)
    post = cli.json("edit", "1", "--draft")
    assert [d["status"] for d in post["deliveries"]] == ["cancelled"]
    post = cli.json("edit", "1", "--no-draft")
    assert [(d["id"], d["status"]) for d in post["deliveries"]] == [(made["id"], "scheduled")]


def test_an_account_has_one_delivery_however_often_the_time_changes(cli: Posting) -> None:
    cli("add", "x", "--at", LATER)
    cli.set_delivery(status="failed", attempts=1, next_at=None, finished_at=1)
    cli("edit", "1", "--draft")
    for instant in ("2030-06-01 09:00", LATER):
        (delivery,) = cli.json("edit", "1", "--at", instant)["deliveries"]
        assert (delivery["id"], delivery["status"]) == (1, "scheduled")
        assert delivery["due_at"][:10] == instant[:10]


def test_an_account_that_left_is_not_retried(cli: Posting) -> None:
    cli.account("work")
    cli("add", "x", "--to", "me,work", "--at", LATER)
    cli("cancel", "1")
    cli("retry", "1", "--account", "work")
    cli("edit", "1", "--to", "work")
    said = cli("retry", "1", code=1).err
    assert "nothing to retry" in said
    assert [d["status"] for d in cli.json("show", "1")["deliveries"]] == ["cancelled", "scheduled"]


def test_a_cancelled_draft_needs_a_time_to_come_back(cli: Posting) -> None:
    cli("add", "x", "--draft", "--at", LATER)
    assert cli.json("cancel", "1")[0]["status"] == "cancelled"
    assert "--at WHEN" in cli.refused(1, "edit", "1", "y")
    assert cli.json("edit", "1", "--at", "2030-06-01 09:00")["status"] == "scheduled"


def test_a_file_says_all_but_where_and_when(cli: Posting, tmp_path: Path) -> None:
    cli("add", "x", "--at", LATER, "--tag", "t", "--comment", "c", "--key", "k")
    file = tmp_path / "post.md"
    file.write_text("---\ntitle: New\n---\nfrom a file\n")
    post = cli.json("edit", "1", "--file", str(file))
    assert (post["text"], post["title"], post["comment"], post["tags"]) == (
        "from a file", "New", None, [],
    )  # fmt: skip
    assert (post["accounts"], post["schedule"]["at"], post["key"]) == (["me"], Z, "k")
    file.write_text("---\nat: 2030-06-01 09:00\ntz: Europe/Berlin\n---\nagain\n")
    post = cli.json("edit", "1", "--file", str(file), "--tag", "u")
    assert (post["schedule"]["at"], post["tags"]) == ("2030-06-01T07:00:00Z", ["u"])


def test_kept_media_need_no_file_any_more(cli: Posting, tmp_path: Path) -> None:
    path = tmp_path / "cat.png"
    path.write_bytes(png())
    cli("add", "x", "--at", LATER, "--media", str(path))
    path.unlink()
    post = cli.json("edit", "1", "y", "--alt", "A cat")
    assert (post["media"][0]["alt"], post["media"][0]["bytes"]) == ("A cat", len(png()))
    assert "there is no file" in cli.refused(2, "edit", "1", "--media", str(path))


def test_paused_posts_stay_paused(cli: Posting) -> None:
    cli("add", "x", "--at", LATER)
    cli("pause", "1")
    assert cli.json("edit", "1", "--at", "2030-06-01 09:00")["paused"] is True
    assert cli.rows("SELECT paused FROM deliveries") == [(1,)]


def test_a_key_can_be_given_later(cli: Posting) -> None:
    cli("add", "x", "--at", LATER)
    cli("edit", "1", "--key", "k")
    assert "belongs to post 1" in cli.refused(2, "add", "other", "--at", LATER, "--key", "k")


@pytest.mark.parametrize("way", [["--to", "work"], ["--draft"]])
def test_what_is_out_stays_out_once(cli: Posting, way: list[str]) -> None:
    cli.account("work")
    cli("add", "x", "--to", "me,work", "--at", LATER)
    cli.set_delivery(1, status="published", next_at=None, steps=[out(1, "r1")], finished_at=1)
    cli("edit", "1", *way)
    post = cli.json("edit", "1", "--to", "me,work", "--at", "2030-06-01 09:00")
    assert [(d["account"], d["status"]) for d in post["deliveries"]] == [
        ("me", "published"), ("work", "scheduled"),
    ]  # fmt: skip


def test_a_draft_is_not_sent_by_a_retry(cli: Posting) -> None:
    cli("add", "x", "--at", LATER)
    cli.set_delivery(status="failed", attempts=1, next_at=None, finished_at=1)
    cli("edit", "1", "--draft")
    assert "is a draft" in cli("retry", "1", code=1).err
    assert cli.json("show", "1")["deliveries"][0]["status"] == "cancelled"
