"""Logins from the command line, with a person at a browser or one who pastes."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

from keyring.core import load_keyring

from tests.cli.calling import Answer, Caller
from tests.servers.process import free_port


class Door:
    """Logs in as people do, with a port of its own: in a process of its own with a browser, in this
    one by paste."""

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
        with self._call.elsewhere(self._environ):
            return self._call(*words, stdin=stdin)

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
        """Log in by paste: `answer` makes of the address what is pasted, if it is asked for;
        `first` is on stdin before."""

        def pasted(said: str) -> str:
            if "paste it here" not in said.lower():
                return ""
            url = re.search(r"^http\S+$", said, re.M)
            assert url, said
            return answer(url[0]) + "\n"

        with self._call.elsewhere(self._environ):
            return self._call.answering(
                "account", "login", *words, "--no-browser", first=first, answer=pasted
            )
