"""A server that says back whatever it was sent, in every manner in which servers do: the worst that
can happen to a secret. `manner` is one of MANNERS; more than that it knows of no network.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, ClassVar

from postsched.testing.loopback import Loopback
from postsched.testing.network import Seen
from postsched.testing.wire import Answer, Request

MARK = "PLANTEDSECRET"
"""Begins every secret, those that the server gives too."""


class EchoServer(Loopback):
    """See the module."""

    publishing: ClassVar[tuple[str, str]] = ("POST", ".*")

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.manner = "success"

    def answer(self, request: Request) -> Answer:
        return MANNERS[self.manner](_echo(request))

    def posts(self) -> list[Seen]:
        return []


def _echo(request: Request) -> str:
    """All that was sent, on one line."""
    headers = " ".join(f"{name}: {value}" for name, value in request.headers.items())
    body = request.body[:5000].decode("utf-8", "replace").replace("\r\n", " ").replace("\n", " ")
    return f"{request.method} {request.path} {json.dumps(dict(request.query))} {headers} {body}"


def _refusal(said: str) -> dict[str, Any]:
    """An error in the words of every network there is."""
    return {
        "error": said, "error_description": said, "message": said, "title": said, "detail": said,
        "code": said, "type": said, "reason": said, "errors": [{"message": said, "detail": said}],
        "ok": False, "description": said, "parameters": {"retry_after": 1},
        "errorDetails": {"inputErrors": [{"description": said, "code": said}]},
    }  # fmt: skip


def _refusing(status: int) -> Callable[[str], Answer]:
    return lambda said: Answer(status, _refusal(said), {"Retry-After": "1", "X-Echo": said[:500]})


def _success(said: str) -> Answer:
    """What is a success to some network."""
    tokens = {"access_token": f"{MARK}newaccess01", "refresh_token": f"{MARK}newrefresh01",
              "expires_in": 1, "token_type": "bearer", "accessJwt": f"{MARK}.newjwt.0001",
              "refreshJwt": f"{MARK}.newrefreshjwt.0001"}  # fmt: skip
    document = {
        **tokens, "id": "17", "did": "did:plc:me", "handle": "me.example", "name": "me",
        "username": "me", "acct": "me", "sub": "me17", "uri": "at://did:plc:me/app.bsky.feed.post/1",
        "cid": "bafy", "url": "https://example.com/17", "content": said, "text": said,
        "data": {"id": "17", "username": "me", "name": "me", "text": said},
        "ok": True, "result": {"id": 17, "message_id": 17, "username": said, "title": said,
                               "text": said, "chat": {"id": 17, "username": said}},
    }  # fmt: skip
    return Answer(200, document, {"x-restli-id": "urn:li:share:17"})


MANNERS: dict[str, Callable[[str], Answer]] = {
    "success": _success,
    "no members": lambda said: Answer(200, {said: said}),
    "a list": lambda said: Answer(200, [said]),
    "a string": lambda said: Answer(200, said),
    "html": lambda said: Answer(200, f"<h1>{said}</h1>".encode()),
    "half of it": lambda said: Answer(200, b'{"id": "' + said.encode()),
    "id": lambda said: Answer(200, {"id": said, "url": said, "uri": said, "did": said}),
    "400": _refusing(400),
    "401": _refusing(401),
    "403": _refusing(403),
    "404": _refusing(404),
    "422": _refusing(422),
    "429": _refusing(429),
    "500": _refusing(500),
    "proxy": lambda said: Answer(502, f"<h1>{said}</h1>".encode()),
    "redirect": lambda said: Answer(307, None, {"Location": f"http://127.0.0.1:1/?t={said[:900]}"}),
    "no header": lambda said: Answer(200, {}, {f"Bad {said[:500]}": said[:500]}),
}
"""How it answers. All that are no `success` give the secret back in some place."""
