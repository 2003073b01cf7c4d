"""Films: what the file says, against what a network takes."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import pytest

from postsched.domain.capabilities import MediaRules
from postsched.domain.film import Film, FilmRules
from postsched.domain.post import Media
from postsched.media.clip import film_of
from postsched.media.fitted import State, fit
from postsched.media.kept import MediaStore


def box(kind: bytes, *content: bytes) -> bytes:
    """A box of an ISO base media file (ISO 14496-12, 4.2)."""
    body = b"".join(content)
    return struct.pack(">I", len(body) + 8) + kind + body


def full(kind: bytes, body: bytes) -> bytes:
    return box(kind, b"\0\0\0\0" + body)


def mp4(
    seconds: int = 10, width: int = 640, height: int = 360, *, index_first: bool = True
) -> bytes:
    """An MP4 that says it has a film coded as AVC; there is nothing to be seen in it."""
    scale = 30_000
    length = seconds * scale
    matrix = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    avcc = box(b"avcC", bytes([1, 66, 0, 30, 0xFF, 0xE0, 0]))
    entry = box(
        b"avc1", b"\0" * 6 + b"\0\1" + b"\0" * 16, struct.pack(">HH", width, height),
        struct.pack(">IIIH", 0x480000, 0x480000, 0, 1), b"\0" * 32, struct.pack(">Hh", 24, -1),
        avcc,
    )  # fmt: skip
    frames = seconds * 30
    stbl = box(
        b"stbl",
        full(b"stsd", struct.pack(">I", 1) + entry),
        full(b"stts", struct.pack(">III", 1, frames, length // frames)),
        full(b"stsc", struct.pack(">IIII", 1, 1, 1, 1)),
        full(b"stsz", struct.pack(">II", 16, frames)),
        full(b"stco", struct.pack(">I", 0)),
    )
    dinf = box(b"dinf", full(b"dref", struct.pack(">I", 1) + box(b"url ", b"\0\0\0\1")))
    minf = box(b"minf", full(b"vmhd", b"\0" * 8), dinf, stbl)
    mdia = box(
        b"mdia",
        full(b"mdhd", struct.pack(">IIIIHH", 0, 0, scale, length, 0x55C4, 0)),
        full(b"hdlr", b"\0" * 4 + b"vide" + b"\0" * 13),
        minf,
    )
    head = b"\0\0\0\7" + struct.pack(">IIIII", 0, 0, 1, 0, length) + b"\0" * 16
    tkhd = box(b"tkhd", head, matrix, struct.pack(">II", width << 16, height << 16))
    mvhd = full(
        b"mvhd",
        struct.pack(">IIIIIH", 0, 0, scale, length, 0x10000, 0x100) + b"\0" * 10 + matrix
        + b"\0" * 24 + struct.pack(">I", 2),
    )  # fmt: skip
    moov = box(b"moov", mvhd, box(b"trak", tkhd, mdia))
    mdat = box(b"mdat", b"\0" * 16 * frames)
    ftyp = box(b"ftyp", b"isom\0\0\2\0isomiso2avc1mp41")
    return ftyp + (moov + mdat if index_first else mdat + moov)


def judged(folder: Path, content: bytes, rules: FilmRules, kind: str = "video/mp4") -> str:
    """Why a film is refused; nothing if it is sent."""
    path = folder / "film.mp4"
    path.write_bytes(content)
    store = MediaStore(folder / "media")
    medium = store.keep(path)
    assert medium.type == kind
    found = fit(store.path_of(medium), medium, MediaRules(types={kind: None}, film=rules))
    assert (found.state is State.REFUSED) == bool(found.words)
    assert found.state is State.REFUSED or found.medium == medium
    return found.words


def test_what_a_film_says(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(mp4(12, 1280, 720))
    film = film_of(path)
    assert film is not None
    assert (film.seconds, film.width, film.height, film.codec) == (12.0, 1280, 720, "AVC")
    assert film.frame_rate == pytest.approx(30, abs=0.5)
    assert film.streamable is True


def test_a_film_is_refused_with_numbers(tmp_path: Path) -> None:
    rules = FilmRules(
        seconds=(3, 140), max_width=1920, aspect=(0.5, 3), codecs=frozenset({"AVC"}),
        frame_rate=(23, 60), index_first=True,
    )  # fmt: skip
    assert judged(tmp_path, mp4(), rules) == ""
    assert judged(tmp_path, mp4(200), rules) == (
        "lasts 3 min 20 s, longer than the 140 s allowed; films are not made anew here"
    )
    assert "lasts 2 s, shorter than the 3 s needed" in judged(tmp_path, mp4(2), rules)
    assert "is 2560×1440, wider than the 1,920 pixels" in judged(
        tmp_path, mp4(width=2560, height=1440), rules
    )
    assert "ratio of 4.00, wider than the 3 allowed" in judged(
        tmp_path, mp4(width=1600, height=400), rules
    )
    assert "its index at the end" in judged(tmp_path, mp4(index_first=False), rules)
    hevc = replace(rules, codecs=frozenset({"HEVC", "AV1"}))
    assert "is coded as AVC, and only AV1 or HEVC is taken" in judged(tmp_path, mp4(), hevc)
    slow = replace(rules, frame_rate=(0, 24))
    assert "has 30 frames a second, and up to 24 are taken" in judged(tmp_path, mp4(), slow)
    few = replace(rules, max_pixels=100_000)
    assert "is 640×360, more than the 100,000 pixels" in judged(tmp_path, mp4(), few)


def test_what_is_not_known_passes(tmp_path: Path) -> None:
    rules = FilmRules(seconds=(3, 140), codecs=frozenset({"AVC"}), index_first=True)
    assert list(rules.faults(Film())) == []
    unknown = box(b"ftyp", b"isom\0\0\2\0isommp41") + box(b"moov", b"") + box(b"mdat", b"\0" * 9)
    assert judged(tmp_path, unknown, rules) == ""
    large = MediaRules(types={"video/mp4": 10})
    medium = Media(path="film.mp4", type="video/mp4", bytes=11, sha256="0" * 64)
    found = fit(tmp_path / "film.mp4", medium, large)
    assert found.words == "has 11 bytes, 1 more than the 10 allowed"
