"""Media, documents and link cards: brought to LinkedIn, and awaited."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from postsched.domain.outcome import ErrorKind, Failed, LetGo, Retry, Sent
from postsched.platforms.base import Attachment
from postsched.testing import Answer, Fault, FaultKind
from postsched.testing.linkedin import TOKEN, LinkedInServer
from postsched.testing.picture import png
from postsched.testing.sender import Sender, message
from postsched.testing.wire import Request
from tests.platforms.linkedin.playing import MP4, PDF, bodies, file, only, out, picture, play

pytestmark = pytest.mark.slow

PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"


@pytest.fixture
def server() -> Iterator[LinkedInServer]:
    """A person's LinkedIn on which uploads can be looked at, so that nobody waits."""
    with LinkedInServer(reads_media=True) as running:
        yield running


def send(server: LinkedInServer, *attachments: Attachment, **more: Any) -> Sent:
    one = message("Look", attachments=attachments, **more)
    return play(server.login(), lambda s: s.send(one))


def puts(server: LinkedInServer) -> list[Request]:
    return [request for request in server.requests if request.method == "PUT"]


# Images


def test_one_image(server: LinkedInServer, tmp_path: Path) -> None:
    out(send(server, picture(tmp_path, "Ein (Quadrat)")))
    (urn,) = server.state.uploads
    assert only(server)["content"] == {"media": {"id": urn, "altText": "Ein (Quadrat)"}}
    (put,) = puts(server)
    assert put.body == png()
    assert put.headers["authorization"] == f"Bearer {TOKEN}"
    assert bodies(server, "/rest/images") == [
        {"initializeUploadRequest": {"owner": "urn:li:person:782bbtaQ"}}
    ]
    assert not [r for r in server.requests if b"private" in r.body]


def test_several_images(server: LinkedInServer, tmp_path: Path) -> None:
    names = [f"{n}.png" for n in range(3)]
    out(
        send(server, *(picture(tmp_path, name if name[0] != "1" else None, name) for name in names))
    )
    first, second, third = server.state.uploads
    assert only(server)["content"] == {
        "multiImage": {
            "images": [
                {"id": first, "altText": "0.png"}, {"id": second}, {"id": third, "altText": "2.png"}
            ]
        }
    }  # fmt: skip


def test_an_upload_is_awaited(tmp_path: Path) -> None:
    with LinkedInServer(reads_media=True, processing=2) as server:
        out(send(server, picture(tmp_path)))
        looks = [r for r in server.requests if r.path.startswith("/rest/images/")]
        assert len(looks) == 3
        assert "urn%3Ali%3Aimage" in looks[0].path


@pytest.mark.slow  # it is given five seconds
def test_what_may_not_be_looked_at_is_given_time(tmp_path: Path) -> None:
    """As a person's images: LinkedIn says 403, so there is one wait for all of them."""
    with LinkedInServer() as server:
        started = time.monotonic()
        out(send(server, picture(tmp_path), picture(tmp_path, None, "2.png")))
        assert 5 <= time.monotonic() - started < 9
        assert len([r for r in server.requests if r.path.startswith("/rest/images/")]) == 1


def test_what_is_not_ready_is_sent_again_unchanged(tmp_path: Path, server: LinkedInServer) -> None:
    async def scene(sender: Sender) -> None:
        one = message("Look", attachments=(picture(tmp_path),))
        prepared = await sender.prepare(one)
        (upload,) = server.state.uploads.values()
        upload.polls = 1
        sent = await sender.publish(prepared, one.key)
        assert isinstance(sent, Retry)
        assert (sent.problem.kind, sent.prepare_again) == (ErrorKind.TRANSIENT, False)
        upload.polls = 0
        out(await sender.publish(prepared, one.key))

    play(server.login(), scene)
    assert len(puts(server)) == 1


def test_what_has_expired_is_uploaded_again(tmp_path: Path, server: LinkedInServer) -> None:
    async def scene(sender: Sender) -> None:
        one = message("Look", attachments=(picture(tmp_path),))
        prepared = await sender.prepare(one)
        for upload in server.state.uploads.values():
            upload.expired = True
        sent = await sender.publish(prepared, one.key)
        assert isinstance(sent, Retry)
        assert sent.prepare_again
        out(await sender.send(one))

    play(server.login(), scene)
    assert len(puts(server)) == 2


def test_what_can_not_be_processed_is_said(tmp_path: Path, server: LinkedInServer) -> None:
    broken = picture(tmp_path)
    assert broken.file
    broken.file.write_bytes(b"no picture")
    sent = send(server, broken)
    assert isinstance(sent, Retry)
    assert "could not process" in sent.problem.message
    assert not server.published_requests()


# Where the bytes go


