"""Which web addresses only this machine or its network can reach, as far as they say so themselves.

A name is not looked up: what it stands for elsewhere can't be known here.
"""

from __future__ import annotations

from urllib.parse import urlsplit

INSIDE = ("localhost", "local", "internal", "home.arpa")
"""Names that no public server has (RFC 6761, 6762, 8375; ICANN's reservation of `internal`)."""


def is_internal(url: str) -> bool:
    """Whether nobody on the public internet can fetch an address, which is one of the web."""
    import socket  # few posts have addresses of media: start-up time
    from ipaddress import ip_address

    host = (urlsplit(url).hostname or "").rstrip(".")
    try:
        # 127.1, 0x7f.1 and 2130706433 are ways to write an IPv4 address, too.
        ip = ip_address(host.partition("%")[0] if ":" in host else socket.inet_aton(host))
    except (OSError, ValueError):
        return "." not in host or f".{host}".endswith(tuple(f".{name}" for name in INSIDE))
    mapped = getattr(ip, "ipv4_mapped", None)
    return not (mapped or ip).is_global
