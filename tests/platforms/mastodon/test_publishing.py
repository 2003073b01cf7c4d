"""What the adapter sends, and what it makes of each refusal."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from postsched.domain.delivery import Role
from postsched.domain.outcome import ErrorKind, Failed, LetGo, Lost, Published, Retry, Sent
from postsched.domain.post import Visibility
from postsched.domain.secret import Secret
from postsched.testing import Answer, Fault, FaultKind, MastodonServer
from postsched.testing.sender import Sender, key_of, message
from tests.platforms.mastodon.playing import out, picture, play


def sent_into(answer: Answer, flavour: str = "mastodon") -> Sent:
    """What a post comes to whose request gets that answer."""
    with MastodonServer(flavour=flavour) as server:
        server.program_publishing(Fault(FaultKind.ANSWER, answer))
        return play(server.login(), lambda s: s.send(message("Hello")))


def test_only_what_was_asked_for_is_sent() -> None:
    """The account's own defaults hold for the rest."""
    with MastodonServer() as server:
        out(play(server.login(), lambda s: s.send(message("Hello"))))
        (request,) = server.published_requests()
    assert json.loads(request.body) == {"status": "Hello"}
    assert request.headers["idempotency-key"] == key_of("first")


def test_every_wish_is_sent() -> None:
    one = message(
        "Hello", visibility=Visibility.FOLLOWERS, warning="Careful", lang="de", link="https://a.example"
    )  # fmt: skip
    with MastodonServer() as server:
        out(play(server.login(), lambda s: s.send(one)))
        (entry,) = server.ledger
    assert entry["text"] == "Hello\n\nhttps://a.example"
    assert entry["visibility"] == "private"
    assert (entry["warning"], entry["sensitive"], entry["language"]) == ("Careful", True, "de")


def test_a_link_that_is_in_the_text_is_not_repeated() -> None:
    one = message("See https://a.example now", link="https://a.example")
    with MastodonServer() as server:
        out(play(server.login(), lambda s: s.send(one)))
        assert server.posts()[0].text == "See https://a.example now"


def test_what_is_prepared_is_the_whole_request(tmp_path: Path) -> None:
    async def scene(sender: Sender) -> dict[str, object]:
        one = message("Hello", attachments=(picture(tmp_path),), visibility=Visibility.UNLISTED)
        prepared = await sender.prepare(one)
        out(await sender.publish(prepared, one.key))
        return dict(prepared.data)

    with MastodonServer() as server:
        prepared = play(server.login(), scene)
        (request,) = server.published_requests()
        assert request.json == prepared
        assert prepared["media_ids"] == list(server.state.media)


def test_the_name_of_a_file_stays_here(tmp_path: Path) -> None:
    with MastodonServer() as server:
        one = message("Hello", attachments=(picture(tmp_path),))
        out(play(server.login(), lambda s: s.send(one)))
        assert not [r for r in server.requests if b"private name" in r.body]


def test_a_file_without_alt_text_has_none(tmp_path: Path) -> None:
    with MastodonServer() as server:
        one = message("Hello", attachments=(picture(tmp_path, None),))
        out(play(server.login(), lambda s: s.send(one)))
        assert server.ledger[0]["alts"] == [None]


@pytest.mark.slow
def test_an_upload_that_is_processed_is_waited_for(tmp_path: Path) -> None:
    with MastodonServer(processing=2) as server:
        one = message("Hello", attachments=(picture(tmp_path),))
        out(play(server.login(), lambda s: s.send(one)))
        assert len([r for r in server.requests if r.path.startswith("/api/v1/media/")]) == 3


def test_an_upload_that_fails_is_invalid(tmp_path: Path) -> None:
    with MastodonServer(processing=-1) as server:
        one = message("Hello", attachments=(picture(tmp_path),))
        sent = play(server.login(), lambda s: s.send(one))
        assert isinstance(sent, Failed)
        assert sent.problem.kind is ErrorKind.INVALID
        assert not server.published_requests()


def test_an_upload_the_server_lost_is_made_again_later(tmp_path: Path) -> None:
    with MastodonServer(processing=5) as server:
        server.program(Fault(FaultKind.ANSWER, Answer(404, {"error": "Record not found"})),
                       "GET", "/api/v1/media/.*")  # fmt: skip
        one = message("Hello", attachments=(picture(tmp_path),))
        sent = play(server.login(), lambda s: s.send(one))
    assert isinstance(sent, Retry)


