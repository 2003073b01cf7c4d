"""What the adapter sends, and what it makes of each refusal."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from postsched.domain.delivery import Role
from postsched.domain.outcome import ErrorKind, Failed, LetGo, Lost, Published, Retry, Sent
from postsched.domain.post import Visibility
from postsched.domain.secret import Secret
from postsched.platforms.base import Message, PlatformError
from postsched.platforms.x import X
from postsched.testing import Answer, Fault, FaultKind
from postsched.testing.sender import Sender, message
from postsched.testing.x import USER, XServer
from postsched.testing.x_oauth import APP_TOKEN, KEYS
from postsched.testing.x_state import STRANGER, USERNAME
from tests.platforms.x.playing import attachment, out, play


def sent_into(answer: Answer) -> Sent:
    """What a post comes to whose request gets that answer."""
    with XServer() as server:
        server.program_publishing(Fault(FaultKind.ANSWER, answer))
        return play(server.login(), lambda s: s.send(message("Hello")))


# What is sent


def test_only_what_was_asked_for_is_sent() -> None:
    with XServer() as server:
        published = out(play(server.login(), lambda s: s.send(message("  Hello\n"))))
        (request,) = server.published_requests()
    assert json.loads(request.body) == {"text": "Hello"}
    assert published.url == f"https://x.com/{USERNAME}/status/{published.remote_id}"


def test_the_facts_are_who_it_is() -> None:
    with XServer() as server:
        facts = play(server.login(), lambda s: s.inspect())
    assert facts == {"user": f"@{USERNAME}", "id": USER, "username": USERNAME, "premium": False}


def test_without_a_username_the_address_is_one_that_works_all_the_same() -> None:
    with XServer() as server:
        published = out(play(server.login(), lambda s: s.send(message("Hello")), inspect=False))
    assert published.url == f"https://x.com/i/status/{published.remote_id}"


def test_a_link_is_below_the_text() -> None:
    one = message("Hello", link="https://a.example")
    with XServer() as server:
        out(play(server.login(), lambda s: s.send(one)))
        assert server.posts()[0].text == "Hello\n\nhttps://a.example"


def test_a_picture_needs_no_text(tmp_path: Path) -> None:
    with XServer() as server:
        one = message("", attachments=(attachment(tmp_path),))
        out(play(server.login(), lambda s: s.send(one)))
        (request,) = server.published_requests()
    assert set(json.loads(request.body)) == {"media"}


def test_what_is_prepared_is_the_whole_request_and_what_a_look_up_needs(tmp_path: Path) -> None:
    async def scene(sender: Sender) -> dict[str, Any]:
        one = message("Hello", attachments=(attachment(tmp_path),))
        prepared = await sender.prepare(one)
        out(await sender.publish(prepared, one.key))
        return dict(prepared.data)

    with XServer() as server:
        prepared = play(server.login(), scene)
        (request,) = server.published_requests()
        assert request.json == prepared["body"]
        assert prepared["body"]["media"] == {"media_ids": list(server.state.uploads)}
    assert prepared["user_id"] == USER
    assert datetime.fromisoformat(prepared["at"]).tzinfo is not None


def test_each_part_replies_to_the_one_before_and_the_comment_to_the_first() -> None:
    parts = (message("One", key="1"), message("Two", key="2", n=2), message("Three", key="3", n=3))

    async def scene(sender: Sender) -> None:
        ids = await sender.thread(*parts)
        comment = message("More", key="4", role=Role.COMMENT)
        out(await sender.send(comment, ids[0], ids[-1]))

    with XServer() as server:
        play(server.login(), scene)
        posts = server.posts()
    ids = [post.remote_id for post in posts]
    assert [post.parent for post in posts] == [None, ids[0], ids[1], ids[0]]


@pytest.mark.parametrize("one", [message("Two", n=2), message("More", role=Role.COMMENT)])
def test_a_part_without_the_one_before_is_not_sent_alone(one: Message) -> None:
    with XServer() as server:
        sent = play(server.login(), lambda s: s.send(one))
        assert not server.published_requests()
    assert isinstance(sent, Failed)


def test_who_may_reply_is_a_setting_of_the_account() -> None:
    parts = (message("One", key="1"), message("Two", key="2", n=2))
    with XServer() as server:
        login = replace(server.login(), settings={"replies": "following"})
        play(login, lambda s: s.thread(*parts))
        assert [entry["reply_settings"] for entry in server.ledger] == ["following", None]


@pytest.mark.parametrize("settings", [{"replies": "nobody"}, {"premium": "perhaps"}])
def test_a_setting_that_is_none_is_refused(settings: dict[str, str]) -> None:
    with XServer() as server:
        login = replace(server.login(), settings=settings)
        with pytest.raises(PlatformError) as caught:
            play(login, lambda s: s.inspect(), inspect=False)
    assert caught.value.problem.kind is ErrorKind.INVALID


def test_premium_may_post_more() -> None:
    text = "日本" * 1000
    with XServer(limit=25_000) as server:
        login = replace(server.login(), settings={"premium": "yes"})
        facts = play(login, lambda s: s.inspect())
        out(play(login, lambda s: s.send(message(text))))
    assert X().capabilities(facts).text.limit == 25_000
    assert X().capabilities({}).text.limit == 280


@pytest.mark.parametrize(
    "visibility", [Visibility.UNLISTED, Visibility.FOLLOWERS, Visibility.DIRECT]
)
def test_every_post_is_public(visibility: Visibility) -> None:
    with XServer() as server:
        sent = play(server.login(), lambda s: s.send(message("Hello", visibility=visibility)))
        assert not server.published_requests()
    assert isinstance(sent, Failed)
    assert visibility not in X().capabilities({}).visibilities


# What is answered


def body(detail: str, kind: str = "about:blank", title: str = "Forbidden") -> dict[str, Any]:
    """A refusal as X words it."""
    return {"title": title, "detail": detail, "type": kind, "status": 403}


DUPLICATE = "You are not allowed to create a Tweet with duplicate content."
PROBLEM = "https://api.x.com/2/problems/"
REFUSALS = [
    (400, body("One or more parameters to your request was invalid.", PROBLEM + "invalid-request"),
     Failed, ErrorKind.INVALID),
    (400, {"code": 25, "message": "bad"}, Failed, ErrorKind.INVALID),
    (400, body("Your Tweet text is too long."), Failed, ErrorKind.INVALID),
    (401, b"<html>Unauthorized", LetGo, ErrorKind.AUTH),
    (401, body("Unsupported Authentication", title="Unsupported Authentication"),
     LetGo, ErrorKind.AUTH),
    (402, body("Your enrolled account does not have any credits", title="CreditsDepleted"),
     LetGo, ErrorKind.PERMANENT),
    (403, body(DUPLICATE), Lost, ErrorKind.DUPLICATE),
    (403, body("no", PROBLEM + "duplicate-rules"), Lost, ErrorKind.DUPLICATE),
    (403, {"errors": [{"code": 187, "message": "Status is a duplicate."}]},
     Lost, ErrorKind.DUPLICATE),
    (403, body("Use a Project", PROBLEM + "client-not-enrolled", "Client Forbidden"),
     LetGo, ErrorKind.AUTH),
    (403, body("Use a Project", PROBLEM + "client-forbidden"), LetGo, ErrorKind.AUTH),
    (403, body("Your client app is not configured with the appropriate oauth1 app permissions"),
     LetGo, ErrorKind.AUTH),
    (403, body("no", PROBLEM + "unsupported-authentication", "Unsupported Authentication"),
     LetGo, ErrorKind.AUTH),
    (403, body("User is suspended", PROBLEM + "user-suspended"), Failed, ErrorKind.PERMANENT),
    (403, body("You are not permitted to access this feature"), Failed, ErrorKind.PERMANENT),
    (403, body("You are not allowed to post a video longer than 2 minutes."),
     Failed, ErrorKind.PERMANENT),
    (403, body("Creating posts with @mentions is not allowed for your access package"),
     Failed, ErrorKind.PERMANENT),
    (403, body("The Tweet contains an invalid URL."), Failed, ErrorKind.PERMANENT),
    (403, body("Your Tweet text is too long."), Failed, ErrorKind.INVALID),
    (403, body("Forbidden"), Failed, ErrorKind.PERMANENT),
    (403, b"<html>Blocked", Failed, ErrorKind.PERMANENT),
    (404, b"<html>No such page", Failed, ErrorKind.INVALID),
    (429, {"errors": [{"code": 88, "message": "Rate limit exceeded"}]},
     Retry, ErrorKind.RATE_LIMIT),
    (429, body("Usage cap exceeded: Monthly product cap", PROBLEM + "usage-capped"),
     Failed, ErrorKind.PERMANENT),
    (500, {"code": 0, "message": "Internal"}, Lost, ErrorKind.TRANSIENT),
    (503, b"<html>Over capacity", Lost, ErrorKind.TRANSIENT),
    (504, b"", Lost, ErrorKind.TRANSIENT),
    (201, {"data": {"id": None}}, Lost, ErrorKind.TRANSIENT),
    (201, {"data": {"id": "../1"}}, Lost, ErrorKind.TRANSIENT),
    (201, {"data": []}, Lost, ErrorKind.TRANSIENT),
    (201, {"errors": [{"detail": "no"}]}, Lost, ErrorKind.TRANSIENT),
]  # fmt: skip


@pytest.mark.parametrize(("status", "answer", "outcome", "kind"), REFUSALS)
def test_a_refusal_has_its_kind(
    status: int, answer: object, outcome: type[Sent], kind: ErrorKind
) -> None:
    sent = sent_into(Answer(status, answer))
    assert isinstance(sent, outcome), sent
    assert not isinstance(sent, Published)
    assert sent.problem is not None
    assert sent.problem.kind is kind
    assert sent.problem.http_status == status
    assert "\n" not in sent.problem.message
    assert "<html>" not in sent.problem.message


@pytest.mark.parametrize(
    ("status", "answer", "word"),
    [
        (402, {}, "credits"),
        (403, body("Use a Project", PROBLEM + "client-not-enrolled"), "Project"),
        (403, body("Your Tweet text is too long."), "premium=yes"),
        (403, body("not allowed to post a video longer than 2 minutes"), "140 seconds"),
        (403, body(DUPLICATE), "change it"),
        (403, body("Forbidden"), "log in again"),
        (429, body("cap", PROBLEM + "usage-capped"), "cap"),
    ],
)
def test_a_refusal_says_what_to_do(status: int, answer: object, word: str) -> None:
    sent = sent_into(Answer(status, answer))
    assert not isinstance(sent, Published)
    assert sent.problem is not None
    assert word in (sent.problem.hint or "")


@pytest.mark.parametrize(
    "answer",
    [{"errors": 1}, {"errors": [1, {"parameters": []}]}, {"detail": {"a": 1}}, [], "no", {},
     {"detail": "x" * 9999}, {"title": "\x1b[31mred\n"}],
)  # fmt: skip
def test_a_refusal_of_any_shape_is_one_line(answer: object) -> None:
    sent = sent_into(Answer(400, answer))
    assert isinstance(sent, Failed)
    assert 0 < len(sent.problem.message) < 400
    assert sent.problem.message.isprintable()


def test_what_is_out_with_errors_beside_is_out() -> None:
    answer = Answer(201, {"data": {"id": "18800", "text": "Hello"}, "errors": [{"detail": "hm"}]})
    assert out(sent_into(answer)).remote_id == "18800"


def test_the_reset_of_a_limit_is_an_instant() -> None:
    with XServer(quota=0) as server:
        sent = play(server.login(), lambda s: s.send(message("Hello")))
    assert isinstance(sent, Retry)
    assert sent.until is not None
    assert timedelta(seconds=880) < sent.until - datetime.now(UTC) < timedelta(seconds=901)


def test_the_calls_that_are_left_and_the_transaction_are_told() -> None:
    with XServer() as server:
        published = out(play(server.login(), lambda s: s.send(message("Hello"))))
        answer = Answer(400, {"detail": "no"}, {"x-transaction-id": "abc"})
        server.program_publishing(Fault(FaultKind.ANSWER, answer))
        sent = play(server.login(), lambda s: s.send(message("Hello again")))
    (limit,) = published.limits
    assert (limit.remaining, limit.limit) == (99, 100)
    assert published.evidence == f"{published.remote_id} (transaction 0000000000000002)"
    assert isinstance(sent, Failed)
    assert sent.problem.message == "no (transaction abc)"


def test_an_upload_that_x_forgot_is_made_again(tmp_path: Path) -> None:
    async def scene(sender: Sender) -> Sent:
        one = message("Hello", attachments=(attachment(tmp_path),))
        prepared = await sender.prepare(one)
        server.forget_media()
        return await sender.publish(prepared, one.key)

    with XServer() as server:
        sent = play(server.login(), scene)
    assert isinstance(sent, Retry)
    assert sent.prepare_again


def test_a_reply_to_a_stranger_is_refused_for_good() -> None:
    async def scene(sender: Sender) -> Sent:
        stranger = Published(STRANGER)
        return await sender.send(message("Hello", n=2), stranger, stranger)

    with XServer() as server:
        sent = play(server.login(), scene)
    assert isinstance(sent, Failed)
    assert sent.problem.kind is ErrorKind.PERMANENT
    assert "mentioned the account" in (sent.problem.hint or "")


@pytest.mark.parametrize("remote_id", ["", "https://x.com/me/status/1", "1/../../users/me", "１"])
def test_what_is_no_id_is_in_no_address(remote_id: str) -> None:
    async def scene(sender: Sender) -> Sent:
        with pytest.raises(PlatformError, match="no id of a post"):
            await sender.platform.delete(Published(remote_id), sender.login, sender.http)
        parent = Published(remote_id)
        return await sender.send(message("Hello", n=2), parent, parent)

    with XServer() as server:
        sent = play(server.login(), scene)
        assert len(server.requests) == 1
    assert isinstance(sent, Failed)


# The secret


@pytest.mark.parametrize(
    "secret",
    ["", "two words", "tok\nX-Evil: 1", "tökén", {"access_token": ""}, {**KEYS, "token": ""},
     {**KEYS, "consumer_secret": "qqq qqqq"}, {"consumer_key": "qqqqqqqq"}],
)  # fmt: skip
def test_a_secret_that_is_none_is_not_sent(secret: str | dict[str, str]) -> None:
    with XServer() as server:
        login = replace(server.login(), secret=Secret(secret))
        sent = play(login, lambda s: s.send(message("Hello")), inspect=False)
        assert not server.requests
    assert isinstance(sent, LetGo)
    assert sent.problem is not None
    assert sent.problem.kind is ErrorKind.AUTH
    assert "qqqq" not in repr(sent)


def test_wrong_keys_are_a_refused_login() -> None:
    with XServer() as server:
        login = replace(server.login(), secret=Secret({**KEYS, "token_secret": "wrong"}))
        sent = play(login, lambda s: s.send(message("Hello")), inspect=False)
    assert isinstance(sent, LetGo)


def test_an_app_only_token_is_explained() -> None:
    with XServer() as server:
        login = replace(server.login(), secret=Secret(APP_TOKEN))
        with pytest.raises(PlatformError) as caught:
            play(login, lambda s: s.inspect(), inspect=False)
    assert caught.value.problem.kind is ErrorKind.AUTH
    assert "app-only" in (caught.value.problem.hint or "").lower()


def test_a_consent_without_the_right_to_post_is_a_matter_of_the_login() -> None:
    with XServer(scopes="tweet.read users.read") as server:
        sent = play(server.login(), lambda s: s.send(message("Hello")))
    assert isinstance(sent, LetGo)
    assert sent.problem is not None
    assert sent.problem.kind is ErrorKind.AUTH
