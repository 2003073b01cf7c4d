"""publish-due: what cron calls."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest

from postsched.testing import Answer, Fault, FaultKind, MastodonServer
from postsched.testing.mastodon import TOKEN
from tests.cli.posting import Posting
from tests.secrets import backends

COUNTS = {"published", "failed", "retrying", "confirming", "unconfirmed", "missed"}


@pytest.fixture
def server() -> Iterator[MastodonServer]:
    """A Mastodon on loopback."""
    with MastodonServer() as server:
        yield server


@pytest.fixture
def toots(cli: Posting, server: MastodonServer) -> Posting:
    """The same person, with an account on it."""
    words = ("account", "add", "toot", "--platform", "mastodon", "--url", server.url)
    cli(*words, "--token-stdin", stdin=TOKEN)
    return cli


def unplug(cli: Posting) -> Path:
    """Take the folder of the account away; where it is now."""
    folder = cli.call.database.parent / "outbox" / "me"
    return folder.rename(folder.with_name("away"))


def test_the_database_is_one_file_afterwards(cli: Posting) -> None:
    """Which may be copied, as a workflow in CI does."""
    for words in (["publish-due"], ["run", "--until-idle", "--no-live"]):
        cli("add", "Hello", "--at", "now")
        cli(*words)
        assert not list(cli.call.database.parent.glob("*-wal"))


def test_nothing_due_is_no_failure(cli: Posting) -> None:
    cli("add", "Later", "--in", "1h")
    assert cli("publish-due").out == "Nothing was due\n"
    assert cli("-q", "publish-due").out == ""
    assert cli.json("publish-due") == {**dict.fromkeys(COUNTS, 0), "deliveries": []}
    assert cli("publish-due").err == ""


@pytest.mark.parametrize("command", ["publish-due", "run --until-idle", "list", "status"])
def test_a_database_that_was_not_there_is_told_of_once(cli: Posting, command: str) -> None:
    elsewhere = cli.call.home / "mistyped.db"
    words = ("--quiet", "--db", str(elsewhere), *command.split())
    warning = f"postsched: warning: there was no database {elsewhere}: an empty one was made\n"
    assert warning in cli(*words).err
    assert cli(*words).err == ""


def test_what_is_due_goes_out_once(cli: Posting) -> None:
    cli("add", "One", "--at", "now")
    cli("add", "Two", "--then", "parts", "--at", "now")
    cli("add", "Later", "--in", "1h")
    document = cli.json("publish-due")
    assert {word: document[word] for word in COUNTS} == {**dict.fromkeys(COUNTS, 0), "published": 2}
    assert sorted(one["post_id"] for one in document["deliveries"]) == [1, 2]
    assert all(one["url"] and one["lateness_ms"] >= 0 for one in document["deliveries"])
    assert cli.json("publish-due")["published"] == 0
    folder = cli.call.database.parent / "outbox" / "me" / "posts"
    assert len(list(folder.iterdir())) == 3


def test_a_line_of_log_for_each(cli: Posting) -> None:
    cli("add", "One", "--at", "now")
    answer = cli("publish-due")
    assert answer.out == "1 published\n"
    assert re.search(r"post 1: published on me, \S.* after it was due, file:", answer.err)
    cli("add", "Two", "--at", "now")
    assert cli("-q", "publish-due").err == ""


def test_what_is_retried_later_is_no_failure(cli: Posting) -> None:
    away = unplug(cli)
    cli("add", "One", "--at", "now")
    answer = cli("publish-due")
    assert answer.out == "1 retrying\n"
    assert "is gone" in answer.err
    away.rename(away.with_name("me"))
    assert cli("publish-due").out == "Nothing was due\n", "its time has not come yet"


def test_a_failure_is_1(cli: Posting) -> None:
    unplug(cli)
    cli.call.set(POSTSCHED_ATTEMPTS="1")
    cli("add", "One", "--at", "now")
    document = cli.json("publish-due", code=1)
    assert document["failed"] == 1
    assert document["deliveries"][0]["error"]["kind"] == "transient"


@pytest.mark.parametrize(("missed", "code"), [("ask", 1), ("skip", 0)])
def test_what_is_past_its_grace_is_missed(cli: Posting, missed: str, code: int) -> None:
    cli("add", "One", "--in", "10ms", "--grace", "10ms", "--missed", missed)
    due = time.monotonic() + 0.03
    while time.monotonic() < due:
        pass
    answer = cli("publish-due", "--json", code=code)
    assert answer.json["missed"] == 1
    assert "post 1: missed on me, it could not go out within its grace" in answer.err
    assert cli.json("publish-due")["missed"] == 0
    for command in ("history", "list", "show 1"):
        assert "within its grace" in cli(*command.split()).out


def test_what_is_past_its_grace_is_missed_also_while_its_login_is_refused(cli: Posting) -> None:
    cli("add", "Hello", "--at", "now", "--grace", "1s")
    with cli.database() as base:
        base.execute("UPDATE accounts SET state = 'login', state_message = 'Log in again'")
        base.execute("UPDATE deliveries SET grace_until = 1")
    assert cli("publish-due", code=1).out == "1 missed\n"
    (delivery,) = cli.json("show", "1")["deliveries"]
    assert delivery["status"] == "missed"
    assert delivery["error"]["message"] == "Log in again"


def test_a_refused_login_holds_the_posts_and_says_so(
    toots: Posting, server: MastodonServer
) -> None:
    refusal = Fault(FaultKind.ANSWER, Answer(401, {"error": "The access token was revoked"}))
    server.program_publishing(refusal, count=None)
    toots("add", "One", "--to", "toot", "--at", "now")
    answer = toots("publish-due", code=1)
    assert "1 due post waits for toot, which is held" in answer.err
    assert answer.out == "Nothing went out\n"
    assert "again at" not in answer.err
    assert "revoked" in answer.err
    answer = toots("publish-due", code=1)
    assert "1 due post waits" in answer.err
    assert not server.posts()
    server.faults.clear()
    toots("account", "set", "toot", "--token-stdin", stdin=TOKEN)
    assert toots("publish-due").out == "1 published\n"
    assert len(server.posts()) == 1


def test_a_secret_that_cant_be_read_is_4(toots: Posting, server: MastodonServer) -> None:
    toots("add", "One", "--to", "toot", "--at", "now")
    keyring.set_keyring(backends.Missing())  # type: ignore[no-untyped-call]  # has no types
    answer = toots("-q", "publish-due", code=4)
    assert "1 due post waits for toot: there is no keyring" in answer.err
    assert "set POSTSCHED_TOKEN_TOOT" in answer.err
    assert answer.err.count("\n") == 1
    toots.call.set(POSTSCHED_TOKEN_TOOT=TOKEN)
    assert toots("publish-due").out == "1 published\n"
    assert len(server.posts()) == 1


@pytest.mark.sqlite
def test_an_engine_that_fails_is_loud(cli: Posting) -> None:
    cli("add", "One", "--at", "now")
    with cli.database() as base:  # what is out can't be written down
        base.execute("CREATE TRIGGER full BEFORE INSERT ON attempts BEGIN "
                     "SELECT RAISE(ABORT, 'no room'); END")  # fmt: skip
    answer = cli("-q", "publish-due", code=1)
    assert "delivery 1: the engine failed" in answer.err
    assert "bug" not in answer.err


def test_an_answer_that_was_lost_is_settled_by_the_next(
    toots: Posting, server: MastodonServer
) -> None:
    server.program_publishing(Fault(FaultKind.RESET_AFTER))
    toots("add", "One", "--to", "toot", "--at", "now")
    assert toots.json("publish-due")["confirming"] == 1
    toots.set_delivery(next_at=0)
    assert toots.json("publish-due")["published"] == 1
    (post,) = server.posts()
    assert "answer lost" in (page := toots("show", "1").out)
    assert f"{post.remote_id} (sent again with the same key)" in page


def test_beside_itself_everything_goes_out_once(cli: Posting) -> None:
    rows = "".join(f"Post {n},me,now\n" for n in range(40))
    cli("import", "-", "--format", "csv", stdin=f"text,to,at\n{rows}")
    command = [sys.executable, "-m", "postsched", "-q", "publish-due"]
    processes = [subprocess.Popen(command, env=cli.call.environ()) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert cli.rows("SELECT status, attempts, count(*) FROM deliveries GROUP BY 1, 2") == [
        ("published", 1, 40)
    ]
    folder = cli.call.database.parent / "outbox" / "me" / "posts"
    assert len(list(folder.iterdir())) == 40
