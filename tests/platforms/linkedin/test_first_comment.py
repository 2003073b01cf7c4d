"""The first comment: plain text, below the post, and never twice."""

from __future__ import annotations

import pytest

from postsched.domain.delivery import Role
from postsched.domain.outcome import ErrorKind, Failed, Lost, Published, Retry, Sent
from postsched.testing import Answer, Fault, FaultKind
from postsched.testing.linkedin import LinkedInServer
from postsched.testing.sender import Sender, message
from tests.platforms.linkedin.playing import out, play

POST = message("The post", key="post")
COMMENT = message("Plain (text) #tag\nhttps://a.example/", key="comment", role=Role.COMMENT)
PATH = "/rest/socialActions/.*"


def commented(server: LinkedInServer, fault: Fault | None = None) -> tuple[Published, Sent]:
    """A post, and what its comment comes to."""

    async def scene(sender: Sender) -> tuple[Published, Sent]:
        post = out(await sender.send(POST))
        if fault:
            server.program(fault, "POST", PATH)
        return post, await sender.send(COMMENT, post, post)

    return play(server.login(), scene)


@pytest.mark.parametrize("page", [False, True])
def test_a_comment_is_plain_text_below_the_post(page: bool) -> None:
    with LinkedInServer(page=page) as server:
        post, sent = commented(server)
        comment = out(sent)
        assert comment.remote_id.startswith(f"urn:li:comment:({post.remote_id},")
        assert server.state.posts[post.remote_id].comments == [COMMENT.text]
        request = server.requests[-1]
        quoted = post.remote_id.replace(":", "%3A")
        assert request.path == f"/rest/socialActions/{quoted}/comments"
        assert request.json == {
            "actor": server.state.author, "object": post.remote_id,
            "message": {"text": COMMENT.text},
        }  # fmt: skip


def test_the_id_may_be_in_the_header_only() -> None:
    with LinkedInServer() as server:
        fault = Fault(FaultKind.ANSWER, Answer(201, headers={"x-restli-id": "6636"}))
        post, sent = commented(server, fault)
        assert out(sent).remote_id == f"urn:li:comment:({post.remote_id},6636)"


def test_an_app_that_may_not_comment() -> None:
    with LinkedInServer() as server:
        server.comments = False
        _, sent = commented(server)
        assert isinstance(sent, Failed)
        assert (sent.problem.kind, sent.problem.http_status) == (ErrorKind.PERMANENT, 403)
        assert "may not write first comments" in sent.problem.message
        assert "post is out" in str(sent.problem.hint)
        assert len(server.posts()) == 1


def test_too_many_comments_in_a_minute() -> None:
    body = {"status": 429, "message": "Comment create throttled for this member"}
    with LinkedInServer() as server:
        _, sent = commented(server, Fault(FaultKind.ANSWER, Answer(429, body)))
    assert isinstance(sent, Retry)
    assert (sent.problem.kind, sent.after) == (ErrorKind.RATE_LIMIT, 60.0)


@pytest.mark.parametrize(
    "fault",
    [Fault(FaultKind.RESET_AFTER), Fault(FaultKind.ANSWER, Answer(500, {})),
     Fault(FaultKind.ANSWER, Answer(200, {}))],
)  # fmt: skip
def test_a_lost_answer_stays_lost(fault: Fault) -> None:
    with LinkedInServer() as server:
        _, sent = commented(server, fault)
    assert isinstance(sent, Lost)


def test_below_a_post_that_is_gone() -> None:
    with LinkedInServer() as server:
        _, sent = commented(server, Fault(FaultKind.ANSWER, Answer(404, {})))
    assert isinstance(sent, Failed)
    assert sent.problem.kind is ErrorKind.PERMANENT


def test_below_a_post_whose_id_nobody_knows() -> None:
    async def scene(sender: Sender) -> Sent:
        unknown = Published("", evidence="it is out")
        return await sender.send(COMMENT, unknown, unknown)

    with LinkedInServer() as server:
        sent = play(server.login(), scene)
    assert isinstance(sent, Failed)
    assert sent.problem.hint


def test_a_comment_goes_with_its_post() -> None:
    async def scene(sender: Sender) -> None:
        post = out(await sender.send(POST))
        comment = out(await sender.send(COMMENT, post, post))
        asked = len(server.requests)
        await sender.platform.delete(comment, sender.login, sender.http)
        assert len(server.requests) == asked
        await sender.platform.delete(post, sender.login, sender.http)
        assert not server.posts()

    with LinkedInServer() as server:
        play(server.login(), scene)
