"""Threads from the command line, over a strict loopback server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from postsched.testing import Answer, Fault, FaultKind
from postsched.testing.graph import APP_ID, APP_SECRET, DAY, TOKEN
from postsched.testing.picture import png
from postsched.testing.threads import USERNAME, ThreadsServer
from tests.cli.calling import Caller
from tests.cli.logins import Door
from tests.cli.posting import Posting

pytestmark = pytest.mark.slow
"""The crash matrix and the contract of adapters go through the same in the gate."""

PICTURE = "https://media.example/a.jpg"


@pytest.fixture
def server() -> Iterator[ThreadsServer]:
    with ThreadsServer() as server:
        yield server


@pytest.fixture
def threads(cli: Posting, server: ThreadsServer) -> Posting:
    """The same person, with an account on it."""
    add(cli, server)
    return cli


def add(cli: Posting, server: ThreadsServer, secret: str = TOKEN) -> str:
    """Add the account; what was said."""
    words = ("account", "add", "th", "--platform", "threads", "--url", server.url, "--token-stdin")
    return cli(*words, stdin=secret).out


def test_an_internal_address_is_passed_on_only_where_that_is_set(threads: Posting) -> None:
    words = ("Look", "--media", "http://192.168.0.7/a.jpg", "--to", "th")
    assert "no network can fetch" in threads.refused(2, "preview", *words)
    assert "no network can fetch" in threads.refused(2, "add", *words, "--in", "1h")
    threads.call.set(POSTSCHED_ALLOW_PRIVATE_ADDRESSES="true")
    threads("preview", *words)
    threads("add", *words, "--in", "1h")


def test_a_thread_with_pictures_and_a_comment(threads: Posting, server: ThreadsServer) -> None:
    threads(
        "add", "One #tag", "--then", "Two", "--comment", "More", "--media", PICTURE, "--alt", "A",
        "--media", "https://media.example/b.mp4", "--alt", "B", "--to", "th", "--at", "now",
    )  # fmt: skip
    threads("publish-due")
    one, two, comment = server.posts()
    post = threads.json("show", "1")
    (delivery,) = post["deliveries"]
    assert post["status"] == "published"
    assert delivery["remote_id"] == one.remote_id
    assert delivery["url"] == f"https://www.threads.net/@{USERNAME}/post/C{one.remote_id}"
    assert [one.text, two.text, comment.text] == ["One #tag", "Two", "More"]
    assert (one.alts, two.parent, comment.parent) == (("A", "B"), one.remote_id, one.remote_id)
    assert server.ledger[0]["media_type"] == "CAROUSEL"
    threads("delete", "1", "--yes")
    assert not server.posts()


def test_the_link_is_a_card(threads: Posting, server: ThreadsServer) -> None:
    threads("add", "Look", "--link", "https://a.example/", "--to", "th", "--at", "now")
    threads("publish-due")
    assert server.ledger[0]["link_attachment"] == "https://a.example/"


@pytest.mark.slow
def test_everything_is_made_ahead_of_time(threads: Posting, server: ThreadsServer) -> None:
    """At the instant itself there is one request."""
    threads("add", "Later", "--to", "th", "--in", "4s")
    (delivery,) = threads.json("show", "1")["deliveries"]
    due = datetime.fromisoformat(delivery["due_at"])
    threads("run", "--until-idle", "--no-live")
    (publishing,) = server.published_requests()
    made = [r for r in server.requests if r.path == "/v1.0/me/threads"]
    at = datetime.fromtimestamp(publishing.at / 10**9, UTC)
    assert len(made) == 1
    assert made[0].at / 10**9 < due.timestamp() - 1
    assert timedelta(0) <= at - due < timedelta(seconds=1)


def test_what_can_not_be_is_refused_when_it_is_written(
    threads: Posting, server: ThreadsServer, tmp_path: Path
) -> None:
    picture = tmp_path / "square.png"
    picture.write_bytes(png())
    words = ("add", "Hello", "--to", "th", "--at", "now")
    said = threads.refused(2, *words, "--media", str(picture))
    assert "fetches media itself" in said
    assert "public address" in said
    assert "501 characters" in threads.refused(2, "add", "x" * 497 + "👍", "--to", "th", "--at",
                                               "now")  # fmt: skip
    links = " ".join(f"https://{n}.example" for n in range(6))
    assert "6 different links" in threads.refused(2, "add", links, "--to", "th", "--at", "now")
    threads.refused(2, *words, "--visibility", "followers")
    threads.refused(2, *words, "--warning", "Careful")
    assert not [r for r in server.requests if r.method == "POST"]


def test_an_address_that_can_not_be_fetched(threads: Posting, server: ThreadsServer) -> None:
    threads("add", "Hello", "--media", "https://media.example/missing.jpg", "--to", "th", "--at",
            "now")  # fmt: skip
    threads("publish-due", code=1)
    (delivery,) = threads.json("show", "1")["deliveries"]
    assert (delivery["status"], delivery["error"]["kind"]) == ("failed", "invalid")
    assert "public" in delivery["error"]["hint"]
    assert not server.posts()


def test_a_used_up_quota_moves_the_post(threads: Posting, server: ThreadsServer) -> None:
    server.quota = 0
    threads("add", "Hello", "--to", "th", "--at", "now")
    threads("publish-due")
    (delivery,) = threads.json("show", "1")["deliveries"]
    later = datetime.fromisoformat(delivery["next_attempt_at"]) - datetime.now(UTC)
    assert (delivery["status"], delivery["attempts"]) == ("retrying", 0)
    assert delivery["error"]["kind"] == "rate_limit"
    assert timedelta(minutes=55) < later < timedelta(minutes=65)


def test_no_token_is_said_or_written_where_it_stands_in_addresses(
    cli: Posting, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    with ThreadsServer(bearer="no") as server:
        add(cli, server)
        cli("add", "Hello", "--to", "th", "--at", "now")
        said = cli("-vv", "publish-due")
        assert [r for r in server.requests if r.query.get("access_token") == TOKEN]
    assert TOKEN not in said.out + said.err + caplog.text + cli("show", "1", "--json").out


def test_a_token_is_renewed_once_a_week(cli: Posting, server: ThreadsServer) -> None:
    end = datetime.now(UTC) + timedelta(days=50)
    secret = {"access_token": TOKEN, "expires_at": end.isoformat()}
    add(cli, server, json.dumps(secret))
    cli("add", "Hello", "--to", "th", "--at", "now")
    cli("publish-due")
    cli("add", "Again", "--to", "th", "--at", "now")
    cli("publish-due")
    assert len([r for r in server.requests if r.path == "/refresh_access_token"]) == 1
    (account,) = (one for one in cli.json("account", "list") if one["name"] == "th")
    left = datetime.fromisoformat(account["token_expires_at"]) - datetime.now(UTC)
    assert left > timedelta(days=59)
    assert len(server.posts()) == 2


def test_a_token_of_the_environment_is_never_renewed(cli: Posting, server: ThreadsServer) -> None:
    end = datetime.now(UTC) + timedelta(days=50)
    secret = json.dumps({"access_token": TOKEN, "expires_at": end.isoformat()})
    cli.call.set(POSTSCHED_TOKEN_TH=secret)
    cli("account", "add", "th", "--platform", "threads", "--url", server.url)
    cli("add", "Hello", "--to", "th", "--at", "now")
    cli("publish-due")
    assert len(server.posts()) == 1
    assert not [r for r in server.requests if r.path == "/refresh_access_token"]


@pytest.mark.parametrize("whole", [True, False], ids=["address", "code"])
def test_logging_in_by_paste(
    call: Caller, server: ThreadsServer, tmp_path: Path, whole: bool
) -> None:
    door = Door(call, tmp_path)
    assert call("account", "add", "th", "--platform", "threads", "--url", server.url).code == 0

    def consent(url: str) -> str:
        there = httpx.get(url, trust_env=False).headers["location"]
        assert there.startswith("https://localhost/callback?code=")
        return there if whole else there.partition("code=")[2].partition("&")[0] + "#_"

    answer = door.paste(
        "th", "--client-id", APP_ID, "--client-secret-stdin",
        answer=consent, first=f"{APP_SECRET}\n",
    )  # fmt: skip
    assert answer.code == 0, answer
    assert f"as @{USERNAME}" in answer.out
    kept = json.loads(door.kept("th") or "{}")
    given, end = server.tokens.live[kept["access_token"]]
    assert end - given == 60 * DAY
    assert APP_SECRET not in answer.out + answer.err
    assert call("add", "Hello", "--to", "th", "--at", "now").code == 0
    assert door("publish-due").code == 0
    assert [post.text for post in server.posts()] == ["Hello"]


def test_an_error_for_what_is_out_is_none(threads: Posting, server: ThreadsServer) -> None:
    """As it has been seen: code 10, though the post is live."""
    error = {"error": {"code": 10, "message": "Permission denied", "type": "OAuthException"}}
    server.program_publishing(Fault(FaultKind.ANSWER_AFTER, Answer(400, error)))
    threads("add", "Hello", "--to", "th", "--at", "now")
    assert threads.json("publish-due")["published"] == 1
    (delivery,) = threads.json("show", "1")["deliveries"]
    assert [delivery["remote_id"]] == [post.remote_id for post in server.posts()]


@pytest.mark.slow
@pytest.mark.parametrize("kind", [FaultKind.RESET, FaultKind.RESET_AFTER])
def test_a_lost_answer_is_settled(threads: Posting, server: ThreadsServer, kind: FaultKind) -> None:
    server.program_publishing(Fault(kind))
    threads("add", "One", "--then", "Two", "--to", "th", "--at", "now")
    threads("run", "--until-idle", "--no-live")
    assert threads.json("show", "1")["status"] == "published"
    assert [post.text for post in server.posts()] == ["One", "Two"]
    containers = {r.form["creation_id"][1] for r in server.published_requests()}
    assert len(containers) == 2
