"""What a command loads before it does its work; how long that takes is measured in
`tests/benchmarks/startup.py`."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.cli.calling import Caller
from tests.cli.posting import Posting

SCRIPT = """
import sys
from postsched.__main__ import main
try:
    main()
except SystemExit as end:
    code = end.code
else:
    code = 0
print(*sys.modules, file=sys.stderr)
sys.exit(code)
"""
HEAVY = {
    "apscheduler", "cryptography", "dateparser", "dateutil", "email.mime", "frontmatter",
    "http.client", "httpx", "hypothesis", "imagesize", "keyring", "pydantic", "pygments",
    "puremagic", "regex", "rich", "sqlalchemy.dialects.postgresql", "sqlalchemy.orm", "yaml",
}  # fmt: skip
"""What `add` and `list` have no use for."""
DATABASE = {"asyncio", "logging", "sqlalchemy", "sqlite3"}
"""What only a command with a database needs."""


def loaded(call: Caller, *words: str) -> set[str]:
    """The modules that a call has loaded, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *words],
        env=call.environ(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
    return set(done.stderr.split())


@pytest.fixture
def filled(cli: Posting) -> Caller:
    """A caller with an account and a post."""
    cli("add", "Hello", "--to", "me", "--in", "1h")
    return cli.call


@pytest.mark.parametrize(
    "words",
    [
        ("add", "Hello again", "--to", "me", "--at", "tomorrow 9am"),
        ("list",),
        ("list", "--json"),
        ("status", "--json"),
    ],
)
@pytest.mark.sqlite
def test_commands_load_what_they_need(filled: Caller, words: tuple[str, ...]) -> None:
    assert sorted(loaded(filled, *words) & HEAVY) == []


def test_nothing_is_sent_where_nothing_is_due(filled: Caller) -> None:
    """A minutely cron line costs next to nothing."""
    assert not loaded(filled, "publish-due") & {"apscheduler", "httpx", "keyring", "rich"}


def test_help_loads_no_command(call: Caller) -> None:
    modules = loaded(call, "--help")
    assert not modules & (HEAVY - {"rich", "pygments"} | DATABASE)
    assert not {name for name in modules if name.startswith("postsched.service")}


def test_the_version_loads_nothing_at_all(call: Caller) -> None:
    ours = {name for name in loaded(call, "--version") if name.startswith("postsched")}
    assert ours == {"postsched", "postsched.__main__"}
    assert "typer" not in loaded(call, "--version")
