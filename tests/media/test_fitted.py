"""Pictures that are made to fit: what is sent, what is said, and what is refused."""

from __future__ import annotations

import hashlib
import io
import os
import struct
import subprocess
import sys
import zlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms

from postsched.domain.capabilities import MediaRules
from postsched.domain.picture import PictureRules
from postsched.domain.post import Media
from postsched.media.copies import Copies
from postsched.media.fitted import Fit, State, fit
from postsched.media.kept import MediaStore
from postsched.media.original import LARGEST_PICTURE

pytestmark = pytest.mark.slow

STILL = frozenset[str]()
JPEG_ONLY = MediaRules(
    types={"image/jpeg": 8_000_000}, picture=PictureRules(max_width=1440, aspect=(0.8, 1.91))
)
USUAL = MediaRules(
    types=dict.fromkeys(("image/jpeg", "image/png", "image/webp", "image/gif"), 100_000),
    max_pixels=1_000_000,
    picture=PictureRules(max_width=1000, max_height=1000),
)
ANYTHING = MediaRules(types={"*/*": None}, picture=PictureRules(moving=frozenset({"image/*"})))
PLACE = {1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)}


class Camera:
    """Takes pictures and has them judged."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = MediaStore(folder / "media")
        self.copies = Copies(self.store)

    def take(self, image: Image.Image, name: str, **options: Any) -> Media:
        """Save a picture and keep the file."""
        path = self.folder / name
        image.save(path, **options)
        return self.store.keep(path)

    def keep(self, content: bytes, name: str) -> Media:
        """Keep a file with that content."""
        (self.folder / name).write_bytes(content)
        return self.store.keep(self.folder / name)

    def fit(self, medium: Media, rules: MediaRules, *, thorough: bool = False) -> Fit:
        """What becomes of it."""
        file = self.store.path_of(medium)
        return fit(file, medium, rules, self.copies, thorough=thorough)

    def sent(self, medium: Media, rules: MediaRules) -> tuple[Image.Image, Fit]:
        """The copy that is sent, which says of itself what is true."""
        found = self.fit(medium, rules)
        assert (found.state, found.medium is not None) == (State.FITTED, True), found.words
        assert found.file is not None
        assert found.medium is not None
        image: Image.Image = Image.open(io.BytesIO(found.file.read_bytes()))
        image.load()
        assert (image.width, image.height) == (found.medium.width, found.medium.height)
        assert Image.MIME[image.format or ""] == found.medium.type
        assert found.file.stat().st_size == found.medium.bytes
        assert not image.getexif()
        assert not {"exif", "xmp", "comment", "photoshop", "XML:com.adobe.xmp"} & set(image.info)
        return image, found

    def refused(self, medium: Media, rules: MediaRules, *, thorough: bool = False) -> str:
        """Why it is refused."""
        found = self.fit(medium, rules, thorough=thorough)
        assert (found.state, found.medium, found.file) == (State.REFUSED, None, None)
        assert "\n" not in found.words
        return found.words


@pytest.fixture
def camera(tmp_path: Path) -> Camera:
    return Camera(tmp_path)


def scene(width: int = 300, height: int = 200) -> Image.Image:
    """A red corner at the top left of a blue picture."""
    image = Image.new("RGB", (width, height), "blue")
    image.paste("red", (0, 0, width // 2, height // 2))
    return image


def noise(width: int, height: int) -> Image.Image:
    """What can't be packed well."""
    return Image.effect_noise((width, height), 90).convert("RGB")


def exif(orientation: int = 1, *, place: bool = True) -> Image.Exif:
    """What a phone writes."""
    tags = Image.Exif()
    tags[0x0112], tags[0x010F] = orientation, "Phone"
    if place:
        tags.get_ifd(0x8825).update(PLACE)
    return tags


def is_red(pixel: Any) -> bool:
    return bool(pixel[0] > 180 and pixel[2] < 80)


def test_what_fits_and_tells_nothing_is_sent_as_it_is(camera: Camera) -> None:
    for name in ("a.jpg", "a.png", "a.webp", "a.gif"):
        medium = camera.take(scene(), name)
        found = camera.fit(medium, USUAL, thorough=True)
        assert found == Fit(State.AS_IS, medium, "", camera.store.path_of(medium))
    assert not camera.store.copies.exists()


