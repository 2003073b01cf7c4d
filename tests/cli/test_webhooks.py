"""Callbacks of posts, and webhook list, replay and test; signatures are verified by the library of
the convention's authors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from postsched.domain.secret import Secret
from postsched.notify import webhook
from postsched.testing import Fault, FaultKind
from tests.cli.posting import Posting
from tests.servers.receiver import SECRET, Receiver, killed_while_telling, verified

LATER = "2030-05-01 09:00"
HELD = "UPDATE notifications SET claim_until = 1 WHERE claim IS NOT NULL"
SOON = "UPDATE notifications SET next_at = 1 WHERE next_at IS NOT NULL"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        yield server


@pytest.fixture
def signing(cli: Posting) -> Posting:
    """The person has a secret, and no webhook; internal addresses are called."""
    cli.call.set(POSTSCHED_WEBHOOK_SECRET=SECRET, POSTSCHED_ALLOW_PRIVATE_ADDRESSES="true")
    return cli


def test_a_post_tells_what_became_of_it_and_only_then(signing: Posting, receiver: Receiver) -> None:
    cli, url = signing, f"{receiver.url}/hook?token=s3cret"
    post = cli.json("add", "Hello", "--at", "now", "--callback", url)
    assert post["callback"] == url
    cli("add", "World", "--at", "now")
    cli("publish-due")
    (body,) = verified(receiver.requests)
    document = cli.json("show", "1")["deliveries"][0]
    assert body["type"] == "published"
    assert body["data"] == {name: document[name] for name in body["data"]}
    (hook,) = cli.json("webhook", "list")
    (uid,) = {one.headers["webhook-id"] for one in receiver.requests}
    assert (hook["state"], hook["answer"], hook["attempts"], hook["post_id"]) == (
        "delivered", 200, 1, 1,
    )  # fmt: skip
    assert (hook["webhook_id"], hook["kind"], hook["error"]) == (uid, "callback", None)
    assert hook["url"] == f"{receiver.url}/…"
    answer = cli("-vv", "webhook", "list")
    assert "delivered" in answer.out
    assert "s3cret" not in answer.out + answer.err
    assert cli.json("webhook", "list", "--failed") == []


def test_what_is_no_callback_is_refused(cli: Posting, tmp_path: Path) -> None:
    fine = "https://hooks.example/p"
    said = cli.refused(2, "add", "x", "--at", LATER, "--callback", fine)
    assert "postsched notify secret" in said
    file = tmp_path / "posts.jsonl"
    file.write_text(json.dumps({"text": "x", "to": "me", "at": LATER, "callback": fine}))
    (bad,) = cli.json("import", str(file), code=1)["errors"]
    assert bad["field"] == "callback"
    cli.call.set(POSTSCHED_WEBHOOK_SECRET="whsec_nonsense")
    assert "none: whsec_" in cli.refused(2, "add", "x", "--at", LATER, "--callback", fine)
    cli.call.set(POSTSCHED_WEBHOOK_SECRET=SECRET)
    for url, words in {
        "": "is empty", "hooks.example": "no address", "ftp://hooks.example/": "no address",
        "https:///x": "no address", "https://hooks.example:0/": "no address",
        "https://[::1/": "no address", "https://hooks.example/ä": "no address",
        "https://me:pw@hooks.example/": "a login", "https://hooks.example\\@10.0.0.1/": "a login",
        "http://hooks.example/": "not https", "https://x.example/" + "x" * 2000: "2000 characters",
        "https://127.0.0.1/": "this machine", "https://127.1/": "this machine",
        "https://2130706433/": "this machine", "https://0x7f.0.0.1/": "this machine",
        "https://017700000001/": "this machine", "https://localhost:8/": "this machine",
        "https://[::ffff:10.0.0.1]/": "this machine", "https://[64:ff9b::a00:1]/": "this machine",
        "https://[fd00::1]/": "this machine", "https://169.254.169.254/": "this machine",
        "https://0.0.0.0/": "this machine", "https://db.internal/": "this machine",
    }.items():  # fmt: skip
        said = cli.refused(2, "add", "x", "--at", LATER, "--callback", url)
        assert words in said, url
        assert "pw" not in said
    cli("preview", "x", "--at", LATER, "--callback", fine)
    assert cli.count("posts") == 0


def test_it_goes_with_the_post_and_can_be_taken_away(signing: Posting, tmp_path: Path) -> None:
    cli = signing
    cli("add", "Hello", "--at", LATER, "--callback", "https://a.example/x")
    (row,) = cli("export", "--format", "jsonl").out.splitlines()
    assert json.loads(row)["callback"] == "https://a.example/x"
    for form in ("jsonl", "csv", "md"):
        file = tmp_path / f"posts.{form}"
        file.write_text(cli("export", "--format", form).out)
        known = cli.json("import", str(file))
        assert (known["added"], known["known"]) == (0, 1) or form == "md", form
    assert cli.json("edit", "1", "--callback", "")["callback"] is None
    assert (
        cli.json("edit", "1", "--callback", "https://b.example/")["callback"][-10:] == "b.example/"
    )
    assert cli.json("edit", "1", "--no-callback")["callback"] is None
    assert cli.json("edit", "1", "--tag", "a", "--callback", "https://b.example/")["tags"] == ["a"]


def test_each_end_is_told(signing: Posting, receiver: Receiver) -> None:
    """Missed, cancelled, and each occurrence of a series."""
    cli, to = signing, ("--callback", f"{receiver.url}/hook")
    cli("add", "Missed", "--at", "now", *to)
    with cli.database() as base:
        base.execute("UPDATE deliveries SET grace_until = 1")
    cli("add", "Cancelled", "--at", LATER, *to)
    cli("cancel", "2")
    cli("add", "Series", "--repeat", "daily", "--at", LATER, *to)
    cli("cancel", "3", "--occurrence", LATER)
    cli("publish-due", code=1)
    said = [(body["type"], body["data"]["post_id"]) for body in verified(receiver.requests)]
    assert sorted(said) == [("cancelled", 2), ("cancelled", 3), ("missed", 1)]
    cli("retry", "1")
    cli("publish-due")
    assert verified(receiver.requests)[-1]["type"] == "published"


def test_what_is_not_taken_waits_and_is_given_up_loudly(
    signing: Posting, receiver: Receiver
) -> None:
    cli = signing
    for path in ("answer/500", "answer/410", "away"):
        cli("add", path, "--at", "now", "--callback", f"{receiver.url}/{path}")
    receiver.program(Fault(FaultKind.RESET), "POST", "/hook")
    cli("add", "reset", "--at", "now", "--callback", f"{receiver.url}/hook")
    err = cli("publish-due").err
    assert "could not be told of published, given up: the webhook answers 410" in err
    hooks = {one["post_id"]: one for one in cli.json("webhook", "list", "--failed")}
    assert {n: (one["state"], one["answer"]) for n, one in hooks.items()} == {
        1: ("retrying", 500), 2: ("failed", 410), 3: ("retrying", 307), 4: ("retrying", None),
    }  # fmt: skip
    assert len(receiver.at("/hook")) == 1, "a redirect was followed"
    found = [one for one in cli.json("doctor", code=1) if one["check"] == "callback"]
    assert [one["state"] for one in found] == ["problem", "warning"]
    assert "1 event of the last days could not be told" in found[0]["message"]
    with cli.database() as base:
        base.execute(SOON)
    cli("publish-due")
    (body,) = verified(receiver.at("/hook")[1:])
    assert body["data"]["post_id"] == 4


def test_internal_addresses_are_not_called_whatever_was_taken(
    signing: Posting, receiver: Receiver
) -> None:
    cli = signing
    cli("add", "x", "--at", "now", "--callback", f"{receiver.url}/hook")
    cli.call.set(POSTSCHED_ALLOW_PRIVATE_ADDRESSES="false")
    cli("publish-due")
    (hook,) = cli.json("webhook", "list", "--failed")
    assert "not a public address" in hook["error"]
    assert "this machine" in cli.refused(2, "webhook", "test", f"{receiver.url}/hook")
    assert not receiver.requests


class TestReplay:
    """webhook replay."""

    def test_it_is_the_same_under_the_same_id(self, signing: Posting, receiver: Receiver) -> None:
        cli = signing
        cli("add", "x", "--at", "now", "--callback", f"{receiver.url}/hook")
        cli("publish-due")
        (hook,) = cli.json("webhook", "replay", "1")
        assert (hook["state"], hook["attempts"]) == ("delivered", 1)
        first, second = receiver.requests
        assert first.body == second.body
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        verified(receiver.requests)
        receiver.program(Fault(FaultKind.RESET))
        answer = cli("webhook", "replay", "1", "1", code=1)
        assert "retrying" in answer.out
        assert cli.json("webhook", "list")[0]["state"] == "retrying"
        assert "webhook list" in cli.refused(3, "webhook", "replay", "1", "99")
        assert len(receiver.requests) == 3

    def test_one_of_the_settings_needs_them(self, signing: Posting, receiver: Receiver) -> None:
        cli = signing
        cli.call.set(POSTSCHED_WEBHOOK_URL=f"{receiver.url}/hook")
        cli("add", "x", "--at", "now")
        cli("publish-due")
        assert cli.json("webhook", "list")[0]["kind"] == "webhook"
        cli("webhook", "replay", "1")
        assert len(receiver.requests) == 2
        cli.call.set(POSTSCHED_WEBHOOK_URL="")
        assert "has no address any more" in cli("webhook", "replay", "1", code=1).err
        with cli.database() as base:
            base.execute("UPDATE notifications SET claim = 'other.1', next_at = 1, claim_until = 1")
        assert "is being sent" in cli("webhook", "replay", "1", code=1).err

    def test_one_that_was_overheard_is_refused_by_the_library(self, receiver: Receiver) -> None:
        library = pytest.importorskip("standardwebhooks", reason="it is not installed")
        key, body = webhook.key_of(Secret(SECRET)), b'{"type":"published"}'
        now = datetime.now(UTC)
        old = webhook.headers(key, "msg_1", now - timedelta(minutes=6), body)
        with pytest.raises(library.WebhookVerificationError, match="too old"):
            library.Webhook(SECRET).verify(body, dict(old))
        fresh = str(int(now.timestamp()))
        with pytest.raises(library.WebhookVerificationError, match="No matching signature"):
            library.Webhook(SECRET).verify(body, {**old, "webhook-timestamp": fresh})


def test_trying_an_address(signing: Posting, receiver: Receiver) -> None:
    cli = signing
    assert "set url below [webhook]" in cli.refused(2, "webhook", "test")
    found = cli.json("webhook", "test", f"{receiver.url}/hook")
    assert (found["state"], found["answer"], found["said"]) == ("ok", 200, "{}")
    (body,) = verified(receiver.requests)
    assert body["type"] == "test"
    cli.call.set(POSTSCHED_WEBHOOK_URL=f"{receiver.url}/answer/404")
    answer = cli("webhook", "test", code=1)
    assert answer.out.startswith("failed  the webhook answers 404, after ")
    assert cli.json("webhook", "list") == [], "nothing is kept of it"
    cli.call.set(POSTSCHED_WEBHOOK_SECRET="")
    cli.refused(2, "webhook", "test", f"{receiver.url}/hook")


@pytest.mark.slow
def test_killed_after_it_was_written_it_is_told_by_the_next(
    signing: Posting, receiver: Receiver
) -> None:
    """kill -9 between the commit and the telling, and while it is told: under the same id."""
    cli = signing
    receiver.program(Fault(FaultKind.HANG), "POST")
    cli("add", "x", "--at", "now", "--callback", f"{receiver.url}/hook")
    killed_while_telling(receiver, cli.call.environ())
    assert cli.json("show", "1")["status"] == "published"
    assert cli.json("webhook", "list")[0]["state"] == "sending"
    with cli.database() as base:  # a while later
        base.execute(HELD)
    cli("publish-due")
    assert [body["type"] for body in verified(receiver.at("/hook"))] == ["published"] * 2
    assert len({one.headers["webhook-id"] for one in receiver.at("/hook")}) == 1
    assert cli.json("webhook", "list")[0]["state"] == "delivered"


@pytest.mark.slow
def test_the_daemon_tells_without_any_settings(signing: Posting, receiver: Receiver) -> None:
    cli = signing
    cli("add", "x", "--in", "1s", "--callback", f"{receiver.url}/hook")
    cli("run", "--until-idle", "--no-live")
    bodies = verified(receiver.requests)  # more than one, where its end came in between
    assert {body["data"]["status"] for body in bodies} == {"published"}
    assert len({one.headers["webhook-id"] for one in receiver.requests}) == 1
