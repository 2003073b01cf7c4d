"""One call of an adapter: how far it has come, and what it came to if it raised something."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from postsched.domain.errors import PostschedError
from postsched.domain.outcome import ErrorKind, LetGo, Lost, Problem, Retry, Sent
from postsched.engine.hosting import NotSet
from postsched.engine.uploads import Upload
from postsched.platforms.judging import classify

if TYPE_CHECKING:
    import httpx


class NotNow(Exception):
    """The instant that had nearly come is far off, for the clock was set back, or the claim does
    not last: nothing was sent."""


class Sending:
    """How far a call has come: `called` from when the adapter has a login; `under_way` from right
    before the request that makes the post visible; what fails then leaves open whether it is
    out."""

    __slots__ = ("called", "http", "limit", "under_way", "upload")
    http: httpx.AsyncClient
    upload: Upload
    limit: asyncio.Timeout

    def __init__(self) -> None:
        self.called = False
        self.under_way = False


def outcome_of(error: Exception, sending: Sending) -> Sent:
    """What it means for the delivery that a call has raised this."""
    match error:
        case NotNow():
            return LetGo()
        case NotSet() as lacking:
            return lacking.wait()
        case PostschedError() if not sending.called:
            return LetGo(obstacle_of(error), here=True)
        case TimeoutError():
            problem = Problem(ErrorKind.TRANSIENT, "no answer in time", silent=True)
            return Lost(problem) if sending.under_way else Retry(problem)
    return classify(error, sending=sending.under_way)


def obstacle_of(error: PostschedError) -> Problem:
    """Why nothing can be sent for an account from here."""
    return Problem(ErrorKind.AUTH, error.message, hint=error.hint)
