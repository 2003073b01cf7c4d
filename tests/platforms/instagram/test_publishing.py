"""What the adapter sends, and how lost answers to posts and comments are settled."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest

from postsched.domain.delivery import Role
from postsched.domain.outcome import ErrorKind, Failed, Lost, Published, Retry, Sent
from postsched.domain.post import Media, Visibility
from postsched.domain.secret import Secret
from postsched.platforms.base import Attachment, Login, Message, PlatformError, Unknown
from postsched.platforms.instagram import Instagram
from postsched.testing import Answer, Fault, FaultKind
from postsched.testing.client import PATIENCE, client
from postsched.testing.facebook_login import PERSON_TOKEN, FacebookLogin
from postsched.testing.graph import TOKEN
from postsched.testing.instagram import USER, USERNAME, InstagramServer
from postsched.testing.sender import Sender, message

T = TypeVar("T")
MEDIA = f"/v26.0/{USER}/media"


def play(login: Login, scene: Callable[[Sender], Awaitable[T]]) -> T:
    """Run a scene with a sender that has read the account's facts."""

    async def whole() -> T:
        async with client(PATIENCE) as http:
            sender = Sender(Instagram, login, http)
            await sender.inspect()
            return await scene(sender)

    return asyncio.run(whole())


def out(sent: Sent) -> Published:
    """The post; fails if it is not out."""
    assert isinstance(sent, Published), sent
    return sent


def at(name: str, alt: str | None = None) -> Attachment:
    """A medium by its address."""
    return Attachment(Media(None, f"https://media.example/{name}", alt))


def made(server: InstagramServer) -> list[dict[str, str]]:
    """The containers that were asked for, without the token."""
    forms = [r.form for r in server.requests if r.path == MEDIA and r.method == "POST"]
    return [{n: v.decode() for n, (_, v) in f.items() if n != "access_token"} for f in forms]


@pytest.mark.parametrize(
    ("one", "forms"),
    [
        (
            message("Hello", link="https://a.example", attachments=(at("a.jpg", "A"),)),
            [{"image_url": "https://media.example/a.jpg", "alt_text": "A",
              "caption": "Hello\n\nhttps://a.example"}],
        ),
        (
            message("Film", attachments=(at("a.mp4"),)),
            [{"media_type": "REELS", "video_url": "https://media.example/a.mp4",
              "share_to_feed": "true", "caption": "Film"}],
        ),
        (
            message("", attachments=(at("a.jpg", "A"), at("b.mov"))),
            [{"image_url": "https://media.example/a.jpg", "alt_text": "A",
              "is_carousel_item": "true"},
             {"media_type": "VIDEO", "video_url": "https://media.example/b.mov",
              "is_carousel_item": "true"},
             {"media_type": "CAROUSEL", "children": "17900000000000001,17900000000000002"}],
        ),
    ],
    ids=["image", "reel", "carousel"],
)  # fmt: skip
def test_a_container_has_what_was_asked_for(one: Message, forms: list[dict[str, str]]) -> None:
    with InstagramServer() as server:
        published = out(play(server.login(), lambda s: s.send(one)))
        assert made(server) == forms
    assert published.url == f"https://www.instagram.com/p/C{published.remote_id}/"


@pytest.mark.parametrize(
    "one",
    [
        message("No picture"),
        message("Two", n=2, attachments=(at("a.jpg"),)),
        message("#tag " * 31, attachments=(at("a.jpg"),)),
        message("Hello", visibility=Visibility.FOLLOWERS, attachments=(at("a.jpg"),)),
        message("Hello", warning="Careful", attachments=(at("a.jpg"),)),
        message("Hello", attachments=(at("a.jpg"),) * 11),
        message("Hello", attachments=(Attachment(Media("a.jpg", None, None, "image/jpeg")),)),
        message("Hello", attachments=(at("a.png"),)),
        message("Hello", attachments=(at("missing.jpg"),)),
    ],
)
def test_what_can_not_be_is_refused(one: Message) -> None:
    with InstagramServer() as server:
        sent = play(server.login(), lambda s: s.send(one))
        assert not server.published_requests()
    assert isinstance(sent, Failed)
    assert sent.problem.kind is ErrorKind.INVALID