def test_a_profile_of_colours_is_nothing_personal(camera: Camera) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for name in ("a.jpg", "a.png", "a.webp"):
        medium = camera.take(scene(), name, icc_profile=profile)
        assert camera.fit(medium, ANYTHING).state is State.AS_IS


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_phones_picture_arrives_upright_and_from_nowhere(
    camera: Camera, orientation: int
) -> None:
    upright = scene()
    turn = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    stored = upright.transpose(turn[orientation]) if orientation > 1 else upright
    for name in ("a.jpg", "a.png", "a.webp"):
        medium = camera.take(stored, name, exif=exif(orientation))
        image, found = camera.sent(medium, ANYTHING)
        assert image.size == (300, 200)
        seen = image.convert("RGB")
        assert [is_red(seen.getpixel(at)) for at in ((5, 5), (295, 5), (5, 195))] == [1, 0, 0]
        assert found.words.endswith("location removed")
        assert ("turned upright" in found.words) == (orientation > 1)


@pytest.mark.slow
def test_what_is_made_smaller_is_turned_too(camera: Camera) -> None:
    stored = scene(1800, 1400).transpose(Image.Transpose.ROTATE_90)
    for name in ("a.jpg", "a.png", "a.webp", "a.tiff"):
        image, found = camera.sent(camera.take(stored, name, exif=exif(6, place=False)), JPEG_ONLY)
        assert image.size == (1440, 1120)
        assert [is_red(image.getpixel(at)) for at in ((5, 5), (1400, 5), (5, 1100))] == [1, 0, 0]
        assert found.words.endswith("1440×1120, metadata removed")


def test_cleaning_changes_no_pixel(camera: Camera) -> None:
    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    text.add_itxt("XML:com.adobe.xmp", "<x>GPSLatitude</x>")
    text.add_text("Author", "me", zip=True)
    cases: dict[str, dict[str, Any]] = {
        "a.jpg": {"exif": exif(), "comment": b"me", "xmp": b"<x/>", "quality": 70},
        "b.jpg": {"exif": exif(), "progressive": True, "quality": 95},
        "a.png": {"pnginfo": text},
        "a.webp": {"exif": exif(), "xmp": b"<x>GPSLatitude</x>", "quality": 60},
        "a.gif": {"comment": b"taken at home"},
    }
    for name, options in cases.items():
        medium = camera.take(noise(61, 33), name, **options)
        with Image.open(camera.folder / name) as kept:
            before = kept.convert("RGB").tobytes()
        image, found = camera.sent(medium, ANYTHING)
        assert image.convert("RGB").tobytes() == before, name
        assert found.words == ("metadata removed" if name == "a.gif" else "location removed")
        assert b"Latitude" not in (found.file or Path()).read_bytes()


def test_what_hangs_behind_a_picture_is_left_out(camera: Camera) -> None:
    """Phones put a second picture or a film behind the first one."""
    target = io.BytesIO()
    scene().save(target, "JPEG")
    medium = camera.keep(target.getvalue() + b"\0\0\0\x18ftypmp42 a film of my home", "a.jpg")
    _, found = camera.sent(medium, USUAL)
    assert (found.file or Path()).read_bytes() == target.getvalue()
    assert found.words == "metadata removed"


def test_too_large_becomes_smaller_and_is_said(camera: Camera) -> None:
    medium = camera.take(noise(1500, 1000), "photo.png")
    image, found = camera.sent(medium, JPEG_ONLY)
    assert (image.size, image.format) == ((1440, 960), "JPEG")
    assert found.words.startswith("PNG ")
    assert "1500×1000 → JPEG" in found.words
    assert found.words.endswith("1440×960")
    image, found = camera.sent(medium, USUAL)
    assert image.format == "JPEG"
    assert max(image.size) <= 1000
    assert (found.medium or Media()).bytes in range(20_000, 100_001)


def test_the_same_again_gives_the_same_and_is_kept_for_its_owner(
    camera: Camera, tmp_path: Path
) -> None:
    medium = camera.take(noise(1100, 700), "photo.jpg", exif=exif(6))
    first = camera.fit(medium, USUAL)
    assert first.file is not None
    content = first.file.read_bytes()
    assert first.file.parent == camera.store.folder / "fitted"
    assert first.file.name.startswith(f"{medium.sha256}-")
    if os.name == "posix":
        assert (first.file.stat().st_mode & 0o77, first.file.parent.stat().st_mode & 0o77) == (0, 0)
    stamp = first.file.stat().st_mtime_ns
    assert camera.fit(medium, USUAL) == first
    assert first.file.stat().st_mtime_ns == stamp
    first.file.write_bytes(content[:-500])
    assert camera.fit(medium, USUAL) == first
    assert first.file.read_bytes() == content
    first.file.unlink()
    assert camera.fit(medium, USUAL) == first
    assert first.file.read_bytes() == content
    other = camera.fit(medium, replace(USUAL, max_pixels=5000))
    assert other.file != first.file
    away = fit(camera.store.path_of(medium), medium, USUAL)
    assert (away.file, away.content, away.words) == (None, content, first.words)


