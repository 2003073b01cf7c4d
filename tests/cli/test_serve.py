"""serve: a real process that takes posts over HTTP, sends them, and ends in order."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import util
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the extra web is not installed")
pytest.importorskip("uvicorn", reason="the extra web is not installed")

from postsched.testing.picture import png
from tests.cli.posting import Posting

PATIENCE = 60.0
HELLO = {"text": "Hello", "to": "me"}


class Served:
    """A process that serves at a port of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process, self.before = process, ""
        match = re.search(r"listening at http://127\.0\.0\.1:(\d+)", self.said("listening at"))
        assert match
        self.port = int(match[1])

    def said(self, word: str) -> str:
        """Read its stderr until a line has that word; the line."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if word in line:
                return line
            self.before += line
        raise AssertionError(f"{word} was never said")

    def ask(
        self, method: str, path: str, document: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """The status and the document of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        body = None if document is None else json.dumps(document)
        kind = {} if body is None else {"Content-Type": "application/json"}
        connection.request(method, f"/api/v1{path}", body, {**kind, **(headers or {})})
        answer = connection.getresponse()
        found = answer.status, json.loads(answer.read())
        connection.close()
        return found

    def wait_for(self, path: str, words: str) -> None:
        """Until what is there has those words."""
        deadline, found = time.monotonic() + PATIENCE, ""
        while words not in found:
            assert time.monotonic() < deadline, found
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
            connection.request("GET", path)
            found = connection.getresponse().read().decode()
            connection.close()
            time.sleep(0.02)

    def wait_until_out(self, count: int) -> None:
        """Until so many deliveries are out."""
        deadline = time.monotonic() + PATIENCE
        while self.ask("GET", "/health")[1]["completed"] < count:
            assert time.monotonic() < deadline
            time.sleep(0.02)


