"""The guard in conftest.py: what it stops, and what it lets pass."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import keyring
import keyring.errors
import pytest

from tests import conftest


@pytest.mark.parametrize(
    "reach",
    [
        lambda: socket.create_connection(("192.0.2.1", 9), timeout=1),
        lambda: socket.getaddrinfo("example.com", 443),
        lambda: socket.gethostbyname("example.com"),
        lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 9)),
        lambda: socket.create_server(("0.0.0.0", 0)),
    ],
)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_nothing_leaves_this_machine(reach: object) -> None:
    with pytest.raises(RuntimeError, match="tests stay on this machine"):
        reach()  # type: ignore[operator]  # it is one of the above
    assert len(conftest.trespasses) == 1
    conftest.trespasses.clear()


def test_loopback_is_allowed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=5).close()
    assert socket.getaddrinfo("localhost", 80)


def test_the_home_and_the_keyring_are_nobodys() -> None:
    assert "postsched-tests-" in str(Path.home())
    assert not [name for name in os.environ if name.startswith("XDG_")]
    with pytest.raises(keyring.errors.NoKeyringError):
        keyring.get_password("postsched", "me")
