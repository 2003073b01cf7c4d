"""Types by content, names that lie, files that are cut off."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from postsched.domain.errors import InvalidInput
from postsched.media.original import describe
from postsched.media.sniff import SUFFIXES, contradiction, media_type
from postsched.media.whole import is_whole
from postsched.testing.picture import png

PNG = png(8, 4)


def box(kind: bytes, content: bytes = b"") -> bytes:
    """A box of an ISO base media file."""
    return (8 + len(content)).to_bytes(4, "big") + kind + content


def iso(*brands: bytes) -> bytes:
    """An ISO base media file of these brands, the first the major one."""
    head = brands[0] + bytes(4) + b"".join(brands[1:])
    return box(b"ftyp", head) + box(b"meta") + box(b"mdat", bytes(64)) + box(b"moov", bytes(30))


def jpeg(orientation: int = 1, width: int = 8, height: int = 4) -> bytes:
    """The structure of a JPEG: EXIF with a thumbnail's end in it, a frame, one scan."""
    tiff = (
        b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01" + orientation.to_bytes(2, "big") + bytes(6)
    )
    exif = b"Exif\0\0" + tiff + b"\xff\xd8\xff\xd9"
    frame = b"\x08" + height.to_bytes(2, "big") + width.to_bytes(2, "big") + b"\x01\x01\x11\0"
    scan = b"\x01\x01\0\0\x3f\0"
    segments = ((b"\xff\xe1", exif), (b"\xff\xc0", frame), (b"\xff\xda", scan))
    body = b"".join(mark + (len(part) + 2).to_bytes(2, "big") + part for mark, part in segments)
    return b"\xff\xd8" + body + b"\x12\x34\xff\x00\x56" * 50 + b"\xff\xd9"


def webp(width: int = 8, height: int = 4) -> bytes:
    """A WebP with an extended header."""
    sizes = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    content = b"WEBPVP8X" + (10).to_bytes(4, "little") + bytes(4) + sizes
    return b"RIFF" + len(content).to_bytes(4, "little") + content


