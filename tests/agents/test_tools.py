"""What agents can do, by scope: driven by the client of the official SDK."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import time
from pathlib import Path
from random import Random
from typing import Any

import pytest

pytest.importorskip("mcp", reason="the extra mcp is not installed")

from jsonschema import Draft202012Validator
from mcp.client.client import Client
from PIL import Image

from postsched.agents.bench import Bench
from postsched.agents.server import TOOLS, server_for
from postsched.domain.draft import Draft
from postsched.domain.scope import Scope
from postsched.secrets import Secrets
from postsched.service import editing, posts, slots
from postsched.service.drafts import draft_of
from postsched.testing import FakeClock
from tests.agents.play import listed, one, play, refused, said
from tests.service.desk import desk_at

HELLO: dict[str, Any] = {"text": "Hello", "to": ["me"], "at": "in 2 hours"}
NEVER = ("resolve", "delete", "account", "secret", "token", "approve", "import", "callback")


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Bench]:
    """A bench with all scopes, and a folder of media."""
    media = tmp_path / "open"
    media.mkdir()
    with desk_at(tmp_path, FakeClock()) as desk:
        yield Bench(desk, Secrets({}), Random(1), Scope.WRITE, media)


@pytest.fixture
def drafter(writer: Bench) -> Bench:
    """The same for an agent that proposes."""
    return replace(writer, scope=Scope.DRAFT, media_root=None)


def test_tools_are_offered_by_scope_and_say_what_they_are(writer: Bench) -> None:
    offered = {scope: listed(replace(writer, scope=scope)) for scope in Scope}
    assert offered[Scope.READ].keys() < offered[Scope.DRAFT].keys() < offered[Scope.WRITE].keys()
    assert offered[Scope.WRITE].keys() == TOOLS.keys()
    assert not {"create_draft", "schedule_post"} & offered[Scope.READ].keys()
    assert "schedule_post" not in offered[Scope.DRAFT]
    for name, tool in offered[Scope.WRITE].items():
        assert not any(word in name for word in NEVER if name != "list_accounts")
        Draft202012Validator.check_schema(tool.input_schema)
        assert tool.input_schema["additionalProperties"] is False
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint is (name in offered[Scope.READ])
        assert tool.description
    assert offered[Scope.WRITE]["cancel_posts"].annotations.destructive_hint  # type: ignore[union-attr]
    hints = offered[Scope.DRAFT]["create_draft"].annotations
    assert hints is not None
    assert (hints.destructive_hint, hints.idempotent_hint) == (False, False)


@pytest.mark.parametrize("scope", [Scope.READ, Scope.DRAFT])
def test_what_is_beyond_the_scope_is_refused(writer: Bench, scope: Scope) -> None:
    bench = replace(writer, scope=scope)
    (post,) = [one(writer, "schedule_post", **HELLO)]
    beyond = [tool for tool in TOOLS.values() if not scope.allows(tool.scope)]
    assert beyond
    for tool in beyond:
        sentence = refused(bench, tool.name, ids=[1], id=1, **HELLO)
        assert f"needs the scope {tool.scope}" in sentence
        assert f"--scope {tool.scope}" in sentence
    assert one(bench, "list_posts")["posts"] == [
        {key: value for key, value in post.items() if key != "tries"}
    ]
    assert "There are: calendar" in refused(bench, "resolve")
    assert "Did you mean" in refused(bench, "list_post")


def test_a_draft_goes_out_only_when_a_person_approves_it(drafter: Bench) -> None:
    desk = drafter.desk
    given = {**HELLO, "key": "launch", "tags": ["launch"]}
    first, again = play(drafter, ("create_draft", given), ("create_draft", given))
    assert first.document == again.document
    assert again.notes == ["Note: It was there already."]
    assert (first.document["status"], first.document["tags"]) == ("draft", ["launch", "agent"])
    assert first.document["deliveries"] == []
    changed = one(drafter, "edit_draft", id=1, text="Hello, all", at="in 3 hours", tags=None)
    assert (changed["status"], changed["text"], changed["tags"]) == (
        "draft", "Hello, all", ["agent"],
    )  # fmt: skip
    assert changed["schedule"]["at"] > first.document["schedule"]["at"]
    assert "other words" in refused(drafter, "create_draft", **{**given, "text": "Else"})

    editing.approve(desk, [1])
    shown = one(drafter, "show_post", id=1)
    assert (shown["status"], len(shown["deliveries"])) == ("scheduled", 1)
    assert "no draft (any more)" in refused(drafter, "edit_draft", id=1, text="Sneaked in")
    assert "no draft (any more)" in refused(drafter, "discard_draft", id=1)
    assert one(drafter, "show_post", id=1)["text"] == "Hello, all"


def test_drafts_of_others_are_their_own(drafter: Bench, writer: Bench) -> None:
    """Whatever their labels say; and one that a person approved does not come back."""
    posts.add(drafter.desk, Draft("Mine", ("me",), draft=True, tags=("agent",)))
    posts.add(drafter.desk, Draft("Of a token", ("me",), draft=True), author="token:agent")
    one(drafter, "create_draft", **HELLO)
    editing.approve(drafter.desk, [3])
    before = draft_of(drafter.desk, 3)
    editing.edit(drafter.desk, 3, before, replace(before, draft=True))
    for number in (1, 2, 3):
        for bench in (drafter, writer):
            sentence = refused(bench, "edit_draft", id=number, text="Theirs")
            assert "made by somebody else" in sentence
            assert "made by somebody else" in refused(bench, "discard_draft", id=number)
        assert one(drafter, "show_post", id=number)["text"] != "Theirs"
    one(drafter, "create_draft", **HELLO)
    assert one(drafter, "discard_draft", id=4)["status"] == "cancelled"
    assert "no draft (any more)" in refused(drafter, "discard_draft", id=4)


def test_the_address_of_a_callback_is_not_for_agents(drafter: Bench, writer: Bench) -> None:
    url = "https://hooks.example/s3cret?token=s3cret"
    posts.add(drafter.desk, Draft("Mine", ("me",), at="in 2 hours", callback=url))
    for bench in (drafter, writer):
        assert one(bench, "show_post", id=1)["callback"] == "https://hooks.example/…"
        assert "s3cret" not in str(one(bench, "list_posts"))
    assert "s3cret" not in str(one(writer, "edit_post", id=1, text="New"))
    assert draft_of(drafter.desk, 1).callback == url
    assert "s3cret" not in str(one(writer, "cancel_posts", ids=[1]))


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("create_draft", {**HELLO, "to": "me"}, "to: must be a list"),
    ("create_draft", {"text": "Hello"}, "to is missing"),
    ("create_draft", {"to": ["me"], "at": "now"}, "text is missing"),
    ("create_draft", {**HELLO, "txt": 1}, "Did you mean text"),
    ("create_draft", {**HELLO, "callback": "https://evil.test"}, "no argument 'callback'"),
    ("create_draft", {**HELLO, "draft": False}, "no argument 'draft'"),
    ("create_draft", {**HELLO, "at": "yesterday"}, "past"),
    ("create_draft", {**HELLO, "at": "gibberish"}, "gibberish"),
    ("create_draft", {**HELLO, "to": ["nobody"]}, "no account or group 'nobody'"),
    ("create_draft", {**HELLO, "to": ["n" * 1900]}, "no account or group"),
    ("create_draft", {**HELLO, "text": "x" * 300_000}, "text: has more than 200,000 characters"),
    ("create_draft", {**HELLO, "then": [{"text": "x" * 190_000}] * 20}, "the arguments have more"),
    ("create_draft", {**HELLO, "text": "half \ud800"}, "U+D800"),
    ("create_draft", {**HELLO, "text": "nul \0"}, "U+0000"),
    ("create_draft", {**HELLO, "visibility": "secret"}, "There are: public"),
    ("create_draft", {**HELLO, "media": [{"path": "/etc/passwd"}]}, "can't be named here"),
    ("create_draft", {**HELLO, "media": [{"url": "file:///etc/passwd"}]}, "no web address"),
    ("create_draft", {**HELLO, "media": [{"url": "/etc/passwd"}]}, "no web address"),
    ("create_draft", {**HELLO, "media": ["/etc/passwd"]}, "media.0: must be an object"),
    ("create_draft", {**HELLO, "then": [{"text": "2", "media": [{"path": "a"}]}]}, "named here"),
    ("preview_post", {"to": ["me"], "text": "x", "media": [{"path": "a.jpg"}]}, "named here"),
    ("show_post", {}, "id is missing"),
    ("show_post", {"id": "1; DROP TABLE posts"}, "id: must be a whole number"),
    ("show_post", {"id": 0}, "id: must be 1 at the least"),
    ("show_post", {"id": 2**70}, "at the most"),
    ("show_post", {"id": 99}, "there is no post 99"),
    ("list_posts", {"status": ["odd"]}, "there is no 'odd' here"),
    ("list_posts", {"limit": 10_000}, "at the most"),
    ("list_posts", {"search": ""}, "search is empty"),
    ("list_posts", {"from": "whenever"}, "whenever"),
    ("calendar", {"month": "smarch"}, "no month"),
    ("calendar", {"month": "next", "week": "next"}, "Give one of them"),
]


def test_bad_arguments_are_refused_in_one_sentence(drafter: Bench) -> None:
    found = play(drafter, *((name, given) for name, given, _ in BAD))
    for (name, given, words), answer in zip(BAD, found, strict=True):
        assert answer.wrong, (name, str(given)[:200])
        assert words in answer.words, (name, answer.words)
        assert len(answer.words) <= 1001
        assert "\n" not in answer.words
    assert one(drafter, "list_posts")["posts"] == []


def test_files_are_taken_from_the_open_folder_only(writer: Bench, tmp_path: Path) -> None:
    assert writer.media_root is not None
    for picture in (writer.media_root / "cat.jpg", tmp_path / "secret.jpg"):
        Image.new("RGB", (8, 8)).save(picture)
    (writer.media_root / "way-out").symlink_to(tmp_path)
    (writer.media_root / "secret.jpg").symlink_to(tmp_path / "secret.jpg")
    (writer.media_root / "circle").symlink_to(writer.media_root / "circle")
    outside = ("../secret.jpg", str(tmp_path / "secret.jpg"), "way-out/secret.jpg", "secret.jpg",
               "./a/../../secret.jpg", "~/secret.jpg", "cat.jpg\0", "circle", ".", "", "x" * 1900,
               "/proc/self/environ", "none.jpg", "file:///etc/passwd")  # fmt: skip
    for path in outside:
        media = [{"path": path, "alt": "A cat"}]
        sentence = refused(writer, "schedule_post", **HELLO, media=media)
        assert "bug" not in sentence, path[:100]
        refused(writer, "preview_post", text="x", to=["me"], media=media)
    assert one(writer, "list_posts")["posts"] == []
    made = one(writer, "schedule_post", **HELLO, media=[{"path": "cat.jpg", "alt": "A cat"}])
    assert made["media"][0]["alt"] == "A cat"
    path = made["media"][0]["path"]
    kept = one(writer, "edit_post", id=1, media=[{"path": path, "alt": "The cat"}])
    assert kept["media"][0]["alt"] == "The cat"
    assert one(writer, "edit_post", id=1, media=None)["media"] == []
    named = one(writer, "schedule_post", to=["me"], at="in 9 hours", texts=["/etc/passwd"])
    assert named["texts"] == ["/etc/passwd"]


def test_what_an_agent_that_may_write_can_do(writer: Bench) -> None:
    one(writer, "schedule_post", **HELLO)
    assert one(writer, "edit_post", id=1, text="Changed")["text"] == "Changed"
    (firing,) = one(writer, "next_posts")["firings"]
    assert (firing["post_id"], firing["text"]) == (1, "Changed")
    assert one(writer, "pause", ids=[1]) == {"paused": True, "ids": [1], "missed": []}
    assert one(writer, "show_post", id=1)["paused"]
    assert one(writer, "resume", ids=[1])["missed"] == []
    assert one(writer, "pause", everything=True)["everything"]
    assert one(writer, "status")["paused"]
    one(writer, "resume", everything=True)
    one(writer, "pause", account=["me"])
    assert {a["name"]: a["paused"] for a in one(writer, "list_accounts")["accounts"]} == {
        "me": True, "work": False,
    }  # fmt: skip
    assert "isn't said" in refused(writer, "pause")
    assert "isn't said" in refused(writer, "resume", ids=[1], everything=True)
    cancelled = one(writer, "cancel_posts", ids=[1])
    assert [post["status"] for post in cancelled["posts"]] == ["cancelled"]
    retried = one(writer, "retry_posts", ids=[1])
    assert [post["status"] for post in retried["posts"]] == ["scheduled"]
    again = one(writer, "retry_posts", ids=[1])
    assert "nothing to retry" in again["refused"][0]
    assert one(writer, "check_posts")["deliveries"] == 1
    assert one(writer, "history")["deliveries"] == []
    assert len(one(writer, "calendar", week="this")["days"]) == 7


def test_the_queue_is_moved(writer: Bench) -> None:
    slots.add(writer.desk, "me", range(7), [time(9)], "UTC")
    for text in ("One", "Two", "Three"):
        one(writer, "schedule_post", text=text, to=["me"], slot=True)

    def order() -> list[str]:
        places = one(writer, "show_queue", account=["me"])["places"]
        return [place["text"] for place in places if not place["free"]]

    assert order() == ["One", "Two", "Three"]
    one(writer, "move_in_queue", id=1, direction="down")
    assert order() == ["Two", "One", "Three"]
    one(writer, "swap_in_queue", id=2, other_id=3)
    assert order() == ["Three", "One", "Two"]
    one(writer, "shuffle_queue")
    assert sorted(order()) == ["One", "Three", "Two"]
    assert "no post 99" in refused(writer, "move_in_queue", id=99, direction="up")


def test_a_bug_is_an_answer_without_a_traceback(writer: Bench) -> None:
    broken = replace(writer, desk=None)  # type: ignore[arg-type]  # what no desk would do
    assert "bug in postsched" in refused(broken, "status")


def test_calls_at_the_same_time_each_get_their_own_answer(drafter: Bench) -> None:
    async def run() -> list[Any]:
        async with Client(server_for(drafter), mode="legacy") as client:
            calls = (
                client.call_tool("create_draft", {**HELLO, "text": f"No. {n}", "key": str(n % 5)})
                for n in range(20)
            )
            return [said(one) for one in await asyncio.gather(*calls)]

    found = asyncio.run(run())
    made = {answer.document["text"] for answer in found if not answer.wrong}
    assert len(made) == 5  # one for each key; the others have other words
    assert all("other words" in answer.words for answer in found if answer.wrong)
    assert {post["text"] for post in one(drafter, "list_posts")["posts"]} == made
