"""The outbox's answers: ids, links, media, and what it says of a folder it can't use."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from postsched.domain.delivery import Role
from postsched.domain.outcome import ErrorKind, Published
from postsched.domain.post import Media, Visibility
from postsched.platforms.base import Attachment, Login, PlatformError, Prepared, Unknown
from postsched.platforms.outbox import Outbox
from postsched.platforms.outbox.document import read
from postsched.platforms.outbox.thread import newest
from tests.platforms.outbox.sending import NINE, NO_HTTP, login_to, publish, send, step


def test_the_file_is_named_by_occurrence_and_key(tmp_path: Path) -> None:
    (out,) = publish(login_to(tmp_path), step("Hello"))
    name = f"20261201T090000Z-{step('').key[:12]}"
    assert out.remote_id == name
    assert out.url == f"{(tmp_path / 'index.html').as_uri()}#{name}"
    assert [p.name for p in (tmp_path / "posts").iterdir()] == [f"{name}.md"]


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("https://blog.example", "https://blog.example/"),
        ("https://blog.example/out", "https://blog.example/out/"),
        ("https://blog.example/all.html", "https://blog.example/all.html"),
    ],
)
def test_the_link_is_where_the_folder_is_served(tmp_path: Path, url: str, page: str) -> None:
    (out,) = publish(login_to(tmp_path, url), step("Hello"))
    assert out.url == f"{page}#{out.remote_id}"


def test_everything_that_was_said_is_in_the_file(tmp_path: Path) -> None:
    picture = tmp_path / "picture"
    picture.write_bytes(b"\x89PNG not really")
    message = step(
        "The text",
        title="A title",
        link="https://example.org/",
        lang="de",
        warning="Careful",
        visibility=Visibility.UNLISTED,
        tags=("one", "two: three"),
        attachments=(
            Attachment(Media(path="Me & you.PNG", alt="Us", type="image/png"), picture),
            Attachment(Media(url="https://example.org/a.jpg", alt="Far")),
        ),
    )
    (out,) = publish(login_to(tmp_path / "out"), message)
    entry = read(out.remote_id, (tmp_path / "out/posts" / f"{out.remote_id}.md").read_bytes())
    assert entry is not None
    assert (entry.text, entry.date, entry.account, entry.key, entry.part) == (
        "The text", NINE, "me", message.key, 1,
    )  # fmt: skip
    assert (entry.title, entry.link, entry.lang, entry.warning, entry.visibility) == (
        "A title", "https://example.org/", "de", "Careful", "unlisted",
    )  # fmt: skip
    assert entry.tags == ("one", "two: three")
    kept, far = entry.media
    assert (kept["alt"], kept["type"]) == ("Us", "image/png")
    assert (tmp_path / "out" / kept["file"]).read_bytes() == picture.read_bytes()
    assert kept["file"].endswith(".png")
    assert far == {"url": "https://example.org/a.jpg", "alt": "Far"}


def test_the_same_media_is_kept_once(tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"bytes")
    one = Attachment(Media(path="picture.png", type="image/png"), picture)
    login = login_to(tmp_path / "out")
    publish(login, step("a", "a", attachments=(one, one)), step("b", "b", attachments=(one,)))
    assert len(list((tmp_path / "out/media").iterdir())) == 1


def test_a_second_try_keeps_the_first_file(tmp_path: Path) -> None:
    login = login_to(tmp_path)
    (first,) = publish(login, step("Hello"))
    file = tmp_path / "posts" / f"{first.remote_id}.md"
    before = file.stat()
    (second,) = publish(login, step("Hello"))
    assert (second.remote_id, second.url) == (first.remote_id, first.url)
    after = file.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert len(list((tmp_path / "posts").iterdir())) == 1


def test_the_second_time_does_not_depend_on_now(tmp_path: Path) -> None:
    login = login_to(tmp_path)
    publish(login, step("Hello"), replace(step("Hello"), now=NINE + timedelta(days=3)))
    assert len(list((tmp_path / "posts").iterdir())) == 1


def test_another_post_of_the_same_name_is_not_ours(tmp_path: Path) -> None:
    login = login_to(tmp_path)
    (out,) = publish(login, step("Hello"))
    other = replace(step("Other"), key=step("").key[:12] + "0" * 52)

    async def scene() -> None:
        outbox = Outbox()
        prepared = Prepared(await outbox.prepare(other, login, NO_HTTP))
        assert await outbox.find(prepared, other.key, login, NO_HTTP, NINE) is None
        with pytest.raises(PlatformError, match="another post") as caught:
            await outbox.publish(prepared, other.key, login, NO_HTTP)
        assert caught.value.problem.kind is ErrorKind.PERMANENT

    asyncio.run(scene())
    assert out.remote_id


def test_parts_and_comment_follow_their_thread(tmp_path: Path) -> None:
    login = login_to(tmp_path)
    publish(login)

    async def scene() -> list[Published]:
        first = await send(step("1", "1"), login)
        second = await send(step("2", "2", n=2), login, first, first)
        comment = step("c", "c", role=Role.COMMENT)
        return [first, second, await send(comment, login, first, second)]

    first, second, comment = asyncio.run(scene())
    (thread,) = newest(tmp_path / "posts", 10)
    assert [e.stem for e in thread.entries] == [
        first.remote_id,
        second.remote_id,
        comment.remote_id,
    ]
    assert [e.in_reply_to for e in thread.entries] == [None, first.remote_id, second.remote_id]
    assert [e.comment for e in thread.entries] == [False, False, True]


def test_delete_takes_it_off_the_pages(tmp_path: Path) -> None:
    login = login_to(tmp_path)
    gone, stays = publish(login, step("Gone soon", "a"), step("Stays", "b"))
    asyncio.run(Outbox().delete(gone, login, NO_HTTP))
    page, feed = ((tmp_path / name).read_text() for name in ("index.html", "feed.xml"))
    assert "Gone soon" not in page + feed
    assert "Stays" in page
    assert "Stays" in feed
    assert [p.stem for p in (tmp_path / "posts").iterdir()] == [stays.remote_id]


@pytest.mark.parametrize("name", ["../secret", "a/b", "", "20261201T090000Z-0123456789ab/../x"])
def test_delete_stays_in_the_folder(tmp_path: Path, name: str) -> None:
    login = login_to(tmp_path)
    publish(login)
    with pytest.raises(PlatformError, match="no outbox post"):
        asyncio.run(Outbox().delete(Published(name), login, NO_HTTP))


def test_a_post_goes_out_although_the_pages_cannot(tmp_path: Path) -> None:
    login = login_to(tmp_path)
    publish(login)
    (tmp_path / "index.html").unlink()
    (tmp_path / "index.html").mkdir()
    asyncio.run(send(step("Hello"), login))
    assert len(list((tmp_path / "posts").iterdir())) == 1
    (tmp_path / "index.html").rmdir()
    asyncio.run(send(step("The next", "next"), login))
    page = (tmp_path / "index.html").read_text()
    assert "Hello" in page
    assert "The next" in page


def test_a_folder_of_unreadable_files_has_a_page(tmp_path: Path) -> None:
    login = login_to(tmp_path)
    publish(login)
    for i, content in enumerate(
        [b"", b"---", b"\xff\xfe", b"---\n[\n---\n", b"---\n- a\n---\n", b"---\ndate: soon\n---\n"]
    ):
        (tmp_path / "posts" / f"{i}.md").write_bytes(content)
    (tmp_path / "posts" / "folder.md").mkdir()
    publish(login, step("Hello"))
    assert "Hello" in (tmp_path / "index.html").read_text()


# A folder that can't be used


def refused(login: Login, kind: ErrorKind, words: str) -> None:
    """Nothing goes out, and it is said why; the look-up does not say "absent"."""
    with pytest.raises(PlatformError, match=words) as caught:
        asyncio.run(send(step("Hello"), login))
    assert caught.value.problem.kind is kind
    assert caught.value.problem.hint


def test_no_folder_is_said(tmp_path: Path) -> None:
    refused(Login("me", "", None), ErrorKind.INVALID, "'me' has no folder")
    refused(Login("me", "", None, settings={"dir": "a\0b"}), ErrorKind.INVALID, "no folder")
    refused(login_to(Path("relative")), ErrorKind.INVALID, "no absolute path")


def test_a_place_where_no_folder_can_be_is_said(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.touch()
    for root in (place, place / "below"):
        with pytest.raises(PlatformError, match="is no folder") as caught:
            asyncio.run(Outbox().inspect(login_to(root), NO_HTTP))
        assert caught.value.problem.kind is ErrorKind.INVALID


def test_a_vanished_folder_is_not_made_anew(tmp_path: Path) -> None:
    login = login_to(tmp_path / "gone")
    refused(login, ErrorKind.TRANSIENT, "gone")
    assert not (tmp_path / "gone").exists()

    async def look() -> object:
        prepared = Prepared({"stem": "x", "fields": {}, "text": ""})
        return await Outbox().find(prepared, "key", login, NO_HTTP, NINE)

    assert isinstance(asyncio.run(look()), Unknown)


def test_a_folder_that_vanishes_after_preparing(tmp_path: Path) -> None:
    login = login_to(tmp_path / "out")
    publish(login)

    async def scene() -> None:
        made = await Outbox().prepare(step("Hello"), login, NO_HTTP)
        (tmp_path / "out").rename(tmp_path / "moved")
        with pytest.raises(PlatformError, match="gone"):
            await Outbox().publish(Prepared(made), step("").key, login, NO_HTTP)

    asyncio.run(scene())
    assert not (tmp_path / "out").exists()


READ_ONLY = """
import os, sys
from pathlib import Path
from postsched.platforms.base import (PlatformError)
from postsched.platforms.outbox.folder import Folder
if os.getuid() == 0:
    os.setuid(65534)
try:
    Folder(Path(sys.argv[1])).add("20261201T090000Z-0123456789ab", b"text")
except PlatformError as error:
    print(error.problem.kind, error, error.problem.hint)
"""


@pytest.mark.skipif(os.name == "nt", reason="permissions are others on Windows")
def test_a_read_only_folder_is_permanent() -> None:
    # Not tmp_path: another user can't look into it, and root may write everywhere.
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        publish(login_to(Path(name)))
        os.chmod(name, 0o755)
        for room in (".scratch", "posts", "media"):
            (Path(name) / room).chmod(0o555)
        answer = subprocess.run(
            [sys.executable, "-c", READ_ONLY, name], capture_output=True, text=True, check=True
        )
        for room in (".scratch", "posts", "media"):
            (Path(name) / room).chmod(0o755)
    assert answer.stdout.startswith("permanent")
    assert "Permission denied" in answer.stdout
    assert "writable" in answer.stdout


def test_text_that_is_no_unicode_is_refused(tmp_path: Path) -> None:
    login = login_to(tmp_path)
    for message in (step("a\ud800b"), step("ok", title="\udfff")):
        with pytest.raises(PlatformError, match="no valid Unicode"):
            publish(login, message)
    assert not list((tmp_path / "posts").iterdir())
