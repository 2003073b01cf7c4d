"""What holds for every test: slow ones run only when asked for, nothing leaves this machine, and
nothing of the user's is touched."""

from __future__ import annotations

import os
import re
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.servers import postgres

SLOW_EXAMPLES, EXAMPLES = 500, 10
"""Examples of a property test that does not say how many, with and without --slow."""
VARIANTS = 2
"""How many variants of one test are run without --slow, spread evenly."""
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
trespasses: list[str] = []
"""What tried to leave this machine since the last test."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """--slow runs everything; --renew-golden writes tests/golden/ anew; --postgres takes databases
    on PostgreSQL in place of files."""
    parser.addoption("--postgres", action="store_true", help="use PostgreSQL in place of SQLite")
    parser.addoption("--slow", action="store_true", help="also run what takes long")
    parser.addoption("--renew-golden", action="store_true", help="write golden pictures anew")


def pytest_configure(config: pytest.Config) -> None:
    """A home of its own, no keyring, no proxy, and a guard at the door."""
    home = Path(tempfile.mkdtemp(prefix="postsched-tests-"))
    config.add_cleanup(lambda: shutil.rmtree(home, ignore_errors=True))
    cache = Path.home() / ".cache" / "postsched-tests"
    os.environ.setdefault("POSTSCHED_TEST_CACHE", str(cache))
    for name in list(os.environ):
        ours = name.startswith("POSTSCHED_") and name != "POSTSCHED_TEST_CACHE"
        if ours or name.startswith("XDG_") or name.lower() in PROXIES:
            del os.environ[name]
    os.environ |= {"HOME": str(home), "USERPROFILE": str(home), "NO_PROXY": "*",
                   "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}  # fmt: skip
    if config.getoption("--postgres"):
        if needed := postgres.missing():
            raise pytest.UsageError(f"--postgres needs: {needed}")
        postgres.use()
    sys.addaudithook(_guard)
    settings.register_profile("quick", max_examples=EXAMPLES, deadline=None)
    settings.register_profile("slow", max_examples=SLOW_EXAMPLES, deadline=None)
    settings.load_profile("slow" if config.getoption("--slow") else "quick")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the slow ones out unless they are wanted, and most of a test's many variants; what is
    about SQLite on PostgreSQL."""
    if postgres.is_used():
        for item in items:
            if item.get_closest_marker("sqlite"):
                item.add_marker(pytest.mark.skip(reason="about SQLite itself"))
    if config.getoption("--slow"):
        return
    families: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="slow: pytest --slow runs it"))
        elif not item.nodeid.startswith("tests/domain/"):  # those take no time
            families.setdefault(item.nodeid.partition("[")[0], []).append(item)
    for variants in families.values():
        chosen = {round(n * (len(variants) - 1) / (VARIANTS - 1)) for n in range(VARIANTS)}
        for place, item in enumerate(variants):
            if len(variants) > VARIANTS and place not in chosen:
                item.add_marker(pytest.mark.skip(reason="a variant: pytest --slow runs it"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what tests want to have said also when they pass, such as a seed."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == "says" and report.when == "call":
                    terminalreporter.write_line(str(value))


@pytest.fixture(autouse=True)
def at_home() -> Iterator[None]:
    """Fail a test that tried to reach another machine, whatever became of it."""
    trespasses.clear()
    yield
    postgres.drop()
    assert not trespasses, f"it tried to leave this machine: {', '.join(trespasses)}"


def _guard(event: str, args: tuple[Any, ...]) -> None:
    """An audit hook (PEP 578): it sees every connection, from whatever library."""
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.bind"):
        host = args[1][0] if isinstance(args[1], tuple) else None
        stays = _is_loopback
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host, stays = args[0], _needs_no_server
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if host and host != "localhost" and not stays(host):
        trespasses.append(f"{event} {host}")
        raise RuntimeError(f"tests stay on this machine: {event} {host}")


def _is_loopback(host: str) -> bool:
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def _needs_no_server(host: str) -> bool:
    """Whether it is an address in whatever spelling, or a name that no server is asked for."""
    try:
        socket.inet_aton(host)
    except OSError:
        return ":" in host or not re.fullmatch(r"[\w.-]+", host)
    return True
