"""Signatures in addresses: what lets whoever has a presigned address read the object."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from postsched.domain.hosting import MediaHost
from postsched.domain.secret import HIDDEN

VALUE = r"(=|%3D)(?:(?!%26|\\u0026|&amp;)[^&\s\"'<>#\\,;)\]}])+"
"""Of a parameter; the whole address may be encoded, as HTML, JSON or a part of another one."""
PRESIGNED = re.compile(
    rf"(X-(?:Amz|Goog)-(?:Signature|Credential|Security-Token)|Key-Pair-Id){VALUE}", re.IGNORECASE
)
"""These names say by themselves what they are."""
SIGNED = re.compile(
    rf"((?:[?&]|%3F|%26|\\u0026|&amp;)(?:sig|signature|token|policy|AWSAccessKeyId)){VALUE}",
    re.IGNORECASE,
)
"""These may be anything, elsewhere than in an address of the host."""


def without_signatures(text: str, place: MediaHost) -> str:
    """The text without the signatures in addresses of the media host, in whatever words."""
    text = PRESIGNED.sub(rf"\1\2{HIDDEN}", text)
    for url in {place.url, place.public_url or place.url}:
        host = urlsplit(url).netloc
        text = re.sub(
            rf"{re.escape(host)}[^\s\"'<>]*",
            lambda found: SIGNED.sub(rf"\1\2{HIDDEN}", found[0]),
            text,
            flags=re.IGNORECASE,
        )
    return text
