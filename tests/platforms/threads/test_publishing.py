"""What the adapter sends, and what it makes of each refusal."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from postsched.domain.delivery import Role
from postsched.domain.outcome import ErrorKind, Failed, LetGo, Lost, Published, Retry, Sent
from postsched.domain.post import Media, Visibility
from postsched.domain.secret import Secret
from postsched.platforms.base import Attachment, Message, PlatformError, Renewal
from postsched.platforms.threads import Threads
from postsched.testing import Answer, Fault, FaultKind
from postsched.testing.graph import TOKEN
from postsched.testing.sender import Sender, message
from postsched.testing.threads import USERNAME, ThreadsServer
from tests.platforms.threads.playing import at, out, play

NOW = datetime.now(UTC)


def error(code: int, subcode: int | None = None, **more: Any) -> dict[str, Any]:
    """An error of Graph's."""
    said = {"message": "Words", "code": code, "type": "OAuthException", **more}
    return {"error": said if subcode is None else {**said, "error_subcode": subcode}}


def made(server: ThreadsServer) -> list[dict[str, str]]:
    """The containers that were asked for, without the token."""
    forms = [r.form for r in server.requests if r.path == "/v1.0/me/threads" and r.method == "POST"]
    return [{n: v.decode() for n, (_, v) in f.items() if n != "access_token"} for f in forms]


# What is sent


@pytest.mark.parametrize(
    ("one", "forms"),
    [
        (message("Hello"), [{"media_type": "TEXT", "text": "Hello"}]),
        (
            message("Hello", link="https://a.example"),
            [{"media_type": "TEXT", "text": "Hello", "link_attachment": "https://a.example"}],
        ),
        (
            message("Hello", link="https://a.example", attachments=(at("a.jpg", "A"),)),
            [{"media_type": "IMAGE", "image_url": "https://media.example/a.jpg", "alt_text": "A",
              "text": "Hello\n\nhttps://a.example"}],
        ),
        (
            message("", attachments=(at("a%20film.MP4?size=1"),)),
            [{"media_type": "VIDEO", "video_url": "https://media.example/a%20film.MP4?size=1"}],
        ),
        (
            message("Both", attachments=(at("a.png", "A"), at("b.mov"))),
            [{"media_type": "IMAGE", "image_url": "https://media.example/a.png", "alt_text": "A",
              "is_carousel_item": "true"},
             {"media_type": "VIDEO", "video_url": "https://media.example/b.mov",
              "is_carousel_item": "true"},
             {"media_type": "CAROUSEL", "text": "Both",
              "children": "17800000000000001,17800000000000002"}],
        ),
    ],
    ids=["text", "link", "image with a link", "film", "carousel"],
)  # fmt: skip
def test_a_container_has_what_was_asked_for(one: Message, forms: list[dict[str, str]]) -> None:
    with ThreadsServer() as server:
        published = out(play(server.login(), lambda s: s.send(one)))
        assert made(server) == forms
    assert published.url == f"https://www.threads.net/@{USERNAME}/post/C{published.remote_id}"


def test_each_part_replies_to_the_one_before_and_the_comment_to_the_first() -> None:
    parts = (message("One", key="1"), message("Two", key="2", n=2), message("Three", key="3", n=3))

    async def scene(sender: Sender) -> None:
        ids = await sender.thread(*parts)
        out(await sender.send(message("More", key="4", role=Role.COMMENT), ids[0], ids[-1]))

    with ThreadsServer() as server:
        play(server.login(), scene)
        posts = server.posts()
    ids = [post.remote_id for post in posts]
    assert [post.parent for post in posts] == [None, ids[0], ids[1], ids[0]]


@pytest.mark.parametrize(
    "one",
    [
        message("Two", n=2),
        message("More", role=Role.COMMENT),
        message("Hello", visibility=Visibility.FOLLOWERS),
        message("Hello", warning="Careful"),
        message("Hello", attachments=(at("a.jpg"),) * 21),
        message("Hello", attachments=(Attachment(Media("a.jpg", None, None, "image/jpeg")),)),
    ],
)
def test_what_can_not_be_is_not_asked_for(one: Message) -> None:
    with ThreadsServer() as server:
        sent = play(server.login(), lambda s: s.send(one))
        assert not server.requests
    assert isinstance(sent, Failed)
    assert sent.problem.kind is ErrorKind.INVALID


