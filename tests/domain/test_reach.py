"""Addresses that nobody else can reach are known, in whatever way they are written."""

from __future__ import annotations

import pytest

from postsched.domain.reach import is_internal

INTERNAL = (
    "localhost", "LOCALHOST.", "a.localhost", "127.0.0.1:80", "127.1", "0x7f.1", "2130706433",
    "017700000001", "10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:10.0.0.1]", "[fe80::1%25eth0]",
    "0.0.0.0", "intranet", "nas.local", "metadata.google.internal", "me@192.168.0.1",
)  # fmt: skip
PUBLIC = (
    "example.org", "93.184.216.34", "[2606:2800:220:1::1]", "local.example", "8.8.8.8:8443",
    "localhost.example.org", "пример.рф", "127.0.0.1.nip.io",
)  # fmt: skip


@pytest.mark.parametrize(("hosts", "internal"), [(INTERNAL, True), (PUBLIC, False)])
def test_an_address_says_where_it_is(hosts: tuple[str, ...], internal: bool) -> None:
    assert [host for host in hosts if is_internal(f"https://{host}/a.jpg") is not internal] == []
