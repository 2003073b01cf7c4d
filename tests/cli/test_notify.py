"""Failures are loud: told by every way that is set, by whatever process, and after a crash."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from postsched.testing import Answer, Fault, FaultKind, MastodonServer
from postsched.testing.mastodon import TOKEN
from tests.cli.calling import ROOT
from tests.cli.posting import Posting
from tests.servers.receiver import SECRET, Receiver, killed_while_telling, verified

LONG_AGO = "UPDATE deliveries SET grace_until = 1"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        yield server


@pytest.fixture
def heard(cli: Posting, receiver: Receiver, tmp_path: Path) -> Callable[[], list[str]]:
    """The person has a webhook, a command and a heartbeat; the types the command was told."""
    place = tmp_path / "heard"
    hook = tmp_path / "hook"
    hook.write_text(f'#!/bin/sh\necho "$POSTSCHED_EVENT_TYPE" >> {place}\nenv >> {place}.env\n')
    hook.chmod(0o700)
    cli.call.set(
        POSTSCHED_WEBHOOK_URL=f"{receiver.url}/hook",
        POSTSCHED_WEBHOOK_SECRET=SECRET,
        POSTSCHED_NOTIFY_COMMAND=str(hook),
        POSTSCHED_NOTIFY_HEARTBEAT_URL=f"{receiver.url}/beat-of-mine",
        POSTSCHED_ALLOW_PRIVATE_ADDRESSES="true",
    )
    return lambda: place.read_text().split() if place.exists() else []


def missed(cli: Posting) -> None:
    """A post that is past its grace."""
    cli("add", "Hello", "--at", "now")
    with cli.database() as base:
        base.execute(LONG_AGO)


def test_what_publish_due_finds_is_told_when_it_has_sent(
    cli: Posting, receiver: Receiver, heard: Callable[[], list[str]]
) -> None:
    missed(cli)
    cli("add", "World", "--at", "now")
    assert cli("publish-due", code=1).out == "1 published, 1 missed\n"
    told = verified(receiver.at("/hook"))
    assert sorted(body["type"] for body in told) == ["missed", "published"]
    document = cli.json("show", "1")["deliveries"][0]
    (data,) = (body["data"] for body in told if body["type"] == "missed")
    del data["parts"], document["parts"]  # of what was never begun no parts are laid out
    assert data == {name: document[name] for name in data}
    assert heard() == ["missed"]
    assert len(receiver.at("/beat-of-mine")) == 1
    cli("publish-due")
    assert len(receiver.at("/hook")) == 2
    assert len(receiver.at("/beat-of-mine")) == 2
    (held,) = [found for found in cli.json("doctor", code=0) if found["check"] == "webhook"]
    assert held["state"] == "ok"


def test_a_command_gets_no_secret_of_ours(
    cli: Posting, heard: Callable[[], list[str]], tmp_path: Path
) -> None:
    cli.call.set(POSTSCHED_TOKEN_ME="t0ken", POSTSCHED_PASSPHRASE="passw0rd")
    missed(cli)
    cli("publish-due", code=1)
    assert heard() == ["missed"]
    environ = (tmp_path / "heard.env").read_text()
    assert "POSTSCHED_EVENT_ACCOUNT=me" in environ
    for secret in (SECRET, "t0ken", "passw0rd", "beat-of-mine", "/hook\n"):
        assert secret not in environ.replace(f"{tmp_path}/hook", ""), secret


def test_events_are_chosen(
    cli: Posting, receiver: Receiver, heard: Callable[[], list[str]]
) -> None:
    cli.call.set(POSTSCHED_NOTIFY_EVENTS="failed", POSTSCHED_WEBHOOK_EVENTS="published, missed")
    missed(cli)
    cli("publish-due", code=1)
    assert (len(receiver.at("/hook")), heard()) == (1, [])
    cli.call.set(POSTSCHED_NOTIFY_EVENTS="faled")
    said = cli.refused(2, "publish-due")
    assert "there is no event faled. Did you mean failed?" in said


@pytest.mark.slow
def test_a_failing_post_is_told_by_the_daemon(
    cli: Posting, receiver: Receiver, heard: Callable[[], list[str]]
) -> None:
    with MastodonServer() as server:
        words = ("account", "add", "toot", "--platform", "mastodon", "--url", server.url)
        cli(*words, "--token-stdin", stdin=TOKEN)
        server.program_publishing(Fault(FaultKind.ANSWER, Answer(422, {"error": "No"})))
        cli("add", "Hello", "--to", "toot", "--at", "now")
        cli("run", "--until-idle", "--no-live", code=1)
    (body,) = verified(receiver.at("/hook"))
    assert (body["type"], body["data"]["account"]) == ("failed", "toot")
    assert body["data"]["error"]["http_status"] == 422
    assert heard() == ["failed"]
    assert receiver.at("/beat-of-mine")


def test_what_a_command_finds_is_told_by_the_next_process(
    cli: Posting, receiver: Receiver, heard: Callable[[], list[str]]
) -> None:
    cli("add", "Hello", "--in", "1h")
    cli("pause", "1")
    with cli.database() as base:
        base.execute(LONG_AGO)
    assert "1" in cli("resume", "1").out
    assert (receiver.requests, heard()) == ([], [])
    cli("publish-due")
    assert (len(verified(receiver.at("/hook"))), heard()) == (1, ["missed"])


def test_what_can_not_be_told_is_loud_and_doctor_knows(
    cli: Posting, receiver: Receiver, heard: Callable[[], list[str]]
) -> None:
    cli.call.set(POSTSCHED_WEBHOOK_URL=f"{receiver.url}/answer/410")
    missed(cli)
    err = cli("publish-due", code=1).err
    assert "me could not be told of missed, given up: the webhook answers 410" in err
    found = [one for one in cli.json("doctor", code=1) if one["check"] == "webhook"]
    assert found[-1]["state"] == "problem"
    assert (
        "1 event of the last days could not be told: the webhook answers 410"
        in (found[-1]["message"])
    )


def test_doctor_looks_at_each_way_and_shows_no_address(cli: Posting) -> None:
    cli.call.set(
        POSTSCHED_WEBHOOK_URL="http://localhost:1/s3cretword",
        POSTSCHED_NOTIFY_COMMAND="/nowhere/hook.sh --loud",
        POSTSCHED_NOTIFY_HEARTBEAT_URL="http://example.com/s3cretword",
    )
    answer = cli("doctor", "--json", code=1)
    said = {f["message"]: f["state"] for f in answer.json if f["check"] in
            ("webhook", "notify", "heartbeat")}  # fmt: skip
    assert said == {
        "the command /nowhere/hook.sh of [notify] can't be found or started": "problem",
        "there is no secret to sign webhooks with, so none is sent": "problem",
        "the address of the webhook is on this machine, which is not called": "problem",
        "the address of the heartbeat is not https: others can read along": "warning",
    }
    cli.call.set(POSTSCHED_WEBHOOK_SECRET="whsec_s3cretword")
    answer = cli("-vv", "doctor", "--json", code=1)
    assert "the secret of the webhook is none" in answer.out
    assert "s3cretword" not in answer.out + answer.err


@pytest.mark.slow
def test_doctor_asks_apprise_about_targets_and_they_stay_hidden(
    cli: Posting, receiver: Receiver
) -> None:
    pytest.importorskip("apprise", reason="apprise is not installed")
    host = receiver.url.removeprefix("http://")
    cli.call.set(POSTSCHED_NOTIFY_TARGETS=f"json://{host}/s3cretword nowhere://s3cretword")
    answer = cli("-vv", "doctor", "--json", code=1)
    assert "target 2 (nowhere://…): apprise knows no such address" in answer.out
    tried = cli("-vv", "notify", "test", code=1)
    assert "ok     target 1 (json://…)" in tried.out
    assert "failed target 2 (nowhere://…)" in tried.out
    assert len(receiver.at("/s3cretword")) == 1
    missed(cli)
    due = cli("-vv", "publish-due", code=1)
    assert len(receiver.at("/s3cretword")) == 2
    for one in (answer, tried, due):
        assert "s3cretword" not in one.out + one.err


def test_the_example_is_one(cli: Posting) -> None:
    example = ROOT / "examples" / "notify.toml"
    found = cli("--config", str(example), "doctor", "--json", code=1).json
    assert not [one for one in found if one["check"] == "settings" and one["state"] != "ok"]
    assert "on-failure.sh" in str(found)


class TestTrying:
    """notify test."""

    def test_each_way_says_how_it_went(
        self, cli: Posting, receiver: Receiver, heard: Callable[[], list[str]]
    ) -> None:
        assert cli.json("notify", "test") == [
            {"way": way, "state": "ok", "error": None}
            for way in ("webhook", "command", "heartbeat")
        ]
        assert heard() == ["test"]
        (body,) = verified(receiver.at("/hook"))
        assert body["type"] == "test"
        cli.call.set(POSTSCHED_WEBHOOK_URL=f"{receiver.url}/answer/500")
        answer = cli("notify", "test", code=1)
        assert answer.out == (
            "failed webhook    the webhook answers 500\n"
            "ok     command    told\n"
            "ok     heartbeat  told\n"
        )

    def test_with_nothing_set_it_says_what_to_set(self, cli: Posting) -> None:
        assert "[notify]" in cli.refused(2, "notify", "test")

    def test_internal_addresses_are_not_called(
        self, cli: Posting, receiver: Receiver, heard: Callable[[], list[str]]
    ) -> None:
        cli.call.set(POSTSCHED_ALLOW_PRIVATE_ADDRESSES="false")
        answer = cli.json("notify", "test", code=1)
        errors = {one["way"]: one["error"] or "" for one in answer}
        assert "allow_private_addresses" in errors["webhook"]
        assert "allow_private_addresses" in errors["heartbeat"]
        assert not receiver.requests


class TestSecret:
    """notify secret."""

    def test_a_new_one_is_kept_and_signs(self, cli: Posting, receiver: Receiver) -> None:
        cli.call.set(
            POSTSCHED_WEBHOOK_URL=f"{receiver.url}/hook", POSTSCHED_ALLOW_PRIVATE_ADDRESSES="true"
        )
        assert "postsched notify secret" in cli("notify", "test", code=1).out
        secret = cli("notify", "secret").out.strip()
        cli("notify", "test")
        verified(receiver.at("/hook"), secret)
        assert "--force" in cli.refused(1, "notify", "secret")
        other = cli("notify", "secret", "--force").out.strip()
        assert other != secret
        given = cli("notify", "secret", "--secret-stdin", "--force", stdin=SECRET)
        assert SECRET not in given.out + given.err
        cli("notify", "test")
        verified(receiver.at("/hook")[-1:])

    def test_what_is_none_is_refused(self, cli: Posting) -> None:
        said = cli.refused(2, "notify", "secret", "--secret-stdin", stdin="s3cretword")
        assert "s3cretword" not in said
        cli.call.set(POSTSCHED_WEBHOOK_SECRET=SECRET)
        assert "POSTSCHED_WEBHOOK_SECRET" in cli.refused(4, "notify", "secret")


@pytest.mark.slow
def test_killed_before_it_could_tell_the_next_process_tells(
    cli: Posting, receiver: Receiver, heard: Callable[[], list[str]]
) -> None:
    """kill -9 while the receiver does not answer: what was settled is told again in the end."""
    receiver.program(Fault(FaultKind.HANG), "POST")
    missed(cli)
    killed_while_telling(receiver, cli.call.environ())
    assert cli.json("show", "1")["deliveries"][0]["status"] == "missed"
    cli("publish-due")
    assert len(receiver.at("/hook")) == 1, "what a process holds is left to it for a while"
    with cli.database() as base:  # a while later
        base.execute("UPDATE notifications SET claim_until = 1 WHERE claim IS NOT NULL")
    cli("publish-due")
    bodies = verified(receiver.at("/hook"))
    assert [body["type"] for body in bodies] == ["missed", "missed"]
    (uid,) = {one.headers["webhook-id"] for one in receiver.at("/hook")}
    assert uid.startswith("msg_")
    assert json.loads(receiver.at("/hook")[0].body) == bodies[1]


@pytest.mark.slow
def test_the_daemon_tells_what_another_process_has_found(
    cli: Posting, receiver: Receiver, heard: Callable[[], list[str]]
) -> None:
    cli("add", "Hello", "--in", "1h")
    cli("pause", "1")
    words = [sys.executable, "-m", "postsched", "run", "--no-live"]
    process = subprocess.Popen(
        words, env=cli.call.environ(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )

    def wait_for(condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    try:
        wait_for(lambda: receiver.at("/beat-of-mine"))
        with cli.database() as base:
            base.execute(LONG_AGO)
        cli("resume", "1")
        wait_for(lambda: receiver.at("/hook"))
        wait_for(lambda: heard() == ["missed"])
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait(10)