@pytest.mark.parametrize(
    "url",
    [
        "https://upload.example/x", "http://www.linkedin.com/x", "https://linkedin.com.evil.example/",
        "https://www.linkedin.com@evil.example/", "https://evillinkedin.com/", "ftp://a.example/",
        "//www.linkedin.com/x", "http://[", "http://127.0.0.1:1/dms-uploads/1/0",
    ],
)  # fmt: skip
def test_the_token_goes_nowhere_else(tmp_path: Path, server: LinkedInServer, url: str) -> None:
    answer = {"value": {"uploadUrl": url, "image": "urn:li:image:C4E"}}
    server.program(Fault(FaultKind.ANSWER, Answer(200, answer)), "POST", "/rest/images")
    sent = send(server, picture(tmp_path))
    assert isinstance(sent, Failed | Retry)
    assert not puts(server)


@pytest.mark.parametrize(
    "answer",
    [{}, {"value": 7}, {"value": {}}, {"value": {"image": "urn:li:image:1"}},
     {"value": {"uploadUrl": 7, "image": "urn:li:image:1"}},
     {"value": {"uploadUrl": "https://www.linkedin.com/x", "image": "urn:li:video:1"}}],
)  # fmt: skip
def test_an_answer_that_makes_no_sense_is_worth_a_retry(
    tmp_path: Path, server: LinkedInServer, answer: object
) -> None:
    server.program(Fault(FaultKind.ANSWER, Answer(200, answer)), "POST", "/rest/images")
    assert isinstance(send(server, picture(tmp_path)), Retry)


def test_a_refused_upload(tmp_path: Path, server: LinkedInServer) -> None:
    for status, outcome in ((401, LetGo), (413, Failed), (503, Retry)):
        server.program(Fault(FaultKind.ANSWER, Answer(status, b"<html>")), "PUT")
        assert isinstance(send(server, picture(tmp_path)), outcome)


def test_a_quota_that_ends_in_an_upload(tmp_path: Path) -> None:
    with LinkedInServer(quota=2) as server:
        sent = send(server, picture(tmp_path))
    assert isinstance(sent, Retry)
    assert sent.problem.kind is ErrorKind.RATE_LIMIT
    assert sent.until is not None


# Videos and documents


def test_a_video_goes_in_parts(tmp_path: Path) -> None:
    film = file(tmp_path, "film.mp4", "video/mp4", MP4, "a film")
    with LinkedInServer(part_size=4096) as server:
        out(send(server, film, title="A film"))
        (urn,) = server.state.uploads
        parts = puts(server)
        assert [len(put.body) for put in parts] == [4096, 4096, len(MP4) - 8192]
        assert b"".join(put.body for put in parts) == MP4
        assert not [put for put in parts if "authorization" in put.headers]
        assert {put.headers["content-type"] for put in parts} == {"application/octet-stream"}
        start, end = bodies(server, "/rest/videos")
        assert start["initializeUploadRequest"] == {
            "owner": "urn:li:person:782bbtaQ", "fileSizeBytes": len(MP4),
            "uploadCaptions": False, "uploadThumbnail": False,
        }  # fmt: skip
        assert end["finalizeUploadRequest"]["uploadToken"] == "up-token"
        assert len(end["finalizeUploadRequest"]["uploadedPartIds"]) == 3
        assert only(server)["content"] == {
            "media": {"id": urn, "altText": "a film", "title": "A film"}
        }


def test_a_video_is_awaited(tmp_path: Path) -> None:
    with LinkedInServer(processing=2) as server:
        out(send(server, file(tmp_path, "film.mp4", "video/mp4", MP4)))
        assert len([r for r in server.requests if r.path.startswith("/rest/videos/")]) == 3


@pytest.mark.parametrize("part", [
    [], [{"firstByte": 0, "lastByte": 10, "uploadUrl": "https://www.linkedin.com/x"}],
    [{"firstByte": 1, "lastByte": len(MP4) - 1, "uploadUrl": "https://www.linkedin.com/x"}],
    [{"firstByte": 0}], "no", [7],
])  # fmt: skip
def test_parts_that_are_not_the_whole_are_not_sent(
    tmp_path: Path, server: LinkedInServer, part: object
) -> None:
    answer = {"value": {"video": "urn:li:video:1", "uploadInstructions": part}}
    server.program(Fault(FaultKind.ANSWER, Answer(200, answer)), "POST", "/rest/videos")
    assert isinstance(send(server, file(tmp_path, "a.mp4", "video/mp4", MP4)), Retry)
    assert not puts(server)


def test_a_part_without_a_tag_is_no_part(tmp_path: Path, server: LinkedInServer) -> None:
    server.program(Fault(FaultKind.ANSWER, Answer(200)), "PUT")
    assert isinstance(send(server, file(tmp_path, "a.mp4", "video/mp4", MP4)), Retry)


