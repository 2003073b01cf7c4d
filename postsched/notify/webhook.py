"""Signed webhooks by the Standard Webhooks convention (specification 1.0).

Headers `webhook-id` (the same at every try), `webhook-timestamp` (seconds, of this try) and
`webhook-signature` (`v1,` and the Base64 of an HMAC-SHA256 of `id.timestamp.body`); the secret is
`whsec_` and the Base64 of 24 to 64 random bytes. The body is `{type, timestamp, data}`. A 2xx is
taken; 410 is never to be tried again; all else may be. Redirects are not followed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from postsched.domain.errors import InvalidInput
from postsched.domain.notice import Message, Told
from postsched.domain.secret import Secret

if TYPE_CHECKING:
    import httpx

PREFIX = "whsec_"
SHORTEST, LONGEST = 24, 64
"""Bytes that a key has."""
NEW = 32
"""Bytes of a new key."""
GONE = 410
SAID = 500
"""Bytes of an answer that are kept for who tries it."""
ASKS_TO_WAIT = frozenset({429, 503})


def key_of(secret: Secret) -> bytes:
    """The bytes to sign with. Raises InvalidInput for what is no secret of the convention."""
    value = secret.reveal()
    written = value.strip() if isinstance(value, str) else ""
    try:
        if not written.startswith(PREFIX):
            raise ValueError
        key = base64.b64decode(written.removeprefix(PREFIX), validate=True)
        if not SHORTEST <= len(key) <= LONGEST:
            raise ValueError
    except (ValueError, binascii.Error):
        raise InvalidInput(
            "the secret of the webhook is none: whsec_ and the Base64 of 24 to 64 bytes",
            "Make one: postsched notify secret",
        ) from None
    return key


def new_secret(key: bytes) -> Secret:
    """The secret that stands for those random bytes."""
    return Secret(PREFIX + base64.b64encode(key).decode())


def body(message: Message) -> bytes:
    """What is posted; the same to the byte at every try."""
    document: dict[str, Any] = {
        "type": message.event.value,
        "timestamp": message.at.isoformat().replace("+00:00", "Z"),
        "data": message.items[0],
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def headers(key: bytes, uid: str, now: datetime, posted: bytes) -> Mapping[str, str]:
    """What says who posted it, and when."""
    seconds = str(int(now.timestamp()))
    signed = b".".join((uid.encode(), seconds.encode(), posted))
    signature = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    return {
        "content-type": "application/json",
        "webhook-id": uid,
        "webhook-timestamp": seconds,
        "webhook-signature": f"v1,{signature}",
    }


async def tell(
    url: str, key: bytes, message: Message, now: datetime, http: httpx.AsyncClient
) -> Told:
    """Post the message once."""
    import httpx

    posted = body(message)
    try:
        signed = headers(key, message.uid, now, posted)
        answer = await http.post(url, content=posted, headers=signed)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return Told(f"the webhook can't be reached: {unreached(error, url)}")
    return _judged(answer)


def _judged(answer: httpx.Response) -> Told:
    status = answer.status_code
    said = " ".join(answer.content[:SAID].decode("utf-8", "replace").split())
    if answer.is_success:
        return Told(answer=status, said=said)
    if status == GONE:
        gone = "the webhook answers 410: nobody listens there any more"
        return Told(gone, final=True, answer=status, said=said)
    wish = answer.headers.get("retry-after", "")
    wait = float(wish) if status in ASKS_TO_WAIT and wish.isascii() and wish.isdigit() else 0.0
    return Told(f"the webhook answers {status}", after=wait, answer=status, said=said)


def unreached(error: Exception, url: str) -> str:
    """Why an address could not be reached, without the address: there may be a secret in it."""
    words = " ".join(str(error).split()) or type(error).__name__
    tail = url.partition("://")[2].partition("/")[2]
    for part in filter(None, (url, tail)):
        words = words.replace(part, "…")
    return words[:200]
