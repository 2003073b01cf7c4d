"""The networks. `get(name)` loads one by its entry point, so that nothing else is imported.

Ours use the same door as everyone's. One that can't be loaded is reported where it is used and by
`doctor`; it never stops the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from postsched.domain.capabilities import Capabilities
from postsched.domain.errors import NotAllowed, NotFound
from postsched.domain.nearest import did_you_mean
from postsched.platforms.base import Platform
from postsched.platforms.installed import entries

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from postsched.platforms.base import Message
    from postsched.platforms.wording import Wording

GROUP = "postsched.platforms"


@cache
def _entries() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entries(GROUP)}


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


def capabilities(name: str, facts: Mapping[str, Any] | None = None) -> Capabilities:
    """What an account with those facts can do on a platform; without facts, a usual one. Raises
    NotFound as `get`, NotAllowed where the platform's adapter fails."""
    platform = get(name)
    try:
        can = platform.capabilities(platform.usual_facts if facts is None else facts)
        reason = "" if isinstance(can, Capabilities) else type(can).__name__
    except Exception as error:  # noqa: BLE001 - a plug-in may raise anything
        reason = type(error).__name__
    if reason:
        raise _failing(name, "what it can do", reason)
    return can


def worded(name: str, message: Message, facts: Mapping[str, Any]) -> Wording:
    """How the text of a step reads on a platform. Raises as `capabilities`."""
    from postsched.platforms.wording import Wording

    platform = get(name)
    try:
        found = platform.wording(message, facts)
        reason = "" if isinstance(found, Wording) else type(found).__name__
    except Exception as error:  # noqa: BLE001 - a plug-in may raise anything
        reason = type(error).__name__
    if reason:
        raise _failing(name, "how a text reads there", reason)
    return found


def _failing(name: str, what: str, reason: str) -> NotAllowed:
    return NotAllowed(
        f"the adapter of the platform {name!r} fails to say {what} ({reason})",
        "Update or remove the package it comes from",
    )
