"""The HTTP clients that adapters get: bounded in size and time, and kept off internal addresses.

A client, and with it a connection, for each call that is under way. Redirects are not followed
unless a request asks for it, and each hop is judged anew. TLS is always verified. Adapters see
httpx; below it, `guarded` keeps the bounds, `addresses` tells what is internal, and `wire` has the
connection: in httpx's own transport three quarters of the time of a post would be spent.
"""

from __future__ import annotations

from postsched.domain.reach import is_public
from postsched.transport.guarded import (
    LARGE_BODY,
    LARGEST_ANSWER,
    SLOWEST_UPLOAD,
    Leaving,
)
from postsched.transport.lending import Transport, tls, warm

__all__ = [
    "LARGEST_ANSWER",
    "LARGE_BODY",
    "SLOWEST_UPLOAD",
    "Leaving",
    "Transport",
    "is_public",
    "tls",
    "warm",
]