def test_nothing_is_published_before_it_is_finished() -> None:
    with ThreadsServer(polls=1) as server:
        out(play(server.login(), lambda s: s.send(message("", attachments=(at("a.jpg"),)))))
        paths = [r.path for r in server.requests]
    container = next(p for p in paths if p.startswith("/v1.0/178"))
    looks = [n for n, path in enumerate(paths) if path == container]
    assert len(looks) == 2
    assert looks[-1] < paths.index("/v1.0/me/threads_publish")


def test_what_takes_too_long_is_kept_and_looked_at_again() -> None:
    async def scene(sender: Sender) -> Sent:
        one = message("", attachments=(at("a.mp4"),))
        prepared = await sender.prepare(one)
        prepared = replace(prepared, data={**prepared.data, "ready": False})
        container = server.containers[prepared.data["container"]]
        container.state, container.fails = "ERROR", "UNKNOWN"
        failed = await sender.publish(prepared, one.key)
        container.state = "FINISHED"
        out(await sender.publish(prepared, one.key))
        return failed

    with ThreadsServer() as server:
        failed = play(server.login(), scene)
        assert len(made(server)) == len(server.published_requests()) == 1
    assert isinstance(failed, Retry)
    assert failed.prepare_again


@pytest.mark.parametrize(
    ("name", "outcome", "kind"),
    [
        ("missing.jpg", Failed, ErrorKind.INVALID),
        ("a.webp", Failed, ErrorKind.INVALID),
        ("invalid_duration.mp4", Failed, ErrorKind.INVALID),
        ("failed_downloading_video.mp4", Failed, ErrorKind.INVALID),
        ("failed_processing_video.mp4", Retry, ErrorKind.TRANSIENT),
        ("unknown.mp4", Retry, ErrorKind.TRANSIENT),
    ],
)
@pytest.mark.parametrize("more", [(), (at("a.jpg"),)], ids=["alone", "in a carousel"])
def test_media_that_can_not_be_used(
    name: str, outcome: type[Sent], kind: ErrorKind, more: tuple[Attachment, ...]
) -> None:
    one = message("Hello", attachments=(at(name), *more))
    with ThreadsServer() as server:
        sent = play(server.login(), lambda s: s.send(one))
        assert not server.posts()
        assert not server.published_requests()
    assert isinstance(sent, outcome), sent
    assert not isinstance(sent, Published)
    assert sent.problem is not None
    assert sent.problem.kind is kind


def test_a_container_that_expired_is_made_again() -> None:
    async def scene(sender: Sender) -> Sent:
        one = message("Hello")
        prepared = await sender.prepare(one)
        server.expire()
        return await sender.publish(prepared, one.key)

    with ThreadsServer() as server:
        sent = play(server.login(), scene)
    assert isinstance(sent, Retry)
    assert sent.prepare_again


@pytest.mark.parametrize(("part", "quota"), [(1, {"quota": 0}), (2, {"reply_quota": 0})])
def test_a_used_up_quota_is_seen_before_anything_is_made(part: int, quota: dict[str, Any]) -> None:
    async def scene(sender: Sender) -> Sent:
        parent = None if part == 1 else out(await sender.send(message("One")))
        return await sender.send(message("Hello", key="x", n=part), parent, parent)

    with ThreadsServer(**quota) as server:
        sent = play(server.login(), scene)
        assert len(made(server)) == part - 1
    assert isinstance(sent, Retry), sent
    assert (sent.problem.kind, sent.after, sent.counts) == (ErrorKind.RATE_LIMIT, 3600.0, False)


# What is answered

