"""A tz database of a test's own, whose rules it can change."""

from __future__ import annotations

import struct
import zoneinfo
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from postsched.domain import zone_files

BERLIN = "CET-1CEST,M3.5.0,M10.5.0/3"
SUMMER_FOR_EVER = "EET-2"
TOKYO = "JST-9"


class TzDatabase:
    """Zones in a folder, each with one rule, as POSIX's TZ says it, for all time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, rule: str) -> None:
        """Have a zone go by that rule. Who has read it goes by the old one until it `forgets`."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(tzif(rule))

    def change(self, name: str, rule: str) -> None:
        """The same, as a process sees it that begins after that."""
        self.write(name, rule)
        zone_files.forget()


@contextmanager
def tz_database(folder: Path) -> Iterator[TzDatabase]:
    """Meanwhile this process knows no zones but Europe/Berlin, Asia/Kolkata, UTC, and those of the
    package tzdata, if that is there."""
    made = TzDatabase(folder)
    for name, rule in {"Europe/Berlin": BERLIN, "Asia/Kolkata": "IST-5:30", "UTC": "UTC0"}.items():
        made.write(name, rule)
    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath(to=[str(folder)])
    zone_files.forget()
    try:
        yield made
    finally:
        zoneinfo.reset_tzpath(to=before)
        zone_files.forget()


def tzif(rule: str) -> bytes:
    """A file of version 2 (RFC 9636) without transitions: its footer says it all."""
    name = rule[:3].encode() + b"\0"
    hours, _, minutes = rule[3:].split("C")[0].partition(":")
    offset = -int(hours) * 3600 + int(minutes or 0) * 60
    header = b"TZif2" + bytes(15) + struct.pack(">6l", 0, 0, 0, 0, 1, len(name))
    block = struct.pack(">lbb", offset, 0, 0) + name
    return (header + block) * 2 + b"\n" + rule.encode() + b"\n"
