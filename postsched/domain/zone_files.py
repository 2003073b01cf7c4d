"""The tz database as this process finds it: the rules of each zone, and whether they have changed.

`zoneinfo` reads a zone's file (RFC 9636) once, and keeps what it read. So does this module: the
text of a zone's rules is that of the rules that this process goes by, until both `forget`.
"""

from __future__ import annotations

import base64
import os
import zlib
from collections.abc import Collection, Iterator
from datetime import tzinfo
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_read: dict[str, bytes | None] = {}
"""As the cache of `zoneinfo`, which this belongs to, it is of the whole process."""
_PROBE = "Europe/Berlin"
"""A zone that every tz database has."""
_VERSION_LENGTH = 40


def text_of(name: str) -> str:
    """The rules of a zone as text without spaces, which `zone_of` reads: the same for the same
    file. Empty where there is no such zone."""
    remember(name)
    found = _read[name]
    return _text(found) if found else ""


@lru_cache(maxsize=32)
def _text(found: bytes) -> str:
    return base64.b64encode(zlib.compress(found, 9)).decode()


def zone_of(text: str, name: str) -> ZoneInfo:
    """The zone with the rules that `text_of` gave, under its name. Raises ValueError for what is no
    such text."""
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo.from_file(BytesIO(zlib.decompress(base64.b64decode(text))), key=name)
    except zlib.error as error:
        raise ValueError(f"no rules of a time zone: {error}") from error


def forget() -> None:
    """Have the rules of all zones read anew when they are next needed. Zones that somebody holds
    stay what they were; see `renewed`."""
    from zoneinfo import ZoneInfo

    ZoneInfo.clear_cache()
    _read.clear()


def remember(name: str) -> None:
    """Keep the rules of a zone that was just made, as `zoneinfo` does."""
    if name not in _read:
        _read[name] = _found(name)


def renewed(zone: tzinfo) -> tzinfo:
    """The zone by the rules of now; the same where that is gone."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    if not isinstance(zone, ZoneInfo) or zone.key is None:
        return zone
    try:
        return ZoneInfo(zone.key)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return zone


def known() -> list[str]:
    """The zones that were used in this process."""
    return list(_read)


def signature(names: Collection[str]) -> object:
    """What changes when the tz database does: how its folders stand, and the files of those zones.
    No file is read."""
    return tuple(
        (path, stamp)
        for folder in _folders()
        for path in _watched(folder, names)
        if (stamp := _stamp(path)) is not None
    )


def version() -> str:
    """Which tz database that is, such as `2026b`; `unknown` where nothing says it."""
    found = next((folder for folder in _folders() if (folder / _PROBE).is_file()), None)
    return _version_in(found) if found is not None else "unknown"


def _version_in(root: Path) -> str:
    for name, prefix in (("+VERSION", ""), ("tzdata.zi", "# version ")):
        try:
            with (root / name).open(encoding="ascii", errors="replace") as file:
                line = file.readline(_VERSION_LENGTH).strip()
        except OSError:
            continue
        if line.startswith(prefix) and line != prefix.strip():
            return line.removeprefix(prefix)
    return "unknown"


def _found(name: str) -> bytes | None:
    """The bytes that `zoneinfo` would read."""
    for folder in _folders():
        try:
            return (folder / name).read_bytes()
        except (OSError, ValueError):  # not there; no name for a file
            continue
    return None


def _folders() -> list[Path]:
    """Where `zoneinfo` looks for a zone, one after the other: last, in the package tzdata."""
    from importlib.util import find_spec
    from zoneinfo import TZPATH

    folders = [Path(folder) for folder in TZPATH]
    spec = find_spec("tzdata")
    if spec is not None and spec.origin:
        folders.append(Path(spec.origin).parent / "zoneinfo")
    return folders


def _watched(root: Path, names: Collection[str]) -> Iterator[str]:
    """A folder of zones, the folders in it, what says its version, and the files of zones."""
    yield str(root)
    try:
        with os.scandir(root) as found:
            yield from sorted(one.path for one in found if one.is_dir())
    except OSError:
        return
    for name in ("+VERSION", "tzdata.zi", *names):
        yield str(root / name)


def _stamp(path: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
