"""add: what it writes and says, and what it refuses."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from postsched.testing import MastodonServer
from postsched.testing.mastodon import TOKEN
from postsched.testing.picture import png
from tests.cli.posting import Posting

LATER = "2030-05-01 09:00"

POST = {
    "id", "status", "paused", "text", "parts", "comment", "media", "link", "title", "variants",
    "tags", "visibility", "warning", "lang", "missed", "grace", "callback", "priority", "key",
    "accounts", "created_at", "updated_at", "deliveries", "schedule",
}  # fmt: skip
SCHEDULE = {
    "kind", "at", "tz", "rule", "times", "on", "except", "from", "until", "count", "next",
}  # fmt: skip
DELIVERY = {
    "id", "post_id", "account", "platform", "occurrence", "due_at", "status", "attempts",
    "next_attempt_at", "published_at", "lateness_ms", "remote_id", "url", "parts", "error",
}  # fmt: skip


def picture(folder: Path, name: str = "cat.png") -> str:
    path = folder / name
    path.write_bytes(png())
    return str(path)


def test_the_json_of_a_post_has_every_member(cli: Posting) -> None:
    cli.account("work")
    post = cli.json(
        "add", "Hello", "--to", "me,work", "--at", LATER, "--tz", "Europe/Berlin",
        "--comment", "first", "--link", "https://example.org/x", "--title", "T",
        "--for", "work=Hello, colleagues", "--tag", "a,b", "--visibility", "unlisted",
        "--warning", "cats", "--lang", "en", "--missed", "skip", "--grace", "2h",
        "--priority", "3", "--key", "k1", "--then", "second",
    )  # fmt: skip
    assert post.keys() == POST
    assert post["schedule"].keys() == SCHEDULE
    assert [delivery.keys() for delivery in post["deliveries"]] == [DELIVERY, DELIVERY]
    instant = "2030-05-01T07:00:00Z"
    assert post["schedule"] == {
        "kind": "once", "at": instant, "tz": "Europe/Berlin", "rule": None, "times": [],
        "on": [], "except": [], "from": None, "until": None, "count": None, "next": [instant],
    }  # fmt: skip
    told = {name: post[name] for name in POST - {"created_at", "updated_at", "deliveries"}}
    told.pop("schedule")
    assert told == {
        "id": 1, "status": "scheduled", "paused": False, "text": "Hello",
        "parts": [{"text": "Hello", "media": []}, {"text": "second", "media": []}],
        "comment": "first", "media": [], "link": "https://example.org/x", "title": "T",
        "variants": {"work": "Hello, colleagues"}, "tags": ["a", "b"], "visibility": "unlisted",
        "warning": "cats", "lang": "en", "missed": "skip", "grace": "2h", "callback": None,
        "priority": 3, "key": "k1", "accounts": ["me", "work"],
    }  # fmt: skip
    first = post["deliveries"][0]
    assert first | {"parts": None} == {
        "id": 1, "post_id": 1, "account": "me", "platform": "outbox", "occurrence": instant,
        "due_at": instant, "status": "scheduled", "attempts": 0, "next_attempt_at": instant,
        "published_at": None, "lateness_ms": None, "remote_id": None, "url": None, "parts": None,
        "error": None,
    }  # fmt: skip
    assert [(part["n"], part["role"], part["status"]) for part in first["parts"]] == [
        (1, "part", "scheduled"), (2, "part", "scheduled"), (1, "comment", "scheduled"),
    ]  # fmt: skip
    written = datetime.fromisoformat(post["created_at"])
    assert written.tzinfo == UTC
    assert post["created_at"].endswith("Z")
    assert cli.json("show", "1") | {"deliveries": None} == post | {"deliveries": None}


def test_the_answer_repeats_the_time_with_zone_and_distance(cli: Posting) -> None:
    said = cli("add", "Hello", "--at", LATER, "--tz", "Europe/Berlin").out
    assert "Post 1: Wed 1 May 2030, 09:00 CEST, in " in said
    assert "days, to me" in said
    cli.call.set(POSTSCHED_TIMEZONE="Asia/Tokyo")
    assert "09:00 JST" in cli("add", "Hello", "--at", LATER).out
    assert "in 2 hours, to me" in cli("add", "Hello", "--in", "2h").out


def test_a_time_that_the_clocks_skip_is_said(cli: Posting) -> None:
    answer = cli("add", "x", "--at", "2030-03-31 02:30", "--tz", "Europe/Berlin")
    assert "03:30 CEST" in answer.out
    assert "note: " in answer.err
    assert "skipped by a clock change" in answer.err


@pytest.mark.parametrize(
    ("length", "seconds"),
    [("90s", 90), ("1h30m", 5400), ("1.5d", 129_600), ("0.5ms", 0.0005), ("1d", 86_400), ("0s", 0)],
)
def test_in_takes_every_duration_to_the_microsecond(
    cli: Posting, length: str, seconds: float
) -> None:
    before = datetime.now(UTC)
    post = cli.json("add", "x", "--in", length)
    instant = datetime.fromisoformat(post["schedule"]["at"])
    waited = (instant - before).total_seconds()
    assert seconds <= waited < seconds + 5


def test_the_only_account_needs_no_name(cli: Posting) -> None:
    assert cli.json("add", "x", "--at", LATER)["accounts"] == ["me"]
    cli.account("work")
    said = cli.refused(2, "add", "x", "--at", LATER)
    assert "which account" in said
    assert "--to" in said


def test_groups_and_names_given_twice_are_sent_to_once(cli: Posting) -> None:
    cli.account("work")
    cli("account", "group", "team", "work", "me")
    post = cli.json("add", "x", "--to", "team,me", "--to", "work", "--to", " me ", "--at", LATER)
    assert sorted(post["accounts"]) == ["me", "work"]
    assert len(post["deliveries"]) == 2


REFUSED: tuple[tuple[list[str], int, str], ...] = (
    (["x", "--at", LATER, "--to", "mee"], 3, "Did you mean me?"),
    (["x", "--at", LATER, "--to", "my account"], 3, "'my account'"),
    (["x", "--at", LATER, "--to", ""], 2, "--to is empty"),
    (["x", "--at", LATER, "--to", " , "], 2, "--to is empty"),
    (["x"], 2, "--at WHEN, --in DURATION or --slot, or --draft"),
    (["x", "--at", ""], 2, "--at is empty"),
    (["x", "--at", "2020-01-01 09:00"], 2, "is past: Wed 1 Jan 2020, 09:00 UTC"),
    (["x", "--at", "gestern"], 2, "not understood"),
    (["x", "--at", "2030-05-01"], 2, "day without a time"),
    (["x", "--at", LATER, "--in", "2h"], 2, "--at and --in"),
    (["x", "--in", "soon"], 2, "no duration"),
    (["x", "--in", ""], 2, "no duration"),
    (["x", "--in", "-1h"], 2, "no duration"),
    (["x", "--at", LATER, "--tz", "Mars/Base"], 2, "no time zone"),
    (["x", "--at", LATER, "--tz", ""], 2, "--tz is empty"),
    (["", "--at", LATER], 2, "me (Outbox): the text is empty"),
    (["  \n ", "--at", LATER], 2, "empty"),
    (["--at", LATER], 2, "there is no text"),
    (["x", "--at", LATER, "--alt", "a cat"], 2, "1 --alt for 0 media"),
    (["x", "--at", LATER, "--media", "nowhere.png"], 2, "there is no file"),
    (["x", "--at", LATER, "--media", ""], 2, "--media is empty"),
    (["x", "--at", LATER, "--media", "."], 2, "is a folder"),
    (["x", "--at", LATER, "--media", "https://"], 2, "no web address"),
    (["x", "--at", LATER, "--media", "file:///etc/passwd"], 2, "https://, or the path of a file"),
    (["x", "--at", LATER, "--media", "http://169.254.169.254/a.png"], 2, "no network can fetch"),
    (["x", "--at", LATER, "--link", "example.org"], 2, "no web address"),
    (["x", "--at", LATER, "--link", "https://[::1/a"], 2, "no web address"),
    (["x", "--at", LATER, "--media", "https://a.example:99999/b"], 2, "no web address"),
    (["x", "--at", LATER, "--for", "work=Hi"], 2, "does not go there"),
    (["x", "--at", LATER, "--for", "me"], 2, "KEY=VALUE"),
    (["x", "--at", LATER, "--for", "me="], 2, "--for me is empty"),
    (["x", "--at", LATER, "--for", "me=a", "--for", "me=b"], 2, "--for me is there twice"),
    (["x", "--at", LATER, "--visibility", "secret"], 2, "public, unlisted, followers or"),
    (["x", "--at", LATER, "--missed", "never"], 2, "ask, skip or late"),
    (["x", "--at", LATER, "--grace", "long"], 2, "grace"),
    (["x", "--at", LATER, "--lang", "x"], 2, "language code"),
    (["x", "--at", LATER, "--comment", ""], 2, "--comment is empty"),
    (["x", "--at", LATER, "--key", " "], 2, "--key is empty"),
    (["x", "--at", LATER, "--key", "k" * 201], 2, "1 to 200 characters"),
    (["x", "--at", LATER, "--priority", "9" * 20], 2, "--priority"),
    (["x", "--at", LATER, "--priority", "-9999999999"], 2, "--priority"),
    (["x", "--at", LATER, "--priority", "high"], 2, "--priority"),
    (["x", "--at", LATER, "--file", "nowhere.md"], 2, "--file"),
    (["--at", LATER, "--file", "nowhere.md"], 2, "nowhere.md can't be read"),
    (["x\udcff", "--at", LATER], 2, "lone surrogate"),
    (["x", "--at", LATER, "--tag", "a\udcff"], 2, "no proper text"),
    (["x", "--at", LATER, "--key", "a\udcff"], 2, "no proper text"),
    (["x" * 1_000_001, "--at", LATER], 2, "1,000,000 characters"),
)


def test_bad_input_is_refused_in_one_line_and_nothing_is_written(cli: Posting) -> None:
    for words, code, said in REFUSED:
        assert said in cli.refused(code, "add", *words), words
    assert cli.count("posts") == 0


def test_without_an_account_the_hint_is_to_add_one(call: Any) -> None:
    call("add", "x", "--at", LATER).refused(2, "postsched account add")
    call("add", "x", "--at", LATER, "--to", "me").refused(3, "postsched account add me --platform")


def test_text_from_stdin(cli: Posting) -> None:
    text = "First\r\nline\n---\nSecond\n\n\\---\n"
    post = cli.json("add", "-", "--at", LATER, stdin=text)
    assert [part["text"] for part in post["parts"]] == ["First\nline", "Second\n\n---"]
    assert "not UTF-8" in cli.refused(2, "add", "-", "--at", LATER, stdin=b"\xff\xfe")
    assert "too large" in cli.refused(2, "add", "-", "--at", LATER, stdin=b"x" * 4_000_001)
    assert "empty" in cli.refused(2, "add", "-", "--at", LATER, stdin=b"\n")


def test_a_file_with_front_matter_and_options_over_it(cli: Posting, tmp_path: Path) -> None:
    folder = tmp_path / "my posts"
    folder.mkdir()
    picture(folder)
    file = folder / "a post.md"
    file.write_text(
        "---\nat: 2030-05-01 09:00\ntz: Europe/Berlin\npriority: 5\ntags: a, b\n"
        "media:\n- path: cat.png\n  alt: A cat\n---\n\nHello\n---\nsecond\n"
    )
    post = cli.json("add", "--file", str(file), "--priority", "0", "--tag", "c")
    assert [part["text"] for part in post["parts"]] == ["Hello", "second"]
    assert (post["priority"], post["tags"]) == (0, ["c"])
    assert post["schedule"]["at"] == "2030-05-01T07:00:00Z"
    (medium,) = post["media"]
    assert medium == {
        "path": str(folder / "cat.png"), "alt": "A cat", "type": "image/png", "bytes": len(png()),
    }  # fmt: skip
    said = cli.json("add", "--file", "-", stdin="---\nat: 2030-05-01 09:00\n---\nfrom stdin")
    assert said["text"] == "from stdin"


def test_a_bad_file_is_one_line_that_names_it(cli: Posting, tmp_path: Path) -> None:
    file = tmp_path / "post.md"
    for content in (b"---\nat: [\n---\nx", b"---\ntext: x\n", b"\xff\xfe", b"---\nfoo: 1\n---\nx"):
        file.write_bytes(content)
        assert "post.md" in cli.refused(2, "add", "--file", str(file), "--at", LATER)
    assert cli.count("posts") == 0


def test_media_are_kept_and_may_change_afterwards(cli: Posting, tmp_path: Path) -> None:
    path = picture(tmp_path)
    post = cli.json("add", "x", "--at", LATER, "--media", path, "--alt", "A cat")
    assert post["media"][0]["alt"] == "A cat"
    Path(path).unlink()
    kept = [file for file in (cli.call.database.parent / "media").rglob("*") if file.is_file()]
    assert [file.read_bytes() for file in kept] == [png()]


def test_media_may_be_addresses(cli: Posting) -> None:
    post = cli.json("add", "x", "--at", LATER, "--media", "HTTPS://example.org/cat.png")
    assert post["media"] == [
        {"url": "HTTPS://example.org/cat.png", "alt": None, "type": None, "bytes": None}
    ]


def test_media_that_are_not_what_their_name_says(cli: Posting, tmp_path: Path) -> None:
    path = tmp_path / "cat.jpg"
    path.write_bytes(png())
    said = cli.refused(2, "add", "x", "--at", LATER, "--media", str(path))
    assert "is not what its name says" in said
    (tmp_path / "empty.png").touch()
    assert "is empty" in cli.refused(
        2, "add", "x", "--at", LATER, "--media", str(tmp_path / "empty.png")
    )
    assert "2 --alt for 1 media" in cli.refused(
        2, "add", "x", "--at", LATER, "--media", picture(tmp_path), "--alt", "a", "--alt", "b"
    )


def test_a_key_adds_once(cli: Posting) -> None:
    first = cli.json("add", "Hello", "--in", "2h", "--key", "k")
    assert cli.json("add", "Hello", "--in", "2h", "--key", "k") == first
    assert "there already" in cli("add", "Hello", "--in", "120m", "--key", "k").out
    assert "Post 1 is there" in cli("add", "Hello", "--in", "2h", "--key", "k", "--dry-run").out
    said = cli.refused(2, "add", "Other", "--in", "2h", "--key", "k")
    assert "belongs to post 1" in said
    assert cli.count("posts") == 1


def test_a_key_is_looked_up_before_the_time_is_judged(cli: Posting) -> None:
    words = ("add", "Hello", "--at", "2030-05-01 09:00", "--key", "k")
    cli(*words)
    past = datetime(2020, 1, 1, tzinfo=UTC)
    cli.set_delivery(occurrence=int(past.timestamp() * 1e6))
    with cli.database() as base:
        base.execute("UPDATE schedules SET at = '2020-01-01T09:00:00+00:00'")
    assert cli.json(*words)["id"] == 1


def test_a_key_stands_for_what_was_added_with_it_whatever_became_of_that(cli: Posting) -> None:
    words = ("add", "Hello", "--in", "2h", "--key", "k")
    cli(*words)
    cli("edit", "1", "Hello, edited")
    assert cli.json(*words)["text"] == "Hello, edited"
    assert "belongs to post 1" in cli.refused(2, "add", "Hello, edited", "--in", "2h", "--key", "k")


def test_a_draft(cli: Posting) -> None:
    post = cli.json("add", "Later", "--draft")
    assert (post["status"], post["deliveries"], post["schedule"]["at"]) == ("draft", [], None)
    assert post["schedule"]["next"] == []
    said = cli("add", "Later", "--draft", "--at", LATER).out
    assert said.startswith("Post 2: a draft for me, Wed 1 May 2030")
    assert cli.json("show", "2")["schedule"]["at"] == "2030-05-01T09:00:00Z"
    assert "past" in cli.refused(2, "add", "x", "--draft", "--at", "2020-01-01 09:00")


def test_a_dry_run_writes_nothing(cli: Posting, tmp_path: Path) -> None:
    words = ("add", "Hello", "--at", LATER, "--dry-run")
    assert cli(*words).out.startswith("Would add: Wed 1 May 2030, 09:00 UTC, in ")
    post = cli.json(*words, "--media", picture(tmp_path), "--comment", "c")
    assert post.keys() == POST
    assert (post["id"], post["media"][0]["type"]) == (None, "image/png")
    (delivery,) = post["deliveries"]
    assert delivery.keys() == DELIVERY
    assert (delivery["id"], delivery["account"], delivery["status"]) == (None, "me", "scheduled")
    assert "there is no file" in cli.refused(2, *words, "--media", "nowhere.png")
    series = cli.json(*words, "--repeat", "daily")["schedule"]
    assert series["next"] == [f"2030-05-{day:02}T09:00:00Z" for day in range(1, 11)]
    assert cli.count("posts") == 0
    assert not (cli.call.database.parent / "media").exists()


def test_a_link_that_others_can_not_open_is_noted(cli: Posting) -> None:
    link = ("x", "--to", "me", "--link", "http://192.168.0.7/x")
    assert "note: only this machine or its network can reach" in cli("add", *link, "--draft").err
    assert "its network can reach 'http://192.168.0.7/x'" in " ".join(
        cli("preview", *link).out.split()
    )
    assert "can reach" not in cli("add", *link[:4], "https://example.org", "--draft").err


def test_what_takes_long_is_shown_on_a_terminal_only(
    cli: Posting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("postsched.cli.progress.AT_FILES", 0.001)
    picture = tmp_path / "a.png"
    picture.write_bytes(png())
    words = ("x", "--to", "me", "--media", str(picture))
    shown = cli.call.terminal("add", *words, "--draft")
    assert "\rmaking a file ready, " in shown.err
    assert shown.err.split("\r")[-2].isspace()
    assert "\rmaking a file ready, " in cli.call.terminal("preview", *words).err
    assert "ready" not in cli.call.terminal("-q", "add", *words, "--draft").err
    assert "ready" not in cli("add", *words, "--draft").err


def test_quiet_says_no_notes(cli: Posting) -> None:
    words = ("add", "x", "--at", "2030-03-31 02:30", "--tz", "Europe/Berlin")
    assert not cli("-q", *words).err


def test_grace_of_nothing_and_of_a_century(cli: Posting) -> None:
    assert cli.json("add", "x", "--at", LATER, "--grace", "0s")["grace"] == "0s"
    assert cli.json("add", "x", "--at", "9998-06-01 09:00", "--grace", "36525d")["id"] == 2


def test_limits_are_said_for_each_account_on_one_line(cli: Posting) -> None:
    with MastodonServer() as server, MastodonServer(flavour="gotosocial") as other:
        for name, url in (("masto", server.url), ("goto", other.url)):
            cli.call.set(**{f"POSTSCHED_TOKEN_{name.upper()}": TOKEN})
            cli("account", "add", name, "--platform", "mastodon", "--url", url)
    text = "x" * 5001
    said = cli.refused(2, "add", text, "--to", "me,masto,goto", "--at", LATER)
    assert "masto (Mastodon): the text has 5,001 " in said
    assert "4,501 more than the 500 allowed" in said
    assert "goto (" in said
    assert "1 more than the 5,000 allowed" in said
    assert "me (" not in said
    said = cli.refused(2, "add", "a", "--to", "masto", "--at", LATER, "--then", "y" * 501)
    assert "part 2 has 501 " in said
    answer = cli("add", text, "--to", "masto", "--draft")
    assert "note: masto (Mastodon): the text has 5,001 " in answer.err
    assert "5,001" in cli.refused(2, "edit", "1", "--at", LATER)
    assert "5,001" in cli.refused(2, "edit", "1", "--text", "z" * 5001, "--no-draft", "--at", LATER)
    assert (
        cli.json("add", text, "--to", "me,masto", "--for", "masto=short", "--at", LATER)["id"] == 2
    )
