"""The real Secret Service: gnome-keyring on a bus of its own, in a home of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEEDED = ("dbus-run-session", "gnome-keyring-daemon", "secret-tool")
LACKING = [name for name in NEEDED if not shutil.which(name)]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(LACKING), reason=f"not installed: {', '.join(LACKING)}"),
]
UNLOCK = "printf %s {} | gnome-keyring-daemon --unlock --components=secrets >/dev/null\n"
START = "gnome-keyring-daemon --start --components=secrets >/dev/null\n"
PYTHON = f'{sys.executable} -c "$CODE"\n'
HEAD = """
from postsched.domain.errors import SecretUnavailable
from postsched.domain.secret import Secret
from postsched.secrets import Secrets
secrets = Secrets({})
try:
"""
TAIL = """
except SecretUnavailable as error:
    print("REFUSED", error)
"""
LOCK = """
import secretstorage
bus = secretstorage.dbus_init()
secretstorage.get_default_collection(bus).lock()
bus.close()
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir(mode=0o700)
    return tmp_path


def session(home: Path, script: str, code: str, before: str = "") -> str:
    """Run a shell script on a session bus, in it `code` as $CODE; what it prints."""
    body = HEAD + "".join(f"    {line}\n" for line in code.splitlines()) + TAIL
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG")}
    own = {"HOME": str(home), "XDG_RUNTIME_DIR": str(home / "run"), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["dbus-run-session", "--", "sh", "-c", script],
        env={**kept, **own, "CODE": before + body},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "SESAME" not in done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout


WRITE = 'secrets.write("me", Secret("SESAME \u00fc"))\nprint(secrets.read("me").text)'
READ = 'print("read", secrets.read("me").text)'


def test_unlocked_it_keeps_what_secret_tool_sees(home: Path) -> None:
    look = "secret-tool lookup service postsched username me\n"
    out = session(home, UNLOCK.format("pw") + PYTHON + look, WRITE)
    assert out.splitlines() == ["SESAME \u00fc", "SESAME \u00fc"]
    put = "printf %s OTHER | secret-tool store --label=x service postsched username me\n"
    out = session(home, UNLOCK.format("pw") + put + PYTHON, READ)
    assert "read OTHER" in out
    gone = 'secrets.delete("me"); secrets.delete("me"); print(secrets.read("me"))'
    assert session(home, UNLOCK.format("pw") + PYTHON, gone) == "None\n"


def test_a_wrong_password_is_said(home: Path) -> None:
    session(home, UNLOCK.format("pw") + PYTHON, WRITE)
    for code in (READ, WRITE):
        out = session(home, UNLOCK.format("wrong") + PYTHON, code)
        assert "REFUSED" in out
        assert "is locked, or was opened with a wrong password" in out


def test_locked_is_said(home: Path) -> None:
    session(home, UNLOCK.format("pw") + PYTHON, WRITE)
    out = session(home, UNLOCK.format("pw") + PYTHON, READ, before=LOCK)
    assert "is locked" in out


def test_no_collection_is_said(home: Path) -> None:
    out = session(home, START + PYTHON, READ)
    assert "REFUSED" in out
    assert "no collection" in out


def test_without_a_daemon(home: Path) -> None:
    out = session(home, PYTHON, READ)
    assert "REFUSED" in out
