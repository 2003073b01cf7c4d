"""The cases of a network: a recorded boundary, what goes wrong there, and how it goes on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.matrix.boundaries import Boundary
from tests.matrix.stage import FAULTS, REPEATED
from tests.matrix.stands import Stand

RUN, DUE = "run", "publish-due"
COMMANDS = {RUN: ("run", "--until-idle", "--no-live"), DUE: ("publish-due",)}
"""The two ways to send. Under `run` the post is prepared ahead, `publish-due` finds it due."""
BEFORE, AFTER = "killed before", "killed after"
KINDS = (BEFORE, AFTER, *FAULTS, REPEATED)


@dataclass(frozen=True, slots=True)
class Case:
    """`start` sends and meets `kind` at the boundary, `restart` does the rest."""

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
                if kind == BEFORE or boundary.kind != "file":  # after one file is before the next
                    yield Case(stand.name, start, boundary, kind, restart)
        if boundary.kind == "request":
            for kind in FAULTS:
                yield Case(stand.name, start, boundary, kind, start)
            if stand.repeats and boundary.name.startswith(("POST", "PUT")):
                yield Case(stand.name, start, boundary, REPEATED, start)
