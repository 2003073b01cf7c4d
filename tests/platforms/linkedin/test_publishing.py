"""What is sent to LinkedIn, and what its refusals mean."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from postsched.domain.outcome import ErrorKind, Failed, LetGo, Lost, Published, Retry, Sent
from postsched.domain.post import Visibility
from postsched.domain.secret import Secret
from postsched.platforms.base import PlatformError, Service
from postsched.platforms.linkedin.refusal import next_midnight
from postsched.testing import Answer, Fault, FaultKind
from postsched.testing.linkedin import ORGANIZATION, LinkedInServer
from postsched.testing.sender import Sender, message
from tests.platforms.linkedin.playing import only, out, play

PERSON = "urn:li:person:782bbtaQ"


def hello(sender: Sender) -> Awaitable[Sent]:
    return sender.send(message("Hello"))


def sent_into(answer: Answer, scene: Callable[[Sender], Awaitable[Sent]] = hello) -> Sent:
    """What a post comes to whose request gets that answer."""
    with LinkedInServer() as server:
        server.program_publishing(Fault(FaultKind.ANSWER, answer))
        return play(server.login(), scene)


def test_a_plain_post() -> None:
    with LinkedInServer() as server:
        published = out(play(server.login(), hello))
        assert published.remote_id.startswith("urn:li:share:")
        assert published.url == f"https://www.linkedin.com/feed/update/{published.remote_id}/"
        assert only(server) == {
            "author": PERSON,
            "commentary": "Hello",
            "visibility": "PUBLIC",
            "distribution": {
                "feedDistribution": "MAIN_FEED",
                "targetEntities": [],
                "thirdPartyDistributionChannels": [],
            },
            "lifecycleState": "PUBLISHED",
            "isReshareDisabledByAuthor": False,
        }
        who, post = server.requests
    assert (who.path, "linkedin-version" in who.headers) == ("/v2/userinfo", False)
    assert post.headers["linkedin-version"] == "202609"
    assert post.headers["x-restli-protocol-version"] == "2.0.0"
    assert post.headers["content-type"] == "application/json"
    assert post.headers["authorization"].startswith("Bearer AQX")


def test_an_organization_posts_in_its_own_name() -> None:
    with LinkedInServer(page=True) as server:
        out(play(server.login(), hello))
        assert only(server)["author"] == ORGANIZATION


def test_the_version_of_the_api_can_be_set() -> None:
    with LinkedInServer() as server:
        login = replace(server.login(), service=Service(api_version="202612"))
        out(play(login, hello))
        assert server.requests[-1].headers["linkedin-version"] == "202612"


def test_a_version_that_was_retired_says_what_to_do() -> None:
    with LinkedInServer() as server:
        login = replace(server.login(), service=Service(api_version="202509"))
        sent = play(login, hello)
    assert isinstance(sent, Failed)
    assert (sent.problem.kind, sent.problem.http_status) == (ErrorKind.PERMANENT, 426)
    assert "api_version" in str(sent.problem.hint)


def test_who_may_see_it() -> None:
    with LinkedInServer() as server:
        one = message("Hello", visibility=Visibility.FOLLOWERS)
        out(play(server.login(), lambda s: s.send(one)))
        assert only(server)["visibility"] == "CONNECTIONS"


@pytest.mark.parametrize(
    "more", [{"visibility": Visibility.DIRECT}, {"visibility": Visibility.UNLISTED},
             {"warning": "spoilers"}, {"n": 2}]
)  # fmt: skip
def test_what_it_can_not_do_is_refused(more: dict[str, Any]) -> None:
    with LinkedInServer() as server:
        sent = play(server.login(), lambda s: s.send(message("Hello", **more)))
        assert isinstance(sent, Failed)
        assert sent.problem.kind is ErrorKind.INVALID
        assert not server.posts()


def test_the_request_is_frozen_to_the_byte() -> None:
    """Sent as it was prepared, whatever becomes of the adapter or the account meanwhile."""

    async def scene(sender: Sender) -> None:
        one = message("Zwölf 👍 #tag")
        prepared = await sender.prepare(one)
        sender.login = replace(sender.login, facts={})
        out(await sender.publish(prepared, one.key))
        assert server.requests[-1].body.decode() == prepared.data["body"]

    with LinkedInServer() as server:
        play(server.login(), scene)


def test_without_facts_the_author_is_asked_for() -> None:
    with LinkedInServer() as server:
        out(play(server.login(), hello, inspect=False))
        assert only(server)["author"] == PERSON


def test_a_urn_in_a_header_may_be_encoded() -> None:
    answer = Answer(201, headers={"x-restli-id": "urn%3Ali%3AugcPost%3A7141138937766391808"})
    published = out(sent_into(answer))
    assert published.remote_id == "urn:li:ugcPost:7141138937766391808"
    assert published.url == (
        "https://www.linkedin.com/feed/update/urn:li:ugcPost:7141138937766391808/"
    )


def plain(status: int, code: str, words: str, service: int | None = None) -> Answer:
    body = {"status": status, "serviceErrorCode": service, "code": code, "message": words}
    return Answer(status, body)


def bad(code: str, status: int = 400, **more: Any) -> Answer:
    error = {"description": f"about {code}", "code": code,
             "input": {"inputPath": {"fieldPath": "author"}}}  # fmt: skip
    return Answer(status, {"errorDetailType": "com.linkedin.common.error.BadRequest",
                           "message": "java.lang.Exception: " + code, "status": status,
                           "errorDetails": {"inputErrors": [error]}, **more})  # fmt: skip


REFUSALS = [
    (bad("MISSING_FIELD"), Failed, ErrorKind.INVALID),
    (bad("INVALID_URN_TYPE"), Failed, ErrorKind.INVALID),
    (bad("FIELD_LENGTH_TOO_LONG"), Failed, ErrorKind.INVALID),
    (bad("INVALID_VALUE_BLANK_FIELD"), Failed, ErrorKind.INVALID),
    (plain(400, "VERSION_MISSING", "A version must be present"), Failed, ErrorKind.INVALID),
    (bad("MEDIA_ASSET_WAITING_UPLOAD"), Retry, ErrorKind.TRANSIENT),
    (bad("MEDIA_ASSET_PROCESSING_FAILED"), Retry, ErrorKind.TRANSIENT),
    (bad("EXPIRED_UPLOAD_URL"), Retry, ErrorKind.TRANSIENT),
    (plain(401, "EMPTY_ACCESS_TOKEN", "Empty oauth2 access token", 65604), LetGo, ErrorKind.AUTH),
    (plain(401, "INVALID_ACCESS_TOKEN", "Invalid access token", 65600), LetGo, ErrorKind.AUTH),
    (plain(401, "REVOKED_ACCESS_TOKEN", "revoked by the user", 65601), LetGo, ErrorKind.AUTH),
    (plain(401, "EXPIRED_ACCESS_TOKEN", "has expired", 65602), LetGo, ErrorKind.AUTH),
    (plain(400, "", "The token has expired", 65602), LetGo, ErrorKind.AUTH),
    (Answer(307, b"", {"Location": "https://elsewhere.example/"}), Failed, ErrorKind.INVALID),
    (Answer(303, b"", {"Location": "https://elsewhere.example/"}), Lost, ErrorKind.TRANSIENT),
    (Answer(401, b"<html>No"), LetGo, ErrorKind.AUTH),
    (plain(403, "ACCESS_DENIED", "Not enough permissions", 100), Failed, ErrorKind.PERMANENT),
    (plain(404, "NOT_FOUND", "gone"), Failed, ErrorKind.PERMANENT),
    (plain(409, "CONFLICT", "write conflict"), Lost, ErrorKind.TRANSIENT),
    (plain(413, "", "too large"), Failed, ErrorKind.INVALID),
    (plain(415, "", "no JSON"), Failed, ErrorKind.INVALID),
    (bad("unrecognized field found but not allowed", 422), Failed, ErrorKind.INVALID),
    (bad("DUPLICATE_POST", 422), Failed, ErrorKind.DUPLICATE),
    (plain(426, "NONEXISTENT_VERSION", "not active"), Failed, ErrorKind.PERMANENT),
    (plain(429, "TOO_MANY_REQUESTS", "Resource level throttle"), Retry, ErrorKind.RATE_LIMIT),
    (plain(500, "", "Internal Server Error"), Lost, ErrorKind.TRANSIENT),
    (Answer(503, b"<html>Busy"), Lost, ErrorKind.TRANSIENT),
    (Answer(504, b""), Lost, ErrorKind.TRANSIENT),
    (Answer(200, {"id": "urn:li:share:1"}), Lost, ErrorKind.TRANSIENT),
    (Answer(201, headers={"x-restli-id": "1"}), Lost, ErrorKind.TRANSIENT),
]


@pytest.mark.parametrize(("answer", "outcome", "kind"), REFUSALS)
def test_a_refusal_has_its_kind(answer: Answer, outcome: type[Sent], kind: ErrorKind) -> None:
    sent = sent_into(answer)
    assert isinstance(sent, outcome), sent
    assert not isinstance(sent, Published)
    assert sent.problem is not None
    assert sent.problem.kind is kind
    assert "\n" not in sent.problem.message
    assert "<html>" not in sent.problem.message


@pytest.mark.parametrize(
    ("code", "again"),
    [("MEDIA_ASSET_WAITING_UPLOAD", False), ("MEDIA_ASSET_PROCESSING_FAILED", True),
     ("EXPIRED_UPLOAD_URL", True)],
)  # fmt: skip
def test_only_what_is_of_no_use_is_uploaded_again(code: str, again: bool) -> None:
    sent = sent_into(bad(code))
    assert isinstance(sent, Retry)
    assert sent.prepare_again is again


def test_a_refusal_says_what_and_where() -> None:
    sent = sent_into(bad("MISSING_FIELD"))
    assert isinstance(sent, Failed)
    assert sent.problem.message == "about MISSING_FIELD (author)"


@pytest.mark.parametrize(
    "body",
    [[], "no", {"message": {"a": 1}}, {"errorDetails": []}, {"errorDetails": {"inputErrors": 7}},
     {"errorDetails": {"inputErrors": [7, {"input": 7, "code": 7}]}}, {"message": "x" * 9999},
     {"code": ["x"], "serviceErrorCode": "65600"}],
)  # fmt: skip
def test_a_refusal_of_any_shape_is_one_line(body: object) -> None:
    sent = sent_into(Answer(400, body))
    assert isinstance(sent, Failed)
    assert 0 < len(sent.problem.message) < 400
    assert sent.problem.kind is ErrorKind.INVALID


def test_the_quota_of_a_day_ends_at_midnight() -> None:
    """LinkedIn says no time."""
    with LinkedInServer(quota=1) as server:
        sent = play(server.login(), hello)
    now = datetime.now(UTC)
    assert isinstance(sent, Retry)
    assert not sent.counts
    assert sent.until is not None
    assert now < sent.until < now + timedelta(hours=24, minutes=1)
    assert (sent.until.hour, sent.until.minute) == (0, 0)


def test_midnight() -> None:
    late = datetime(2026, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    assert next_midnight(late) == datetime(2027, 1, 1, tzinfo=UTC)
    assert next_midnight(datetime(2027, 1, 1, tzinfo=UTC)) == datetime(2027, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize("token", ["", "two words", "tok\nX-Evil: 1", "tökén"])
def test_a_token_that_is_none_is_not_sent(token: str) -> None:
    with LinkedInServer() as server:
        login = replace(server.login(), secret=Secret(token))
        sent = play(login, hello, inspect=False)
        assert not server.requests
    assert isinstance(sent, LetGo)


# Deleting


def test_a_post_is_deleted_by_its_encoded_urn() -> None:
    async def scene(sender: Sender) -> None:
        published = out(await sender.send(message("Hello")))
        await sender.platform.delete(published, sender.login, sender.http)
        request = server.requests[-1]
        assert request.path == "/rest/posts/" + published.remote_id.replace(":", "%3A")
        assert (request.method, request.headers["x-restli-method"]) == ("DELETE", "DELETE")
        assert not server.posts()

    with LinkedInServer() as server:
        play(server.login(), scene)


@pytest.mark.parametrize(("status", "fails"), [(204, False), (404, False), (410, False),
                                               (403, True), (500, True)])  # fmt: skip
def test_what_is_gone_is_deleted(status: int, fails: bool) -> None:
    async def scene(sender: Sender) -> None:
        published = Published("urn:li:share:7141138937766391808")
        await sender.platform.delete(published, sender.login, sender.http)

    with LinkedInServer() as server:
        server.program(Fault(FaultKind.ANSWER, Answer(status, {})), "DELETE")
        if fails:
            with pytest.raises(PlatformError):
                play(server.login(), scene)
        else:
            play(server.login(), scene)


@pytest.mark.parametrize(
    "remote_id", ["", "urn:li:activity:7141138937766391808", "7141138937766391808",
                  "https://www.linkedin.com/feed/update/urn:li:share:7141138937766391808/"]
)  # fmt: skip
def test_what_is_no_post_is_not_deleted(remote_id: str) -> None:
    async def scene(sender: Sender) -> None:
        await sender.platform.delete(Published(remote_id), sender.login, sender.http)

    with LinkedInServer() as server:
        with pytest.raises(PlatformError) as caught:
            play(server.login(), scene)
        assert caught.value.problem.hint
        assert not [r for r in server.requests if r.method == "DELETE"]


# The loopback server is as strict as the sheet


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"unknown": 1}, 422),
        ({"author": "urn:li:person:other"}, 403),
        ({"visibility": "FRIENDS"}, 400),
        ({"commentary": " "}, 400),
        ({"content": {}}, 400),
        ({"content": {"media": {"id": "urn:li:image:none"}}}, 400),
        ({"content": {"article": {"source": "https://a.example"}}}, 400),
        ({"distribution": {"feedDistribution": "MAIN_FEED"}}, 400),
    ],
)
def test_the_server_refuses_what_linkedin_does(change: dict[str, Any], status: int) -> None:
    async def scene(sender: Sender) -> Sent:
        one = message("Hello")
        prepared = await sender.prepare(one)
        body = json.dumps(json.loads(prepared.data["body"]) | change)
        return await sender.publish(replace(prepared, data={"body": body}), one.key)

    with LinkedInServer() as server:
        sent = play(server.login(), scene)
        assert isinstance(sent, Failed)
        assert sent.problem.http_status == status
        assert not server.posts()