def test_a_container_that_expired_is_made_again() -> None:
    async def scene(sender: Sender) -> Sent:
        one = message("Hello", attachments=(at("a.jpg"),))
        prepared = await sender.prepare(one)
        server.expire()
        return await sender.publish(prepared, one.key)

    with InstagramServer() as server:
        sent = play(server.login(), scene)
    assert isinstance(sent, Retry)
    assert sent.prepare_again


def test_a_used_up_quota_is_seen_before_anything_is_made() -> None:
    with InstagramServer(quota=0) as server:
        one = message("Hello", attachments=(at("a.jpg"),))
        sent = play(server.login(), lambda s: s.send(one))
        assert not made(server)
    assert isinstance(sent, Retry)
    assert (sent.problem.kind, sent.after) == (ErrorKind.RATE_LIMIT, 3600.0)


def test_what_the_network_says_of_its_quota_is_passed_on() -> None:
    """When there is room, and when it was used up by others after all was prepared."""

    async def scene(sender: Sender) -> tuple[Sent, Sent]:
        one = message("Hello", attachments=(at("a.jpg"),))
        two = message("More", key="two", attachments=(at("b.jpg"),))
        prepared = [await sender.prepare(one), await sender.prepare(two)]
        return (
            await sender.publish(prepared[0], one.key),
            await sender.publish(prepared[1], two.key),
        )

    with InstagramServer(quota=1) as server:
        first, second = play(server.login(), scene)
    (left,) = out(first).limits
    assert (left.name, left.remaining, left.limit) == ("posts in 1 day", 0, 1)
    assert isinstance(second, Retry)
    assert [(one.name, one.remaining, one.limit) for one in second.limits] == [
        ("posts in 1 day", 0, 1)
    ]


@pytest.mark.parametrize("subcode", [2207051, 2207008])
def test_an_error_for_what_is_out_is_never_taken_for_a_failure(subcode: int) -> None:
    error = {"error": {"code": 4, "error_subcode": subcode, "message": "Words"}}
    if subcode == 2207008:
        error["error"]["code"] = 24
    with InstagramServer() as server:
        server.program_publishing(Fault(FaultKind.ANSWER_AFTER, Answer(400, error)))
        one = message("Hello", attachments=(at("a.jpg"),))
        published = out(play(server.login(), lambda s: s.send(one)))
        assert [published.remote_id] == [post.remote_id for post in server.posts()]


@pytest.mark.parametrize("kind", [FaultKind.RESET, FaultKind.RESET_AFTER])
def test_a_comment_whose_answer_is_lost_is_looked_for(kind: FaultKind) -> None:
    async def scene(sender: Sender) -> Published | Unknown | None:
        post = out(await sender.send(message("Hello", attachments=(at("a.jpg"),))))
        one = message("More", key="comment", role=Role.COMMENT)
        prepared = await sender.prepare(one, post, post)
        assert await sender.find(prepared, one.key) is None
        server.program(Fault(kind), "POST", ".*/comments")
        lost = await sender.publish(prepared, one.key)
        assert isinstance(lost, Lost)
        found = await sender.find(prepared, one.key)
        if found is None:
            out(await sender.publish(prepared, one.key))
        return found

    with InstagramServer() as server:
        found = play(server.login(), scene)
        assert [text for _, text, _ in server.comments.values()] == ["More"]
        if kind is FaultKind.RESET_AFTER:
            assert isinstance(found, Published)
            assert [found.remote_id] == list(server.comments)


def test_a_login_that_may_not_comment_holds_no_posts() -> None:
    async def scene(sender: Sender) -> Sent:
        post = out(await sender.send(message("Hello", attachments=(at("a.jpg"),))))
        answer = Answer(403, {"error": {"code": 200, "message": "Permissions error"}})
        server.program(Fault(FaultKind.ANSWER, answer), "POST", ".*/comments")
        return await sender.send(message("More", key="c", role=Role.COMMENT), post, post)

    with InstagramServer() as server:
        sent = play(server.login(), scene)
    assert isinstance(sent, Failed)
    assert sent.problem.kind is ErrorKind.PERMANENT


def test_who_it_is_may_be_in_a_list_and_be_a_number() -> None:
    async def scene(sender: Sender) -> dict[str, Any]:
        return dict(sender.login.facts)

    with InstagramServer() as server:
        facts = play(server.login(), scene)
    assert facts == {
        "user": f"@{USERNAME}", "id": USER, "username": USERNAME, "login": "instagram"
    }  # fmt: skip


