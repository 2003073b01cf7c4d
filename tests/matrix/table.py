"""The matrix as a table: the networks, and what became of the cases of each kind; its place in the
README, between `<!-- matrix -->` and `<!-- end of matrix -->`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.matrix.cases import KINDS, Case
from tests.matrix.judging import LOST, ONCE, TWICE, UNCONFIRMED, UNREACHED, Verdict

README = Path(__file__).parents[2] / "README.md"
PLACE = re.compile(r"(<!-- matrix -->\n).*?(<!-- end of matrix -->)", re.DOTALL)
ENDS = (ONCE, UNCONFIRMED, LOST, TWICE)
HEADS = ("network", *KINDS, "cases", "exactly once", "unconfirmed", "lost", "twice", "wrong",
         "not met")  # fmt: skip
Results = Mapping[str, Sequence[tuple[Case, Verdict]]]


def table(results: Results) -> str:
    """A Markdown table of the cases by kind, and of what they came to; `not met`: the boundary
    was not passed again, so nothing was tried. `wrong` is any other end, such as a delivery that
    says what is not so."""
    rows = [_row(name, verdicts) for name, verdicts in results.items()]
    every = [row for verdicts in results.values() for row in verdicts]
    rows.append(_row("all", every))
    lines = [HEADS, ["---", *["---:"] * (len(HEADS) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def renew(text: str, results: Results, words: str) -> str:
    """The README with that table in it, and those words under it."""
    return PLACE.sub(lambda found: f"{found[1]}{table(results)}\n\n{words}\n{found[2]}", text)


def shown(text: str) -> list[list[str]]:
    """The cells of the table in the README, row by row, without the line under its heads."""
    found = PLACE.search(text)
    assert found, "the README has no place for the matrix"
    lines = [line for line in found[0].splitlines() if line.startswith("| ")]
    rows = [line.strip("| ").split(" | ") for line in lines]
    return [rows[0], *rows[2:]]


def _row(name: str, verdicts: Sequence[tuple[Case, Verdict]]) -> list[str]:
    kinds = Counter(case.kind for case, _ in verdicts)
    words = Counter(verdict.word for _, verdict in verdicts)
    ends = [words[word] for word in ENDS]
    unmet = words[UNREACHED]
    wrong = len(verdicts) - sum(ends) - unmet
    numbers = [*(kinds[kind] for kind in KINDS), len(verdicts), *ends, wrong, unmet]
    return [name, *map(str, numbers)]
