"""What the adapter sends, what it makes of each refusal, and which tokens it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from postsched.domain.delivery import Role
from postsched.domain.outcome import ErrorKind, Failed, LetGo, Lost, Published, Retry, Sent
from postsched.domain.post import Media, Visibility
from postsched.domain.secret import Secret
from postsched.platforms.base import Attachment, Message, PlatformError, Service, Unknown
from postsched.platforms.facebook import Facebook
from postsched.testing import Answer, Fault, FaultKind
from postsched.testing.facebook import NAME, OTHER_NAME, PAGE, FacebookServer
from postsched.testing.facebook_login import PERSON_TOKEN
from postsched.testing.facebook_posts import PIECE
from postsched.testing.graph import APP_ID, APP_SECRET, TOKEN
from postsched.testing.sender import Sender, message
from tests.platforms.facebook.playing import at, file, out, play


def error(code: int, subcode: int | None = None, **more: Any) -> dict[str, Any]:
    """An error of Graph's."""
    said = {"message": "Words", "code": code, "type": "OAuthException", **more}
    return {"error": said if subcode is None else {**said, "error_subcode": subcode}}


def forms(server: FacebookServer, edge: str) -> list[dict[str, str]]:
    """The fields that were sent to an edge of the Page, without token and files."""
    sent = [r.form for r in server.requests if r.path == f"/v26.0/{PAGE}/{edge}"]
    return [
        {n: v.decode() for n, (name, v) in f.items() if n != "access_token" and name is None}
        for f in sent
    ]


# What is sent


def test_a_post_has_what_was_asked_for(tmp_path: Path) -> None:
    one = message("Hello", link="https://a.example")
    pictured = message(
        "Two", key="2", link="https://a.example",
        attachments=(file(tmp_path, "a.png", "A"), at("b.jpg", "B")),
    )  # fmt: skip

    async def scene(sender: Sender) -> Published:
        out(await sender.send(message("", key="3", attachments=(at("c.jpg"),))))
        out(await sender.send(pictured))
        return out(await sender.send(one))

    with FacebookServer() as server:
        published = play(server.login(), scene)
        alone, two, text = forms(server, "feed")
        photos = forms(server, "photos")
        assert [post.alts for post in server.posts()] == [("",), ("A", "B"), ()]
        ids = list(server.photos)
    fields = {"fields": "id,permalink_url"}
    assert alone == {"attached_media": f'[{{"media_fbid": "{ids[0]}"}}]', **fields}
    assert two == {
        "message": "Two\n\nhttps://a.example",
        "attached_media": f'[{{"media_fbid": "{ids[1]}"}}, {{"media_fbid": "{ids[2]}"}}]', **fields,
    }  # fmt: skip
    assert text == {"message": "Hello", "link": "https://a.example", **fields}
    assert photos[1:] == [
        {"published": "false", "alt_text_custom": "A"},
        {"published": "false", "alt_text_custom": "B", "url": "https://media.example/b.jpg"},
    ]
    assert (
        published.url == f"https://www.facebook.com/{published.remote_id.replace('_', '/posts/')}"
    )


