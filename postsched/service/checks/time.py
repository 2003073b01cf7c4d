"""The clock and the zone that times are in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from postsched.domain import zone_files
from postsched.domain.duration import distance
from postsched.service.checks.finding import Finding, Subject, ok, problem
from postsched.store import copies

BUILT = datetime(2026, 1, 1, tzinfo=UTC)
"""This program did not exist before."""
PROBE = "Europe/Berlin"
"""A zone that every tz database has."""
TOLERANCE = timedelta(seconds=5)
HINT = "Set the clock (best by NTP): posts go out by it"


def clock_findings(subject: Subject) -> Iterator[Finding]:
    """Whether the clock can be right. It is not compared with others: that would take a network."""
    now = subject.now()
    if now < BUILT:
        yield problem("clock", f"the clock says {now:%Y-%m-%d %H:%M}, which is long ago", HINT)
        return
    last = None
    if subject.database is not None:
        with subject.database.read() as connection:
            last = copies.last_instant(connection)
    if last is not None and last > now + TOLERANCE:
        yield problem(
            "clock",
            f"the clock says {now:%Y-%m-%d %H:%M:%S} UTC, but the database was last written to "
            f"{distance(last - now)}, at {last:%Y-%m-%d %H:%M:%S}",
            HINT,
        )
        return
    yield ok("clock", f"{now:%Y-%m-%d %H:%M:%S} UTC")


def zone_findings(subject: Subject) -> Iterator[Finding]:
    """The zone of times without an offset, and the data behind all zones."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    zone = subject.zone()
    source = "as configured" if subject.settings.timezone else "the system's"
    yield ok("time zone", f"{zone.key}, {source}: it is {subject.now().astimezone(zone):%H:%M}")
    try:
        ZoneInfo(PROBE)
    except (ZoneInfoNotFoundError, OSError):
        yield problem(
            "time zones", "this system has no tz database", "Install it: pip install tzdata"
        )
        return
    yield ok("time zones", f"the tz database is there, version {zone_files.version()}")
