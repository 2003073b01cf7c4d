"""Shell completion, by the protocol that shells speak, and by bash itself."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from postsched.cli.app import run
from tests.cli.calling import ROOT, Caller

pytestmark = pytest.mark.slow

CASES = {
    "": ["add", "list", "show"],
    "pu": ["publish-due"],
    "account ": ["add", "login", "passphrase", "list", "show", "check", "set", "remove", "group"],
    "add --to ": ["me", "team", "work"],
    "add --to w": ["work"],
    "add --to=w": ["work"],
    "add --to me,w": ["me,work"],
    "list --account t": ["team"],
    "account show m": ["me"],
    "account group team ": ["me", "team", "work"],
    "show ": ["2", "1"],
    "cancel 1": ["1"],
    "cancel 1 ": ["2", "1"],
    "edit 7": [],
    "add --t": ["--to", "--tz", "--then", "--title", "--tag"],
    "list nonsense ": [],
}
"""What is typed -> what is offered, at least."""


@pytest.fixture
def filled(call: Caller) -> Caller:
    """A caller with two accounts, a group and two posts."""
    for words in (
        ("account", "add", "me", "--platform", "outbox"),
        ("account", "add", "work", "--platform", "outbox"),
        ("account", "group", "team", "me", "work"),
        ("add", "One: it's \x1b[31mred\nand long", "--to", "me", "--in", "1h"),
        ("add", "Two", "--to", "me", "--draft"),
    ):
        answer = call(*words)
        assert answer.code == 0, answer
    return call


@pytest.fixture(autouse=True)
def rich(monkeypatch: pytest.MonkeyPatch) -> None:
    """Completion keeps rich from being imported; other tests get it back."""
    import rich

    monkeypatch.setitem(sys.modules, "rich", rich)


@pytest.fixture
def offers(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Offers]:
    """What a shell is offered."""
    with monkeypatch.context() as patch:
        yield Offers(patch, capsys)


class Offers:
    """Speaks as a shell does."""

    def __init__(self, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._patch, self._capsys = patch, capsys

    def bash(self, typed: str, line: str = "postsched ") -> list[str]:
        """What bash is offered for a line, of which the last word is not finished."""
        words = (line + typed).split(" ")
        self._patch.setenv("COMP_WORDS", "\n".join(words))
        self._patch.setenv("COMP_CWORD", str(len(words) - 1))
        return self._ask("bash").split()

    def zsh(self, typed: str) -> str:
        """What zsh is to evaluate."""
        self._patch.setenv("_TYPER_COMPLETE_ARGS", f"postsched {typed}")
        return self._ask("zsh")

    def fish(self, typed: str) -> list[str]:
        """The lines that fish shows."""
        self._patch.setenv("_TYPER_COMPLETE_ARGS", f"postsched {typed}")
        self._patch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
        return self._ask("fish").splitlines()

    def _ask(self, shell: str) -> str:
        self._patch.setenv("_POSTSCHED_COMPLETE", f"complete_{shell}")
        self._capsys.readouterr()
        with suppress(SystemExit):
            run([])
        captured = self._capsys.readouterr()
        assert not captured.err
        return captured.out


def test_what_is_offered(filled: Caller, offers: Offers) -> None:
    found = {typed: offers.bash(typed) for typed in CASES}
    for typed in ("", "add --t"):
        assert set(CASES[typed]) <= set(found[typed])
        found[typed] = CASES[typed]
    assert found == CASES


def test_shells_that_show_more(filled: Caller, offers: Offers) -> None:
    assert offers.fish("add --to m") == ["me\toutbox"]
    assert offers.fish("show ") == ["2\tTwo", "1\tOne: it's \\x1b[31mred and long"]
    assert offers.fish("res")[0].startswith("resume\tRelease what was held")
    assert '"me":"outbox"' in offers.zsh("add --to m")
    assert '"2":"Two"' in offers.zsh("show ")


def test_the_database_that_is_named(filled: Caller, offers: Offers, tmp_path: Path) -> None:
    other = tmp_path / "other place?.db"
    shutil.copy(filled.database, other)
    for name, line in (
        ("/nowhere/posts.db", f"postsched --db sqlite:///{filled.database} "),
        (f"sqlite:///{filled.database}", "postsched "),
        (f"~/{filled.database.relative_to(filled.home)}", "postsched "),
    ):
        filled.set(POSTSCHED_DB=name)
        assert offers.bash("add --to w", line) == ["work"], name
    filled.set(POSTSCHED_DB=str(other))
    assert offers.bash("add --to w") == ["work"]


def test_a_broken_database_offers_nothing_and_says_nothing(
    filled: Caller, offers: Offers, tmp_path: Path
) -> None:
    (tmp_path / "rubbish").write_text("no database" * 1000)
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE x (y)")
    for place in ("nowhere/posts.db", "rubbish", "other.db", "", "missing.db"):
        filled.set(POSTSCHED_DB=str(tmp_path / place))
        assert offers.bash("add --to ") == []
        assert offers.bash("show ") == []
    assert not (tmp_path / "missing.db").exists()
    filled.set(POSTSCHED_DB=str(filled.database))
    with closing(sqlite3.connect(filled.database, isolation_level=None)) as locking:
        locking.execute("PRAGMA locking_mode=EXCLUSIVE")
        locking.execute("BEGIN EXCLUSIVE")
        assert offers.bash("add --to ") == []


def test_it_loads_next_to_nothing(filled: Caller) -> None:
    script = (
        "import sys\n"
        "from postsched.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(*(name for name, module in sys.modules.items() if module), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=filled.environ(
            COMP_WORDS="postsched add --to ", COMP_CWORD="3", _POSTSCHED_COMPLETE="complete_bash"
        ),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["me", "team", "work"]
    loaded = set(done.stderr.split())
    assert not loaded & {"sqlalchemy", "asyncio", "rich", "httpx", "keyring", "pydantic", "logging"}


def test_bash_itself(filled: Caller, tmp_path: Path) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash here")
    program = tmp_path / "bin" / "postsched"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m postsched "$@"\n')
    program.chmod(0o755)
    script = """
    postsched --install-completion bash >&2 && source ~/.bashrc || exit 1
    ask() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
            _postsched_completion postsched; echo "${COMPREPLY[*]}"; }
    complete -p postsched
    ask postsched add --to m
    ask postsched add --to = w
    ask postsched add --to =
    ask postsched show ""
    """
    environ = filled.environ(PATH=f"{program.parent}:/usr/bin:/bin", PYTHONPATH=str(ROOT))
    done = subprocess.run(
        [bash, "--norc", "-c", script],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        cwd=filled.home,
    )
    assert done.returncode == 0, done.stderr
    declared, *answers = done.stdout.splitlines()
    assert "-F _postsched_completion postsched" in declared
    assert answers == ["me", "work", "me team work", "2 1"]
    assert (filled.home / ".bashrc").exists()