def test_copies_go_with_the_files_they_were_made_of(camera: Camera) -> None:
    media = [camera.take(scene(), f"{n}.jpg", exif=exif(), quality=80 + n) for n in (1, 2)]
    files = [camera.fit(medium, USUAL).file for medium in media]
    late = datetime(2100, 1, 1, tzinfo=UTC)
    assert list(camera.store.digests()) == sorted(str(one.sha256) for one in media)
    assert camera.store.remove_unused({str(media[0].sha256)}, datetime(2000, 1, 1, tzinfo=UTC)) == 0
    assert all(file and file.exists() for file in files)
    assert camera.store.remove_unused({str(media[0].sha256)}, late) == 1
    assert [bool(file and file.exists()) for file in files] == [True, False]


def test_transparency_stays_or_is_said(camera: Camera) -> None:
    clear = Image.new("RGBA", (1300, 900), (0, 0, 0, 0))
    clear.paste((200, 0, 0, 255), (0, 0, 400, 400))
    palette = Image.new("P", (1300, 900), 1)
    palette.putpalette([0, 0, 0, 200, 0, 0])
    palette.paste(0, (500, 500, 1300, 900))
    for medium in (
        camera.take(clear, "a.png"),
        camera.take(palette, "p.png", transparency=0),
        camera.take(clear, "a.webp", lossless=True),
    ):
        image, found = camera.sent(medium, USUAL)
        assert image.convert("RGBA").getpixel((990, 690))[3] == 0  # type: ignore[index]
        assert "white" not in found.words
        image, found = camera.sent(medium, JPEG_ONLY)
        assert image.getpixel((1290, 890)) == (255, 255, 255)
        assert found.words.endswith("what was transparent is white")
    opaque = camera.take(scene(1300, 900).convert("RGBA"), "shot.png")
    _, found = camera.sent(opaque, JPEG_ONLY)
    assert "white" not in found.words


def test_unusual_colours_come_out_right(camera: Camera) -> None:
    wide = Image.new("I;16", (60, 40), 40_000)
    image, _ = camera.sent(camera.take(wide, "deep.png"), JPEG_ONLY)
    assert image.convert("L").getpixel((9, 9)) in range(153, 159)
    press = Image.new("CMYK", (60, 40), (0, 255, 255, 0))
    image, _ = camera.sent(camera.take(press, "press.jpg", comment=b"x"), JPEG_ONLY)
    assert image.mode in ("RGB", "CMYK")
    image, _ = camera.sent(camera.take(press.resize((2000, 1500)), "big.jpg"), JPEG_ONLY)
    assert image.mode == "RGB"
    assert is_red(image.getpixel((9, 9)))
    one_bit = Image.new("1", (60, 40), 1)
    image, _ = camera.sent(camera.take(one_bit, "bit.png"), JPEG_ONLY)
    assert image.convert("L").getpixel((9, 9)) == 255


