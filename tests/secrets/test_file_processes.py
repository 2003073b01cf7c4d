"""The secrets file under several processes at once, and under processes that are killed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from postsched.secrets import Passphrase, SecretsFile
from postsched.secrets.sealed import Cost

ROOT = Path(__file__).parents[2]
PASSPHRASE = {"POSTSCHED_PASSPHRASE": "open up"}
HEAD = """
import json, os, random, signal, sys, time
from pathlib import Path
from postsched.secrets import Passphrase, SecretsFile
from postsched.secrets.sealed import Cost
path = Path(sys.argv[1])
def fresh():
    return SecretsFile(path, Passphrase({"POSTSCHED_PASSPHRASE": "open up"}), Cost(2**14, 8, 1))
"""
WRITER = """
file, name, count = fresh(), sys.argv[2], int(sys.argv[3])
for n in range(count):
    file.write(name, f"{name} {n}")
    file.write(f"{name} {n}", "kept")
    found = file.read(name)
    assert found == f"{name} {n}", found
"""
ENDLESS = """
file, name, said = fresh(), sys.argv[2], open(sys.argv[3], "a")
before = json.loads(file.read(name) or "0")
for n in range(before + 1, 10**9):
    file.write(name, json.dumps(n))
    said.write(f"{n}\\n")
    said.flush()
"""
STEPS = """
# A child is killed at the nth line of ours that it comes to, for every n there is.
OURS = ("secrets/file.py", "secrets/durable.py")
file = fresh()
if not sys.argv[2:]:
    file.write("me", "old")

def killed_at(number, text):
    child = os.fork()
    if child:
        return os.WIFSIGNALED(os.waitpid(child, 0)[1])
    left = number
    def trace(frame, event, argument):
        nonlocal left
        if not frame.f_code.co_filename.endswith(OURS):
            return None
        if event in ("line", "return"):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace
    sys.settrace(trace)
    file.write("me", text)
    os._exit(0)

seen, number = [], 0
while True:
    if sys.argv[2:]:
        path.unlink(missing_ok=True)
    before = file.read("me")
    killed = killed_at(number, f"new {number}")
    after = file.read("me")
    assert after in (before, f"new {number}"), (number, before, after)
    seen.append(after != before)
    if not killed:
        break
    number += 1
assert seen == sorted(seen), "once it is there, it stays there"
fresh().write("you", "works on")
assert fresh().accounts() == {"me", "you"}
print(number, sum(seen), *sorted(os.listdir(path.parent)))
"""


def started(code: str, *words: object) -> subprocess.Popen[str]:
    """A process that runs the code."""
    return subprocess.Popen(
        [sys.executable, "-c", HEAD + code, *map(str, words)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def opened(path: Path) -> SecretsFile:
    return SecretsFile(path, Passphrase(PASSPHRASE), Cost(2**14, 8, 1))


@pytest.mark.parametrize("exists", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_what_several_processes_write_is_all_there(tmp_path: Path, exists: bool) -> None:
    path = tmp_path / "secrets"
    if exists:
        opened(path).write("me", "SESAME")
    names, count = [f"account{n}" for n in range(6)], 8
    writers = [started(WRITER, path, name, count) for name in names]
    for writer in writers:
        assert writer.communicate(timeout=120) == ("", "")
    file = opened(path)
    assert {name: file.read(name) for name in names} == {n: f"{n} {count - 1}" for n in names}
    kept = {f"{name} {n}" for name in names for n in range(count)}
    assert file.accounts() == {*names, *kept, *(["me"] if exists else [])}


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="it needs fork")
def test_killed_at_any_step_it_is_the_old_file_or_the_new(tmp_path: Path) -> None:
    process = started(STEPS, tmp_path / "secrets")
    out, err = process.communicate(timeout=300)
    assert (process.returncode, err) == (0, "")
    steps, changed, *files = out.split()
    assert int(steps) > 100
    assert int(changed) > 3, "it was killed after the change, too"
    assert files == ["secrets", "secrets.lock"], "what a killed one left is cleared away"


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="it needs fork")
def test_killed_at_any_step_of_the_first_writing(tmp_path: Path) -> None:
    process = started(STEPS, tmp_path / "new" / "secrets", "from nothing")
    out, err = process.communicate(timeout=300)
    assert (process.returncode, err) == (0, "")
    assert out.split()[2:] == ["secrets", "secrets.lock"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_writers_that_are_killed_lose_nothing_that_they_said_was_written(
    tmp_path: Path, seed: int
) -> None:
    path, rng = tmp_path / "folder" / "secrets", random.Random(seed)

    def log(name: str) -> Path:
        return tmp_path / name

    opened(path).write("bystander", "SESAME")
    said = {"a": 0, "b": 0}
    for _ in range(6):
        for name in said:
            log(name).write_text("")
        writers = {name: started(ENDLESS, path, name, log(name)) for name in said}
        deadline = time.monotonic() + 60
        while not all(log(name).stat().st_size for name in said):
            assert time.monotonic() < deadline
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.05))  # a moment of no one's choosing
        for name, writer in writers.items():
            writer.send_signal(signal.SIGKILL)
            assert writer.communicate(timeout=60)[1] == ""
            said[name] = int(log(name).read_text().split()[-1])
        file = opened(path)
        assert file.read("bystander") == "SESAME"
        for name, number in said.items():
            assert json.loads(file.read(name) or "0") in (number, number + 1)
    assert len(list(path.parent.iterdir())) <= 3, "what is left over is one file at the most"
