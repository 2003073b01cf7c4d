"""What the contract needs to know of a network: a login to it, and what it shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from postsched.platforms.base import Login

if TYPE_CHECKING:
    from postsched.testing.loopback import Loopback


@dataclass(frozen=True, slots=True)
class Seen:
    """One post as the network shows it. `parent` is the remote id of what it replies to, `alts`
    the alt texts of its media in order, `key` what the network knows it by if it deduplicates."""

    remote_id: str
    text: str
    parent: str | None = None
    alts: tuple[str, ...] = ()
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """A network under test. `posts` tells what is out, oldest first; `server` is the loopback
    server behind it, None where the platform talks to none."""

    login: Login
    posts: Callable[[], Sequence[Seen]]
    server: Loopback | None = None
