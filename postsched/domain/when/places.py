"""Where a phrase's time is meant: the zone or the offset that ends it, else the person's own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache
from typing import TYPE_CHECKING

from postsched.domain.when.moment import Moment, NotUnderstood, at_local
from postsched.domain.zones import zone_named

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_ZONE = re.compile(
    r"(?P<rest>.+?)(?: ?(?<=[0-9 ])(?P<utc>z)| (?P<base>utc|gmt)"
    r"|(?: (?:utc|gmt)|(?<=:[0-9]{2})| )"
    r"(?P<sign>[+-])(?P<hours>[0-9]{2})(?::?(?P<minutes>[0-9]{2}))?"
    r"|(?: (?:utc|gmt))(?P<short>[+-][0-9]{1,2})"
    r"|,? (?P<name>[a-z][a-z0-9_+-]*(?:/[a-z0-9_+-]+)+))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Place:
    """A zone (or a mere offset from UTC), and the instant it is there now. `named` if the phrase
    says so, rather than being in the person's own zone, `home`."""

    now: datetime
    home: ZoneInfo
    zone: ZoneInfo | timezone
    named: bool

    @property
    def today(self) -> date:
        """The day it is there."""
        return self.now.astimezone(self.zone).date()

    @property
    def is_offset(self) -> bool:
        """Whether only an offset is known, which holds on one date and not on others."""
        return isinstance(self.zone, timezone)

    @property
    def elsewhere(self) -> bool:
        """Whether it is another day there than at home, so that `today` may mean two."""
        return self.named and self.today != self.now.astimezone(self.home).date()

    def moment(self, local: datetime) -> Moment:
        """The moment of a naive local time there."""
        if isinstance(self.zone, timezone):
            return Moment(local.replace(tzinfo=self.zone).astimezone(UTC))
        moment = at_local(local, self.zone)
        return Moment(moment.instant, moment.note) if self.named else moment


def split_place(phrase: str, now: datetime, home: ZoneInfo) -> tuple[str, Place]:
    """The phrase without the zone that ends it, and that place.

    Raises InvalidInput for a name that is no zone, ValueError for an offset that no place has.
    """
    match = _ZONE.fullmatch(phrase)
    if match is None:
        return phrase, Place(now, home, home, named=False)
    zone: ZoneInfo | timezone
    if match["name"]:
        zone = zone_of(match["name"])
    elif match["utc"] or match["base"]:
        zone = zone_named("UTC")
    else:
        zone = timezone(_ahead(match))
    return match["rest"], Place(now, home, zone, named=True)


def zone_of(name: str) -> ZoneInfo:
    """The zone of that name, in whatever case; raises InvalidInput if there is none."""
    return zone_named(_zone_names().get(name.lower(), name))


def _ahead(match: re.Match[str]) -> timedelta:
    if match["short"]:
        return _checked(timedelta(hours=int(match["short"])))
    minutes = int(match["minutes"] or 0)
    if minutes > 59:
        raise ValueError
    ahead = timedelta(hours=int(match["hours"]), minutes=minutes)
    return _checked(-ahead if match["sign"] == "-" else ahead)


def _checked(ahead: timedelta) -> timedelta:
    if not timedelta(hours=-12) <= ahead <= timedelta(hours=14):
        raise NotUnderstood("no place is that far from UTC")
    return ahead


@cache
def _zone_names() -> dict[str, str]:
    """Every zone, by its name in lower case."""
    from zoneinfo import available_timezones

    return {name.lower(): name for name in available_timezones()}
