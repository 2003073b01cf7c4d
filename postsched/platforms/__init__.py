"""The networks. `get(name)` loads one by its entry point, so that nothing else is imported.

Ours use the same door as everyone's. One that can't be loaded is reported where it is used and by
`doctor`; it never stops the others.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points

from postsched.domain.errors import NotFound
from postsched.domain.nearest import did_you_mean
from postsched.platforms.base import Platform

GROUP = "postsched.platforms"


@cache
def _entries() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def names() -> list[str]:
    """The names of all platforms that are installed, whether or not they can be loaded."""
    return sorted(_entries())


@cache
def get(name: str) -> Platform:
    """The platform of that name. Raises NotFound if there is none or it can't be loaded."""
    entry = _entries().get(name)
    if entry is None:
        raise NotFound(f"there is no platform {name!r}", did_you_mean(name, names()))
    try:
        platform = entry.load()()
    except Exception as error:
        raise NotFound(
            f"the platform {name!r} ({entry.value}) can't be loaded: {error}",
            "Reinstall or remove the package it comes from",
        ) from error
    if not isinstance(platform, Platform):
        raise NotFound(f"the platform {name!r} ({entry.value}) is no postsched Platform")
    return platform
