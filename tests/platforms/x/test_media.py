"""Uploads: in one piece and in several, processing, alt texts, and what goes together."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from postsched.domain.fitting import judge
from postsched.domain.outcome import ErrorKind, Failed, Retry
from postsched.domain.post import Content
from postsched.platforms.x import X
from postsched.platforms.x.media import PIECE, wait_of
from postsched.testing import Answer, Fault, FaultKind
from postsched.testing.sender import message
from postsched.testing.x import XServer
from tests.platforms.x.playing import GIF, MP4, attachment, out, play


def test_an_image_goes_in_one_piece(tmp_path: Path) -> None:
    with XServer() as server:
        one = message("Hello", attachments=(attachment(tmp_path),))
        out(play(server.login(), lambda s: s.send(one)))
        paths = [request.path for request in server.requests[1:]]
        assert not [r for r in server.requests if b"private name" in r.body]
    assert paths == ["/2/media/upload", "/2/media/metadata", "/2/tweets"]


def test_a_film_goes_in_pieces_and_is_waited_for(tmp_path: Path) -> None:
    content = MP4 + b"\x01" * (2 * PIECE)
    with XServer(polls=3) as server:
        film = attachment(tmp_path, "video/mp4", content)
        out(play(server.login(), lambda s: s.send(message("A film", attachments=(film,)))))
        (upload,) = server.state.uploads.values()
        assert b"".join(upload.pieces[n] for n in range(3)) == content
        assert (upload.kind, upload.category) == ("video/mp4", "tweet_video")
        polls = [r for r in server.requests if r.query.get("command") == "STATUS"]
        assert len(polls) == 4
        assert not [r for r in server.requests if r.path == "/2/media/metadata"]


def test_a_gif_has_its_alt_text(tmp_path: Path) -> None:
    with XServer() as server:
        gif = attachment(tmp_path, "image/gif", GIF, "a dancing square")
        out(play(server.login(), lambda s: s.send(message("A GIF", attachments=(gif,)))))
        assert (server.ledger[0]["media"], server.ledger[0]["alts"]) == (
            ["tweet_gif"], ["a dancing square"]
        )  # fmt: skip


def test_a_file_without_alt_text_is_not_described(tmp_path: Path) -> None:
    with XServer() as server:
        one = message("Hello", attachments=(attachment(tmp_path, alt=None),))
        out(play(server.login(), lambda s: s.send(one)))
        assert server.ledger[0]["alts"] == [None]


def test_a_file_that_x_can_not_process_is_invalid(tmp_path: Path) -> None:
    with XServer(polls=-1) as server:
        film = attachment(tmp_path, "video/mp4", MP4)
        sent = play(server.login(), lambda s: s.send(message("A film", attachments=(film,))))
        assert not server.published_requests()
    assert isinstance(sent, Failed)
    assert sent.problem.kind is ErrorKind.INVALID
    assert "InvalidMedia" in sent.problem.message


def test_a_wait_is_what_x_says_within_reason() -> None:
    waits = [(1, 1.0), (5, 5.0), (0, 0.05), (1e9, 60.0), (None, 1.0), ("5", 1.0), (-1, 1.0)]
    for said, wait in waits:
        assert wait_of({"processing_info": {"check_after_secs": said}}) == wait
    assert wait_of({"processing_info": {"check_after_secs": float("nan")}}) == 1.0


@pytest.mark.parametrize("answer", [{}, {"data": {}}, {"data": {"id": None}}, []])
def test_an_upload_without_an_id_is_tried_again(tmp_path: Path, answer: object) -> None:
    with XServer() as server:
        server.program(Fault(FaultKind.ANSWER, Answer(200, answer)), "POST", "/2/media/upload")
        one = message("Hello", attachments=(attachment(tmp_path),))
        sent = play(server.login(), lambda s: s.send(one))
        assert not server.published_requests()
    assert isinstance(sent, Retry)


def test_an_answer_without_a_body_is_enough_where_nothing_is_told(tmp_path: Path) -> None:
    with XServer() as server:
        server.program(
            Fault(FaultKind.ANSWER_AFTER, Answer(204, b"")), "POST", ".*/append|/2/media/metadata",
            count=None,
        )  # fmt: skip
        gif = attachment(tmp_path, "image/gif", GIF)
        out(play(server.login(), lambda s: s.send(message("A GIF", attachments=(gif,)))))


@pytest.mark.parametrize(
    "kinds", [["png"] * 5, ["gif", "gif"], ["png", "gif"], ["png", "mp4"], ["mp4", "mp4"]]
)
def test_what_does_not_go_together_is_refused_here(tmp_path: Path, kinds: list[str]) -> None:
    files = {
        "png": attachment(tmp_path),
        "gif": attachment(tmp_path, "image/gif", GIF),
        "mp4": attachment(tmp_path, "video/mp4", MP4),
    }
    one = message("Hello", attachments=tuple(files[kind] for kind in kinds))
    with XServer() as server:
        sent = play(server.login(), lambda s: s.send(one))
        assert len(server.requests) == 1
    assert isinstance(sent, Failed)
    content = Content("Hello", tuple(each.media for each in one.attachments))
    assert [f for f in judge(content, "me", "X", X().capabilities({})) if f.fatal]


@pytest.mark.parametrize("kind", ["image/svg+xml", "audio/mpeg", "application/pdf", None])
def test_what_x_does_not_take_is_refused_here(tmp_path: Path, kind: str | None) -> None:
    given = attachment(tmp_path)
    given = replace(given, media=replace(given.media, type=kind))
    with XServer() as server:
        sent = play(server.login(), lambda s: s.send(message("Hello", attachments=(given,))))
        assert len(server.requests) == 1
    assert isinstance(sent, Failed)


def test_four_images_keep_their_order(tmp_path: Path) -> None:
    pictures = tuple(attachment(tmp_path, alt=f"number {n}") for n in range(4))
    with XServer() as server:
        out(play(server.login(), lambda s: s.send(message("Four", attachments=pictures))))
        assert server.ledger[0]["alts"] == [f"number {n}" for n in range(4)]
        uploads = [json.loads(r.body)["id"] for r in server.requests if "metadata" in r.path]
        assert uploads == list(server.state.uploads)
