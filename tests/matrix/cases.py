"""The cases of a network: a recorded boundary, what goes wrong there, and how it goes on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.matrix.boundaries import Boundary
from tests.matrix.stage import ANSWER_LOST, FAULTS, REPEATED, REQUEST_LOST
from tests.matrix.stands import Stand

RUN, DUE = "run", "publish-due"
COMMANDS = {RUN: ("run", "--until-idle", "--no-live"), DUE: ("publish-due",)}
"""The two ways to send. Under `run` the post is prepared ahead, `publish-due` finds it due."""
FOUND, ABSENT = "run after a lost answer", "run after a lost request"
STARTS = {**COMMANDS, FOUND: COMMANDS[RUN], ABSENT: COMMANDS[RUN]}
"""What is recorded, and the command that it is: the two ways to send, and how is settled what
`publish-due` has left in doubt."""
DOUBTS = {FOUND: ANSWER_LOST, ABSENT: REQUEST_LOST}
"""What became of the first request that publishes, before such a recording."""
BEFORE, AFTER = "killed before", "killed after"
REDUNDANT = {"file": AFTER, "mark": BEFORE}
"""What is played elsewhere: after one file is before the next, before the mark rises is after the
commit that it rises for."""
KINDS = (BEFORE, AFTER, *FAULTS, REPEATED)


@dataclass(frozen=True, slots=True)
class Case:
    """`start` sends, or settles, and meets `kind` at the boundary; `restart` does the rest."""

    network: str
    start: str
    boundary: Boundary
    kind: str
    restart: str

    def __str__(self) -> str:
        return f"{self.network}: {self.start} {self.kind} {self.boundary}, then {self.restart}"


def cases_of(stand: Stand, start: str, boundaries: Iterable[Boundary]) -> Iterator[Case]:
    """Every case for what a recording of that start has passed."""
    for boundary in boundaries:
        for restart in COMMANDS:
            for kind in (BEFORE, AFTER):
                if kind != REDUNDANT.get(boundary.kind):
                    yield Case(stand.name, start, boundary, kind, restart)
        if boundary.kind == "request" and start not in DOUBTS:
            for kind in FAULTS:
                yield Case(stand.name, start, boundary, kind, start)
            if stand.repeats and _writes_once(boundary.name):
                yield Case(stand.name, start, boundary, REPEATED, start)


def _writes_once(name: str) -> bool:
    """Whether a second request of the same adds nothing: no network refuses equal comments."""
    return name.startswith(("POST", "PUT")) and not name.endswith("/comments")