def test_a_film_is_there_before_it_is_due(tmp_path: Path) -> None:
    content = bytes(range(256)) * 10
    whole = file(tmp_path, "secret name.mp4", content=content)

    async def scene(sender: Sender) -> Published:
        one = message("Film", title="Title", attachments=(whole,))
        prepared = await sender.prepare(one)
        assert not server.posts()
        assert await sender.find(prepared, one.key) is None
        server.program(Fault(FaultKind.RESET_AFTER), "POST", ".*/videos")
        assert isinstance(await sender.publish(prepared, one.key), Lost)
        found = await sender.find(prepared, one.key)
        assert isinstance(found, Published)
        await sender.platform.delete(found, sender.login, sender.http)
        return found

    with FacebookServer() as server:
        published = play(server.login(), scene)
        sent = forms(server, "videos")
        assert not server.posts()
    assert published.url == f"https://www.facebook.com/reel/{published.remote_id}"
    assert sent[0] == {"upload_phase": "start", "file_size": str(len(content))}
    assert len(sent) == 2 + -(-len(content) // PIECE)
    assert sent[-1]["upload_phase"] == "finish"
    assert (sent[-1]["description"], sent[-1]["title"]) == ("Film", "Title")
    assert not [r for r in server.requests if b"secret name" in r.body]


@pytest.mark.parametrize("kind", [FaultKind.RESET, FaultKind.RESET_AFTER])
def test_a_film_by_its_address_is_never_sent_twice(kind: FaultKind) -> None:
    """Nothing tells it from another before it is shown, so where it isn't, nobody knows."""

    async def scene(sender: Sender) -> Published | Unknown | None:
        one = message("Film", attachments=(at("a.mp4"),))
        prepared = await sender.prepare(one)
        server.program(Fault(kind), "POST", ".*/videos")
        assert isinstance(await sender.publish(prepared, one.key), Lost)
        return await sender.find(prepared, one.key)

    with FacebookServer() as server:
        assert isinstance(play(server.login(), scene), Unknown)
        out(play(server.login(), lambda s: s.send(message("", attachments=(at("b.mp4"),)))))
        assert forms(server, "videos")[-1] == {"file_url": "https://media.example/b.mp4"}


@pytest.mark.parametrize(
    "one",
    [
        message(""),
        message("Two", n=2),
        message("Hello", visibility=Visibility.FOLLOWERS),
        message("Hello", warning="Careful"),
        message("Hello", attachments=(at("a.jpg"),) * 11),
        message("Hello", attachments=(at("a.mp4"), at("a.jpg"))),
        message("Hello", attachments=(at("missing.jpg"),)),
        message("Hello", attachments=(at("a.pdf"),)),
        message("Hello", attachments=(Attachment(Media("a.mp4", None, None, "video/mp4")),)),
        message("Hello", attachments=(Attachment(Media("a.jpg", None, None, "image/jpeg")),)),
        message("Hello", link="ftp://a.example"),
    ],
)
def test_what_can_not_be_is_refused(one: Message) -> None:
    with FacebookServer() as server:
        sent = play(server.login(), lambda s: s.send(one))
        assert not server.posts()
    assert isinstance(sent, Failed), sent
    assert sent.problem.kind is ErrorKind.INVALID


def test_a_file_that_is_no_picture_is_refused(tmp_path: Path) -> None:
    one = message("Hello", attachments=(file(tmp_path, "a.png", content=b"%PDF-1.7"),))
    with FacebookServer() as server:
        sent = play(server.login(), lambda s: s.send(one))
        assert not server.published_requests()
    assert isinstance(sent, Failed)
    assert "(324/2069019)" in sent.problem.message


# Refusals


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        (error(506), 400, (Lost, ErrorKind.DUPLICATE)),
        (error(100, 1366051), 400, (Lost, ErrorKind.DUPLICATE)),
        (error(1), 500, (Lost, ErrorKind.TRANSIENT)),
        (error(2, 1363047), 400, (Lost, ErrorKind.TRANSIENT)),
        (error(100, 1609010), 400, (Lost, ErrorKind.TRANSIENT)),
        (error(200), 403, (LetGo, ErrorKind.AUTH)),
        (error(100, 1404078), 400, (LetGo, ErrorKind.AUTH)),
        (error(190, 460), 400, (LetGo, ErrorKind.AUTH)),
        (error(341), 400, (Retry, ErrorKind.RATE_LIMIT)),
        (error(100, 1390008), 400, (Retry, ErrorKind.RATE_LIMIT)),
        (error(368), 400, (Failed, ErrorKind.PERMANENT)),
        (error(100, 1346003), 400, (Failed, ErrorKind.PERMANENT)),
        (error(1, 1366046), 400, (Failed, ErrorKind.INVALID)),
        (error(197), 400, (Failed, ErrorKind.INVALID)),
    ],
)
def test_each_refusal_has_its_kind(
    body: Mapping[str, Any], status: int, expected: tuple[type[Sent], ErrorKind]
) -> None:
    with FacebookServer() as server:
        server.program_publishing(Fault(FaultKind.ANSWER, Answer(status, body)))
        sent = play(server.login(), lambda s: s.send(message("Hello")))
    assert not isinstance(sent, Published)
    assert sent.problem is not None
    assert (type(sent), sent.problem.kind) == expected


