"""Limits of networks from the command line, over a strict loopback server that has a quota."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from postsched.testing.graph import TOKEN
from postsched.testing.threads import ThreadsServer
from tests.cli.calling import ROOT
from tests.cli.posting import Posting

QUOTA = 3


@pytest.fixture
def server() -> Iterator[ThreadsServer]:
    with ThreadsServer(quota=QUOTA) as server:
        yield server


@pytest.fixture
def threads(cli: Posting, server: ThreadsServer) -> Posting:
    """A person with an account on it, and five posts that are due."""
    cli.call.set(POSTSCHED_TOKEN_TH=TOKEN)
    words = ("account", "add", "th", "--platform", "threads", "--url", server.url)
    cli(*words)
    for n in range(5):
        cli("add", f"Hello {n}", "--to", "th", "--at", "now")
    return cli


def test_two_processes_share_a_quota(threads: Posting, server: ThreadsServer) -> None:
    """The network never has to refuse one."""
    threads.call.set(POSTSCHED_PLATFORMS_THREADS_RATE=f"{QUOTA}/24h")
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "postsched", "publish-due"]
    started = [
        subprocess.Popen(
            command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    said = [process.communicate(timeout=60) for process in started]
    assert [process.returncode for process in started] == [0, 0], said
    assert len(server.posts()) == QUOTA
    statuses = [one["deliveries"][0] for one in threads.json("list", "--all")]
    assert sorted((one["status"], one["attempts"]) for one in statuses) == [
        *[("published", 1)] * QUOTA, *[("scheduled", 0)] * 2,
    ]  # fmt: skip
    assert "2 due posts wait for th, until" in said[0][1] + said[1][1]
    again = threads("publish-due")
    assert again.out == "Nothing went out\n"
    assert "3 posts in 1 day are the most" in again.err
    assert len(server.posts()) == QUOTA


def test_what_waits_and_what_is_left_is_shown(threads: Posting) -> None:
    threads.call.set(POSTSCHED_PLATFORMS_THREADS_RATE=f"{QUOTA}/24h")
    now = datetime.now(UTC)
    answer = threads("publish-due", "--json")
    assert answer.json["published"] == QUOTA
    document = threads.json("status")
    (account,) = [one for one in document["accounts"] if one["name"] == "th"]
    until = datetime.fromisoformat(account["held_until"])
    assert timedelta(hours=23, minutes=59) < until - now < timedelta(hours=24, minutes=5)
    assert account["held_kind"] == "quota"
    assert account["limits"][0] == {
        "name": "posts in 1 day", "remaining": 0, "limit": QUOTA, "reset": None,
    }  # fmt: skip
    assert document["services"] == []
    page = threads("status").out
    assert "waits until " in page
    assert "left: 0 of 3 posts in 1 day" in page
    waiting = [one["id"] for one in threads.json("list") if one["status"] == "scheduled"]
    shown = threads("show", str(waiting[0])).out
    assert "  waits until " in shown
    assert shown.rstrip().endswith(": 3 posts in 1 day are the most")
    assert "3 posts in 1 day" in " ".join(threads("list").out.split())
    assert not threads("--quiet", "publish-due").err
    threads.call.set(POSTSCHED_PLATFORMS_THREADS_RATE="100/24h")  # another quota counts anew
    cron = threads("publish-due")
    assert cron.code == 0


def test_the_networks_own_word_holds_all_and_is_said(
    threads: Posting, server: ThreadsServer
) -> None:
    """Ours says 250 a day, the network 3: its refusal holds the others, and none is lost."""
    threads("publish-due")
    assert len(server.posts()) <= QUOTA
    statuses = {one["status"] for one in threads.json("list", "--all")}
    assert "failed" not in statuses
    (account,) = [one for one in threads.json("status")["accounts"] if one["name"] == "th"]
    assert account["held_kind"] == "rate_limit"


def test_of_two_counts_the_smaller_is_shown(cli: Posting, server: ThreadsServer) -> None:
    """Others post by the account, too: the network's own count leaves less than ours."""
    cli.call.set(POSTSCHED_TOKEN_TH=TOKEN)
    cli("account", "add", "th", "--platform", "threads", "--url", server.url)
    for n in range(QUOTA):
        cli("add", f"Hello {n}", "--to", "th", "--at", "now")
        cli("publish-due")
        assert f"left: {QUOTA - n - 1} of {QUOTA} posts in 1 day" in cli("status").out
    cli("add", "One more", "--to", "th", "--at", "now")
    cli("publish-due")
    (account,) = [one for one in cli.json("status")["accounts"] if one["name"] == "th"]
    assert account["held_reason"] == "no posts in 1 day left until then, says the network"
    (posts,) = [one for one in account["limits"] if one["name"] == "posts in 1 day"]
    assert (posts["remaining"], posts["limit"]) == (0, QUOTA)
    assert "247" not in cli("status").out


def test_a_server_that_does_not_answer(cli: Posting, server: ThreadsServer) -> None:
    cli.call.set(POSTSCHED_TOKEN_TH=TOKEN)
    cli("account", "add", "th", "--platform", "threads", "--url", server.url)
    for n in range(4):
        cli("add", f"Hello {n}", "--to", "th", "--at", "now")
    server.close()
    answer = cli("publish-due")
    assert "retrying" in answer.out
    (service,) = cli.json("status")["services"]
    assert (service["platform"], service["url"]) == ("threads", server.url)
    assert service["reason"].startswith("no answer 3 times in a row")
    assert f"service     threads {server.url}: no answer" in cli("status").out
