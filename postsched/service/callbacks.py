"""The callback of a post: an address that is told what becomes of each of its deliveries.

It is called by us from inside a network, on behalf of whoever wrote the post: so it must be a
public address of https, unless internal ones are allowed. Here an address is judged by what it says
of itself; what its name stands for is looked at when it is called (`transport.addresses`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from postsched.domain.errors import InvalidInput, PostschedError
from postsched.domain.notice import ENTRY
from postsched.domain.reach import is_internal

if TYPE_CHECKING:
    from postsched.secrets import Secrets

LONGEST = 2000
"""Characters of an address."""
ADDRESS = re.compile(r"https?://[!-~]+", re.IGNORECASE)
GIVE = "Give one with https:// before it"


def callback_of(url: str, fault: str | None, *, internal: bool) -> str:
    """The address, if it may be one; `fault` says why callbacks can't be signed. With `internal`,
    addresses of the own network are taken, and http. Raises InvalidInput."""
    url = url.strip()
    if wrong := _wrong(url, internal):
        raise _refused(*wrong)
    if fault is not None:
        raise _refused(f"the callback could not be signed: {fault}")
    return url


def _wrong(url: str, internal: bool) -> tuple[str, str | None] | None:
    """What is wrong with an address and what to do, without the address: there may be a secret in
    it."""
    if len(url) > LONGEST:
        return f"the callback has more than {LONGEST} characters", "Give a shorter address"
    try:
        parts = urlsplit(url)
        usable = ADDRESS.fullmatch(url) and parts.hostname and parts.port != 0
    except ValueError:
        usable = None
    if not usable:
        return "the callback is no address of the web", GIVE
    if "@" in parts.netloc or "\\" in url:
        return "the callback has a login in it", "Leave it out: what is told is signed"
    if internal:
        return None
    if is_internal(url):
        said = "the callback is an address of this machine or its network"
        return said, "Give a public one (allow_private_addresses = true permits it)"
    if parts.scheme != "https":
        said = "the callback is not https, so others could read along"
        return said, f"{GIVE} (allow_private_addresses = true permits http)"
    return None


def _refused(message: str, hint: str | None = None) -> InvalidInput:
    error = InvalidInput(message, hint)
    error.field = "callback"
    return error


def fault(secrets: Secrets) -> str | None:
    """Why callbacks can't be signed, and what to do; None if they can."""
    try:
        secret = secrets.read(ENTRY)
        if secret is None:
            return "there is no secret for that. Make one: postsched notify secret"
        from postsched.notify.webhook import key_of

        key_of(secret)
    except PostschedError as error:
        return str(error)
    return None
