"""Which addresses are of the public internet, and which say of themselves that they are not."""

from __future__ import annotations

import pytest

from postsched.domain.reach import is_internal, is_public

INTERNAL = (
    "127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "100.127.255.255", "0.0.0.0", "0.1.2.3", "192.0.0.1",
    "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1",
    "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:a00:1", "fe80::1",
    "fe80::1%eth0", "fec0::1", "fc00::1", "fdff::1", "ff02::1", "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a00:1::1", "2001::1",
    "2001:0:7f00:1::", "2001:db8::1", "100::1", "3fff::1", "4000::1", "5f00::1",
)  # fmt: skip
PUBLIC = (
    "1.1.1.1", "93.184.216.34", "100.63.255.255", "100.128.0.1", "172.32.0.1", "169.253.1.1",
    "2606:4700::1111", "2a00:1450::1", "::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::1",
)  # fmt: skip


def test_every_kind_is_known() -> None:
    assert [one for one in INTERNAL if is_public(one)] == []
    assert [one for one in PUBLIC if not is_public(one)] == []
    for none in ("", "example.org", "1.2.3", "1.2.3.4.5", "::g"):
        with pytest.raises(ValueError, match="address"):
            is_public(none)


def test_what_an_address_says_of_itself() -> None:
    inside = [f"https://[{one}]/" if ":" in one else f"https://{one}/" for one in INTERNAL]
    inside += [
        f"https://{host}:8443/x"
        for host in (
            "127.1",
            "2130706433",
            "0x7f000001",
            "017700000001",
            "0",
            "localhost",
            "LOCALHOST.",
            "db.localhost",
            "printer.local",
            "x.internal",
            "nas.home.arpa",
            "intranet",
        )
    ]
    assert [one for one in inside if not is_internal(one)] == []
    outside = [f"https://[{one}]/" if ":" in one else f"https://{one}/" for one in PUBLIC]
    outside += ["https://example.org/", "https://localhost.example.org/", "https://16843009/"]
    assert [one for one in outside if is_internal(one)] == []
