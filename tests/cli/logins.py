"""Logins from the command line, with a person at a browser or one who pastes."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from keyring.core import load_keyring

from tests.cli.calling import PATIENCE, Answer, Caller
from tests.servers.process import free_port


class Door:
    """Logs in as people do: each login in a process of its own, with a port of its own."""

    def __init__(self, call: Caller, place: Path, **environ: str) -> None:
        self.page = place / "page.html"
        self._call = call
        self.port = free_port()
        self._environ = {
            "POSTSCHED_CALLBACK_PORT": str(self.port),
            "VISITOR_PAGE": str(self.page),
            "PYTHON_KEYRING_BACKEND": "keyrings.alt.file.PlaintextKeyring",
            "POSTSCHED_ALLOW_PLAINTEXT_KEYRING": "true",
            "DISPLAY": "",
            "WAYLAND_DISPLAY": "",
            **environ,
        }

    def __call__(self, *words: str, stdin: str = "") -> Answer:
        """A command with the same keyring."""
        return self._call.process(*words, stdin=stdin.encode(), environ=self._environ)

    @property
    def environ(self) -> dict[str, str]:
        """The environment of a process of the person's."""
        return self._call.environ(**self._environ)

    def command(self, *words: str) -> list[str]:
        """A login as a command line."""
        return [sys.executable, "-m", "postsched", "account", "login", *words]

    def kept(self, account: str) -> str | None:
        """The secret in the keyring."""
        ring = load_keyring("keyrings.alt.file.PlaintextKeyring")
        text: str | None = ring.get_password("postsched", account)
        return text

    def browse(self, *words: str, visitor: str = "", stdin: str = "") -> Answer:
        """Log in with a browser; `visitor` are options of tests.servers.visitor."""
        browser = f"{sys.executable} -m tests.servers.visitor {visitor} %s"
        environ = {**self._environ, "BROWSER": browser}
        return self._call.process("account", "login", *words, stdin=stdin.encode(), environ=environ)

    def paste(self, *words: str, answer: Callable[[str], str], first: str = "") -> Answer:
        """Log in by paste: `answer` makes of the address what is pasted, as often as it is asked
        for; `first` is on stdin before."""
        command = self.command(*words, "--no-browser")
        with subprocess.Popen(
            command, env=self.environ, cwd=self._call.home, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as process:  # fmt: skip
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdin.write(first)
            process.stdin.flush()
            said = ""
            for line in process.stderr:
                said += line
                if "paste it here" in line.lower():
                    url = re.search(r"^http\S+$", said, re.M)
                    assert url, said
                    process.stdin.write(answer(url[0]) + "\n")
                    process.stdin.close()
                    break
            said += process.stderr.read()
            out = process.stdout.read()
            code = process.wait(PATIENCE)
        return Answer(code, out, said)
