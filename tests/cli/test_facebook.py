"""Facebook from the command line, over a strict loopback server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from postsched.testing import Answer, Fault, FaultKind
from postsched.testing.facebook import NAME, OTHER, OTHER_NAME, PAGE, FacebookServer
from postsched.testing.facebook_login import PERSON_TOKEN
from postsched.testing.graph import APP_ID, APP_SECRET, TOKEN
from postsched.testing.picture import png
from tests.cli.calling import Answer as Said
from tests.cli.calling import Caller
from tests.cli.logins import Door
from tests.cli.posting import Posting

pytestmark = pytest.mark.slow
"""The crash matrix and the contract of adapters go through the same in the gate."""


@pytest.fixture
def server() -> Iterator[FacebookServer]:
    with FacebookServer() as server:
        yield server


@pytest.fixture
def facebook(cli: Posting, server: FacebookServer) -> Posting:
    """The same person, with a Page on it."""
    words = ("account", "add", "fb", "--platform", "facebook", "--url", server.url)
    assert NAME in cli(*words, "--token-stdin", stdin=TOKEN).out
    return cli


def test_photos_with_a_comment(facebook: Posting, server: FacebookServer, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png())
    facebook(
        "add", "Look", "--media", str(tmp_path / "a.png"), "--alt", "A",
        "--media", "https://media.example/b.jpg", "--comment", "More #tags", "--to", "fb",
        "--at", "now",
    )  # fmt: skip
    facebook("publish-due")
    (post,) = server.posts()
    (delivery,) = facebook.json("show", "1")["deliveries"]
    assert (delivery["status"], delivery["remote_id"]) == ("published", post.remote_id)
    assert delivery["url"].startswith(f"https://www.facebook.com/{PAGE}/posts/")
    assert (post.text, post.alts) == ("Look", ("A", ""))
    assert [(on, text) for on, text, _ in server.comments.values()] == [
        (post.remote_id, "More #tags")
    ]
    facebook("delete", "1", "--yes")
    assert not server.posts()


def test_what_can_not_be_is_refused_when_it_is_written(
    facebook: Posting, server: FacebookServer, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("no picture")
    words = ("--to", "fb", "--at", "now")
    assert "no threads" in facebook.refused(2, "add", "Hello", "--then", "Two", *words)
    assert "is empty" in facebook.refused(2, "add", "", *words)
    said = facebook.refused(2, "add", "Hello", "--media", str(tmp_path / "a.txt"), *words)
    assert "can't be sent" in said
    facebook.refused(2, "add", "Hello", "--visibility", "followers", *words)
    assert not [r for r in server.requests if r.method == "POST"]


def test_a_token_that_is_no_page_s_is_refused(cli: Posting, server: FacebookServer) -> None:
    words = ("account", "add", "fb", "--platform", "facebook", "--url", server.url, "--token-stdin")
    said = cli.refused(1, *words, stdin=PERSON_TOKEN)
    assert "of the person Petra Person, not of a Page" in said
    assert f"{NAME} ({PAGE}), {OTHER_NAME} ({OTHER})" in said
    said = cli.refused(1, *words, "--user", "Nobody's", stdin=TOKEN)
    assert f"for the Page {NAME} ({PAGE}), not for Nobody's" in said
    assert "fb" not in cli("account", "list").out


def there(url: str) -> str:
    """Where a person ends who consents."""
    return str(httpx.get(url, trust_env=False).headers["location"])


def log_in(door: Door) -> Said:
    """Log in by paste."""
    words = ("fb", "--client-id", APP_ID, "--client-secret-stdin")
    return door.paste(*words, first=f"{APP_SECRET}\n", answer=there)


def test_logging_in_by_paste(call: Caller, server: FacebookServer, tmp_path: Path) -> None:
    """To a Page on the last page of the list, named as people do; it never ends, but the access of
    the app to its data does."""
    server.tokens.per_page = 1
    door = Door(call, tmp_path)
    add = ("account", "add", "fb", "--platform", "facebook", "--url", server.url)
    assert call(*add, "--user", "the mill").code == 0
    answer = log_in(door)
    assert answer.code == 0, answer
    kept = json.loads(door.kept("fb") or "{}")
    assert kept["access_token"].startswith(f"graph-page-{OTHER}")
    assert "expires_at" not in kept
    (account,) = door("account", "list", "--json").json
    left = datetime.fromisoformat(account["token_expires_at"]) - datetime.now(UTC)
    assert timedelta(days=89) < left < timedelta(days=91)
    seen = [str(r.query) for r in server.requests]
    for secret in (APP_SECRET, kept["access_token"], *server.tokens.live):
        assert secret not in answer.out + answer.err
    assert any("fb_exchange_token" in query for query in seen)
    assert door("account", "check", "fb").code == 0
    assert call("add", "Hello", "--to", "fb", "--at", "now").code == 0
    assert door("publish-due").code == 0
    assert [post.text for post in server.posts()] == ["Hello"]


def test_a_login_says_which_page_is_missing(
    call: Caller, server: FacebookServer, tmp_path: Path
) -> None:
    door = Door(call, tmp_path)
    assert call("account", "add", "fb", "--platform", "facebook", "--url", server.url).code == 0
    listed = f"{NAME} ({PAGE}), {OTHER_NAME} ({OTHER})"
    several = log_in(door)
    assert several.code == 1
    assert f"it isn't said which Page is meant: {listed}" in several.err
    assert "account set fb user=NUMBER" in several.err
    assert call("account", "set", "fb", "user=The Bar").code == 0
    wrong = log_in(door)
    assert wrong.code == 1
    assert f"no Page 'The Bar', but: {listed}" in wrong.err
    assert door.kept("fb") is None
    server.tokens.scopes = ["pages_show_list"]
    assert call("account", "set", "fb", f"user={PAGE}").code == 0
    unable = log_in(door)
    assert unable.code == 1
    assert "does not include pages_manage_posts" in unable.err
    assert door.kept("fb") is None


def test_the_same_text_twice_in_a_row(facebook: Posting, server: FacebookServer) -> None:
    """Refused by the network: it is looked up, and the one that is out is not taken for it."""
    words = ("add", "Hello", "--to", "fb", "--at", "now")
    facebook(*words)
    facebook("publish-due")
    facebook(*words, "--key", "again")
    facebook("publish-due", code=0)
    (delivery,) = facebook.json("show", "2")["deliveries"]
    assert (delivery["status"], delivery["error"]["kind"]) == ("confirming", "duplicate")
    assert len(server.posts()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", [FaultKind.RESET, FaultKind.RESET_AFTER])
def test_lost_answers_are_settled(
    facebook: Posting, server: FacebookServer, kind: FaultKind
) -> None:
    server.program_publishing(Fault(kind))
    server.program(Fault(kind), "POST", ".*/comments")
    facebook("add", "Hello", "--comment", "More", "--to", "fb", "--at", "now")
    facebook("run", "--until-idle", "--no-live")
    assert facebook.json("show", "1")["status"] == "published"
    assert len(server.posts()) == len(server.comments) == 1


def test_a_server_in_trouble_is_asked_later(facebook: Posting, server: FacebookServer) -> None:
    server.program(Fault(FaultKind.ANSWER, Answer(500, {"error": {"code": 2}})), "POST", ".*photos")
    facebook("add", "Hi", "--media", "https://media.example/a.jpg", "--to", "fb", "--at", "now")
    facebook("publish-due")
    (delivery,) = facebook.json("show", "1")["deliveries"]
    assert (delivery["status"], delivery["error"]["kind"]) == ("retrying", "transient")
    assert not server.published_requests()
