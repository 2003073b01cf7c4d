"""The secret of an account that is one token, sent in a header of every request."""

from __future__ import annotations

import re

from postsched.domain.outcome import ErrorKind
from postsched.platforms.base import Login, PlatformError

TOKEN = re.compile(r"[\x21-\x7e]+")
"""What can stand in a header."""


def token_of(login: Login, hint: str | None = None) -> str:
    """The token of a login. Raises PlatformError(AUTH), with that hint, if it can't be one."""
    token = login.secret.text if login.secret else ""
    if not TOKEN.fullmatch(token):
        raise PlatformError(
            ErrorKind.AUTH,
            "the access token is empty or has characters that no token has",
            hint=hint,
        )
    return token
