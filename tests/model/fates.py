"""What may become of a call to a network."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx

from postsched.domain.outcome import ErrorKind
from postsched.platforms.base import PlatformError, Unknown
from postsched.testing.platform import Call, Held, LostAnswer

LOST = httpx.ReadTimeout("")


async def _hang(call: Call) -> Any:
    """It never reaches the network, and there is never an answer."""
    await asyncio.Event().wait()


def _refusal(kind: ErrorKind, **more: Any) -> Callable[[], PlatformError]:
    return lambda: PlatformError(kind, kind.value, **more)


REFUSALS: dict[str, Callable[[], Any]] = {
    "no connection": lambda: httpx.ConnectError(""),
    "full": _refusal(ErrorKind.RATE_LIMIT, after=30.0),
    "down": _refusal(ErrorKind.TRANSIENT, http_status=503),
    "refused": _refusal(ErrorKind.PERMANENT, http_status=422),
    "logged out": _refusal(ErrorKind.AUTH, http_status=401),
}
"""By these nothing is out."""
FATES: dict[str, dict[str, Callable[[], Any]]] = {
    "prepare": {
        **REFUSALS,
        "lost": lambda: LOST,
        "hangs": lambda: _hang,
        "slow": Held,
    },
    "publish": {
        **REFUSALS,
        "lost after": lambda: LostAnswer(LOST),
        "lost before": lambda: LOST,
        "breaks after": lambda: LostAnswer(
            PlatformError(ErrorKind.TRANSIENT, "down", http_status=502, sent=True)
        ),
        "hangs after": lambda: LostAnswer(None),
        "hangs before": lambda: _hang,
    },
    "find": {
        **REFUSALS,
        "lost": lambda: LOST,
        "unclear": lambda: Unknown("busy"),
        "never clear": lambda: Unknown("no way to tell", final=True),
        "hangs": lambda: _hang,
    },
}
"""By the verb of a call. What is slow goes on when it is let."""
