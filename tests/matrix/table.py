"""The matrix as a table: the networks, and what became of the cases of each kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from tests.matrix.cases import AFTER, BEFORE, KINDS, Case
from tests.matrix.judging import LOST, ONCE, TWICE, UNCONFIRMED, Verdict

TITLES = {"killed before": "killed before", "killed after": "killed after"}
ENDS = (ONCE, UNCONFIRMED, LOST, TWICE)
HEADS = ("network", *KINDS, "cases", "exactly once", "unconfirmed", "lost", "twice", "other")
assert KINDS[:2] == (BEFORE, AFTER)


def table(results: Mapping[str, Sequence[tuple[Case, Verdict]]]) -> str:
    """A Markdown table of the cases by kind, and of what they came to."""
    rows = [_row(name, verdicts) for name, verdicts in results.items()]
    every = [row for verdicts in results.values() for row in verdicts]
    rows.append(_row("all", every))
    lines = [HEADS, ["---", *["---:"] * (len(HEADS) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _row(name: str, verdicts: Sequence[tuple[Case, Verdict]]) -> list[str]:
    kinds = Counter(case.kind for case, _ in verdicts)
    words = Counter(verdict.word for _, verdict in verdicts)
    ends = [words[word] for word in ENDS]
    other = len(verdicts) - sum(ends)
    numbers = [*(kinds[kind] for kind in KINDS), len(verdicts), *ends, other]
    return [name, *map(str, numbers)]