def test_the_wait_is_that_of_the_headers() -> None:
    usage = f'{{"{PAGE}": [{{"type": "pages", "estimated_time_to_regain_access": 19}}]}}'
    answer = Answer(400, error(80001), {"X-Business-Use-Case-Usage": usage})
    with FacebookServer() as server:
        server.program_publishing(Fault(FaultKind.ANSWER, answer))
        sent = play(server.login(), lambda s: s.send(message("Hello")))
    assert isinstance(sent, Retry)
    assert sent.after == 19 * 60


# The first comment


@pytest.mark.parametrize("kind", [FaultKind.RESET, FaultKind.RESET_AFTER])
def test_a_comment_whose_answer_is_lost_is_looked_for(kind: FaultKind) -> None:
    async def scene(sender: Sender) -> Published | Unknown | None:
        post = out(await sender.send(message("Hello")))
        one = message("More", key="comment", role=Role.COMMENT)
        prepared = await sender.prepare(one, post, post)
        assert await sender.find(prepared, one.key) is None
        server.program(Fault(kind), "POST", ".*/comments")
        assert isinstance(await sender.publish(prepared, one.key), Lost)
        refused = Answer(403, error(200))
        server.program(Fault(FaultKind.ANSWER, refused), "GET", ".*/comments")
        blind = await sender.find(prepared, one.key)
        assert isinstance(blind, Unknown)
        assert blind.final
        return await sender.find(prepared, one.key)

    with FacebookServer() as server:
        found = play(server.login(), scene)
        assert ([found.remote_id] if isinstance(found, Published) else []) == list(server.comments)


# Who


@pytest.mark.parametrize(
    ("token", "user", "words"),
    [
        (PERSON_TOKEN, None, f"of the person Petra Person, not of a Page; theirs are: {NAME}"),
        (TOKEN, OTHER_NAME, f"for the Page {NAME}"),
        ("stale", None, "expired"),
    ],
)
def test_a_token_that_is_not_the_page_s_is_refused(
    token: str, user: str | None, words: str
) -> None:
    with FacebookServer() as server:
        login = replace(server.login(), secret=Secret(token), user=user)
        with pytest.raises(PlatformError, match=words) as caught:
            play(login, lambda s: s.inspect(), inspect=False)
    assert caught.value.problem.kind is ErrorKind.AUTH
    assert token not in str(caught.value)


def test_what_the_app_knows_of_the_token() -> None:
    app = Service(client_id=APP_ID, client_secret=Secret(APP_SECRET))
    with FacebookServer() as server:
        login = replace(server.login(), user="the bakery")
        bare = play(login, lambda s: s.inspect(), inspect=False)
        facts = play(replace(login, service=app), lambda s: s.inspect(), inspect=False)
        server.tokens.scopes = ["pages_show_list"]
        with pytest.raises(PlatformError, match="does not include pages_manage_posts"):
            play(replace(login, service=app), lambda s: s.inspect(), inspect=False)
        renamed = replace(login, facts=facts, user="Its name before")
        assert play(renamed, lambda s: s.inspect(), inspect=False)["id"] == PAGE
    assert bare == {"user": NAME, "id": PAGE}
    left = datetime.fromisoformat(facts["token_expires_at"]) - datetime.now(UTC)
    assert timedelta(days=89) < left < timedelta(days=91)


def test_a_token_of_no_person_and_a_list_that_can_not_be_had() -> None:
    """Whether it is a Page's is not guessed while the network is in trouble."""
    with FacebookServer() as server:
        server.program(Fault(FaultKind.ANSWER, Answer(500, error(2))), "GET", ".*/me/accounts")
        with pytest.raises(PlatformError) as caught:
            play(server.login(), lambda s: s.inspect(), inspect=False)
    assert caught.value.problem.kind is ErrorKind.TRANSIENT


def test_where_people_log_in() -> None:
    with FacebookServer() as server:
        login = server.login()
    own = Facebook().oauth(replace(login, url="https://graph.facebook.com"))
    assert own.authorize_url == "https://www.facebook.com/v26.0/dialog/oauth"
    assert own.token_url == "https://graph.facebook.com/v26.0/oauth/access_token"
