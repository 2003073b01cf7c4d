"""run under a service manager: what it tells, and what signals do to it."""

from __future__ import annotations

import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from postsched.testing import Fault, FaultKind, MastodonServer
from postsched.testing.mastodon import TOKEN
from tests.cli.posting import Posting
from tests.cli.test_run import daemon, said, wait_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sd_notify is of Linux")


@pytest.fixture(params=["path", pytest.param("abstract", marks=pytest.mark.slow)])
def manager(
    request: pytest.FixtureRequest, cli: Posting, tmp_path: Path
) -> Iterator[socket.socket]:
    """The socket of a service manager, which the daemon is told of."""
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as manager:
        name = str(tmp_path / "notify")
        if request.param == "abstract":
            manager.bind("\0" + name)
            name = "@" + name
        else:
            manager.bind(name)
        manager.settimeout(30)
        cli.call.set(NOTIFY_SOCKET=name, WATCHDOG_USEC="400000")
        yield manager


def told(manager: socket.socket, word: str) -> dict[str, str]:
    """The next message with that word."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        lines = manager.recv(4096).decode().splitlines()
        found = dict(line.split("=", 1) for line in lines)
        if word in found:
            return found
    raise AssertionError(f"{word} was never told")


def test_systemd_is_told(cli: Posting, manager: socket.socket, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("concurrency = 3\n")
    cli.call.set(POSTSCHED_CONFIG=str(config))
    with daemon(cli) as process:
        assert told(manager, "READY")["STATUS"] == "sending posts at their time"
        first = time.monotonic()
        for _ in range(3):
            assert told(manager, "WATCHDOG")["WATCHDOG"] == "1"
        assert time.monotonic() - first < 5
        # The settings again: good ones, then bad ones, which change nothing.
        config.write_text('concurrency = 4\nsecrets = "file"\n')
        process.send_signal(signal.SIGHUP)
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        found = told(manager, "RELOADING")
        assert abs(int(found["MONOTONIC_USEC"]) - before) < 30_000_000
        assert "secrets changes only when" in wait_for(process, "changes only")
        assert "read again" in wait_for(process, "read again")
        told(manager, "READY")
        config.write_text("concurrency = 'many'\n")
        process.send_signal(signal.SIGHUP)
        assert "stay as they were" in wait_for(process, "concurrency")
        told(manager, "READY")
        config.write_text("")
        cli("add", "One", "--at", "now")
        assert "published on me" in wait_for(process, "post 1")
        process.terminate()
        told(manager, "STOPPING")
        _, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert said(err)[-1] == "stopped: 1 published"
    assert cli.json("status")["workers"] == []


def test_a_second_signal_stops_at_once_and_safely(cli: Posting) -> None:
    """And while the settings are read again, what is in flight is not disturbed."""
    with MastodonServer() as server:
        cli.call.set(POSTSCHED_TOKEN_TOOT=TOKEN)
        cli("account", "add", "toot", "--platform", "mastodon", "--url", server.url)
        server.program_publishing(Fault(FaultKind.DELAY, seconds=5.0))
        with daemon(cli) as process:
            cli("add", "One", "--to", "toot", "--at", "now")
            deadline = time.monotonic() + 30
            while not server.published_requests():
                assert time.monotonic() < deadline
                time.sleep(0.01)
            process.send_signal(signal.SIGHUP)
            wait_for(process, "read again")
            process.terminate()
            # Without the pause, both would be one signal to the kernel.
            wait_for_status(process.pid)
            first = time.monotonic()
            process.terminate()
            _, err = process.communicate(timeout=30)
            assert time.monotonic() - first < 3
        assert "stopped at once; what was in flight counts as lost" in err
        (delivery,) = cli.json("show", "1")["deliveries"]
        assert delivery["status"] in ("confirming", "publishing")
        cli("run", "--until-idle", "--no-live")
        assert len(server.posts()) == 1
        (delivery,) = cli.json("show", "1")["deliveries"]
        assert delivery["status"] == "published"


def wait_for_status(pid: int) -> None:
    """Wait until a process has no signal pending."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        status = Path(f"/proc/{pid}/status").read_text()
        pending = [line for line in status.splitlines() if line.startswith(("ShdPnd", "SigPnd"))]
        if all(int(line.split()[1], 16) == 0 for line in pending):
            return
    raise AssertionError("the signal was never taken")
