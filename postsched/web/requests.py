"""How requests are read: who asks first, then parameters that exist, then a body within bounds.

A body is one JSON object (RFC 8259), read as strictly as a file of posts: no name twice, no numbers
that JSON has not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any
from weakref import WeakKeyDictionary

from fastapi import Request, Response
from fastapi.routing import APIRoute

from postsched.domain.nearest import did_you_mean
from postsched.transfer.json_rows import read_json
from postsched.transfer.rows import Unreadable
from postsched.web.auth import drafter, reader, writer
from postsched.web.idempotency import once
from postsched.web.problems import Problem, invalid

LARGEST = 4_000_000
"""Bytes of a JSON body."""
SCOPES = (reader, drafter, writer)


class Body(Request):
    """A request whose body is one JSON object, at most LARGEST bytes."""

    async def body(self) -> bytes:
        """The bytes. Raises Problem (413) for more."""
        if not hasattr(self, "_body"):
            pieces, size = [], 0
            async for piece in self.stream():
                size += len(piece)
                if size > LARGEST:
                    raise too_large(LARGEST)
                pieces.append(piece)
            self._body = b"".join(pieces)
        return self._body

    async def json(self) -> Any:
        """The object. Raises Problem (422)."""
        try:
            text = (await self.body()).decode("utf-8-sig")
            if text.lstrip()[:1] != "{":
                raise invalid("the body is no JSON object")
            (found,) = read_json([text])
        except UnicodeDecodeError as error:
            raise invalid(f"the body is not UTF-8 (byte {error.start})") from None
        except Unreadable as error:
            raise invalid(f"the body: {error.message}") from None
        if found.errors:
            raise invalid(f"the body: {found.errors[0].message}")
        return dict(found.record)


def too_large(most: int) -> Problem:
    """413: more bytes than are taken."""
    return Problem(413, "too-large", "That is too large", f"the body has more than {most:,} bytes")


class Route(APIRoute):
    """A route of the API."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, behind what is checked before a body is read."""
        handle = super().get_route_handler()
        known = [str(one.alias) for one in _query_of(self.dependant)]
        guards = [one.call for one in self.dependant.dependencies if one.call in SCOPES]
        writes = any(one.call is once for one in self.dependant.dependencies)
        takes_body = self.body_field is not None
        needs_body = self.body_field is not None and self.body_field.field_info.is_required()

        async def checked(request: Request) -> Response:
            for guard in guards:
                await guard(request)
            _expect_known(request, known)
            if needs_body or (takes_body and _has_body(request)):
                _expect_json(request)
            body = Body(request.scope, request.receive)
            if not writes:
                return await handle(body)
            await body.body()  # a slow one is waited for here, and keeps nobody
            async with _turn():
                return await handle(body)

        return checked


_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


def _turn() -> asyncio.Lock:
    """Writes come one after the other: where one has to wait for the database, the others wait
    here, and in no thread that reads could use."""
    return _turns.setdefault(asyncio.get_running_loop(), asyncio.Lock())


def _query_of(dependant: Any) -> list[Any]:
    found = list(dependant.query_params)
    for inner in dependant.dependencies:
        found += _query_of(inner)
    return found


def _expect_known(request: Request, known: list[str]) -> None:
    for name in request.query_params:
        if name not in known:
            raise invalid(
                f"there is no parameter {name[:200]!r}", did_you_mean(name, known), name[:200]
            )


def _has_body(request: Request) -> bool:
    headers = request.headers
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


def _expect_json(request: Request) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Problem(
            415,
            "media-type",
            "That type is not taken",
            f"the body is {kind[:100]!r}" if kind else "the body has no type",
            hint="Content-Type: application/json",
        )
    try:
        length = int(request.headers.get("content-length", "0"))
    except ValueError:
        length = 0
    if length > LARGEST:
        raise too_large(LARGEST)
