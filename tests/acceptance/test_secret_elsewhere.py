"""A cron line without a keyring beside a daemon that has the token: what only the daemon can send
goes out on time, and the cron line touches none of it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from postsched.testing import MastodonServer
from postsched.testing.mastodon import TOKEN
from tests.servers import postgres

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0


class Home:
    """Calls `postsched`, each in a process of its own, where there is no keyring."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "posts.db"
        kept = {n: v for n, v in os.environ.items() if not n.startswith(("POSTSCHED_", "XDG_"))}
        self._environ = {
            **kept, "HOME": str(folder), "TZ": "UTC", "PYTHONPATH": str(ROOT),
            "POSTSCHED_DB": postgres.place(self.database),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        }  # fmt: skip

    def start(self, *words: str, token: bool = False) -> subprocess.Popen[str]:
        """Begin a command, with the token in its environment or not."""
        given = {"POSTSCHED_TOKEN_TOOT": TOKEN} if token else {}
        return subprocess.Popen(
            [sys.executable, "-m", "postsched", *words],
            env={**self._environ, **given},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def __call__(self, *words: str, codes: tuple[int, ...] = (0,), token: bool = False) -> str:
        """Do a command that ends with one of those codes; what it says on stderr."""
        with self.start(*words, token=token) as process:
            _, err = process.communicate(timeout=PATIENCE)
        assert process.returncode in codes, err
        assert "Traceback" not in err
        return err

    @contextmanager
    def daemon(self) -> Iterator[None]:
        """`run` with the token, up; stopped in order at the end."""
        with self.start("run", token=True) as process:
            assert process.stderr is not None
            try:
                assert "running with" in process.stderr.readline()
                yield
                process.terminate()
                process.communicate(timeout=PATIENCE)
                assert process.returncode == 0
            finally:
                process.kill()

    def deliveries(self) -> list[tuple[str, int, float | None, int]]:
        """Status, attempts counted, seconds late, attempts on record, of each."""
        query = """SELECT status, attempts, lateness / 1e6,
            (SELECT count(*) FROM attempts WHERE delivery_id = deliveries.id)
            FROM deliveries ORDER BY id"""
        with postgres.behind(self.database) as base:
            found: list[tuple[str, int, float | None, int]] = base.execute(query).fetchall()
        return found


@pytest.fixture
def server() -> Iterator[MastodonServer]:
    """A Mastodon on loopback."""
    with MastodonServer() as server:
        yield server


@pytest.fixture
def home(tmp_path: Path, server: MastodonServer) -> Home:
    """With the account `toot`, whose token is in no keyring."""
    home = Home(tmp_path)
    words = ("account", "add", "toot", "--platform", "mastodon", "--url", server.url)
    home(*words, token=True)
    return home


@pytest.mark.slow
def test_it_is_sent_on_time_by_the_one_that_can(home: Home, server: MastodonServer) -> None:
    with home.daemon():
        dues = ["now", *(f"in {n / 2:g}s" for n in range(2, 6))]
        rows = "".join(f"Post {n},toot,{due}\n" for n, due in enumerate(dues))
        file = home.database.with_name("posts.csv")
        file.write_text(f"text,to,at\n{rows}")
        home("import", str(file))
        deadline = time.monotonic() + PATIENCE
        while len(server.posts()) < 5:
            assert time.monotonic() < deadline
            home("-q", "publish-due", codes=(0, 4))
    found = home.deliveries()
    assert [(status, attempts, made) for status, attempts, _, made in found] == [
        ("published", 1, 1)
    ] * 5
    assert max(late or 0.0 for _, _, late, _ in found) < 2.0
    assert len(server.posts()) == 5


@pytest.mark.slow
def test_alone_it_says_so_and_leaves_it_untouched(home: Home, server: MastodonServer) -> None:
    home("add", "Hello", "--to", "toot", "--at", "now")
    for _ in range(2):
        said = home("publish-due", codes=(4,))
        assert "1 due post waits for toot: there is no keyring" in said
    assert home.deliveries() == [("scheduled", 0, None, 0)]
    said = home("run", "--until-idle", codes=(4,))
    assert "1 post waits for toot: there is no keyring" in said
    assert home.deliveries() == [("scheduled", 0, None, 0)]
    home("run", "--until-idle", token=True)
    assert len(server.posts()) == 1
