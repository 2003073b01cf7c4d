"""The power is cut: a small run of `tests.benchmarks.power`, which is the command for the large
ones. The judge is what the networks have in the end."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.power import tracing


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        pytest.param(("--quick", "--seed", "5"), id="quick"),
        pytest.param(("--posts", "4", "--torn", "2", "--seed", "11"), marks=pytest.mark.slow),
    ],
)
def test_nothing_is_lost_or_twice_after_a_power_loss(options: tuple[str, ...]) -> None:
    if reason := tracing.missing():
        pytest.skip(reason)
    command = [sys.executable, "-m", "tests.benchmarks.power", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1500)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 went wrong" in done.stdout
