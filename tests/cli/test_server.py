"""A database on a server: who works on it, how it is, and that its password stays secret."""

from __future__ import annotations

import os
import shlex
import socket
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from postsched import wakeup
from postsched.config import load
from postsched.presence import boot_id
from postsched.store import workers
from postsched.store.opening import open_database
from tests.cli.calling import Answer, Caller
from tests.servers import postgres

pytestmark = pytest.mark.skipif(postgres.missing() is not None, reason=postgres.WHY)
PASSWORD = "geheim%2Fgeheim"


@pytest.fixture
def url(call: Caller, tmp_path: Path) -> str:
    """A database on a server that takes any password, with the account `me`."""
    place = postgres.database(str(tmp_path))
    place = place.replace("postgres:@", f"postgres:{PASSWORD}@") + f"&password={PASSWORD}"
    assert PASSWORD in place.partition("?")[0]
    call.set(POSTSCHED_DB=place)
    assert call("account", "add", "me", "--platform", "outbox").code == 0
    return place


@contextmanager
def at_work(url: str) -> Iterator[None]:
    """Four workers: a daemon here, one that died here, one elsewhere, and one of which nothing was
    heard for long."""
    bells = wakeup.folder_for(load(None, url, os.environ))
    here, now = socket.gethostname(), datetime.now(UTC)
    with closing(open_database(url)) as database, database.write() as connection:
        for host, boot, pid, kind, ago in (
            ("elsewhere", "b", 21, "run", 5), ("elsewhere", "b", 22, "run", 300),
            (here, boot_id(), 23, "run", 5), (here, boot_id(), 24, "run", 5),
        ):  # fmt: skip
            entered = workers.enter(connection, host, boot, pid, kind, f"mark{pid}", now)
            workers.seen(connection, entered.id, now - timedelta(seconds=ago))
    bell = wakeup.Bell(bells, "mark23")
    wakeup.Bell(bells, "mark24").take_down(keep=True)
    yield
    bell.take_down(keep=False)


def lines(answer: Answer, word: str) -> list[str]:
    """The lines of a page that begin so."""
    return [line for line in answer.out.splitlines() if line.startswith(word)]


def test_who_works_where(call: Caller, url: str) -> None:
    here = socket.gethostname()
    with at_work(url):
        document, page = call("status", "--json").json, call("status")
        work = [one for one in call("doctor", "--json").json if one["check"] == "workers"]
        refused = call("copy", url, "new.db")
    daemon = document["daemon"]
    assert (daemon["running"], daemon["host"], daemon["pid"]) == (True, here, 23)
    assert [(one["host"], one["pid"], one["silent"]) for one in document["workers"]] == [
        ("elsewhere", 21, False), (here, 23, False), ("elsewhere", 22, True),
    ]  # fmt: skip
    assert lines(page, "daemon") == [f"daemon      running (process 23 on {here})"]
    also, silent = lines(page, "workers")
    assert also == "workers     also process 21 on elsewhere"
    assert "process 22 on elsewhere was last heard of 5 minutes ago" in silent
    assert [one["message"].partition(" was")[0] for one in work] == [
        "process 22 on elsewhere", "1 process ended without signing off",
    ]  # fmt: skip
    refused.refused(1, "process 21 on elsewhere", f"process 23 on {here}", "Stop it")


def test_how_the_server_is(call: Caller, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POSTSCHED_MEDIA_DIR", raising=False)
    found = {(one["check"], one["state"]): one["message"] for one in call("doctor", "--json").json}
    assert "schema version" in found["database", "ok"]
    assert found["server", "ok"].startswith("PostgreSQL ")
    assert "synchronous_commit" not in found["server", "warning"], "our connections turn it on"
    assert "no post has any" in found["media", "ok"]
    call("backup", "x.zip").refused(1, "pg_dump", "postsched copy")
    call("restore", "x.zip").refused(1, "can only be restored to an SQLite file")


def test_completion_asks_no_server(call: Caller) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        asked = {
            "POSTSCHED_DB": f"postgresql://me@127.0.0.1:{server.getsockname()[1]}/posts",
            "_POSTSCHED_COMPLETE": "complete_bash",
            "COMP_WORDS": "postsched show ",
            "COMP_CWORD": "2",
        }
        answer = call.process(environ=asked)
        with pytest.raises(BlockingIOError):
            server.accept()
    assert (answer.out.strip(), answer.err) == ("", "")


def test_the_password_stays_secret(call: Caller, url: str, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    script = f"import os; open({str(seen)!r}, 'w').write(repr(dict(os.environ)))"
    call.set(VISUAL=shlex.join([sys.executable, "-c", script]))
    said = [
        call("-vv", "add", "Hello", "--to", "me", "--in", "1h"),
        call.terminal("-vv", "edit", "1"),
        call("-vv", "doctor"),
        call("-vv", "status", "--json"),
        call("-vv", "publish-due"),
        call("-vv", "backup", "x.zip"),
        call("-vv", "add", "Hello", "--to", "nobody", "--in", "1h"),
        call("-vv", "--db", url + "&nonsense=1", "list"),
        call("-vv", "copy", url, url),
        call("-vv", "copy", "--json", url, str(tmp_path / "new.db")),
        call("-vv", "add", "Hello", "--to", "me", "--in", "1h"),
        call("-vv", "--db", str(tmp_path / "new.db"), "backup", str(tmp_path / "all.zip")),
    ]
    assert [answer.code for answer in said] == [0, 0, 0, 0, 0, 1, 3, 4, 2, 0, 4, 0], said
    assert "was moved to" in said[-2].err
    assert "postgresql://postgres@/" in seen.read_text(), "the editor was not called"
    for text in (seen.read_text(), *(answer.out + answer.err for answer in said)):
        assert "geheim" not in text
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or b"geheim" not in file.read_bytes(), file
