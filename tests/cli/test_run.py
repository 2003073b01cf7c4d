"""run: until nothing is left, until a signal, and what it says meanwhile."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from postsched.cli.aside import UNWRITTEN, Aside
from postsched.testing import Answer, Fault, FaultKind, MastodonServer
from postsched.testing.mastodon import TOKEN
from tests.cli.posting import Posting

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (.+)")


def said(err: str) -> list[str]:
    """The log lines without their times."""
    found = [LINE.fullmatch(line) for line in err.splitlines()]
    assert all(found), err
    return [match[1] for match in found if match]


class TestUntilIdle:
    """It ends when nothing is left to send."""

    def test_it_waits_for_what_is_scheduled(self, cli: Posting) -> None:
        cli("add", "One", "--at", "now")
        cli("add", "Two", "--in", "3s")
        answer = cli("run", "--until-idle")
        assert answer.out == ""
        lines = said(answer.err)
        assert re.fullmatch(r"running with .+(posts\.db|host=.+) \(process \d+\)", lines[0])
        assert lines[1].startswith("post 1: published on me")
        assert lines[2].startswith("post 2: published on me")
        assert lines[3:] == ["stopped: 2 published"]
        assert [post["status"] for post in cli.json("list")] == ["published", "published"]

    def test_nothing_to_do_ends_at_once(self, cli: Posting) -> None:
        assert said(cli("run", "--until-idle").err)[-1] == "stopped: nothing was due"

    def test_it_waits_for_retries_and_a_failure_is_1(self, cli: Posting) -> None:
        folder = cli.call.database.parent / "outbox" / "me"
        folder.rename(folder.with_name("away"))
        cli.call.set(POSTSCHED_ATTEMPTS="2", POSTSCHED_RETRY_DELAY="100ms")
        cli("add", "One", "--at", "now")
        lines = said(cli("run", "--until-idle", code=1).err)
        assert "retrying" in lines[1]
        assert lines[2].startswith("error: post 1: failed on me")
        assert lines[-1] == "stopped: 1 failed"

    def test_what_a_person_holds_does_not_keep_it(self, cli: Posting) -> None:
        cli("account", "add", "work", "--platform", "outbox")
        cli("add", "Held", "--to", "me", "--at", "now")
        cli("add", "Held too", "--to", "work", "--in", "1h")
        cli("add", "Goes", "--to", "me", "--at", "now")
        cli("pause", "1")
        cli("pause", "--account", "work")
        answer = cli("run", "--until-idle")
        assert "stopped: 1 published" in answer.err
        assert "2 deliveries are paused and stay" in answer.err

    def test_a_refused_login_does_not_keep_it_and_is_1(self, cli: Posting) -> None:
        with MastodonServer() as server:
            words = ("account", "add", "toot", "--platform", "mastodon", "--url", server.url)
            cli(*words, "--token-stdin", stdin=TOKEN)
            refusal = Fault(FaultKind.ANSWER, Answer(401, {"error": "The token was revoked"}))
            server.program_publishing(refusal, count=None)
            cli("add", "One", "--to", "toot", "--at", "now")
            answer = cli("run", "--until-idle", code=1)
        assert "its posts wait" in answer.err
        assert "1 due post waits for toot, which is held" in answer.err

    def test_it_waits_for_an_answer_that_was_lost(self, cli: Posting) -> None:
        with MastodonServer() as server:
            words = ("account", "add", "toot", "--platform", "mastodon", "--url", server.url)
            cli(*words, "--token-stdin", stdin=TOKEN)
            server.program_publishing(Fault(FaultKind.RESET_AFTER))
            cli("add", "One", "--to", "toot", "--at", "now")
            answer = cli("run", "--until-idle")
            assert "confirming" in answer.err
            assert len(server.posts()) == 1
        assert said(answer.err)[-1] == "stopped: 1 published"


@contextmanager
def daemon(cli: Posting, *options: str) -> Iterator[subprocess.Popen[str]]:
    """`postsched run` as a process, up and listening."""
    command = [sys.executable, "-m", "postsched", "run", *options]
    with subprocess.Popen(
        command, env=cli.call.environ(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert "running with" in process.stderr.readline()
        try:
            yield process
        finally:
            process.kill()


def wait_for(process: subprocess.Popen[str], word: str) -> str:
    """Read stderr until a line has that word; the line."""
    assert process.stderr is not None
    for line in process.stderr:
        if word in line:
            return line
    raise AssertionError(f"{word} was never said")


class TestDaemon:
    """The process."""

    @pytest.mark.parametrize(
        "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)]
    )
    def test_a_signal_ends_it_in_order(self, cli: Posting, number: int) -> None:
        cli("add", "Later", "--in", "1h")
        with daemon(cli) as process:
            process.send_signal(number)
            out, err = process.communicate(timeout=30)
        assert process.returncode == 0
        assert out == ""
        assert said(err) == ["stopped: nothing was due"]
        assert cli.json("status")["daemon"]["running"] is False

    def test_what_is_in_flight_is_waited_for(self, cli: Posting) -> None:
        with MastodonServer() as server:
            words = ("account", "add", "toot", "--platform", "mastodon", "--url", server.url)
            cli.call.set(POSTSCHED_TOKEN_TOOT=TOKEN)
            cli(*words)
            server.program_publishing(Fault(FaultKind.DELAY, seconds=1.0))
            with daemon(cli) as process:
                cli("add", "One", "--to", "toot", "--at", "now")
                deadline = time.monotonic() + 30
                while not server.published_requests():
                    assert time.monotonic() < deadline
                process.terminate()
                _, err = process.communicate(timeout=30)
            assert process.returncode == 0
            assert said(err)[-1] == "stopped: 1 published"

    def test_what_others_do_is_noticed_at_once(self, cli: Posting) -> None:
        with daemon(cli) as process:
            cli("add", "One", "--at", "now")
            assert "published on me" in wait_for(process, "post 1")
            cli("add", "Two", "--in", "1h")
            cli("edit", "2", "--at", "now")
            assert "published on me" in wait_for(process, "post 2")

    def test_log_lines_as_json(self, cli: Posting) -> None:
        cli("add", "One", "--at", "now")
        answer = cli("run", "--until-idle", "--log-format", "json")
        lines = [json.loads(line) for line in answer.err.splitlines()]
        (published,) = [line for line in lines if line.get("status") == "published"]
        assert published.keys() == {
            "time", "level", "message", "post", "delivery", "account", "status", "lateness_ms",
            "url",
        }  # fmt: skip
        assert (published["post"], published["account"]) == (1, "me")

    def test_quiet_says_only_what_is_wrong(self, cli: Posting) -> None:
        cli("add", "One", "--at", "now")
        assert cli("-q", "run", "--until-idle").err == ""

    def test_wrong_options_are_refused(self, cli: Posting) -> None:
        assert "text or json" in cli.refused(2, "run", "--log-format", "xml")
        assert "--concurrency" in cli.refused(2, "run", "--concurrency", "0")


class TestAside:
    """Log lines never wait for their reader."""

    def test_a_reader_that_reads_nothing_holds_up_nothing(self) -> None:
        reading, writing = os.pipe()
        with os.fdopen(writing, "w") as stream, os.fdopen(reading, "rb") as reader:
            aside = Aside(stream, logging.Formatter("%(message)s"))
            started = time.monotonic()
            for number in range(UNWRITTEN + 5000):
                aside.emit(record(f"line {number} " + "x" * 80))
            assert time.monotonic() - started < 10
            lines = (reader.readline().decode() for _ in range(10**6))
            last = next(line for line in lines if "left out" in line)
            aside.finish()
        assert int(last.split()[0]) > 1000

    def test_a_reader_that_is_gone_is_no_error(self) -> None:
        reading, writing = os.pipe()
        os.close(reading)
        with os.fdopen(writing, "w") as stream:
            aside = Aside(stream, logging.Formatter("%(message)s"))
            aside.emit(record("nobody hears this"))
            aside.finish()

    def test_all_is_written_in_order(self) -> None:
        reading, writing = os.pipe()
        with os.fdopen(reading) as reader:
            with os.fdopen(writing, "w", encoding="ascii") as stream:
                aside = Aside(stream, logging.Formatter("%(message)s"))
                for number in range(100):
                    aside.emit(record(f"{number} é"))
                aside.finish()
            assert reader.read().split("\n")[:-1] == [f"{number} ?" for number in range(100)]


def record(message: str) -> logging.LogRecord:
    return logging.LogRecord("postsched", logging.INFO, "", 0, message, None, None)