CREATING = [
    (400, error(190, 463), LetGo, ErrorKind.AUTH),
    (400, error(10), LetGo, ErrorKind.AUTH),
    (403, error(200), LetGo, ErrorKind.AUTH),
    (400, error(4279013), Failed, ErrorKind.PERMANENT),
    (400, error(100), Failed, ErrorKind.INVALID),
    (400, error(9004, 2207052), Failed, ErrorKind.INVALID),
    (400, error(36004, 2207010), Failed, ErrorKind.INVALID),
    (400, error(4), Retry, ErrorKind.RATE_LIMIT),
    (403, error(32), Retry, ErrorKind.RATE_LIMIT),
    (400, error(9, 2207042), Retry, ErrorKind.RATE_LIMIT),
    (400, error(24, 4279009), Retry, ErrorKind.TRANSIENT),
    (400, error(-1, 2207001), Retry, ErrorKind.TRANSIENT),
    (500, error(2), Retry, ErrorKind.TRANSIENT),
    (400, error(100, is_transient=True), Retry, ErrorKind.TRANSIENT),
    (200, error(190), LetGo, ErrorKind.AUTH),
    (200, {"id": None}, Retry, ErrorKind.TRANSIENT),
    (200, {"id": "../me"}, Retry, ErrorKind.TRANSIENT),
    (400, {"error": "text"}, Failed, ErrorKind.INVALID),
]
PUBLISHING = [
    (400, error(190, 463), LetGo, ErrorKind.AUTH),
    (400, error(10), Lost, ErrorKind.PERMANENT),
    (500, error(10), Lost, ErrorKind.PERMANENT),
    (400, error(1), Lost, ErrorKind.TRANSIENT),
    (500, error(2), Lost, ErrorKind.TRANSIENT),
    (400, error(4, 2207051), Lost, ErrorKind.PERMANENT),
    (400, error(4), Retry, ErrorKind.RATE_LIMIT),
    (400, error(9, 2207042), Retry, ErrorKind.RATE_LIMIT),
    (400, error(24, 4279009), Retry, ErrorKind.TRANSIENT),
    (400, error(24, 2207008), Retry, ErrorKind.TRANSIENT),
    (400, error(100), Failed, ErrorKind.INVALID),
    (400, error(4279013), Failed, ErrorKind.PERMANENT),
    (200, {"success": True}, Lost, ErrorKind.TRANSIENT),
    (200, {"id": "../me"}, Lost, ErrorKind.TRANSIENT),
]


@pytest.mark.parametrize(("status", "body", "outcome", "kind"), CREATING)
def test_a_refusal_to_make_a_container(
    status: int, body: object, outcome: type[Sent], kind: ErrorKind
) -> None:
    with ThreadsServer() as server:
        server.program(Fault(FaultKind.ANSWER, Answer(status, body)), "POST", "/v1.0/me/threads")
        sent = play(server.login(), lambda s: s.send(message("Hello")))
        assert not server.published_requests()
    check(sent, outcome, kind)


@pytest.mark.parametrize(("status", "body", "outcome", "kind"), PUBLISHING)
def test_a_refusal_to_publish(
    status: int, body: object, outcome: type[Sent], kind: ErrorKind
) -> None:
    with ThreadsServer() as server:
        server.program_publishing(Fault(FaultKind.ANSWER, Answer(status, body)))
        sent = play(server.login(), lambda s: s.send(message("Hello")))
    check(sent, outcome, kind)


@pytest.mark.parametrize("body", [e for s, e, o, k in PUBLISHING if o in (Failed, Lost)][:-1])
def test_an_error_for_what_is_out_is_never_taken_for_a_failure(body: object) -> None:
    with ThreadsServer() as server:
        server.program_publishing(Fault(FaultKind.ANSWER_AFTER, Answer(400, body)))
        published = out(play(server.login(), lambda s: s.send(message("Hello"))))
        assert [published.remote_id] == [post.remote_id for post in server.posts()]


def check(sent: Sent, outcome: type[Sent], kind: ErrorKind) -> None:
    """Whether it came to that."""
    assert isinstance(sent, outcome), sent
    assert not isinstance(sent, Published)
    assert sent.problem is not None
    assert sent.problem.kind is kind


