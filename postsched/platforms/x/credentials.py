"""What a call to X is authorized by: an OAuth 2.0 user token, or the owner's OAuth 1.0a keys.

The secret is the token, a JSON object with `access_token`, or one with `consumer_key`,
`consumer_secret`, `token` and `token_secret`, as the developer console shows them. An OAuth 1.0a
signature (RFC 5849, HMAC-SHA1) covers method, address and query, but no JSON or multipart body.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Literal

from postsched.domain.outcome import ErrorKind
from postsched.domain.secret import Secret
from postsched.platforms.base import Login, PlatformError
from postsched.platforms.bearer import TOKEN

"""What may stand in an Authorization header (RFC 6750 section 2.1, and a little more)."""
Method = Literal["GET", "POST", "DELETE"]
KEYS = ("consumer_key", "consumer_secret", "token", "token_secret")


@dataclass(frozen=True, slots=True)
class Credentials:
    """Makes the Authorization header of a call."""

    _words: tuple[str, ...] = field(repr=False)

    def header(self, method: Method, url: str) -> str:
        """The header of a call to that address, with its query as it is sent."""
        if len(self._words) == 1:
            return f"Bearer {self._words[0]}"
        from oauthlib.oauth1 import Client  # only where it is used: it takes 70 ms to load

        logging.getLogger("oauthlib").setLevel(logging.WARNING)  # else it logs the keys
        consumer_key, consumer_secret, token, token_secret = self._words
        client = Client(consumer_key, consumer_secret, token, token_secret)
        _, headers, _ = client.sign(url, http_method=method)
        return str(headers["Authorization"])


def has_keys(secret: Secret | None) -> bool:
    """Whether the secret is the owner's keys, which neither expire nor are renewed."""
    return secret is not None and any(secret.get(name) for name in ("consumer_key", "token_secret"))


def credentials(login: Login) -> Credentials:
    """Those of a login; raises PlatformError(AUTH) if they can't be any."""
    if has_keys(login.secret):
        assert login.secret is not None
        words = tuple(str(login.secret.get(name) or "") for name in KEYS)
    else:
        words = (login.secret.text if login.secret else "",)
    if all(TOKEN.fullmatch(word) for word in words):
        return Credentials(words)
    what = "the access token is" if len(words) == 1 else f"one of {', '.join(KEYS)} is"
    raise PlatformError(
        ErrorKind.AUTH,
        f"{what} empty or has characters that none has",
    )
