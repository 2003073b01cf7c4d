"""demo: it works everywhere, ends by itself, and touches nothing of the user's."""

from __future__ import annotations

import re
import shlex
import sys
import time
from pathlib import Path

import pytest

from tests.cli.calling import Answer, Caller
from tests.cli.terminal import OnTerminal


@pytest.fixture
def place(call: Caller) -> Path:
    """Where temporary files go."""
    folder = call.home / "temporary"
    folder.mkdir()
    call.set(TMPDIR=str(folder))
    return folder


def test_it_shows_the_main_job(call: Caller, place: Path) -> None:
    call.set(POSTSCHED_DB="/nonexistent/posts.db", POSTSCHED_CONFG="x", POSTSCHED_TIMEOUT="bad")
    (call.home / "data").mkdir()
    started = time.monotonic()
    answer = call.process("demo")
    assert time.monotonic() - started < 20
    assert answer.code == 0, answer
    (folder,) = place.iterdir()
    assert str(folder) in answer.out
    assert answer.err.splitlines()[-1].endswith("stopped: 4 published")
    assert "retrying on stick" in answer.err
    assert "Traceback" not in answer.err
    page = (folder / "blog" / "index.html").read_text()
    assert page.count("<article") == 3
    assert "A sunrise: orange below, blue above" in page
    assert "The same, in other words" in (folder / "stick" / "index.html").read_text()
    assert not list((call.home / "data").iterdir()), "nothing of the user's is touched"
    assert sorted(path.name for path in call.home.iterdir()) == ["data", "temporary"]


@pytest.mark.slow
def test_every_place_it_names_is_there_and_its_commands_work(call: Caller, place: Path) -> None:
    answer = call.process("demo", "--no-live")
    for path in re.findall(rf"(?:file://)?({re.escape(str(place))}[\w/.-]+)", answer.out):
        assert Path(path).exists(), path
    (show,) = [line for line in answer.out.splitlines() if "every step" in line]
    words = shlex.split(show.partition("postsched ")[2])
    shown = call.process(*words)
    assert shown.code == 0
    assert "try 2" in shown.out


@pytest.mark.slow
def test_on_a_terminal_it_has_the_live_view(call: Caller, place: Path) -> None:
    command = [sys.executable, "-m", "postsched", "demo"]
    with OnTerminal(command, call.environ(), 100, 50) as program:
        program.wait_for("next ")
        program.wait_for("stopped: 4 published")
        assert program.end() == 0
        program.wait_for("postsched account add me")
        assert "\x1b[" in program.sent


def test_ctrl_c_ends_it(call: Caller, place: Path) -> None:
    command = [sys.executable, "-m", "postsched", "demo"]
    with OnTerminal(command, call.environ(), 100, 50) as program:
        program.wait_for("next ")
        program.wait_for(lambda: not program.echoes)
        program.type("\x03")
        assert program.end() == 0
        assert program.echoes


def test_without_a_place_for_temporary_files_it_says_so(
    call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", "/nonexistent/place")
    answer: Answer = call("demo")
    answer.refused(1, "temporary", "TMPDIR")
