"""Files to Telegram: each kind by its own method, several as an album."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from postsched.domain.fitting import judge
from postsched.domain.outcome import ErrorKind, Failed, Retry, Sent
from postsched.domain.post import Content, Media
from postsched.platforms.base import Attachment
from postsched.platforms.telegram import Telegram
from postsched.testing.picture import png
from postsched.testing.sender import Sender, message
from postsched.testing.telegram import TelegramServer
from tests.platforms.telegram.playing import GIF, MP3, MP4, PDF, attachment, out, play


def at(url: str) -> Attachment:
    """A file that Telegram is to fetch."""
    return Attachment(Media(url=url))


@pytest.mark.parametrize(
    ("kind", "content", "method"),
    [
        ("image/png", png(), "sendPhoto"),
        ("image/gif", GIF, "sendAnimation"),
        ("video/mp4", MP4, "sendVideo"),
        ("audio/mpeg", MP3, "sendAudio"),
        ("application/pdf", PDF, "sendDocument"),
    ],
)
def test_each_kind_has_its_method(tmp_path: Path, kind: str, content: bytes, method: str) -> None:
    one = message("Look", attachments=(attachment(tmp_path, kind, content),))
    with TelegramServer() as server:
        out(play(server.login(), lambda s: s.send(one)))
        (entry,) = server.ledger
        (sent,) = server.state.channel.messages.values()
        (request,) = server.published_requests()
    assert (entry["method"], entry["text"]) == (method, "Look")
    assert sent.file is not None
    assert sent.file.content == content
    assert b"private name" not in request.body


def test_an_album_is_one_post_in_order(tmp_path: Path) -> None:
    async def scene(sender: Sender) -> None:
        film = attachment(tmp_path, "video/mp4", MP4)
        album = message("Two", attachments=(attachment(tmp_path), film))
        first = out(await sender.send(album))
        assert first.remote_id == "101"
        assert first.data["ids"] == [101, 102]
        out(await sender.send(message("Below", key="2", n=2), first, first))
        assert server.posts()[1].parent == "101"
        await sender.platform.delete(first, sender.login, sender.http)
        assert [post.text for post in server.posts()] == ["Below"]

    with TelegramServer() as server:
        play(server.login(), scene)
        assert server.ledger[0]["method"] == "sendMediaGroup"
        assert server.ledger[0]["files"] == ["photo", "video"]


def test_a_picture_needs_no_text_and_may_be_part_of_a_thread(tmp_path: Path) -> None:
    parts = (
        message("One", key="1"),
        message("", key="2", n=2, attachments=(attachment(tmp_path),)),
    )
    with TelegramServer() as server:
        play(server.login(), lambda s: s.thread(*parts))
        assert [(post.text, post.parent) for post in server.posts()] == [("One", None), ("", "101")]


def test_telegram_fetches_what_has_an_address(tmp_path: Path) -> None:
    urls = ("https://a.example/b.jpg?c=d", "https://a.example/b.MP4")
    with TelegramServer() as server:
        for url in urls:
            one = message("See", attachments=(at(url),))
            out(play(server.login(), partial(Sender.send, message=one)))
        mixed = message("Both", key="3", attachments=(at(urls[0]), attachment(tmp_path)))
        out(play(server.login(), lambda s: s.send(mixed)))
        assert [entry["files"] for entry in server.ledger] == [
            ["photo"], ["video"], ["photo", "photo"]
        ]  # fmt: skip


def test_an_address_that_cant_be_fetched_is_refused() -> None:
    one = message("See", attachments=(at("https://unreachable.example/b.jpg"),))
    with TelegramServer() as server:
        sent = play(server.login(), lambda s: s.send(one))
    assert isinstance(sent, Failed)
    assert sent.problem.kind is ErrorKind.INVALID


@pytest.mark.parametrize(("width", "height"), [(9_000, 2_000), (210, 10), (10, 210)])
def test_a_photo_of_impossible_shape_is_refused(tmp_path: Path, width: int, height: int) -> None:
    one = message("Look", attachments=(attachment(tmp_path, width=width, height=height),))
    with TelegramServer() as server:
        sent = play(server.login(), lambda s: s.send(one))
        assert not server.published_requests()
    assert isinstance(sent, Failed)
    assert "too large or too narrow" in sent.problem.message


def test_preparing_asks_nobody(tmp_path: Path) -> None:
    async def scene(sender: Sender) -> None:
        await sender.prepare(message("Look", attachments=(attachment(tmp_path),)))
        assert len(server.requests) == 3, "those of the look at the account"

    with TelegramServer() as server:
        play(server.login(), scene)


def test_what_does_not_go_together_is_refused(tmp_path: Path) -> None:
    files = (attachment(tmp_path), attachment(tmp_path, "application/pdf", PDF))
    with TelegramServer() as server:
        sent = play(server.login(), lambda s: s.send(message("Both", attachments=files)))
        assert not server.published_requests()
    assert isinstance(sent, Failed)
    assert "album" in sent.problem.message


def test_a_file_that_is_gone_is_prepared_again(tmp_path: Path) -> None:
    async def scene(sender: Sender) -> Sent:
        file = attachment(tmp_path)
        prepared = await sender.prepare(one := message("Look", attachments=(file,)))
        assert file.file is not None
        file.file.unlink()
        return await sender.publish(prepared, one.key)

    with TelegramServer() as server:
        sent = play(server.login(), scene)
        assert not server.published_requests()
    assert isinstance(sent, Retry)
    assert sent.prepare_again


PHOTO = Media("a.png", type="image/png", bytes=9, alt="a square")


@pytest.mark.parametrize(
    ("text", "media", "words"),
    [
        ("x" * 1025, (PHOTO,), ["1,024 allowed beside media", "alt text of a.png is left out"]),
        ("x", (PHOTO, Media("a.gif", type="image/gif", bytes=9)), ["don't go together", "alt"]),
        ("x", (Media("a.png", type="image/png", bytes=10_000_001),), ["10,000,000 allowed"]),
        ("x", (Media("a.mp3", type="audio/mpeg", bytes=9),) * 11, ["10 allowed", "10 allowed"]),
        ("x", (Media("a.webp", type="image/webp", bytes=9),), ["can't be sent"]),
        ("x", (Media(url="https://a.example/a.jpg"), PHOTO), ["alt text"]),
    ],
)
def test_it_is_said_when_it_is_written(
    text: str, media: tuple[Media, ...], words: list[str]
) -> None:
    found = judge(Content(text, media), "tg", "Telegram", Telegram().capabilities({}))
    assert len(found) == len(words), found
    assert all(word in one.message for word, one in zip(words, found, strict=True)), found
