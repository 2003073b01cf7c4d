"""check: what it prints, its exit codes, and that it leaves everything as it is."""

from __future__ import annotations

import sys
from pathlib import Path

import keyring
import pytest

from tests.cli.calling import Caller
from tests.cli.posting import Posting
from tests.cli.terminal import OnTerminal
from tests.secrets.backends import Locked


def held(cli: Posting) -> None:
    """An account whose posts would not go out, for two reasons."""
    cli("add", "Hello", "--to", "me", "--at", "2030-01-01 09:00", "--tz", "UTC")
    cli("add", "Later", "--to", "me", "--at", "2030-01-02 09:00:30.5", "--tz", "UTC")
    with cli.database() as base:
        base.execute("UPDATE accounts SET paused = 1, state = 'login'")


def test_nothing_to_find(cli: Posting) -> None:
    assert cli("check").out == "0 posts with 0 deliveries looked at: no findings\n"
    cli("add", "Hello", "--to", "me", "--in", "1h")
    answer = cli("check")
    assert (answer.out, answer.err) == ("1 post with 1 delivery looked at: no findings\n", "")
    answer = cli("check", "1", "--json")
    assert answer.out == "[]\n"
    assert answer.err == "1 post with 1 delivery looked at: no findings\n"
    assert cli("-q", "check", "--json").err == ""


def test_one_line_for_each_finding_below_its_post(cli: Posting) -> None:
    cli.call.set(TZ="UTC")
    held(cli)
    lines = cli("check", code=1).out.splitlines()
    paused = "me (Outbox): it is paused. Release it: postsched resume --account me"
    again = "Log in again: postsched account set me --token-stdin"
    assert lines == [
        "Post 1",
        f"  2030-01-01 09:00  paused  {paused}",
        f"  2030-01-01 09:00  login   the login of me is refused, and its posts wait. {again}",
        "Post 2",
        f"  2030-01-02 09:00  paused  {paused}",
        f"  2030-01-02 09:00  login   the login of me is refused, and its posts wait. {again}",
        "2 posts with 2 deliveries looked at: 4 findings",
    ]
    assert cli("check", "2", code=1).out.splitlines()[0] == "Post 2"


def test_the_json(cli: Posting) -> None:
    held(cli)
    document = cli.json("check", "2", code=1)
    assert [one["check"] for one in document] == ["paused", "login"]
    assert document[0] == {
        "post_id": 2,
        "delivery_id": 2,
        "account": "me",
        "platform": "outbox",
        "due_at": "2030-01-02T09:00:30.5Z",
        "check": "paused",
        "field": None,
        "message": "me (Outbox): it is paused",
        "hint": "Release it: postsched resume --account me",
    }


def test_drafts(cli: Posting) -> None:
    cli("add", "Hello", "--to", "me", "--draft")
    with cli.database() as base:
        base.execute("UPDATE accounts SET platform = 'gone'")
    assert cli("check").out == "0 posts with 0 deliveries looked at: no findings\n"
    for words in (("--drafts",), ("1",)):
        answer = cli("check", *words, code=1)
        assert "  draft             platform  me: there is no platform 'gone'" in answer.out
        assert answer.out.endswith("1 post with 0 deliveries looked at: 1 finding\n")
    assert cli.json("check", "1", code=1)[0]["due_at"] is None


def test_a_kept_file_that_is_gone(cli: Posting, tmp_path: Path) -> None:
    picture = tmp_path / "note.txt"
    picture.write_text("Something to read")
    cli("add", "Hello", "--to", "me", "--in", "1h", "--media", str(picture), "--alt", "A note")
    (kept,) = (p for p in (cli.call.database.parent / "media").rglob("*") if p.is_file())
    kept.unlink()
    (found,) = cli.json("check", code=1)
    assert (found["check"], found["field"]) == ("media", "media")
    assert str(kept) in found["hint"]


def test_what_does_not_exist(cli: Posting) -> None:
    answer = cli("check", "7", code=3)
    assert answer.err.startswith("postsched: there is no post 7.")
    assert cli("check", "none", code=2).err.count("\n") == 1


@pytest.mark.sqlite
def test_no_database_is_made(call: Caller) -> None:
    """A name that is mistyped must not pass for a queue without faults."""
    answer = call("check")
    assert (answer.code, answer.out) == (4, "")
    assert answer.err.startswith("postsched: there is no database ")
    assert answer.err.count("\n") == 1
    assert not call.database.exists()


def test_no_keyring_is_opened(cli: Posting) -> None:
    """Also where an account needs a secret: it may ask a person, and CI has none."""
    cli("add", "Hello", "--to", "me", "--in", "1h")
    with cli.database() as base:
        base.execute("UPDATE accounts SET platform = 'mastodon'")
    keyring.set_keyring(Locked())  # type: ignore[no-untyped-call]  # keyring has no types
    assert cli("check").out.endswith("no findings\n")
    assert "is locked" in cli("doctor", code=1).out


@pytest.mark.slow
def test_colour_is_for_terminals(cli: Posting) -> None:
    held(cli)
    assert "\x1b" not in cli("check", code=1).out
    command = [sys.executable, "-m", "postsched", "check"]
    with OnTerminal(command, cli.call.environ(), 200, 30) as shown:
        assert shown.end() == 1
        shown.wait_for("4 findings")
        assert "\x1b[1mPost 1\x1b[0m" in shown.sent
