"""A figure: what was measured, beside what, and the goal; and the table of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound: of the ratio to what stands beside it, or (`absolute`) of the value itself. `most`
    says that less is better. `slack`: as good is a value within so much of the one beside."""

    bound: float
    most: bool = True
    absolute: bool = False
    slack: float = 0.0

    def reached(self, value: float, beside: float | None) -> bool:
        """Whether the value is as it should be."""
        if self.slack and beside is not None and value - beside <= self.slack:
            return True
        if not self.absolute and beside is None:
            return False
        bound = self.bound if self.absolute or beside is None else self.bound * beside
        return value <= bound if self.most else value >= bound

    def words(self, unit: str) -> str:
        """As the table says it."""
        said = f"{'≤' if self.most else '≥'} {number(self.bound)} {unit if self.absolute else '×'}"
        return f"{said}, or within {number(self.slack)} {unit}" if self.slack else said.strip()


def at_most(bound: float, *, slack: float = 0.0) -> Goal:
    """At most so many times what stands beside it, or that and `slack`."""
    return Goal(bound, slack=slack)


def at_least(bound: float) -> Goal:
    """At least so many times what stands beside it."""
    return Goal(bound, most=False)


def below(bound: float) -> Goal:
    """At most so much."""
    return Goal(bound, absolute=True)


def above(bound: float) -> Goal:
    """At least so much."""
    return Goal(bound, most=False, absolute=True)


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` of `what` in `unit`; `beside` is that of `base` in the same run. Without a goal it
    is only told. `stalled`: the machine stood still now and then while it was measured."""

    what: str
    unit: str
    value: float
    base: str = ""
    beside: float | None = None
    goal: Goal | None = None
    stalled: bool = False

    @property
    def ratio(self) -> float | None:
        """The value by what stands beside it."""
        return ratio(self.value, self.beside)

    @property
    def reached(self) -> bool | None:
        """Whether the goal is; None without one."""
        return None if self.goal is None else self.goal.reached(self.value, self.beside)

    def document(self) -> dict[str, Any]:
        """Plain JSON."""
        goal = self.goal.words(self.unit) if self.goal else None
        return {**asdict(self), "ratio": self.ratio, "goal": goal, "reached": self.reached}

    def row(self) -> list[str]:
        """Its row in the table."""
        return row_of(self.document())


HEADS = ("what", "postsched", "beside", "ratio", "goal", "reached")


def row_of(told: Mapping[str, Any]) -> list[str]:
    """The row of a figure in the table, from its JSON. What was missed is missed, also where the
    machine may be why; but it says so."""
    beside = f"{told['base']} {number(told['beside'])}" if told["beside"] is not None else ""
    verdict = {True: "yes", False: "NO", None: ""}[told["reached"]]
    return [
        told["what"],
        f"{number(told['value'])} {told['unit']}".strip(),
        beside,
        f"{number(told['ratio'])} ×" if told["ratio"] is not None else "",
        told["goal"] or "",
        f"{verdict} (stalled)" if verdict == "NO" and told["stalled"] else verdict,
    ]


def ratio(value: float, beside: float | None) -> float | None:
    """One by the other; None where that says nothing."""
    return value / beside if beside else None


def number(value: float | None) -> str:
    """Three digits, and no more than are needed: 1,234, 12.3, 0.0123."""
    if value is None or math.isnan(value):
        return "?"
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def aligned(heads: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int]) -> str:
    """A table for a terminal; the columns `right` are set to the right."""
    widths = [max(len(row[n]) for row in [heads, *rows]) for n in range(len(heads))]
    lines = []
    for row in [heads, ["-" * width for width in widths], *rows]:
        cells = [
            cell.rjust(widths[n]) if n in right else cell.ljust(widths[n])
            for n, cell in enumerate(row)
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def markdown(heads: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int]) -> str:
    """The same table for the README."""
    rule = ["---:" if n in right else "---" for n in range(len(heads))]
    return "\n".join("| " + " | ".join(row) + " |" for row in [heads, rule, *rows])


def table(figures: Sequence[Mapping[str, Any]]) -> str:
    """The figures, each as its JSON, for a terminal."""
    return aligned(HEADS, [row_of(figure) for figure in figures], (1, 2, 3))


COLUMNS = {
    "lateness p50, ms (its floor)": "p50",
    "p99, ms (its floor)": "p99",
    "posts/s at 10": "burst 10",
    "at 50": "burst 50",
    "first late by, ms": "burst 10 first",
    "CPU a post, ms": "burst 10 cpu",
    "idle minute, CPU ms": "idle",
}
"""What is told of each contender, by its name in the JSON; `KEY floor` is what the floor came to
beside it, in the same half minute."""


def rows_of(contenders: Mapping[str, Mapping[str, Any]]) -> list[list[str]]:
    """A row for each contender of which anything is known."""
    return [
        [name, *(_cell(one, key) for key in COLUMNS.values())]
        for name, one in contenders.items()
        if any(key in one for key in COLUMNS.values())
    ]


def _cell(one: Mapping[str, Any], key: str) -> str:
    if key not in one:
        return ""
    floor = one.get(f"{key} floor")
    return number(one[key]) + (f" ({number(floor)})" if floor is not None else "")


def beside(contenders: Mapping[str, Mapping[str, Any]]) -> str:
    """Side by side, for a terminal."""
    heads, rows = ["", *COLUMNS], rows_of(contenders)
    return aligned(heads, rows, range(1, len(heads))) if rows else ""


MACHINE = {
    "stolen by the host": ("stolen", 100, "%"),
    "busy": ("busy", 100, "%"),
    "overslept p50": ("overslept_p50", 1, "ms"),
    "overslept p99": ("overslept_p99", 1, "ms"),
    "fsync p50": ("fsync_p50", 1, "ms"),
    "fsync p99": ("fsync_p99", 1, "ms"),
}
"""What is told of the machine: by its name in the JSON, times what, in which unit."""


def machine_rows(machines: Mapping[str, Mapping[str, Any]]) -> list[list[str]]:
    """A row for each part: what the machine did meanwhile."""
    return [
        [part, *(f"{number(one[key] * by)} {unit}" for key, by, unit in MACHINE.values())]
        for part, one in machines.items()
    ]