def test_the_wait_is_that_of_the_headers() -> None:
    usage = '{"17": [{"type": "threads", "estimated_time_to_regain_access": 19}]}'
    answer = Answer(400, error(80002), {"X-Business-Use-Case-Usage": usage})
    with ThreadsServer() as server:
        server.program_publishing(Fault(FaultKind.ANSWER, answer))
        sent = play(server.login(), lambda s: s.send(message("Hello")))
    assert isinstance(sent, Retry)
    assert sent.after == 19 * 60


def test_a_permalink_that_can_not_be_had_fails_nothing() -> None:
    async def scene(sender: Sender) -> Published:
        one = message("Hello")
        prepared = await sender.prepare(one)
        server.program(Fault(FaultKind.RESET), "GET", count=None)
        return out(await sender.publish(prepared, one.key))

    with ThreadsServer() as server:
        published = play(server.login(), scene)
        assert [published.remote_id] == [post.remote_id for post in server.posts()]
    assert published.url is None


@pytest.mark.parametrize("remote_id", ["", "https://threads.net/1", "1/../../me", "１"])
def test_what_is_no_id_is_in_no_address(remote_id: str) -> None:
    async def scene(sender: Sender) -> None:
        with pytest.raises(PlatformError, match="id"):
            await sender.platform.delete(Published(remote_id), sender.login, sender.http)

    with ThreadsServer() as server:
        play(server.login(), scene)
        assert not server.requests


# Tokens


def test_the_end_of_a_token_is_a_fact() -> None:
    with ThreadsServer() as server:
        facts = play(server.login(), lambda s: s.inspect())
        login = replace(server.login(), secret=Secret({"access_token": TOKEN}))
        server.program(Fault(FaultKind.RESET), "GET", ".*debug_token", None)
        without = play(login, lambda s: s.inspect())
    end = datetime.fromisoformat(facts["token_expires_at"])
    assert timedelta(days=57) < end - datetime.now(UTC) < timedelta(days=59)
    assert without == {"user": f"@{USERNAME}", "id": "17", "username": USERNAME}


@pytest.mark.parametrize(("days", "stale"), [(59, False), (54, False), (52, True), (0, False)])
def test_a_token_of_a_week_is_stale(days: int, stale: bool) -> None:
    end = (NOW + timedelta(days=days)).isoformat()
    with ThreadsServer() as server:
        login = replace(server.login(), secret=Secret({"access_token": TOKEN, "expires_at": end}))
    assert Threads().stale(login, NOW) is stale
    assert not Threads().stale(server.login(), NOW)


def test_a_token_is_renewed_with_the_one_before_beside() -> None:
    end = (NOW + timedelta(days=50)).isoformat()
    secret = {"access_token": TOKEN, "expires_at": end, "client_id": "7"}

    async def scene(sender: Sender) -> Renewal | None:
        return await sender.platform.refresh(sender.login, sender.http, NOW, refused=False)

    with ThreadsServer() as server:
        renewal = play(replace(server.login(), secret=Secret(secret)), scene)
        assert renewal is not None
        assert renewal.secret.text in server.tokens.live
    assert renewal.secret.text != TOKEN
    assert renewal.secret.get("client_id") == "7"
    assert renewal.secret.get("previous") == {"access_token": TOKEN, "expires_at": end}
    assert renewal.expires_at is not None
    assert timedelta(days=59) < renewal.expires_at - NOW < timedelta(days=61)


def test_a_token_of_today_is_not_renewed_by_the_network() -> None:
    async def scene(sender: Sender) -> Renewal | None:
        return await sender.platform.refresh(sender.login, sender.http, NOW, refused=False)

    end = (NOW + timedelta(days=50)).isoformat()
    with ThreadsServer() as server:
        given, ends = server.tokens.live[TOKEN]
        server.tokens.live[TOKEN] = (server.clock(), ends)
        login = replace(server.login(), secret=Secret({"access_token": TOKEN, "expires_at": end}))
        with pytest.raises(PlatformError, match="24 hours") as caught:
            play(login, scene)
    assert caught.value.problem.kind is ErrorKind.AUTH
    assert TOKEN not in repr(caught.value)
    assert given
