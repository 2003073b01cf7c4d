"""What LinkedIn's answers mean: its codes and words, and the kind of each refusal.

There are two shapes of refusal: {status, serviceErrorCode, code, message}, and for bad input
{status, message, errorDetails: {inputErrors: [{description, code, input}]}} (fact sheet, section
5). An answer is never assumed to be either: proxies answer with pages of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from postsched.domain.outcome import ErrorKind
from postsched.platforms import judging
from postsched.platforms.base import PlatformError
from postsched.platforms.judging import raise_for_answer, wait_wish

if TYPE_CHECKING:
    import httpx

LONGEST_WORDS = 300
"""Characters of LinkedIn's own words that are passed on."""
EXPIRED_LOGINS = frozenset({65600, 65601, 65602})
"""Service codes of an access token that is invalid, revoked or expired."""
EXPIRED_CODES = frozenset({"EXPIRED_ACCESS_TOKEN", "REVOKED_ACCESS_TOKEN", "EMPTY_ACCESS_TOKEN"})
WAITING = "MEDIA_ASSET_WAITING_UPLOAD"
DROPPED = frozenset({"MEDIA_ASSET_PROCESSING_FAILED", "EXPIRED_UPLOAD_URL"})
"""Codes by which what was uploaded is of no use any more."""
COMMENT_WAIT = 60.0
"""Seconds after which a comment may be tried again that was one too many."""
PAST_MIDNIGHT = timedelta(seconds=30)
"""Quotas begin anew at midnight UTC; clocks differ a little."""
LOG_IN = (
    "A LinkedIn token lives 60 days: make a new one in the Developer Portal (Token Generator), or "
    "log in again"
)
SCOPES = (
    "A person's token needs the scopes openid profile w_member_social, an organization's "
    "w_organization_social r_organization_social, from somebody who may post for it"
)
VERSIONS = 'Update postsched, or set api_version = "YYYYMM" under [platforms.linkedin]'


@dataclass(frozen=True, slots=True)
class Said:
    """What an answer says: its codes, LinkedIn's own sentence, and all of its words."""

    codes: frozenset[str]
    service_code: int | None
    words: str
    message: str


def read(response: httpx.Response) -> Said:
    """What a refusal says, in whatever shape."""
    body = json_object(response)
    errors = _input_errors(body)
    message = _text(body.get("message"))
    described = "; ".join(filter(None, (_described(error) for error in errors)))
    words = " ".join((described or message).split())
    if not words:
        words = f"HTTP {response.status_code} {response.reason_phrase}"
    codes = {_text(body.get("code")), *(_text(error.get("code")) for error in errors)} - {""}
    service = body.get("serviceErrorCode")
    return Said(
        frozenset(codes), service if isinstance(service, int) else None, _cut(words), message
    )


def judge(response: httpx.Response, now: datetime | None = None) -> None:
    """Raise what an answer means, if it is no success. `now` (UTC) is for quotas that begin anew at
    midnight."""
    if response.is_success:
        return
    status, said = response.status_code, read(response)
    if status == 401 or said.service_code in EXPIRED_LOGINS or said.codes & EXPIRED_CODES:
        raise PlatformError(ErrorKind.AUTH, said.words, http_status=status, hint=LOG_IN)
    if status == 429:
        _raise_limited(response, said, now)
    if status in (400, 422):
        _raise_for_input(status, said)
    _raise_for_status(response, said)


def _raise_for_input(status: int, said: Said) -> NoReturn:
    if WAITING in said.codes:
        raise PlatformError(
            ErrorKind.TRANSIENT, f"LinkedIn is still working on the upload: {said.words}",
            http_status=status,
        )  # fmt: skip
    if said.codes & DROPPED:
        raise PlatformError(
            ErrorKind.TRANSIENT, f"LinkedIn can't use the upload: {said.words}",
            http_status=status, prepare_again=True,
        )  # fmt: skip
    hint = VERSIONS if "VERSION_MISSING" in said.codes else None
    raise PlatformError(ErrorKind.INVALID, said.words, http_status=status, hint=hint)


def _raise_for_status(response: httpx.Response, said: Said) -> None:
    status = response.status_code
    known: dict[int, tuple[ErrorKind, str | None]] = {
        403: (ErrorKind.PERMANENT, SCOPES),
        404: (ErrorKind.PERMANENT, "It is gone, or this token may not see it"),
        409: (ErrorKind.TRANSIENT, None),
        426: (ErrorKind.PERMANENT, VERSIONS),
    }
    if status in known:
        kind, hint = known[status]
        raise PlatformError(kind, said.words, http_status=status, hint=hint)
    raise_for_answer(response, said.words)


def _raise_limited(response: httpx.Response, said: Said, now: datetime | None) -> NoReturn:
    """A limit: LinkedIn gives no time, but quotas are for a day of UTC, that of comments for a
    minute."""
    after, until = wait_wish(response)
    if after is None and until is None:
        if said.words.lower().startswith("comment create throttled"):
            after = COMMENT_WAIT
        elif now is not None:
            until = next_midnight(now) + PAST_MIDNIGHT
    raise PlatformError(
        ErrorKind.RATE_LIMIT, said.words, http_status=response.status_code, after=after, until=until
    )


def next_midnight(now: datetime) -> datetime:
    """The next 00:00 UTC."""
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day + timedelta(days=1)


def json_object(response: httpx.Response) -> Mapping[str, Any]:
    """The JSON object of an answer, an empty one where it is none."""
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def unreadable(response: httpx.Response, what: str) -> PlatformError:
    """What to raise for a success that does not say what it must; it may have been carried out."""
    return judging.unreadable(response, "LinkedIn", f"does not say {what}")


def _input_errors(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    details = body.get("errorDetails")
    errors = details.get("inputErrors") if isinstance(details, dict) else None
    return [one for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []


def _described(error: Mapping[str, Any]) -> str:
    """One input error: what is wrong, and where."""
    words = _text(error.get("description")) or _text(error.get("code"))
    given = error.get("input")
    path = given.get("inputPath") if isinstance(given, dict) else None
    field = _text(path.get("fieldPath")) if isinstance(path, dict) else ""
    return f"{words} ({field})" if field else words


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _cut(words: str) -> str:
    return words if len(words) <= LONGEST_WORDS else words[:LONGEST_WORDS] + "…"