@contextmanager
def serving(
    cli: Posting, *options: str, login: str = "--no-auth", **variables: str
) -> Iterator[Served]:
    """`postsched serve --no-auth` as a process that listens, and the other it starts."""
    command = [sys.executable, "-m", "postsched", "serve", *login.split(), "--port", "0", *options]
    with subprocess.Popen(
        command,
        env={**cli.call.environ(), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Served(process)
        finally:
            process.kill()


def test_what_is_taken_goes_out_at_its_time_and_the_end_is_in_order(cli: Posting) -> None:
    with serving(cli) as served:
        assert served.ask("GET", "/health")[1]["status"] == "ok"
        status, post = served.ask("POST", "/schedule", HELLO | {"at": "in 300ms"})
        assert (status, len(post["deliveries"])) == (201, 1)  # on a busy machine it is out already
        served.wait_until_out(1)
        status, post = served.ask("GET", f"/schedule/{post['id']}")
        assert (status, post["status"]) == (200, "published")
        assert post["deliveries"][0]["lateness_ms"] < 5_000, "nobody woke the engine"
        _kill_its_child(served)
        answer = cli("serve", "--no-auth", "--port", str(served.port), code=2)
        answer.refused(2, "nothing can listen at 127.0.0.1", "already in use", "--port")
        with _half_sent(served.port) as (sender, rest):
            served.process.send_signal(signal.SIGTERM)
            _wait_for_refusal(served.port)
            sender.sendall(rest)
            assert sender.recv(100_000).startswith(b"HTTP/1.1 201")
        assert served.process.wait(PATIENCE) == 0
        served.said("stopped: 1 published")


@pytest.mark.slow
def test_it_is_watched_and_goes_on_being_when_settings_are_read_again(cli: Posting) -> None:
    out = 'postsched_deliveries_total{kind="",outcome="published",platform="outbox"} '
    with serving(cli) as served:
        served.wait_for("/readyz", "ready")
        served.ask("POST", "/schedule", HELLO | {"at": "now"})
        served.wait_for("/metrics", f"{out}1.0")
        served.process.send_signal(signal.SIGHUP)
        served.said("the settings were read again")
        served.ask("POST", "/schedule", HELLO | {"text": "Again", "at": "now"})
        served.wait_for("/metrics", f"{out}2.0")
        served.wait_for("/metrics", 'postsched_lateness_seconds_count{platform="outbox"} 2.0')
        served.wait_for("/readyz", '{"status":"ready"}')
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(PATIENCE) == 0


@contextmanager
def _half_sent(port: int) -> Iterator[tuple[socket.socket, bytes]]:
    """An upload of which half is sent, and the other half."""
    body = png(64, 64)
    head = f"POST /api/v1/media?name=cat.png HTTP/1.1\r\nHost: localhost:{port}\r\n"
    head += f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as sender:
        sender.sendall(head.encode())
        assert b"100 Continue" in sender.recv(1000)
        sender.sendall(body[:50])
        yield sender, body[50:]


def _wait_for_refusal(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        assert time.monotonic() < deadline
        try:
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
        except ConnectionRefusedError:
            return
        time.sleep(0.01)


DYING = """
import os, signal
from postsched.service.desk import Desk
def tell(desk):
    os.kill(os.getppid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
Desk.tell = tell
"""
"""What a Python loads at its start (sitecustomize): HTTP's process is killed, and the one that
sends, between the commit of a write and its answer."""


@pytest.mark.slow
def test_a_kill_before_the_answer_and_the_same_request_again_add_once(
    cli: Posting, tmp_path: Path
) -> None:
    key, post = {"Idempotency-Key": "order-17"}, HELLO | {"at": "in 1 hour"}
    (tmp_path / "sitecustomize.py").write_text(DYING)
    with serving(cli, PYTHONPATH=str(tmp_path)) as dying:
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            dying.ask("POST", "/schedule", post, key)
        assert dying.process.wait(PATIENCE) == -signal.SIGKILL
    assert cli.count("posts") == 1, "it is to be killed after the commit"
    with serving(cli) as served:
        for _ in range(2):
            status, known = served.ask("POST", "/schedule", post, key)
            assert (status, known["id"]) == (201, 1)
    assert cli.count("posts") == cli.count("deliveries") == 1


@pytest.mark.slow
def test_http_never_outlives_the_sender(cli: Posting) -> None:
    with serving(cli) as served:
        children = _children(served.process.pid)
        served.process.kill()
        served.process.wait(PATIENCE)
        _wait_for_refusal(served.port)
        for child in children:
            _wait_until_gone(child)


def _kill_its_child(served: Served) -> None:
    """HTTP dies alone, and comes back."""
    for child in _children(served.process.pid):  # none, where /proc is not
        os.kill(child, signal.SIGKILL)
        served.said("the process that serves HTTP was killed by SIGKILL; it is started again")
        served.said("HTTP is served again")


def _children(parent: int) -> list[int]:
    """The processes that a process has started and that are still there."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            pid, rest = stat.parent.name, stat.read_text().rpartition(")")[2]
            if int(rest.split()[1]) == parent:
                found.append(int(pid))
    return found


def _wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        assert time.monotonic() < deadline
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.01)


@pytest.mark.slow
def test_who_has_a_token_is_let_in_as_long_as_it_holds(cli: Posting) -> None:
    """Made and revoked while it serves; and it says so where nobody has one."""
    with serving(cli, login="") as served:
        headers: dict[str, str] = {}
        assert "nobody can be let in yet: postsched token add" in served.before
        assert served.ask("GET", "/health")[0] == 401
        made = cli.json("token", "add", "shop", "--scope", "draft")
        headers["Authorization"] = f"Bearer {made['token']}"
        assert served.ask("GET", "/health", headers=headers)[0] == 200
        status, refused = served.ask("POST", "/schedule", HELLO | {"at": "now"}, headers)
        assert (status, "say draft" in refused["detail"]) == (403, True)
        draft = HELLO | {"at": "in 1 hour", "draft": True}
        assert served.ask("POST", "/schedule", draft, headers)[0] == 201
        served.process.kill()
    cli("token", "add", "other", "--scope", "read")
    with serving(cli, login="") as served:
        assert "let in" not in served.before
        assert served.ask("DELETE", "/schedule/1", headers=headers)[1]["status"] == "cancelled"
        cli("token", "revoke", "shop")
        assert served.ask("GET", "/health", headers=headers)[0] == 401


def test_wrong_usage_is_one_line(cli: Posting, monkeypatch: pytest.MonkeyPatch) -> None:
    cli("serve", "--no-auth", "--host", "0.0.0.0", code=2).refused(2, "would let in", "token add")
    cli("serve", "--host", "no host", code=2).refused(2, "no host", "--host")
    cli("serve", "--log-format", "xml", code=2).refused(2, "xml", "text or json")
    found = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name: None if name == "uvicorn" else found(name))
    missing = cli("serve", code=2)
    missing.refused(2, "the extra web (uvicorn is missing)", "pip install 'postsched[web]'")
