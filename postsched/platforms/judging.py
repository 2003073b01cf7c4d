"""What a network's answers and errors mean: the one place where they are judged."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from postsched.domain.outcome import (
    ErrorKind,
    Failed,
    LetGo,
    Limit,
    Lost,
    Problem,
    Published,
    Retry,
    Sent,
)
from postsched.platforms.base import PlatformError

if TYPE_CHECKING:
    import httpx


LONGEST_ADDRESS = 300
"""Characters of an address that a server names which are passed on."""


def raise_for_answer(response: httpx.Response, message: str | None = None) -> None:
    """Raise what an HTTP status means in general, if it is no success.

    `message` is the network's own sentence. A platform that knows better looks at the answer
    first. Redirects, 401 and 403 are refusals, 429 a rate limit, 5xx leaves open whether it is out.
    """
    status = response.status_code
    if response.is_success:
        return
    if response.is_redirect:
        raise _moved(response)
    words = message or response.reason_phrase or f"HTTP {status}"
    if status == 401:
        raise PlatformError(ErrorKind.AUTH, words, http_status=status)
    if status == 429:
        after, until = wait_wish(response)
        raise PlatformError(
            ErrorKind.RATE_LIMIT, words, http_status=status, after=after, until=until
        )
    if status >= 500:
        after, until = wait_wish(response)
        raise PlatformError(
            ErrorKind.TRANSIENT, words, http_status=status, after=after, until=until, sent=True
        )
    if status in (408, 425):
        raise PlatformError(ErrorKind.TRANSIENT, words, http_status=status, sent=True)
    kind = ErrorKind.PERMANENT if status in (403, 410) else ErrorKind.INVALID
    raise PlatformError(kind, words, http_status=status)


def unreadable(response: httpx.Response, who: str, lacks: str = "can't be read") -> PlatformError:
    """What to raise for a success that does not say what it must: what was asked for may have been
    done all the same. `who` answers, and what the answer `lacks` ends the sentence."""
    return PlatformError(
        ErrorKind.TRANSIENT,
        f"{who}'s answer {lacks}",
        http_status=response.status_code,
        hint=f"Something between here and {who} answers in its place",
        sent=True,
    )


def _moved(response: httpx.Response) -> PlatformError:
    """What a redirect means, which is not followed, for the other server would be told the secret.
    After a 303 the request may have been carried out (RFC 9110 section 15.4.4)."""
    status = response.status_code
    return PlatformError(
        ErrorKind.TRANSIENT if status == 303 else ErrorKind.INVALID,
        f"the server says that it is at {response.headers['location'][:LONGEST_ADDRESS]}",
        http_status=status,
        hint="Give the account the server's own address: postsched account set NAME url=URL",
        sent=status == 303,
    )


def wait_wish(response: httpx.Response) -> tuple[float | None, datetime | None]:
    """The wait a server asks for: (seconds, None), (None, UTC instant), or (None, None).

    Reads Retry-After (RFC 9110 section 10.2.3: seconds or a date), then X-RateLimit-Reset or
    RateLimit-Reset as an ISO 8601 instant (Mastodon, GoToSocial), as Unix seconds (Bluesky, X), or
    as seconds to wait where the number is too small to be an instant.
    """
    after = response.headers.get("retry-after", "").strip()
    if after:
        return _wait(after)
    for name in ("x-ratelimit-reset", "ratelimit-reset", "x-rate-limit-reset"):
        value = response.headers.get(name, "").strip()
        if value:
            return _wait(value)
    return None, None


def limits_of(response: httpx.Response) -> tuple[Limit, ...]:
    """The call limit a server reports in its headers, if it does."""
    headers = response.headers
    for prefix in ("x-ratelimit", "ratelimit", "x-rate-limit"):
        remaining = headers.get(f"{prefix}-remaining", "")
        if remaining.isdigit():
            top = headers.get(f"{prefix}-limit", "")
            _, until = _wait(headers.get(f"{prefix}-reset", ""))
            return (Limit("requests", int(remaining), until, int(top) if top.isdigit() else None),)
    return ()


UNIX_TIMES_START = 1_000_000_000
"""A smaller number in a reset header is a wait in seconds, a larger one an instant."""


def _wait(text: str) -> tuple[float | None, datetime | None]:
    if not text:
        return None, None
    from email.utils import parsedate_to_datetime

    try:
        number = float(text)
    except ValueError:
        pass
    else:
        if number != number or number < 0 or number > 253402300799:
            return None, None
        if number < UNIX_TIMES_START:
            return number, None
        return None, datetime.fromtimestamp(number, UTC)
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(text)
        except (ValueError, TypeError):
            continue
        return None, moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    return None, None


def problem_of(error: Exception) -> Problem:
    """What an exception out of an adapter comes to, where nothing was sent. The words of those that
    nobody wrote for people are left out: they may be anything."""
    outcome = classify(error, sending=False)
    if isinstance(outcome, Published) or outcome.problem is None:
        return Problem(ErrorKind.TRANSIENT, type(error).__name__)
    return outcome.problem


def classify(error: Exception, *, sending: bool) -> Sent:
    """What an exception out of an adapter means for the delivery.

    `sending` is True while the request that makes the post visible was under way: then whatever
    does not prove that nothing went out is Lost. Before it, the same errors are worth a retry.
    """
    import httpx

    if isinstance(error, PlatformError):
        return _classify_refusal(error, sending)
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout
                  | httpx.ProxyError):  # fmt: skip
        words = f"no connection: {_words(error)}"
        return Retry(Problem(ErrorKind.TRANSIENT, words, silent=True))
    if isinstance(error, httpx.UnsupportedProtocol | httpx.InvalidURL | httpx.LocalProtocolError):
        return Failed(Problem(ErrorKind.INVALID, f"the request can't be made: {_words(error)}"))
    if isinstance(error, httpx.TimeoutException):
        problem = Problem(ErrorKind.TRANSIENT, "no answer in time", silent=True)
    elif isinstance(error, httpx.HTTPError):
        words = f"the connection broke: {_words(error)}"
        problem = Problem(ErrorKind.TRANSIENT, words, silent=True)
    elif isinstance(error, OSError) and not sending:
        return Retry(Problem(ErrorKind.TRANSIENT, _words(error)))
    else:
        problem = Problem(
            ErrorKind.TRANSIENT if sending else ErrorKind.PERMANENT,
            f"the answer could not be read ({type(error).__name__})"
            if sending
            else f"the platform's adapter failed ({type(error).__name__})",
        )
        return Lost(problem) if sending else Failed(problem)
    return Lost(problem) if sending else Retry(problem)


def _classify_refusal(error: PlatformError, sending: bool) -> Sent:
    problem = error.problem
    if error.hold:
        return LetGo(problem)
    match problem.kind:
        case ErrorKind.AUTH:
            return LetGo(problem)
        case ErrorKind.RATE_LIMIT:
            return Retry(problem, error.after, error.until, counts=False, limits=error.limits)
        case _ if error.sent and sending:
            return Lost(problem)
        case ErrorKind.TRANSIENT:
            return Retry(problem, error.after, error.until, prepare_again=error.prepare_again)
        case _:
            return Failed(problem)


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
