"""Opening a picture with Pillow, within bounds: what it tells of itself, and its pixels upright in
sRGB. Pillow is loaded here and only when it is needed, for that takes its time.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_DRAWN = 64_000_000
"""Pixels of a picture that is drawn in memory: some 250 MB."""
MOST_STORED = 400_000_000
"""Pixels of a JPEG, which can be drawn smaller than it is."""
ORIENTATION, GPS = 0x0112, 0x8825
SWAPPED = frozenset({5, 6, 7, 8})
"""Orientations that lie on their side (Exif 2.32, 4.6.4)."""
_TELLING = frozenset({"exif", "xmp", "XML:com.adobe.xmp", "photoshop", "comment"})
_TELLING_TAGS = frozenset({270, 271, 272, 305, 306, 315, 316, 700, 33432, 33723, 34377, 34665, GPS})
"""TIFF: description, make, model, software, date, artist, host, XMP, copyright, IPTC, Photoshop,
Exif, GPS."""
_RAW_TAGS = frozenset({330, 50706})
"""TIFF: further pictures inside (SubIFDs), the version of DNG: the first picture is a small one."""
_WIDE_GREY = frozenset({"I", "I;16", "I;16B", "I;16L", "I;16N", "F"})


class Unreadable(Exception):
    """Pillow can't read the picture; the words say why, to follow the file's name."""


@dataclass(frozen=True, slots=True)
class Details:
    """What a picture says of itself: its size as it is shown, whether it must be turned for that,
    how many frames it has, whether it tells more than it shows, and whether that is a place."""

    width: int
    height: int
    turned: bool
    frames: int
    tells_more: bool
    located: bool


def details(file: Path) -> Details:
    """Read the head of a picture. Raises Unreadable."""
    with opened(file) as image:
        exif = image.getexif()
        if image.format == "TIFF" and _RAW_TAGS & set(exif):
            raise Unreadable("is a camera's raw file: export it as JPEG first")
        turned = exif.get(ORIENTATION, 1) in range(2, 9)
        width, height = shown_size(image)
        tags = set(exif) & _TELLING_TAGS if image.format == "TIFF" else set(exif)
        return Details(
            width,
            height,
            turned,
            getattr(image, "n_frames", 1),
            bool(tags) or bool(_TELLING & set(image.info)),
            _is_located(image),
        )


def shown_size(image: Image) -> tuple[int, int]:
    """Width and height of an opened picture as it is shown."""
    width, height = image.size
    return (height, width) if _on_its_side(image) else (width, height)


def _on_its_side(image: Image) -> bool:
    """Whether its width is its height; Pillow turns TIFF itself."""
    return image.format != "TIFF" and image.getexif().get(ORIENTATION, 1) in SWAPPED


def require_sound(file: Path) -> None:
    """Raise Unreadable for a damaged picture; of what moves, the first frame is looked at."""
    with opened(file) as image:
        image.draft(image.mode, (1, 1))  # a JPEG is read to its end even so
        image.load()


@contextmanager
def opened(file: Path) -> Iterator[Image]:
    """A picture, its pixels not yet read. Raises Unreadable, also for what goes wrong inside."""
    from PIL import Image, UnidentifiedImageError

    _settle()
    try:
        with Image.open(file) as image:
            _check_size(image)  # before anything else: Pillow may read all of a PNG for its Exif
            yield image
    except Unreadable:
        raise
    except MemoryError:
        raise Unreadable("is too large to be drawn in the memory there is") from None
    except UnidentifiedImageError:
        raise Unreadable("can't be read: it is damaged, or a picture of no known kind") from None
    except Exception as error:  # noqa: BLE001 - decoders raise anything for a damaged file
        words = " ".join(str(error).split()) or type(error).__name__
        raise Unreadable(f"can't be read: it is damaged ({words[:100]})") from None


def drawn(image: Image, width: int, height: int) -> Image:
    """The picture upright in sRGB and 8 bits, no smaller than `width` by `height` (as it is shown)
    if it is not smaller itself, and without all it tells; modes L, RGB or RGBA. Raises Unreadable
    if that would take too much memory, and whatever Pillow raises for a damaged file."""
    from PIL import ImageOps

    wanted = (height, width) if _on_its_side(image) else (width, height)
    if image.format in ("JPEG", "MPO"):
        image.draft(image.mode, wanted)
        while image.width * image.height > MOST_DRAWN and _halved(image):
            pass
    if image.width * image.height > MOST_DRAWN:
        raise _too_many(image)
    image.load()
    profile, small = image.info.get("icc_profile"), _shrunk(image, wanted)
    upright = ImageOps.exif_transpose(small) if image.getexif().get(ORIENTATION, 1) != 1 else small
    plain = _in_srgb(_eight_bits(upright), profile)
    plain.info.clear()
    return plain


def _shrunk(image: Image, wanted: tuple[int, int]) -> Image:
    """The picture in a size that is wanted, if its pixels can be mixed, so that whatever is done
    next takes little memory; what it says of itself stays."""
    if image.mode not in ("L", "RGB", "RGBA", "CMYK") or "transparency" in image.info:
        return image
    if wanted[0] >= image.width or wanted[1] >= image.height:
        return image
    from PIL import Image as Images

    small = image.resize(wanted, Images.Resampling.LANCZOS, reducing_gap=3.0)
    small.info.update(image.info)
    return small


def _check_size(image: Image) -> None:
    """Raise Unreadable for more pixels than can be drawn; a JPEG can be drawn smaller, unless it
    comes in several passes, all of which are kept in memory."""
    passes = "progressive" in image.info
    most = MOST_STORED if image.format in ("JPEG", "MPO") and not passes else MOST_DRAWN
    if image.width * image.height > (most if not passes else 2 * MOST_DRAWN):
        raise _too_many(image)


def _too_many(image: Image) -> Unreadable:
    pixels = image.width * image.height
    return Unreadable(
        f"has {pixels:,} pixels ({image.width}×{image.height}), too many to be made smaller here"
    )


def _halved(image: Image) -> bool:
    """Have a JPEG drawn at half its present size; False if it can't be."""
    before = image.size
    image.draft(image.mode, (image.width // 2, image.height // 2))
    return image.size < before


def _eight_bits(image: Image) -> Image:
    """The picture in one of the modes L, RGB, RGBA, CMYK."""
    if image.mode in _WIDE_GREY:
        # Pillow cuts off what is above 255. Of what it gives as I, the full range is 16 bits.
        return image.convert("F").point(lambda value: value * (1 / 257)).convert("L")
    if image.has_transparency_data:
        seen = image.convert("RGBA")
        opaque = seen.getchannel("A").getextrema()[0] == 255
        return seen.convert("RGB") if opaque else seen
    if image.mode in ("L", "RGB", "CMYK"):
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def _in_srgb(image: Image, profile: bytes | None) -> Image:
    """The colours as sRGB, by the profile where it is of any use."""
    from PIL import ImageCms

    if profile and image.mode != "L":
        target = "RGBA" if image.mode == "RGBA" else "RGB"
        with suppress(ImageCms.PyCMSError, OSError, ValueError):
            changed = ImageCms.profileToProfile(
                image,
                ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                outputMode=target,
            )
            if changed is not None:
                return changed
    return image.convert("RGB") if image.mode == "CMYK" else image


def _is_located(image: Image) -> bool:
    """Whether it says where it was taken, in Exif or in XMP."""
    xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    text = xmp.encode() if isinstance(xmp, str) else bytes(xmp)
    return bool(image.getexif().get_ifd(GPS)) or b"GPSLatitude" in text


def _settle() -> None:
    """What Pillow needs to know once: our own limits instead of its warnings, and HEIC."""
    import pi_heif
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    pi_heif.register_heif_opener()
