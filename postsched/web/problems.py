"""What is wrong, as an answer: application/problem+json (RFC 9457), for every error there is.

`detail` is one sentence, `hint` says what to do, `field` is the name of what is at fault. What the
framework itself objects to (an unknown address, a body that does not fit) is said in the same way.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from postsched.domain.errors import (
    Forbidden,
    InvalidInput,
    NotAllowed,
    NotFound,
    PostschedError,
    SecretUnavailable,
    StoreBusy,
    StoreUnavailable,
)
from postsched.web.answers import encoded
from postsched.web.channel import Gone
from postsched.web.wording import over_http

log = logging.getLogger("postsched.web")
MEDIA_TYPE = "application/problem+json"
AGAIN = {"Retry-After": "1"}
STATUS: Sequence[tuple[type[PostschedError], int, str, str]] = (
    (NotFound, 404, "not-found", "There is no such thing"),
    (Forbidden, 403, "forbidden", "That is for others to do"),
    (NotAllowed, 409, "not-allowed", "Its state does not allow that"),
    (InvalidInput, 422, "invalid", "That can't be taken"),
    (StoreBusy, 503, "busy", "The database is busy"),
    (StoreUnavailable, 503, "unavailable", "The database can't be used"),
    (SecretUnavailable, 503, "unavailable", "A secret can't be read"),
    (Gone, 503, "unavailable", "Posts are not being sent"),
)
"""Error -> its status, the end of its `type`, and its title."""
OTHER = (PostschedError, 409, "not-allowed", "That could not be done")


class Problem(HTTPException):
    """An error with all that its answer says. `kind` is the end of its `type`, a URN."""

    def __init__(
        self,
        status: int,
        kind: str | None,
        title: str,
        detail: str,
        *,
        hint: str | None = None,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, headers)
        self.kind, self.title, self.hint, self.field = kind, title, hint, field


def invalid(detail: str, hint: str | None = None, field: str | None = None) -> Problem:
    """422: what was given can't be taken."""
    return Problem(422, "invalid", "That can't be taken", detail, hint=hint, field=field)


def problem_of(error: PostschedError) -> Problem:
    """The answer that an error of ours comes to. What a body names and is not there is a fault of
    the body (422), not of the address (404)."""
    message, hint = over_http(error.message), over_http(error.hint or "") or None
    if isinstance(error, NotFound) and error.field is not None:
        return invalid(message, hint, error.field)
    again = AGAIN if isinstance(error, StoreBusy) else None
    row = next((row for row in STATUS if isinstance(error, row[0])), OTHER)
    return Problem(*row[1:], message, hint=hint, field=error.field, headers=again)


def answer(problem: HTTPException) -> Response:
    """A problem as a response."""
    title = HTTPStatus(problem.status_code).phrase
    document: dict[str, Any] = {"type": "about:blank", "title": title}
    document |= {"status": problem.status_code, "detail": str(problem.detail)}
    document |= {"hint": None, "field": None}
    if isinstance(problem, Problem):
        kind = f"urn:postsched:problem:{problem.kind}" if problem.kind else "about:blank"
        document |= {"type": kind, "title": problem.title}
        document |= {"hint": problem.hint, "field": problem.field}
    return Response(encoded(document), problem.status_code, problem.headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Have every error of an application answered so."""

    async def ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, PostschedError)
        return answer(problem_of(error))

    async def framework(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return answer(error)

    async def unfit(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return answer(_first_of(error.errors()))

    async def bug(request: Request, error: Exception) -> Response:
        log.error("%s %s failed: a bug", request.method, request.url.path, exc_info=error)
        return answer(HTTPException(500, "this is a bug in postsched; its log says more"))

    app.add_exception_handler(PostschedError, ours)
    app.add_exception_handler(HTTPException, framework)
    app.add_exception_handler(RequestValidationError, unfit)
    app.add_exception_handler(Exception, bug)


async def nowhere(request: Request) -> Response:
    """What is at no address of the API: 404, or 405 where the address takes other methods, which
    OPTIONS asks for."""
    if not (methods := _methods(request)):
        see = "See /api/v1/docs, or /api/v1/openapi.json"
        raise Problem(404, None, "Not Found", "there is nothing at this address", hint=see)
    listed = ", ".join(methods)
    if request.method == "OPTIONS":
        return Response(status_code=204, headers={"Allow": listed})
    said = f"this address does not take {request.method[:20]}"
    raise Problem(
        405, None, "Method Not Allowed", said, hint=f"It takes {listed}", headers={"Allow": listed}
    )


def _methods(request: Request) -> list[str]:
    """The methods that an address of the API takes."""
    path = request.url.path
    described = request.app.openapi()["paths"]
    found = [known for known in described if _pattern(known).fullmatch(path)]
    methods = {method.upper() for known in found for method in described[known]}
    if "GET" in methods:
        methods.add("HEAD")
    return sorted(methods | {"OPTIONS"}) if methods else []


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{[^}]*\}", "[^/]+", re.escape(path)))


UNION = re.compile(r"(?:str|int|float|bool|constrained-\w+|literal|list|dict|function-)\b.*|\w+In")
"""The parts of a place that name which of several types was tried."""


def _first_of(errors: Sequence[Any]) -> Problem:
    """The first thing that does not fit, in one sentence; where it could be of several types, that
    it is none of them."""
    first = errors[0]
    field = _field(first)
    if first["type"] == "unknown_name":
        member = ".".join(filter(None, (field, first["ctx"]["member"])))
        return invalid(_words(first), first["ctx"]["hint"], member)
    same = [one for one in errors if _field(one) == field]
    hint = (first.get("ctx") or {}).get("hint")
    words = " or ".join(dict.fromkeys(_words(one) for one in same))
    return invalid(f"{field}: {words}" if field else words, hint, field)


def _field(error: Any) -> str | None:
    """The name of what does not fit."""
    parts = [str(part) for part in error["loc"][1:] if not UNION.fullmatch(str(part))]
    return ".".join(parts) or None


def _words(error: Any) -> str:
    words = str(error["msg"])
    if error["type"] == "missing":
        return "is missing" if error["loc"][1:] else "the body is missing"
    words = words.removeprefix("Input ")
    return words[:1].lower() + words[1:]