def test_a_server_without_the_new_upload_gets_the_old_one(tmp_path: Path) -> None:
    with MastodonServer(v1_only=True) as server:
        one = message("Hello", attachments=(picture(tmp_path),))
        out(play(server.login(), lambda s: s.send(one)))
        assert server.posts()[0].alts == ("a square",)


def test_a_file_that_is_none_of_its_is_invalid(tmp_path: Path) -> None:
    attachment = picture(tmp_path)
    (tmp_path / "private name.png").write_bytes(b"no picture")
    with MastodonServer() as server:
        sent = play(server.login(), lambda s: s.send(message("Hello", attachments=(attachment,))))
    assert isinstance(sent, Failed)
    assert "File content type is invalid" in sent.problem.message


def test_media_that_were_dropped_are_said_to_be(tmp_path: Path) -> None:
    async def scene(sender: Sender) -> Sent:
        one = message("Hello", attachments=(picture(tmp_path),))
        prepared = await sender.prepare(one)
        server.forget_media()
        return await sender.publish(prepared, one.key)

    with MastodonServer() as server:
        sent = play(server.login(), scene)
    assert isinstance(sent, Failed)
    assert sent.problem.kind is ErrorKind.INVALID
    assert sent.problem.hint is not None
    assert "upload it again" in sent.problem.hint


REFUSALS = [
    (401, {"error": "The access token was revoked"}, LetGo, ErrorKind.AUTH),
    (403, {"error": "This action is outside the authorized scopes"}, LetGo, ErrorKind.AUTH),
    (403, {"error": "Insufficient permissions: write:statuses."}, LetGo, ErrorKind.AUTH),
    (403, {"error": "Your login is currently disabled"}, Failed, ErrorKind.PERMANENT),
    (403, b"<html>Blocked by the firewall", Failed, ErrorKind.PERMANENT),
    (404, b"<html>No such page", Failed, ErrorKind.INVALID),
    (404, {"error": "Record not found"}, Failed, ErrorKind.INVALID),
    (400, {"error": "Bad Request: too long"}, Failed, ErrorKind.INVALID),
    (413, b"<html>Request Entity Too Large", Failed, ErrorKind.INVALID),
    (422, {"error": "Validation failed: Text can't be blank"}, Failed, ErrorKind.INVALID),
    (422, {"error": "Cannot attach files that have not finished processing. Try again in a "
                    "moment!"}, Retry, ErrorKind.TRANSIENT),
    (409, {"error": "identical request still being processed"}, Lost, ErrorKind.TRANSIENT),
    (429, b"<html>Slow down", Retry, ErrorKind.RATE_LIMIT),
    (500, b"<html>We're sorry, but something went wrong", Lost, ErrorKind.TRANSIENT),
    (503, {"error": "There was a temporary problem"}, Lost, ErrorKind.TRANSIENT),
    (520, b"", Lost, ErrorKind.TRANSIENT),
    (200, {"id": None}, Lost, ErrorKind.TRANSIENT),
    (200, {"id": {"a": 1}}, Lost, ErrorKind.TRANSIENT),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "outcome", "kind"), REFUSALS)
def test_a_refusal_has_its_kind(
    status: int, body: object, outcome: type[Sent], kind: ErrorKind
) -> None:
    sent = sent_into(Answer(status, body))
    assert isinstance(sent, outcome), sent
    assert not isinstance(sent, Published)
    assert sent.problem is not None
    assert sent.problem.kind is kind
    assert "\n" not in sent.problem.message
    assert "<html>" not in sent.problem.message


@pytest.mark.parametrize(
    "body", [{"error": {"a": 1}}, {"error": ""}, [], "no", {"error": "x" * 9999}]
)
def test_a_refusal_of_any_shape_is_one_line(body: object) -> None:
    sent = sent_into(Answer(422, body))
    assert isinstance(sent, Failed)
    assert 0 < len(sent.problem.message) < 400


def test_the_reset_of_a_limit_is_an_instant() -> None:
    """Mastodon says when it may be tried again in ISO 8601, and sends no Retry-After."""
    with MastodonServer(quota=2) as server:
        sent = play(server.login(), lambda s: s.send(message("Hello")))
    assert isinstance(sent, Retry)
    assert sent.problem.kind is ErrorKind.RATE_LIMIT
    assert sent.until is not None
    wait = sent.until - datetime.now(UTC)
    assert timedelta(seconds=280) < wait < timedelta(seconds=301)


