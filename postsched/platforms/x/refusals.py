"""What X's refusals mean (fact sheet, section 5).

A refusal comes in one of several shapes: `title`, `detail` and `type`; `errors`, a list of such, or
of `code` and `message`; or a bare `code` and `message`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from postsched.domain.outcome import ErrorKind
from postsched.platforms.base import PlatformError
from postsched.platforms.judging import raise_for_answer

if TYPE_CHECKING:
    import httpx

LONGEST_WORDS = 300
"""Characters of X's own words that are passed on."""
CONSOLE = "console.x.com"
TOO_LONG = re.compile(r"\b(tweet|post|text)\b.*\btoo long\b|\bcharacter limit\b", re.I)
MEDIA_GONE = re.compile(r"\bmedia\b.*\b(invalid|expired?|not found|not exist|not be found)\b", re.I)
ENROLMENT = ("client-not-enrolled", "client-forbidden")
WRONG_TOKEN = re.compile(r"unsupported.authentication|app(lication)?-only", re.I)
WRONG_PERMISSION = re.compile(r"oauth1.permissions|app permissions|\bscopes?\b", re.I)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal, read: its words in one line, and all it says, to be searched for signs."""

    status: int
    words: str
    signs: str
    parameters: frozenset[str]


def read(response: httpx.Response) -> Refusal:
    """What X says of a refusal, in whatever shape."""
    try:
        body = response.json()
    except ValueError:
        body = None
    whole = body if isinstance(body, dict) else {}
    errors = [one for one in _list(whole.get("errors")) if isinstance(one, dict)]
    said = [one.get(name) for one in (*errors, whole) for name in ("message", "detail")]
    every = [one.get(name) for one in (whole, *errors) for name in ("title", "type", "code")]
    given = [str(word) for word in said if isinstance(word, str) and word.strip()]
    words = given[0] if given else str(whole.get("title") or _status_line(response))
    parameters = {str(name) for one in errors for name in _names(one.get("parameters"))}
    if transaction := response.headers.get("x-transaction-id"):
        words = f"{_one_line(words).rstrip('.')} (transaction {transaction[:64]})"
    signs = " ".join([*given, *(str(word) for word in every if word is not None)])
    return Refusal(response.status_code, _one_line(words), signs, frozenset(parameters))


def judge(response: httpx.Response, account: str, *, with_media: bool = False) -> None:
    """Raise what an answer to that account means, if it is no success. `with_media` says that it
    is the answer to a post with uploads, which X forgets after a day."""
    if response.is_success:
        return
    refusal = read(response)
    match refusal.status:
        case 400:
            raise _invalid(refusal, account, with_media)
        case 401:
            raise _refused_login(refusal)
        case 402:
            raise _error(
                refusal,
                ErrorKind.PERMANENT,
                f"Buy credits at {CONSOLE}, then: postsched account check {account}",
                hold=True,
            )
        case 403:
            raise _forbidden(refusal, account)
        case 404 | 413 | 422:
            raise _error(refusal, ErrorKind.INVALID)
        case 429 if "usage-capped" in refusal.signs or "UsageCapExceeded" in refusal.signs:
            raise _error(
                refusal,
                ErrorKind.PERMANENT,
                f"The plan's cap for this day or month is used up: see {CONSOLE}",
            )
    raise_for_answer(response, refusal.words)


def _invalid(refusal: Refusal, account: str, with_media: bool) -> PlatformError:
    if TOO_LONG.search(refusal.signs):
        return _too_long(refusal, account)
    named = any("media" in name for name in refusal.parameters)
    if with_media and (named or MEDIA_GONE.search(refusal.signs)):
        return PlatformError(
            ErrorKind.TRANSIENT,
            f"X does not know the uploaded media: {refusal.words}",
            http_status=refusal.status,
            hint="X keeps uploads for a day: they are made again",
            prepare_again=True,
        )
    return _error(refusal, ErrorKind.INVALID)


def _forbidden(refusal: Refusal, account: str) -> PlatformError:
    """What a 403 means: refused for good, whatever the reason, but for an equal text, which may be
    this very post."""
    signs = refusal.signs
    if re.search("duplicate", signs, re.I):
        return PlatformError(
            ErrorKind.DUPLICATE,
            refusal.words,
            http_status=403,
            hint="X refuses a text that the account has posted before: change it",
            sent=True,
        )
    if TOO_LONG.search(signs) and "video" not in signs.lower():
        return _too_long(refusal, account)
    if any(sign in signs for sign in ENROLMENT):
        hint = f"Put the app into a Project with a pay-per-use package at {CONSOLE}, then"
        return _error(
            refusal, ErrorKind.AUTH, f"{hint}: postsched account check {account}", hold=True
        )
    if WRONG_TOKEN.search(signs):
        hint = "An app-only token can't post: give a user token, or the owner's four keys"
        return _error(refusal, ErrorKind.AUTH, hint, hold=True)
    if WRONG_PERMISSION.search(signs):
        hint = "Log in again with every permission ticked; keys need the app to read and write"
        return _error(refusal, ErrorKind.AUTH, hint, hold=True)
    return _error(refusal, ErrorKind.PERMANENT, _advice(signs))


def _advice(signs: str) -> str | None:
    if "longer than" in signs:
        return "The account may post films of 140 seconds at least; cut it"
    if "not been mentioned" in signs:
        return "X lets an app reply to others only where they mentioned the account"
    if "mention" in signs:
        return "X does not let this app mention others: take the @ out"
    if re.fullmatch(r"(Forbidden|about:blank|[\s,])*", signs):
        return "The login may lack the permission to post: log in again with every one ticked"
    return None


def _too_long(refusal: Refusal, account: str) -> PlatformError:
    hint = f"Only Premium may post more: postsched account set {account} premium=yes"
    return _error(refusal, ErrorKind.INVALID, hint)


def _refused_login(refusal: Refusal) -> PlatformError:
    return _error(refusal, ErrorKind.AUTH, "Log in again, or give new keys")


def _error(
    refusal: Refusal, kind: ErrorKind, hint: str | None = None, *, hold: bool = False
) -> PlatformError:
    return PlatformError(kind, refusal.words, http_status=refusal.status, hint=hint, hold=hold)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _names(parameters: Any) -> list[str]:
    return list(parameters) if isinstance(parameters, Mapping) else []


def _status_line(response: httpx.Response) -> str:
    return f"HTTP {response.status_code} {response.reason_phrase}".strip()


def _one_line(words: str) -> str:
    printable = "".join(char if char.isprintable() else " " for char in words)
    line = " ".join(printable.split())
    return line if len(line) <= LONGEST_WORDS else line[:LONGEST_WORDS] + "…"
