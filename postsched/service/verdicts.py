"""What a person saw of a delivery that is in doubt, as they say it."""

from __future__ import annotations

from postsched.domain.errors import InvalidInput
from postsched.domain.outcome import Published
from postsched.service.content import check_plain, web_address

WORDS = ("published", "absent")


def verdict_of(word: str, url: str | None, remote_id: str | None) -> Published | None:
    """Where it is, or None where it is not. Raises InvalidInput."""
    if word not in WORDS:
        raise InvalidInput(f"{word!r} is no verdict", "Say published or absent")
    if word == "absent" and (url is not None or remote_id is not None):
        raise InvalidInput("an address and an id go with published", "Leave them out")
    check_plain("remote_id", remote_id or "")
    if url is not None:
        check_plain("url", web_address(url, "url"))
    return Published(remote_id or "", url) if word == "published" else None
