"""The files in examples/."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import readme

EXAMPLES = readme.ROOT / "examples"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    unit = (EXAMPLES / "postsched.service").read_text()
    file = tmp_path / "postsched.service"
    file.write_text(unit.replace("%h/.local/bin/postsched", "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--user", str(file)], capture_output=True, text=True,
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
    )  # fmt: skip
    # It ends with 0 on unknown keys and bad values too: any line is a fault.
    about_us = [line for line in done.stderr.splitlines() if "postsched" in line]
    assert (done.returncode, about_us) == (0, []), done.stderr


@pytest.mark.skipif(os.name == "nt", reason="there is no cron on Windows")
def test_the_line_for_cron_works_with_what_cron_gives(tmp_path: Path) -> None:
    (line,) = re.findall(r"^\* \* \* \* \* (.+)$", (EXAMPLES / "crontab").read_text(), re.M)
    assert "%" not in line, "cron makes a line break of it"
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "postsched"
    command.write_text(
        f'#!/bin/sh\nPYTHONPATH={readme.ROOT} exec "{sys.executable}" -m postsched "$@"\n'
    )
    command.chmod(0o755)
    environ = {"HOME": str(tmp_path), "LOGNAME": "me", "SHELL": "/bin/sh",
               "PATH": f"{tmp_path}/bin:/usr/bin:/bin"}  # fmt: skip

    def sh(code: str) -> str:
        done = subprocess.run(["/bin/sh", "-c", code], env=environ, cwd=tmp_path, text=True,
                              capture_output=True, timeout=60)  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    sh("postsched account add blog --platform outbox --set dir=~/blog")
    sh("postsched add Hello --to blog --at now")
    assert sh(line) == "", "cron would send a mail"
    (tmp_path / ".postsched").write_text("POSTSCHED_TIMEZONE=Europe/Berlin\n")
    assert "1 published" in sh("postsched status")
    assert sh(line) == ""
