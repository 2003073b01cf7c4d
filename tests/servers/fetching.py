"""Networks that really fetch the media they are given the address of."""

from __future__ import annotations

import httpx

from postsched.testing.instagram import InstagramServer
from postsched.testing.loopback import Loopback
from postsched.testing.threads import ThreadsServer
from postsched.testing.wire import Answer, Request

UNFETCHED = {
    "error": {
        "type": "OAuthException", "code": 9004, "error_subcode": 2207052, "fbtrace_id": "A6Lx",
        "message": "The media could not be fetched from this URI",
    }
}  # fmt: skip


class Fetching(Loopback):
    """`fetched` is what was found at each address, `addresses` the addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[bytes] = []
        self.addresses: list[str] = []

    def answer(self, request: Request) -> Answer:
        """Fetch first; what can't be fetched is refused, with its address, as Meta has it."""
        if request.method == "POST":
            form = request.form
            for name in ("image_url", "video_url"):
                if name in form and not self._fetch(form[name][1].decode()):
                    return Answer(400, UNFETCHED)
        return super().answer(request)  # type: ignore[safe-super]  # that of the network beside it

    def _fetch(self, address: str) -> bool:
        self.addresses.append(address)
        answer = httpx.get(address, trust_env=False)
        self.fetched.append(answer.content)
        return answer.is_success


class FetchingInstagram(Fetching, InstagramServer):
    """Instagram."""


class FetchingThreads(Fetching, ThreadsServer):
    """Threads."""
