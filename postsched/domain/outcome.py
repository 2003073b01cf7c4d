"""What one attempt came to, and what is known of a network's limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

LONGEST = 1000
"""Characters of a message that are kept."""


class ErrorKind(StrEnum):
    """Why something did not go out, as users and scripts see it."""

    AUTH = "auth"
    RATE_LIMIT = "rate_limit"
    TRANSIENT = "transient"
    PERMANENT = "permanent"
    DUPLICATE = "duplicate"
    INVALID = "invalid"
    UNCONFIRMED = "unconfirmed"


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong, in words for the user; never contains a secret. The words may be a
    server's: whatever they are, they can be kept and shown."""

    kind: ErrorKind
    message: str
    http_status: int | None = None
    hint: str | None = None
    silent: bool = field(default=False, compare=False)
    """Whether the network did not answer: no connection, nothing in time, or a 5xx."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", _showable(self.message))
        object.__setattr__(self, "hint", None if self.hint is None else _showable(self.hint))
        if self.http_status is not None and self.http_status >= 500:
            object.__setattr__(self, "silent", True)


def _showable(words: str) -> str:
    """The words as proper Unicode, and not a whole page of them."""
    return str(words)[:LONGEST].encode("utf-8", "replace").decode()


@dataclass(frozen=True, slots=True)
class Limit:
    """What a network said of one of its limits: how many calls are left, and until when (UTC)."""

    name: str
    remaining: int
    reset: datetime | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """One part (or the comment) is out. `data` is what later parts and look-ups need, plain JSON
    (a Bluesky reply needs its parent's cid). `evidence` is what the record of the attempt says
    beside, None for the id alone; it stays with the attempt. The id is empty where the network says
    that it is out but not which it is: then there must be evidence."""

    remote_id: str
    url: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    limits: tuple[Limit, ...] = ()
    evidence: str | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """Surely nothing went out, and a later try may succeed.

    `after` is the network's own wish, in seconds from now; `until` the same as an instant.
    `counts` is False where the attempt is not to be counted (a rate limit). `prepare_again`: what
    was prepared for the step is of no use any more, and has to be made anew before the next try.
    """

    problem: Problem
    after: float | None = None
    until: datetime | None = None
    counts: bool = True
    limits: tuple[Limit, ...] = ()
    prepare_again: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """Surely nothing went out, and trying again would not help."""

    problem: Problem
    limits: tuple[Limit, ...] = ()


@dataclass(frozen=True, slots=True)
class Lost:
    """The request left and no usable answer came: it may be out or not."""

    problem: Problem


@dataclass(frozen=True, slots=True)
class LetGo:
    """Nothing was sent, and the delivery is none the worse for it (stop, refused login).

    `problem` says why, where the user has to know: the account waits for a person, or with `here`
    it is only this worker that can't send for it, and another may.
    """

    problem: Problem | None = None
    here: bool = False


@dataclass(frozen=True, slots=True)
class Absent:
    """The network was asked and does not have it. `evidence` says what was looked at. With
    `prepare_again` that is proved, by what was prepared being of no use any more."""

    evidence: str
    prepare_again: bool = False


@dataclass(frozen=True, slots=True)
class NotKnown:
    """The network was asked and could not tell yet; `final`: it never will."""

    problem: Problem
    after: float | None = None
    final: bool = False


Sent = Published | Retry | Failed | Lost | LetGo
"""What sending a part can come to."""

Asked = Published | Absent | NotKnown | Failed | LetGo
"""What asking the network about a part whose answer was lost can come to."""
