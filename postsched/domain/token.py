"""Service tokens: by what a program shows who it is. The token itself is kept by nobody here."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

from postsched.domain.scope import Scope

PREFIX = "pst_"
"""How a token begins, so that scanners for leaked secrets know it."""
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token; instants are UTC. Without `expires_at` it holds until revoked."""

    name: str
    scope: Scope
    made_at: datetime
    expires_at: datetime | None = None
    used_at: datetime | None = None

    def has_expired(self, now: datetime) -> bool:
        """Whether it holds no more."""
        return self.expires_at is not None and self.expires_at <= now


def digest_of(token: str) -> str:
    """What is kept of it: SHA-256, in hex. A token is 256 random bits, so nobody finds it by
    guessing, and a slow hash would only slow each request."""
    return hashlib.sha256(token.encode()).hexdigest()
