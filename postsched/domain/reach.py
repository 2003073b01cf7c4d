"""Which addresses only this machine or its network can reach: the one place that judges them.

`is_internal` goes by what an address of the web says of itself, for a name is not looked up before
it is called; `is_public` judges the IP addresses that it then stands for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

INSIDE = ("localhost", "local", "internal", "home.arpa")
"""Names that no public server has (RFC 6761, 6762, 8375; ICANN's reservation of `internal`)."""
LOW = 0xFFFFFFFF
GLOBAL, DOCUMENTS, NAT64 = "2000::/3", "3fff::/20", "64:ff9b::/96"
"""What has been given out of IPv6 at all (RFC 4291 section 2.4); what of it is for documents only
(RFC 9637), which Python does not know yet; what a gateway makes IPv4 of (RFC 6052)."""


def is_internal(url: str) -> bool:
    """Whether nobody on the public internet can fetch an address, which is one of the web."""
    import socket  # few posts have addresses of media: start-up time
    from ipaddress import IPv4Address

    host = _plain(urlsplit(url).hostname or "").rstrip(".")
    try:
        # 127.1, 0x7f.1 and 2130706433 are ways to write an IPv4 address, too.
        found = host if ":" in host else str(IPv4Address(socket.inet_aton(host)))
        return not is_public(found)
    except (OSError, ValueError):
        return "." not in host or f".{host}".endswith(tuple(f".{name}" for name in INSIDE))


def _plain(host: str) -> str:
    """As those who look it up read it: wide digits are digits (UTS 46, as far as it matters)."""
    if host.isascii():
        return host
    from unicodedata import normalize

    return normalize("NFKC", host).replace("\u3002", ".").lower()


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet; one that holds another (mapped, 6to4,
    NAT64) is what that one is. Raises ValueError for what is none."""
    from ipaddress import IPv6Address, ip_address

    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        inner = _within(ip)
        return _is_given_out(ip) if inner is None else is_public(str(inner))
    return ip.is_global and not ip.is_multicast


def _within(ip: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that it stands for, None if it stands for itself."""
    from ipaddress import IPv4Address, IPv6Network

    if ip in IPv6Network(NAT64):
        return IPv4Address(int(ip) & LOW)
    return ip.ipv4_mapped or ip.sixtofour


def _is_given_out(ip: IPv6Address) -> bool:
    from ipaddress import IPv6Network

    return ip in IPv6Network(GLOBAL) and ip not in IPv6Network(DOCUMENTS) and ip.is_global
