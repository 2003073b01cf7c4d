"""A public address for media: put a file where networks can fetch it, and take it away again.

`host_of` gives the host that is set: an S3-compatible bucket (`s3`), or a place for HTTP PUT, such
as WebDAV (`dav`). Both speak through a client that is handed in, keep no state, and never retry.
What goes wrong is a HostError, in words that hold no secret.
"""

from __future__ import annotations

from datetime import timedelta

from postsched.domain.hosting import MediaHost
from postsched.domain.secret import Secret
from postsched.hosting.base import Host, HostError, new_name
from postsched.hosting.dav import Dav
from postsched.hosting.s3 import S3, can_sign
from postsched.hosting.signatures import without_signatures

__all__ = ["Host", "HostError", "fault_of", "host_of", "new_name", "without_signatures"]
WEEK = timedelta(days=7)
"""The longest that a presigned address is good for (SigV4, query parameters)."""


def host_of(place: MediaHost, secret: Secret, lasts: timedelta = timedelta(days=1)) -> Host:
    """The host of that place; `lasts` is for how long an address must be good. Raises HostError
    where the secret is of no use for it, or a library is missing."""
    return S3(place, secret, min(lasts, WEEK)) if place.bucket else Dav(place, secret)


def fault_of(place: MediaHost, secret: Secret) -> HostError | None:
    """Why a secret is of no use for a place, as far as that can be told without asking it."""
    if place.bucket and (fault := can_sign()):
        return fault
    try:
        host_of(place, secret)
    except HostError as error:
        return error
    return None