def test_colours_are_moved_into_srgb_where_their_profile_goes(camera: Camera) -> None:
    """In this profile red and green are changed for one another."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = profile.find(b"rXYZ", 128), profile.find(b"gXYZ", 128)
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    medium = camera.take(Image.new("RGB", (2000, 1500), "red"), "a.png", icc_profile=bytes(profile))
    image, _ = camera.sent(medium, JPEG_ONLY)
    pixel: Any = image.getpixel((5, 5))
    assert pixel[1] > 200
    assert pixel[0] < 90
    assert "icc_profile" not in image.info


def test_what_moves_never_stands_still(camera: Camera) -> None:
    frames = [Image.new("RGB", (50, 50), colour) for colour in ("red", "green", "blue")]
    more: dict[str, Any] = {"save_all": True, "append_images": frames[1:]}
    for name in ("a.gif", "a.webp", "a.png"):
        medium = camera.take(frames[0], name, **more)
        assert camera.fit(medium, ANYTHING, thorough=True).state is State.AS_IS
        assert "would stand still there" in camera.refused(medium, JPEG_ONLY)
        moves = camera.fit(medium, USUAL)
        assert (moves.state is State.AS_IS) == (name == "a.gif")
        assert name == "a.gif" or "what moves can be GIF" in moves.words
    medium = camera.take(frames[0], "told.gif", comment=b"at home", **more)
    image, _ = camera.sent(medium, USUAL)
    assert getattr(image, "n_frames", 1) == 3
    few = replace(USUAL, picture=PictureRules(max_frames=2))
    assert "has 3 frames, more than the 2 allowed" in camera.refused(medium, few)
    small = replace(USUAL, picture=PictureRules(moving_width=40, moving_height=40))
    assert "is 50×50, more than the 40×40 allowed" in camera.refused(medium, small)
    tiny = replace(USUAL, types={"image/gif": 100})
    assert "too large" in camera.refused(medium, tiny)


def test_nothing_is_cut_off(camera: Camera) -> None:
    medium = camera.take(scene(200, 600), "tall.jpg", exif=exif())
    words = camera.refused(medium, JPEG_ONLY)
    assert "is 200×600, a ratio of 0.33, narrower than the 0.8 allowed" in words
    # How it is shown counts, not how it is stored.
    turned = camera.take(scene(600, 400), "turned.jpg", exif=exif(6))
    assert "is 400×600" in camera.refused(turned, JPEG_ONLY)
    assert camera.fit(camera.take(scene(1080, 566), "wide.jpg"), JPEG_ONLY).state is State.AS_IS


@pytest.mark.parametrize("ending", ["tiff", "bmp", "avif", "jp2"])
def test_other_formats_become_jpeg(camera: Camera, ending: str) -> None:
    medium = camera.take(scene(), f"a.{ending}")
    if medium.type is None:
        pytest.skip(f"{ending} is not told by its content")
    image, found = camera.sent(medium, JPEG_ONLY)
    assert is_red(image.getpixel((5, 5)))
    assert f"{ending.upper()} " in found.words


def test_a_phones_heic_becomes_jpeg(camera: Camera) -> None:
    medium = camera.store.keep(Path(__file__).parent / "corner.heic")
    assert medium.type in ("image/heic", "image/heif")
    image, found = camera.sent(medium, JPEG_ONLY)
    assert is_red(image.getpixel((5, 5)))
    assert found.words.endswith("location removed")


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def bomb_png(side: int, *more: bytes) -> bytes:
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 10_000_000, 9)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", head),
            *more,
            chunk(b"IDAT", rows),
            chunk(b"IEND", b""),
        )
    )


def bomb_gif(side: int) -> bytes:
    size = struct.pack("<HH", side, side)
    image = b"\x2c\0\0\0\0" + size + b"\0\x02\x02\x4c\x01\0"
    return b"GIF89a" + size + b"\x80\0\0\0\0\0\xff\xff\xff" + image + b";"


def bomb_webp(side: int, *more: bytes) -> bytes:
    def part(kind: bytes, body: bytes) -> bytes:
        return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)

    size = (side - 1).to_bytes(3, "little")
    body = part(b"VP8X", b"\x08\0\0\0" + size * 2)
    bits = (side - 1) | (side - 1) << 14
    body += part(b"VP8L", b"\x2f" + struct.pack("<I", bits) + b"\x88\x88\x08" + b"\0" * 8)
    body += part(b"EXIF", b"Exif\0\0II*\0\x08\0\0\0\0\0")
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def bomb_tiff(side: int) -> bytes:
    tags = [(256, side), (257, side), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1),
            (278, side), (279, 9)]  # fmt: skip
    rows = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(tags)) + rows + b"\0" * 4


WATCHED = """
import resource, sys, time
from pathlib import Path
from postsched.domain.capabilities import MediaRules
from postsched.domain.picture import PictureRules
from postsched.media.copies import Copies
from postsched.media.fitted import fit
from postsched.media.kept import MediaStore
from postsched.media.original import LARGEST_PICTURE
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
rules = MediaRules(types={"image/jpeg": 1_000_000}, picture=PictureRules(max_width=2000))
import PIL.Image, PIL.ImageCms, PIL.ImageOps, pi_heif
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
store = MediaStore(Path(sys.argv[1]) / "media")
for name in sys.argv[2:]:
    medium = store.keep(Path(sys.argv[1]) / name)
    print(fit(store.path_of(medium), medium, rules, Copies(store), thorough=True).words)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def watched(folder: Path, *names: str) -> tuple[list[str], int]:
    """What is said of files in a process of its own, and how many MiB that took."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", WATCHED, str(folder), *names],
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    *words, peak = done.stdout.splitlines()
    return words, int(peak)


@pytest.mark.skipif(sys.platform == "win32", reason="the peak of memory is asked the POSIX way")
def test_bombs_are_refused_in_little_memory(tmp_path: Path) -> None:
    text = zlib.compress(b"x" * 100_000_000, 9)
    bombs = {
        "a.png": bomb_png(50_000),
        "b.png": bomb_png(9_000),
        "c.png": bomb_png(300, chunk(b"zTXt", b"Comment\0\0" + text)),
        "d.gif": bomb_gif(65_535),
        "e.gif": bomb_gif(9_000),
        "f.webp": bomb_webp(16_383),
        "g.tiff": bomb_tiff(60_000),
        "h.tiff": bomb_tiff(9_000),
    }
    for name, content in bombs.items():
        (tmp_path / name).write_bytes(content)
    words, peak = watched(tmp_path, *bombs)
    assert peak < 150, words
    said = dict(zip(bombs, words, strict=True))
    assert "2,500,000,000 pixels (50000×50000)" in said["a.png"]
    assert "too many" in said["b.png"]
    for name, one in said.items():
        assert any(w in one for w in ("pixels", "can't be read", "→ JPEG")), (name, one)


@pytest.mark.skipif(sys.platform == "win32", reason="the peak of memory is asked the POSIX way")
def test_a_large_photo_takes_bounded_memory(tmp_path: Path) -> None:
    Image.new("L", (12_000, 9_000), 90).save(tmp_path / "large.jpg", exif=exif(6))
    words, peak = watched(tmp_path, "large.jpg")
    assert "9000×12000 → JPEG" in words[0]
    assert "2000×2666" in words[0]
    assert peak < 200


def test_damaged_pictures_get_a_sentence(camera: Camera) -> None:
    head = struct.pack(">IIBBBBB", 90, 90, 8, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n"
    broken = start + chunk(b"IHDR", head) + chunk(b"IDAT", b"no zlib") + chunk(b"IEND", b"")
    for rules in (ANYTHING, JPEG_ONLY):
        words = camera.refused(camera.keep(broken, "broken.png"), rules, thorough=True)
        assert "can't be read: it is damaged" in words
    nothing = start + chunk(b"IHDR", struct.pack(">IIBBBBB", 0, 0, 8, 2, 0, 0, 0))
    nothing += chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    assert "can't be read" in camera.refused(camera.keep(nothing, "0.png"), ANYTHING)
    junk = {
        "j.gif": b"GIF89a" + b"\xff" * 40,
        "j.webp": b"RIFF\x24\0\0\0WEBP" + b"x" * 40,
        "j.bmp": b"BM" + b"\0" * 12 + b"\x28" + b"\0" * 60,
    }
    for name, content in junk.items():
        medium = camera.keep(content, name)
        assert "can't be read" in camera.refused(medium, ANYTHING, thorough=True)


def test_a_huge_file_is_not_read(camera: Camera) -> None:
    medium = replace(camera.take(scene(), "a.jpg"), bytes=LARGEST_PICTURE + 1)
    assert camera.refused(medium, ANYTHING) == (
        "has 100,000,001 bytes, more than the 100,000,000 that a picture may have"
    )


def test_what_can_t_be_mended_says_what_can_be_sent(camera: Camera) -> None:
    medium = camera.take(scene(), "a.png")
    film = MediaRules(types={"video/mp4": None})
    assert camera.refused(medium, film) == (
        "is image/png, which can't be sent; what can: video/mp4"
    )
    icons = MediaRules(types={"image/gif": None})
    assert "can't be made one of what is taken: image/gif" in camera.refused(medium, icons)
    strict = MediaRules(types={"image/jpeg": 200})
    assert "small enough for the 200 bytes allowed" in camera.refused(medium, strict)
    sheet = replace(medium, type="application/pdf")
    assert "is application/pdf, which can't be sent" in camera.refused(sheet, USUAL)


def test_the_digest_of_the_original_is_untouched(camera: Camera) -> None:
    medium = camera.take(scene(), "a.jpg", exif=exif(3))
    camera.fit(medium, USUAL)
    kept = camera.store.path_of(medium).read_bytes()
    assert hashlib.sha256(kept).hexdigest() == medium.sha256
    assert (camera.folder / "a.jpg").read_bytes() == kept
