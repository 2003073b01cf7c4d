"""A phone's pictures from the command line to networks on loopback: they arrive upright, from
nowhere, and within the limits; and what was changed is said when the post is written."""

from __future__ import annotations

import io
import json
import os
import random
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from postsched.testing.bluesky import APP_PASSWORD, HANDLE, BlueskyServer
from postsched.testing.mastodon import TOKEN, MastodonServer
from tests.cli.posting import Posting

pytestmark = pytest.mark.slow

PLACE = {1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)}


@pytest.fixture
def bluesky() -> Iterator[BlueskyServer]:
    with BlueskyServer() as server:
        yield server


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A photo held upright: stored on its side, a red corner at the top left, taken in Berlin."""
    width, height = 900, 2100
    noise = Image.frombytes("RGB", (300, 700), random.Random(7).randbytes(300 * 700 * 3))
    image = noise.resize((width, height))
    image.paste("red", (0, 0, width // 2, height // 2))
    tags = Image.Exif()
    tags[0x0112], tags[0x010F] = 6, "Phone"
    tags.get_ifd(0x8825).update(PLACE)
    path = tmp_path / "photo.jpg"
    image.transpose(Image.Transpose.ROTATE_90).save(path, quality=95, exif=tags)
    return path


def upright(content: bytes) -> tuple[int, int]:
    """The size of a picture that must be upright and tell nothing."""
    with Image.open(io.BytesIO(content)) as image:
        assert not image.getexif()
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        corner: Any = image.convert("RGB").getpixel((9, 9))
        assert corner[0] > 200
        assert corner[2] < 60
        return image.size


def test_the_network_gets_it_upright_from_nowhere_and_small_enough(
    cli: Posting, bluesky: BlueskyServer, photo: Path
) -> None:
    cli(
        "account", "add", "sky", "--platform", "bluesky", "--url", bluesky.url, "--user", HANDLE,
        "--token-stdin", stdin=APP_PASSWORD,
    )  # fmt: skip
    words = ("--to", "sky,me", "--media", str(photo), "--alt", "A corner", "--at", "now")
    said = cli("add", "Look", *words, "--dry-run").err
    kept = cli.call.database.parent / "media"
    assert not kept.exists()
    answer = cli("add", "Look", *words)
    assert [line for line in answer.err.splitlines() if "photo" in line] == [
        line for line in said.splitlines() if "photo" in line
    ]
    assert "note: photo.jpg for sky: JPEG" in said
    assert "900×2100 → JPEG" in said
    assert "location removed" in said
    assert "note: photo.jpg for me: turned upright, location removed" in said
    copies = sorted(kept.joinpath("fitted").iterdir())
    assert len(copies) == 2
    for copy in copies:
        copy.unlink()  # a cache: made again where it is gone
    cli("publish-due")
    (upload,) = [one for one in bluesky.requests if one.path.endswith("uploadBlob")]
    width, height = upright(upload.body)
    assert len(upload.body) <= 2_000_000
    assert upload.headers["content-type"] == "image/jpeg"
    assert (width, height) == (857, 2000)
    (record,) = bluesky.records.values()
    (shown,) = record["embed"]["images"]
    assert (shown["alt"], shown["aspectRatio"]) == ("A corner", {"width": width, "height": height})
    folder = cli.call.database.parent
    (mine,) = [one for one in folder.rglob("*.jpg") if kept not in one.parents]
    assert upright(mine.read_bytes()) == (900, 2100)
    (medium,) = cli.json("show", "1")["media"]  # what was added stays what it is
    assert (medium["type"], medium["bytes"]) == ("image/jpeg", photo.stat().st_size)


def test_what_can_t_be_mended_is_refused_for_each_account(
    cli: Posting, bluesky: BlueskyServer, tmp_path: Path
) -> None:
    cli(
        "account", "add", "sky", "--platform", "bluesky", "--url", bluesky.url, "--user", HANDLE,
        "--token-stdin", stdin=APP_PASSWORD,
    )  # fmt: skip
    words = ("add", "x", "--at", "now", "--to", "me,sky", "--media")
    frames = [Image.new("RGB", (9, 9), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    said = cli.refused(2, *words, str(tmp_path / "moving.gif"))
    assert "sky (Bluesky): " in said
    assert "moving.gif moves (2 frames), and would stand still there" in said
    assert "me (" not in said
    frames[0].save(tmp_path / "still.gif")  # of which there is nothing to say
    still = cli("add", "x", "--to", "sky", "--draft", "--media", str(tmp_path / "still.gif"))
    assert "note" not in still.err
    head = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    bomb = tmp_path / "bomb.png"
    bomb.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + b"\0\0\0\0"
        for kind, body in ((b"IHDR", head), (b"IDAT", b"x" * 2000), (b"IEND", b""))
    ))  # fmt: skip
    said = cli.refused(2, *words, str(bomb))
    assert said.count("2,500,000,000 pixels (50000×50000), more than the 400,000,000") == 2
    cut = tmp_path / "cut.jpg"
    frames[0].save(cut)
    cut.write_bytes(cut.read_bytes()[:400])
    assert "is not whole" in cli.refused(2, *words, str(cut))
    named = tmp_path / "png.jpg"
    frames[0].save(named, "PNG")
    assert "is not what its name says: not image/jpeg, but image/png" in cli.refused(
        2, *words, str(named)
    )


def test_two_gigabytes_are_refused_at_once(cli: Posting, tmp_path: Path) -> None:
    """Of a file that takes no room itself, nothing is copied before it is refused."""
    words = ("add", "x", "--at", "now", "--to", "me", "--media")
    huge, zeros = tmp_path / "huge.jpg", tmp_path / "zeros.jpg"
    Image.new("RGB", (9, 9)).save(huge)
    zeros.touch()
    for file in (huge, zeros):
        os.truncate(file, 2**31)
    said = cli.refused(2, *words, str(huge))
    assert "has 2,147,483,648 bytes, more than the 100,000,000 that a picture may have" in said
    assert "is not what its name says" in cli.refused(2, *words, str(zeros))
    kept = cli.call.database.parent / "media"
    assert sum(one.stat().st_size for one in kept.rglob("*")) < 100_000 if kept.exists() else True


def test_an_edit_and_an_import_say_it_too(cli: Posting, photo: Path, tmp_path: Path) -> None:
    sentence = "note: photo.jpg for me: turned upright, location removed"
    row = {"to": "me", "at": "2099-01-01T09:00Z", "media": [{"path": "photo.jpg"}]}
    rows = [{**row, "text": f"post {n}"} for n in (1, 2)]
    (tmp_path / "posts.json").write_text(json.dumps(rows))
    answer = cli("import", str(tmp_path / "posts.json"))
    assert answer.err.splitlines() == [sentence]
    assert sentence in cli("edit", "1", "--media", str(photo)).err


def test_a_server_with_smaller_pixels(cli: Posting, photo: Path) -> None:
    with MastodonServer() as server:
        cli("account", "add", "toot", "--platform", "mastodon", "--url", server.url,
            "--token-stdin", stdin=TOKEN)  # fmt: skip
        with cli.database() as base:
            ((facts,),) = base.execute("SELECT facts FROM accounts WHERE name = 'toot'")
            facts = json.dumps({**json.loads(facts), "image_pixels": 300_000})
            base.execute("UPDATE accounts SET facts = ? WHERE name = 'toot'", (facts,))
        answer = cli("add", "x", "--to", "toot", "--media", str(photo), "--at", "now")
        assert "900×2100 → JPEG" in answer.err
        cli("publish-due")
        (upload,) = [one for one in server.requests if one.path.endswith("/media")]
        start = upload.body.index(b"\xff\xd8\xff")
        width, height = upright(upload.body[start : upload.body.rindex(b"\xff\xd9") + 2])
        assert width * height <= 300_000
