"""The time zone that this system is set to."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from postsched.domain.errors import InvalidInput
from postsched.domain.zones import zone_named

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


def system_zone(environ: Mapping[str, str]) -> ZoneInfo:
    """The zone this system is set to: TZ as POSIX has it (a name only), else its own setting.

    Raises InvalidInput where TZ names no zone of the tz database, or the setting can't be read.
    """
    name = environ.get("TZ")
    if name is None:
        return _configured_zone()
    name = name.removeprefix(":") or "UTC"
    if os.path.isabs(name):
        named = os.path.realpath(name).rpartition("/zoneinfo/")[2]
        if name == "/etc/localtime" and os.path.isabs(named):
            return _configured_zone()
        name = named
    try:
        return zone_named(name)
    except InvalidInput as error:
        raise InvalidInput(
            f"the environment variable TZ is {environ['TZ']!r}, which is no time zone's name",
            "Set TZ or the key timezone to a name like Europe/Berlin",
        ) from error


def _configured_zone() -> ZoneInfo:
    import warnings

    import tzlocal

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # no setting at all means UTC, here as everywhere
            zone = tzlocal.get_localzone()
        return zone_named(getattr(zone, "key", "UTC"))  # it is kept by its name
    except (KeyError, ValueError, OSError, InvalidInput) as error:
        raise InvalidInput(
            "the time zone of this system can't be read",
            "Set the key timezone to a name like Europe/Berlin",
        ) from error
