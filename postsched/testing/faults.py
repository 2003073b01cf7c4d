"""What can go wrong between a client and a server, as data: programmed into a loopback network.

A fault is for the next `count` requests that match, None for all of them. Plain data, so that a
test can program a server in another process by POST /_faults.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Any

from postsched.testing.wire import Answer, Request


class FaultKind(StrEnum):
    """What happens to a request. Those named `after` happen once it has had its effect."""

    ANSWER = "answer"
    """The given answer, and nothing is done."""
    ANSWER_AFTER = "answer-after"
    RESET = "reset"
    """The connection is reset (RST), and nothing is done."""
    RESET_AFTER = "reset-after"
    HANG = "hang"
    """No answer ever, and nothing is done."""
    HANG_AFTER = "hang-after"
    TRUNCATED = "truncated"
    """Done, but the connection closes in the middle of the answer."""
    NOT_JSON = "not-json"
    """Done, but the answer is a proxy's HTML with status 200."""
    DELAY = "delay"
    """Done at once, but answered only after `seconds`."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault; `answer` is for the kinds that give one, `seconds` for a delay."""

    kind: FaultKind
    answer: Answer = field(default_factory=lambda: Answer(503, {"error": "Service Unavailable"}))
    seconds: float = 0.0

    @property
    def committed(self) -> bool:
        """Whether the request has its effect all the same."""
        return self.kind not in (FaultKind.ANSWER, FaultKind.RESET, FaultKind.HANG)


@dataclass(slots=True)
class _Programmed:
    fault: Fault
    method: str | None
    path: re.Pattern[str]
    left: int | None

    def fits(self, request: Request) -> bool:
        return (
            self.left != 0
            and self.method in (None, request.method)
            and bool(self.path.fullmatch(request.path))
        )


@dataclass(slots=True)
class Faults:
    """The faults that are programmed, in order, and the chance that an answer is lost."""

    _programmed: list[_Programmed] = field(default_factory=list)
    _lost: tuple[float, Random, str, re.Pattern[str]] | None = None

    def program(
        self, fault: Fault, method: str | None = None, path: str = ".*", count: int | None = 1
    ) -> None:
        """Let the next `count` requests of that method and path (a regular expression) meet it."""
        self._programmed.append(_Programmed(fault, method, re.compile(path), count))

    def lose(self, share: float, seed: int, method: str, path: str) -> None:
        """Reset the connection after that share (0 to 1) of such requests, chosen by the seed."""
        self._lost = (share, Random(seed), method, re.compile(path))  # noqa: S311 - not a secret

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self._programmed.clear()
        self._lost = None

    def next_for(self, request: Request) -> Fault | None:
        """What this request meets; it is used up."""
        for programmed in self._programmed:
            if programmed.fits(request):
                if programmed.left is not None:
                    programmed.left -= 1
                return programmed.fault
        if self._lost:
            share, rng, method, path = self._lost
            if method == request.method and path.fullmatch(request.path) and rng.random() < share:
                return Fault(FaultKind.RESET_AFTER)
        return None


def fault_from_json(document: Mapping[str, Any]) -> Fault:
    """A fault from its JSON: {kind, status?, headers?, body?, seconds?}."""
    answer = Answer(
        int(document.get("status", 503)),
        document.get("body", {"error": "Service Unavailable"}),
        document.get("headers") or {},
    )
    return Fault(FaultKind(document["kind"]), answer, float(document.get("seconds", 0)))