@pytest.mark.parametrize("token", [TOKEN, PERSON_TOKEN], ids=["of the Page", "of the person"])
def test_by_facebook_login_it_is_the_account_of_the_page(token: str) -> None:
    with InstagramServer(login_kind="facebook") as server:
        login = replace(
            server.login(), secret=Secret(token), settings={"login": "facebook"}, user=USERNAME
        )
        facts = play(login, lambda s: _facts(s))
        again = play(replace(login, user=facts["user"], facts=facts), lambda s: _facts(s))
        one = message("Hello", attachments=(at("a.jpg"),))
        out(play(login, lambda s: s.send(one)))
        assert len(server.posts()) == 1
    assert facts == again
    assert (facts["user"], facts["id"], facts["login"]) == (f"@{USERNAME}", USER, "facebook")
    assert Instagram().capabilities(facts).delete
    assert not Instagram().stale(login, datetime.now(UTC))


@pytest.mark.parametrize(
    ("token", "user", "words"),
    [
        (PERSON_TOKEN, None, "which Instagram account is meant"),
        (PERSON_TOKEN, "nobody", "no Instagram account 'nobody', but: @me_on_instagram"),
        (TOKEN, "the_field", "no Instagram account 'the_field'"),
        ("page of none", None, "has no Instagram account"),
    ],
)
def test_an_account_that_can_not_be_told_is_asked_for(
    token: str, user: str | None, words: str
) -> None:
    with InstagramServer(login_kind="facebook") as server:
        assert isinstance(server.tokens, FacebookLogin)
        server.tokens.live["pageofnone"] = server.tokens.pages[1].id
        secret = Secret(token.replace(" ", ""))
        login = replace(server.login(), secret=secret, settings={"login": "facebook"}, user=user)
        with pytest.raises(PlatformError, match=re.escape(words)) as caught:
            play(login, lambda s: _facts(s))
    assert caught.value.problem.kind is ErrorKind.AUTH


def test_each_login_has_its_host() -> None:
    login = replace(Login("me", "https://graph.instagram.com", None), settings={})
    own = Instagram().oauth(login)
    other = Instagram().oauth(replace(login, settings={"login": "facebook"}))
    assert own.authorize_url == "https://www.instagram.com/oauth/authorize"
    assert other.authorize_url == "https://www.facebook.com/v26.0/dialog/oauth"
    assert other.token_url == "https://graph.facebook.com/v26.0/oauth/access_token"


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"\0\0\0\x18ftypmp42" + bytes(3_000_000), None), (b"no film at all", ErrorKind.INVALID)],
    ids=["film", "other"],
)
def test_by_facebook_login_a_reel_may_be_a_file(
    content: bytes, kind: ErrorKind | None, tmp_path: Path
) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    film = Attachment(Media(str(path), None, None, "video/mp4", len(content)), path)
    one = message("Film", attachments=(film,))
    with InstagramServer(login_kind="facebook") as server:
        login = replace(server.login(), settings={"login": "facebook"})
        sent = play(login, lambda s: s.send(one))
        assert made(server) == [
            {"caption": "Film", "media_type": "REELS", "upload_type": "resumable",
             "share_to_feed": "true"}
        ]  # fmt: skip
        assert len(server.posts()) == (kind is None)
        (upload,) = [r for r in server.requests if r.path.startswith("/ig-api-upload/")]
        assert upload.body == content
    if kind is not None:
        assert isinstance(sent, Failed)
        assert sent.problem.kind is kind


def test_the_token_goes_to_no_other_host(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"film")
    film = Attachment(Media(str(path), None, None, "video/mp4", 4), path)
    answer = Answer(200, {"id": "1", "uri": "https://rupload.facebook.com.evil.example/1"})
    with InstagramServer(login_kind="facebook") as server:
        login = replace(server.login(), settings={"login": "facebook"})
        server.program(Fault(FaultKind.ANSWER, answer), "POST", MEDIA)
        sent = play(login, lambda s: s.send(message("Film", attachments=(film,))))
    assert isinstance(sent, Retry)
    assert "not its own" in sent.problem.message


async def _facts(sender: Sender) -> dict[str, Any]:
    return dict(sender.login.facts)


def test_nobody_deletes_by_instagram_login() -> None:
    async def scene(sender: Sender) -> None:
        with pytest.raises(PlatformError, match="nobody"):
            await sender.platform.delete(Published("1"), sender.login, sender.http)

    with InstagramServer() as server:
        play(server.login(), scene)