GIF = b"GIF89a\x08\x00\x04\x00\x00\x00\x00;"
OFFICE = "application/vnd.openxmlformats-officedocument"
OLE = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)
OOXML = b"PK\x03\x04" + bytes(26) + b"[Content_Types].xml" + bytes(400)
SAMPLES = {
    "a.png": (PNG, "image/png"),
    "a.jpg": (jpeg(), "image/jpeg"),
    "a.gif": (GIF, "image/gif"),
    "a.webp": (webp(), "image/webp"),
    "a.avif": (iso(b"avif", b"mif1", b"miaf"), "image/avif"),
    "b.avif": (iso(b"mif1", b"avif", b"miaf"), "image/avif"),
    "a.heic": (iso(b"heic", b"mif1", b"heic"), "image/heic"),
    "b.heic": (iso(b"mif1", b"heic"), "image/heic"),
    "a.heif": (iso(b"mif1", b"miaf"), "image/heif"),
    "a.mp4": (iso(b"isom", b"isom", b"avc1", b"mp41"), "video/mp4"),
    "b.mp4": (iso(b"mp42", b"mp42", b"M4A "), "video/mp4"),
    "a.m4v": (iso(b"M4V ", b"mp42"), "video/mp4"),
    "a.mov": (iso(b"qt  ", b"qt  "), "video/quicktime"),
    "b.mov": (iso(b"isom", b"mp42"), "video/mp4"),
    "a.3gp": (iso(b"3gp5", b"isom"), "video/3gpp"),
    "a.m4a": (iso(b"M4A ", b"mp42"), "audio/mp4"),
    "b.m4a": (iso(b"isom", b"mp41"), "audio/mp4"),
    "a.webm": (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webmB\x87" + bytes(40), "video/webm"),
    "a.weba": (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webmB\x87" + bytes(40), "audio/webm"),
    "a.mkv": (b"\x1aE\xdf\xa3\xa3B\x86\x81\x01B\x82\x88matroska" + bytes(40), "video/x-matroska"),
    "a.mp3": (b"ID3\x04" + bytes(40), "audio/mpeg"),
    "b.mp3": (bytes.fromhex("fffb50c400000749") + bytes(40), "audio/mpeg"),
    "a.aac": (bytes.fromhex("fff1504020fffcdc") + bytes(40), "audio/aac"),
    "b.aac": (b"ID3\x04" + bytes(40), "audio/aac"),
    "a.ogg": (b"OggS\x00\x02" + bytes(22) + b"\x01vorbis" + bytes(40), "audio/ogg"),
    "a.opus": (b"OggS\x00\x02" + bytes(22) + b"OpusHead" + bytes(40), "audio/ogg"),
    "a.ogv": (b"OggS\x00\x02" + bytes(22) + b"\x80theora" + bytes(40), "video/ogg"),
    "a.wav": (b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(40), "audio/wav"),
    "a.avi": (b"RIFF\x24\x00\x00\x00AVI LIST" + bytes(40), "video/x-msvideo"),
    "a.flac": (b"fLaC\x00\x00\x00\x22" + bytes(40), "audio/flac"),
    "a.pdf": (b"%PDF-1.7\n" + bytes(40), "application/pdf"),
    "a.doc": (OLE, "application/msword"),
    "a.ppt": (OLE, "application/vnd.ms-powerpoint"),
    "a.xls": (OLE, None),
    "a.docx": (OOXML, f"{OFFICE}.wordprocessingml.document"),
    "a.pptx": (OOXML, f"{OFFICE}.presentationml.presentation"),
    "a.xlsx": (OOXML, None),
    "a.svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
    "a.tiff": (b"II*\x00" + bytes(40), "image/tiff"),
    "a.txt": (b"hello", None),
    "a.html": (b"<!DOCTYPE html><html>", None),
    "a.zip": (b"PK\x03\x04" + bytes(40), None),
    "utf16.txt": ("\ufeffhello".encode("utf-16-le"), None),
    "noise": (bytes(range(256)) * 8, None),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_the_content_tells_the_type(name: str) -> None:
    content, kind = SAMPLES[name]
    media = describe(BytesIO(content), name)
    assert (media.path, media.type, media.bytes) == (name, kind, len(content))


@pytest.mark.parametrize("name", [name for name, (_, kind) in SAMPLES.items() if kind in SUFFIXES])
def test_without_a_name_the_content_is_enough(name: str) -> None:
    content, kind = SAMPLES[name]
    found = describe(BytesIO(content), "noname").type
    containers = {"audio/mp4": "video/mp4", "audio/webm": "video/webm", "audio/aac": "audio/mpeg"}
    assert found in (kind, containers.get(str(kind)))


@pytest.mark.parametrize(
    ("content", "size"),
    [
        (PNG, (8, 4)), (jpeg(), (8, 4)), (jpeg(orientation=6), (4, 8)), (GIF, (8, 4)),
        (webp(), (8, 4)),
    ],
)  # fmt: skip
def test_images_have_a_width_and_a_height_as_shown(content: bytes, size: tuple[int, int]) -> None:
    media = describe(BytesIO(content), "image")
    assert (media.width, media.height) == size


def test_what_is_no_image_has_none() -> None:
    media = describe(BytesIO(SAMPLES["a.mp4"][0]), "a.mp4")
    assert (media.width, media.height) == (None, None)


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (PNG, "a.jpg", "a.jpg is not what its name says: not image/jpeg, but image/png. Name"),
        (PNG, "A.MP4", "A.MP4 is not what its name says: not video/mp4, but image/png"),
        (b"<html>", "a.png", "not image/png, but something else. Give the file that is meant"),
        (b"hello", "a.mp3", "not audio/mpeg, but something else"),
        (b"PK\x03\x04" + bytes(40), "a.docx", "but something else"),
        (b"%PDF-1.7", "a.pptx", "but application/pdf. Name it .pdf"),
        (OLE, "a.docx", "but something else"),
        (SAMPLES["a.mp3"][0], "a.wav", "not audio/wav, but audio/mpeg. Name it .mp3"),
        (PNG, "a\nb.jpg", "'a\\nb.jpg' is not what"),
        (b"", "a.jpg", "a.jpg is empty"),
    ],
)  # fmt: skip
def test_a_name_that_lies_is_refused(content: bytes, name: str, said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        describe(BytesIO(content), name)
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["a", "png", ".png", "a.unknown", "a.", "photo.png.bak"])
def test_a_name_that_says_nothing_is_no_lie(name: str) -> None:
    assert contradiction("image/jpeg", name) is None


CUT = ["a.png", "a.jpg", "a.webp", "a.avif", "a.heic", "a.mp4", "a.mov", "a.m4a", "a.3gp"]


@pytest.mark.parametrize("name", CUT)
@pytest.mark.parametrize("part", [0.5, 0.9])
def test_half_a_download_is_refused(name: str, part: float) -> None:
    content = SAMPLES[name][0]
    with pytest.raises(InvalidInput, match="is not whole: it is cut off"):
        describe(BytesIO(content[: int(len(content) * part)]), name)
    with pytest.raises(InvalidInput, match="is not whole"):
        describe(BytesIO(content[:-1]), name)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.mp4"])
@pytest.mark.parametrize("more", [b"\0" * 5_000, b"\n", b"trailing words", b"\xff" * 70_000])
def test_something_behind_the_end_is_no_harm(name: str, more: bytes) -> None:
    assert describe(BytesIO(SAMPLES[name][0] + more), name).type


def test_the_end_of_a_jpeg_is_found_across_blocks() -> None:
    block = 1 << 20
    start = jpeg()[:-2]
    for size in range(block - 3, block + 3):
        content = start + b"\x01" * size
        assert not is_whole(BytesIO(content), "image/jpeg")
        assert is_whole(BytesIO(content + b"\xff\xd9"), "image/jpeg")


HEADS = st.sampled_from([content for content, _ in SAMPLES.values()])


@given(HEADS, st.binary(max_size=64), st.integers(0, 200), st.integers(0, 300))
@example(PNG, b"\xff\xff\xff\xff", 8, 0)
@example(iso(b"isom"), b"\0\0\0\1", 0, 0)
@example(iso(b"isom"), b"\0\0\0\0", 20, 0)
@example(iso(b"avif"), b"", 0, len(iso(b"avif")) - 8)
def test_any_content_is_described_or_refused(
    content: bytes, noise: bytes, place: int, cut: int
) -> None:
    spoilt = content[:place] + noise + content[place + len(noise) :]
    try:
        media = describe(BytesIO(spoilt[: len(spoilt) - cut]), "file")
    except InvalidInput:
        return
    assert media.bytes


@given(st.binary(max_size=5_000), st.text())
def test_any_bytes_have_a_type_or_none(head: bytes, name: str) -> None:
    kind = media_type(head, name)
    assert kind is None or "/" in kind
    contradiction(kind, name)


def test_endings_are_told_apart_whatever_their_case(tmp_path: Path) -> None:
    assert describe(BytesIO(jpeg()), "A.JPEG").type == "image/jpeg"
    assert all(ending == ending.lower() for endings in SUFFIXES.values() for ending in endings)