def test_the_calls_that_are_left_are_told() -> None:
    with MastodonServer(quota=300) as server:
        published = out(play(server.login(), lambda s: s.send(message("Hello"))))
    (limit,) = published.limits
    assert (limit.remaining, limit.limit) == (297, 300)
    assert limit.reset is not None
    assert limit.reset > datetime.now(UTC)


def test_a_status_that_was_deleted_is_not_sent_again() -> None:
    """Mastodon answers 404 to a key whose status was deleted."""

    async def scene(sender: Sender) -> Sent:
        one = message("Hello")
        published = out(await sender.send(one))
        await sender.platform.delete(published, sender.login, sender.http)
        return await sender.send(one)

    with MastodonServer() as server:
        sent = play(server.login(), scene)
        assert not server.posts()
    assert isinstance(sent, Failed)
    assert sent.problem.message == "it was out, and was deleted on the server"


def test_a_reply_to_what_was_deleted_is_invalid() -> None:
    async def scene(sender: Sender) -> Sent:
        first = out(await sender.send(message("One", key="1")))
        await sender.platform.delete(first, sender.login, sender.http)
        return await sender.send(message("Two", key="2", n=2), first, first)

    with MastodonServer() as server:
        sent = play(server.login(), scene)
    assert isinstance(sent, Failed)
    assert sent.problem.kind is ErrorKind.INVALID
    assert sent.problem.message == "the post it replies to was deleted"


def test_a_comment_follows_the_last_part() -> None:
    parts = (message("One", key="1"), message("Two", key="2", n=2),
             message("Comment", key="3", role=Role.COMMENT))  # fmt: skip
    with MastodonServer() as server:
        play(server.login(), lambda s: s.thread(*parts))
        posts = server.posts()
    assert [post.parent for post in posts] == [None, posts[0].remote_id, posts[1].remote_id]


@pytest.mark.parametrize("token", ["", "two words", "tok\nX-Evil: 1", "tökén", "qqq\r\n"])
def test_a_token_that_is_none_is_not_sent(token: str) -> None:
    with MastodonServer() as server:
        login = replace(server.login(), secret=Secret(token))
        sent = play(login, lambda s: s.send(message("Hello")), inspect=False)
        assert not server.requests
    assert isinstance(sent, LetGo)
    assert sent.problem is not None
    assert sent.problem.kind is ErrorKind.AUTH
    assert not token or token.strip() not in repr(sent)


def test_a_redirect_says_where_to() -> None:
    sent = sent_into(Answer(301, b"", {"Location": "https://social.example/api/v1/statuses"}))
    assert isinstance(sent, Failed)
    assert "https://social.example" in sent.problem.message
    assert sent.problem.hint is not None


def test_a_link_that_is_null_is_replaced_by_the_uri() -> None:
    answer = Answer(200, {"id": 7, "url": None, "uri": "https://a.example/7"})
    published = out(sent_into(answer))
    assert (published.remote_id, published.url) == ("7", "https://a.example/7")


@pytest.mark.parametrize(("status", "first"), [(422, Failed), (429, Retry), (500, Lost)])
def test_pleroma_does_not_repeat_its_refusal_for_ever(status: int, first: type[Sent]) -> None:
    """It keeps the answer to a key, a refusal too: another key of the same row is used then."""

    async def scene(sender: Sender) -> None:
        one = message("Hello")
        prepared = await sender.prepare(one)
        assert isinstance(await sender.publish(prepared, one.key), first)
        assert isinstance(await sender.publish(prepared, one.key), first)
        published = out(await sender.publish(prepared, one.key))
        again = out(await sender.publish(prepared, one.key))
        assert again.remote_id == published.remote_id

    with MastodonServer(flavour="pleroma") as server:
        server.refuse_next(status, "not now")
        server.refuse_next(status, "not now either")
        play(server.login(), scene)
        assert len(server.posts()) == 1
        keys = [r.headers["idempotency-key"] for r in server.published_requests()]
    own = key_of("first")
    assert keys == [own, own, f"{own}-1", own, f"{own}-1", f"{own}-2", own, f"{own}-1", f"{own}-2"]