@pytest.mark.parametrize(("title", "shown"), [("Our report", "Our report"), (None, "report.pdf")])
def test_a_document_has_a_title(
    tmp_path: Path, server: LinkedInServer, title: str | None, shown: str
) -> None:
    out(send(server, file(tmp_path, "report.pdf", "application/pdf", PDF), title=title))
    (urn,) = server.state.uploads
    assert urn.startswith("urn:li:document:")
    assert only(server)["content"] == {"media": {"id": urn, "title": shown}}
    (put,) = puts(server)
    assert put.headers["authorization"] == f"Bearer {TOKEN}"


def test_slides_are_a_document(tmp_path: Path, server: LinkedInServer) -> None:
    out(send(server, file(tmp_path, "slides.pptx", PPTX, b"PK\x03\x04" + bytes(30))))
    assert only(server)["content"]["media"]["title"] == "slides.pptx"


def test_one_kind_to_a_post(tmp_path: Path, server: LinkedInServer) -> None:
    film = file(tmp_path, "film.mp4", "video/mp4", MP4)
    for attachments in ((picture(tmp_path), film), (film, film)):
        sent = send(server, *attachments)
        assert isinstance(sent, Failed)
        assert sent.problem.kind is ErrorKind.INVALID
    assert not puts(server)


def test_media_by_address_is_refused(tmp_path: Path, server: LinkedInServer) -> None:
    for one in (picture(tmp_path), file(tmp_path, "film.mp4", "video/mp4", MP4)):
        assert isinstance(send(server, replace(one, file=None)), Failed)


# Link cards


@pytest.fixture
def page(server: LinkedInServer) -> str:
    """The address of a page with a title, a description and a picture."""
    html = (
        b'<meta property="og:title" content="A page"><meta property="og:image" content="/pic">'
        b'<meta name="description" content="About something">'
    )
    server.program(Fault(FaultKind.ANSWER, Answer(200, html)), "GET", "/page", None)
    server.program(Fault(FaultKind.ANSWER, Answer(200, png())), "GET", "/pic", None)
    return f"{server.url}/page"


def test_a_link_becomes_an_article(server: LinkedInServer, page: str) -> None:
    out(send(server, link=page))
    (urn,) = server.state.uploads
    assert only(server)["content"] == {
        "article": {"source": page, "title": "A page", "description": "About something",
                    "thumbnail": urn}
    }  # fmt: skip
    assert only(server)["commentary"] == "Look"


def test_the_posts_own_title_comes_first(server: LinkedInServer, page: str) -> None:
    out(send(server, link=page, title="My words " * 100))
    title = only(server)["content"]["article"]["title"]
    assert title.startswith("My words")
    assert len(title) == 400


@pytest.mark.parametrize("status", [404, 500])
def test_a_page_that_is_gone_still_gives_a_card(server: LinkedInServer, status: int) -> None:
    server.program(Fault(FaultKind.ANSWER, Answer(status, b"")), "GET", "/gone.*", None)
    out(send(server, link=f"{server.url}/gone?x=1"))
    host = server.url.removeprefix("http://")
    assert only(server)["content"] == {
        "article": {"source": f"{server.url}/gone?x=1", "title": f"{host}/gone"}
    }


@pytest.mark.parametrize("path", ["/rest/images", "/dms-uploads/.*"])
def test_a_picture_that_is_refused_is_left_out(
    server: LinkedInServer, page: str, path: str
) -> None:
    server.program(Fault(FaultKind.ANSWER, Answer(400, {"message": "no"})), None, path)
    made = play(server.login(), lambda s: s.prepare(message("Look", link=page)))
    assert "the link card has no picture: " in str(made.data["notes"])
    server.program(Fault(FaultKind.ANSWER, Answer(400, {"message": "no"})), None, path)
    out(send(server, link=page))
    assert "thumbnail" not in only(server)["content"]["article"]


def test_a_picture_that_can_not_be_processed_is_left_out(server: LinkedInServer, page: str) -> None:
    failed = Fault(FaultKind.ANSWER, Answer(200, {"status": "PROCESSING_FAILED"}))
    server.program(failed, "GET", "/rest/images/.*")
    out(send(server, link=page))
    assert "thumbnail" not in only(server)["content"]["article"]


def test_a_picture_is_not_left_out_for_a_sick_server(server: LinkedInServer, page: str) -> None:
    server.program(Fault(FaultKind.ANSWER, Answer(503, b"")), "POST", "/rest/images")
    assert isinstance(send(server, link=page), Retry)


def test_beside_media_the_link_is_in_the_text(server: LinkedInServer, tmp_path: Path) -> None:
    link = "https://example.com/a_(b)"
    out(send(server, picture(tmp_path), link=link))
    assert "media" in only(server)["content"]
    assert server.posts()[0].text == f"Look\n\n{link}"
