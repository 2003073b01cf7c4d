"""A share of the crash matrix, chosen anew each time: `tests.benchmarks.matrix` plays the whole."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.matrix.judging import VANISHED
from tests.matrix.stands import STANDS
from tests.matrix.table import HEADS, README, shown

CASES = 30
"""Of some thousands."""
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="it forks its processes")


def play(*options: str) -> str:
    """Play cases in a process of its own, which forks; what it said, which is printed too."""
    command = [sys.executable, "-m", "tests.benchmarks.matrix", *options]
    done = subprocess.run(command, capture_output=True, text=True, cwd=README.parent)
    print(done.stdout, done.stderr)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_what_is_killed_anywhere_is_out_once(
    record_property: Callable[[str, object], None],
) -> None:
    seed = random.SystemRandom().randrange(10**6)
    record_property("says", f"crash matrix: {CASES} cases, seed {seed}")
    said = play("--cases", str(CASES), "--seed", str(seed), "--jobs", "2")
    assert f"seed {seed}." in said
    assert f"| {CASES - said.count(VANISHED)} |" in said.splitlines()[len(STANDS) + 2]


@pytest.mark.slow
def test_the_whole_matrix() -> None:
    play()


def test_the_readme_shows_the_matrix() -> None:
    heads, *rows = shown(README.read_text(encoding="utf-8"))
    assert heads == list(HEADS)
    assert [row[0] for row in rows] == [*STANDS, "all"]
    for name, *cells in rows:
        numbers = dict(zip(HEADS[1:], map(int, cells), strict=True))
        ended = numbers["exactly once"] + numbers["unconfirmed"]
        assert numbers["cases"] == ended + numbers["not met"] > 0, name
