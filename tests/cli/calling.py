"""Calls of the command line: in this process, which is quick, or in one of its own."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keyring
import pytest
from keyring.core import load_keyring

from postsched.cli.app import run
from tests.servers import postgres

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
"""Seconds a process may take before it counts as hanging."""
LOGGERS = ("", "postsched", "apscheduler")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The document on stdout."""
        return json.loads(self.out)

    def refused(self, code: int, *words: str) -> None:
        """Fail unless it ended with that code, and one line on stderr that has all the words."""
        assert self.code == code, (self.code, self.out, self.err)
        assert self.err.count("\n") == 1, self.err
        assert self.err.startswith("postsched: "), self.err
        assert "Traceback" not in self.err
        for word in words:
            assert word in self.err, (word, self.err)


def _run(words: Sequence[str]) -> int:
    """Run a command, and leave logging as it was: a process ends with its command, a test goes on,
    with another stderr."""
    kept = [(log, log.handlers[:], log.level) for log in map(logging.getLogger, LOGGERS)]
    try:
        return run(words)
    finally:
        for log, handlers, level in kept:
            log.handlers[:] = handlers
            log.setLevel(level)


class _Typing(io.RawIOBase):
    """A stdin that is written while it is read: `first`, then what `typed` gives."""

    def __init__(self, first: str, typed: Callable[[], str]) -> None:
        self._lines = iter([first.encode()] if first else [])
        self._typed: Callable[[], str] | None = typed

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """One piece, which fits into the buffer; nothing once all is read."""
        piece = next(self._lines, b"")
        if not piece and self._typed is not None:
            piece, self._typed = self._typed().encode(), None
        buffer[: len(piece)] = piece
        return len(piece)


class Caller:
    """Calls `postsched` for a person with an empty home; `environ` is theirs."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch, capture: Any) -> None:
        self.home = home
        data = "data" if not postgres.is_used() else ".local/share/postsched"
        self.database = home / data / "posts.db"
        self._monkeypatch, self._capture = monkeypatch, capture
        for name in list(os.environ):
            if name.startswith(("POSTSCHED_", "XDG_")) or name in ("NO_COLOR", "COLUMNS", "TZ"):
                monkeypatch.delenv(name)
        self.set(
            HOME=str(home),
            TZ="UTC",
            POSTSCHED_DB=postgres.place(self.database),
            PYTHON_KEYRING_BACKEND="tests.secrets.backends.Memory",
        )

        if postgres.is_used():  # what is beside a file else
            folder = self.database.parent
            self.set(
                POSTSCHED_MEDIA_DIR=str(folder / "media"),
                POSTSCHED_ARCHIVE_DIR=str(folder / "archive"),
                POSTSCHED_STATE_DIR=str(folder),
            )

    def set(self, **environ: str) -> None:
        """Set variables of the environment."""
        for name, value in environ.items():
            self._monkeypatch.setenv(name, value)

    def __call__(self, *words: str, stdin: bytes | str = b"") -> Answer:
        """Call it in this process."""
        given = stdin.encode() if isinstance(stdin, str) else stdin
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given), "utf-8"))
        self._capture.readouterr()
        code = _run(words)
        captured = self._capture.readouterr()
        return Answer(code, captured.out, captured.err)

    def answering(self, *words: str, first: str, answer: Callable[[str], str]) -> Answer:
        """Call it in this process, with `first` on stdin, and then what `answer` makes of all that
        was said until it is read."""
        said: list[str] = []

        def typed() -> str:
            said.append(self._capture.readouterr().err)
            return answer("".join(said))

        stdin = io.TextIOWrapper(io.BufferedReader(_Typing(first, typed)), "utf-8")
        with self._monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", stdin)
            self._capture.readouterr()
            code = _run(words)
            captured = self._capture.readouterr()
        return Answer(code, captured.out, "".join(said) + captured.err)

    @contextmanager
    def elsewhere(self, environ: Mapping[str, str]) -> Iterator[None]:
        """Meanwhile the environment has those variables too, and its keyring is used."""
        before = keyring.get_keyring()
        with self._monkeypatch.context() as patch:
            for name, value in environ.items():
                patch.setenv(name, value)
            keyring.set_keyring(load_keyring(os.environ["PYTHON_KEYRING_BACKEND"]))
            try:
                yield
            finally:
                keyring.set_keyring(before)

    def terminal(self, *words: str, stdin: bytes | str = b"") -> Answer:
        """Call it in this process, at a terminal of which `stdin` is typed."""
        given = stdin.encode() if isinstance(stdin, str) else stdin
        with self._monkeypatch.context() as patch:
            typed = io.TextIOWrapper(io.BytesIO(given), "utf-8")
            patch.setattr(sys, "stdin", typed)
            for stream in (typed, sys.stdout, sys.stderr):
                patch.setattr(stream, "isatty", lambda: True)
            self._capture.readouterr()
            code = _run(words)
            captured = self._capture.readouterr()
        return Answer(code, captured.out, captured.err)

    def process(
        self,
        *words: str,
        stdin: bytes = b"",
        prefix: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
    ) -> Answer:
        """Call it in a process of its own, started by `prefix`."""
        done = subprocess.run(
            [*prefix, sys.executable, "-m", "postsched", *words],
            input=stdin,
            capture_output=True,
            cwd=self.home,
            env=self.environ(**(environ or {})),
            timeout=PATIENCE,
            check=False,
        )
        return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())

    def environ(self, **more: str) -> dict[str, str]:
        """The environment of a process."""
        return {**os.environ, "PYTHONPATH": str(ROOT), **more}
