"""The test kit: what a new platform is held to, and networks of our own to hold it to.

Only tests import it, and it needs pytest only where the contract is used. The names below are
loaded when they are first asked for, so that a loopback network starts as a process of its own
without them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from postsched.testing.clock import FakeClock as FakeClock
    from postsched.testing.contract import PlatformContract as PlatformContract
    from postsched.testing.faults import Fault as Fault
    from postsched.testing.faults import FaultKind as FaultKind
    from postsched.testing.http_contract import HttpPlatformContract as HttpPlatformContract
    from postsched.testing.loopback import Loopback as Loopback
    from postsched.testing.mastodon import MastodonServer as MastodonServer
    from postsched.testing.network import Network as Network
    from postsched.testing.network import Seen as Seen
    from postsched.testing.platform import FakePlatform as FakePlatform
    from postsched.testing.wire import Answer as Answer
    from postsched.testing.wire import Request as Request

ASSERTING = ("contract", "http_contract", "lookup_contract", "stage", "wording_contract")
"""The modules whose assertions pytest explains."""
_HOMES = {
    "Answer": "wire",
    "FakeClock": "clock",
    "FakePlatform": "platform",
    "Fault": "faults",
    "FaultKind": "faults",
    "HttpPlatformContract": "http_contract",
    "Loopback": "loopback",
    "MastodonServer": "mastodon",
    "Network": "network",
    "PlatformContract": "contract",
    "Request": "wire",
    "Seen": "network",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name.endswith("Contract"):
        import pytest

        pytest.register_assert_rewrite(*(f"{__name__}.{name}" for name in ASSERTING))
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
