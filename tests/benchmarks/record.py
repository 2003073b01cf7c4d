"""What was measured, part by part, as plain JSON: written after each part, so that what ends a run
does not take it along; read by the README and the picture."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.benchmarks.contenders import Floor, Postsched
from tests.benchmarks.machine import Machine
from tests.benchmarks.run import Run


class Record:
    """The parts that were measured, by name: the last of each."""

    def __init__(self, parts: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self.parts: dict[str, Mapping[str, Any]] = dict(parts or {})

    @classmethod
    def read(cls, place: Path) -> Record:
        """What was written there; nothing if nothing was."""
        return cls(json.loads(place.read_text())["parts"] if place.exists() else None)

    def write(self, place: Path) -> None:
        """All of it; a reader sees the old or the new."""
        whole = place.with_name(place.name + ".new")
        whole.write_text(json.dumps({"parts": self.parts}, indent=1) + "\n")
        whole.replace(place)

    def add(self, name: str, run: Run, machine: Machine, took: float, seed: int) -> None:
        """A part, with all that is needed to judge it."""
        marked = [replace(figure, stalled=machine.stalled) for figure in run.figures]
        self.parts[name] = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "took": round(took),
            "seed": seed,
            "rounds": run.rounds,
            "size": {**asdict(run.size), "waiting": list(run.size.waiting)},
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "machine": machine.document(),
            "figures": [figure.document() for figure in marked],
            "contenders": run.others,
        }

    @property
    def figures(self) -> list[Mapping[str, Any]]:
        """Of all parts."""
        return [figure for part in self.parts.values() for figure in part["figures"]]

    @property
    def contenders(self) -> dict[str, dict[str, Any]]:
        """What each contender came to in all parts; the floor and postsched first."""
        found: dict[str, dict[str, Any]] = {Floor.name: {}, Postsched.name: {}}
        for part in self.parts.values():
            for name, one in part["contenders"].items():
                found.setdefault(name, {}).update(one)
        return found

    @property
    def machines(self) -> dict[str, Mapping[str, Any]]:
        """What the machine did during each part."""
        return {name: part["machine"] for name, part in self.parts.items()}

    @property
    def missed(self) -> list[str]:
        """The figures that did not reach their goal."""
        return list(dict.fromkeys(one["what"] for one in self.figures if one["reached"] is False))

    def when(self) -> list[list[str]]:
        """When each part was measured (UTC), in how long, with how many rounds and which seed."""
        return [
            [name, part["at"].replace("T", " ")[:16], f"{part['took']} s", str(part["rounds"]),
             str(part["seed"])]
            for name, part in self.parts.items()
        ]  # fmt: skip

    def where(self) -> str:
        """On what it was measured."""
        said = {f"{part['cores']} cores, Python {part['python']}" for part in self.parts.values()}
        return "; ".join(sorted(said)) + "."
