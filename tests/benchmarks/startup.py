"""What commands take to start, beside what they can't do without: pairs of processes, one after
the other in changing order; the median of the ratios of the pairs. Counted is the time of the
processor, which other programs on the machine do not lengthen by as much.

    python -m tests.benchmarks.startup [--rounds 21] [--check]

Goals: `--version` and completion at most 1.3 times `import typer`, `--help` at most 2 times `import
typer, rich.console`, `add` and `list` at most 1.3 times `import typer, sqlalchemy`, and every other
command that is called often at most 1.4 times.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from statistics import median

from tests.benchmarks.setting import account, desk, environment, fill

POSTS = 50
"""How many posts there are to list."""
TYPER, RICH, SQL = "typer", "typer, rich.console", "typer, sqlalchemy"


@dataclass(frozen=True, slots=True)
class Case:
    """A call of postsched, what it is measured against, and how much longer it may take."""

    name: str
    words: Sequence[str]
    imports: str
    goal: float
    variables: Mapping[str, str] = field(default_factory=dict)


def asking(*words: str) -> dict[str, str]:
    """The environment in which bash asks for completions of the last word."""
    line = "\n".join(("postsched", *words))
    return {
        "_POSTSCHED_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words)),
    }


CASES = (
    Case("--version", ["--version"], TYPER, 1.3),
    Case("completion of a command", [], TYPER, 1.3, asking("a")),
    Case("completion of an account", [], TYPER, 1.3, asking("add", "--to", "")),
    Case("completion of a post", [], TYPER, 1.3, asking("show", "")),
    Case("--help", ["--help"], RICH, 2.0),
    Case("add", ["add", "Hello, world", "--to", "me", "--at", "tomorrow 9am"], SQL, 1.3),
    Case("list", ["list"], SQL, 1.3),
    Case("list --json", ["list", "--json"], SQL, 1.3),
    *(
        Case(words, words.split(), SQL, 1.4)
        for words in (
            "show 1", "status", "next", "calendar", "queue", "slots list", "history",
            "account list", "platforms", "publish-due", "check", "edit 2 --text Changed", "pause 3",
            "resume 3", "cancel 4",
        )
    ),
)  # fmt: skip


def main() -> int:
    """Measure and print; with --check, 1 if a goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        at = desk(home)
        soon = at.now() + timedelta(days=1)
        to = account(at, "https://a.example")
        fill(at, to, [soon + timedelta(hours=n) for n in range(POSTS)])
        at.database.close()
        print(f"{'':26}{'ms':>6}{'beside':>9}{'ratio':>7}{'goal':>6}   import")
        missed = [case for case in CASES if not measured(case, home, given.rounds)]
    print("goals reached" if not missed else f"missed: {', '.join(case.name for case in missed)}")
    return 1 if missed and given.check else 0


def measured(case: Case, home: Path, rounds: int) -> bool:
    """Measure and print one case; whether it reaches its goal."""
    script = Path(sys.executable).with_name("postsched")
    start = [str(script)] if script.exists() else [sys.executable, "-m", "postsched"]
    pair = ([*start, *case.words], [sys.executable, "-c", f"import {case.imports}"])
    environ = environment(home, **case.variables)
    for command in pair:  # once in vain, so that all is compiled and in memory
        took(command, environ)
    chance, ours, theirs = Random(7), [], []
    for _ in range(rounds):
        first = chance.random() < 0.5
        if first:
            ours.append(took(pair[0], environ))
        theirs.append(took(pair[1], environ))
        if not first:
            ours.append(took(pair[0], environ))
    ratio = median(mine / other for mine, other in zip(ours, theirs, strict=True))
    print(f"{case.name:26}{median(ours):6.0f}{median(theirs):9.0f}{ratio:7.2f}{case.goal:6.1f}"
          f"   {case.imports}", flush=True)  # fmt: skip
    return ratio <= case.goal


def took(command: Sequence[str], environ: Mapping[str, str]) -> float:
    """What a process takes of the processor, in milliseconds."""
    with subprocess.Popen(command, env=dict(environ), stdout=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return (used.ru_utime + used.ru_stime) * 1000


if __name__ == "__main__":
    sys.exit(main())
