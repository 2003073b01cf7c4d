"""What Discord's refusals mean (fact sheet, section 5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from postsched.domain.outcome import ErrorKind
from postsched.platforms.base import PlatformError
from postsched.platforms.discord.access import Access
from postsched.platforms.judging import raise_for_answer, wait_wish

if TYPE_CHECKING:
    import httpx

LONGEST_WORDS = 300
"""Characters of Discord's own words that are passed on."""
UNKNOWN_MESSAGE, UNKNOWN_WEBHOOK = 10008, 10015
TOO_LARGE, NO_ACCESS, NO_PERMISSION, BAD_TOKEN = 40005, 50001, 50013, 50027


class MessageGone(PlatformError):
    """There is no such message (any more)."""


def judge(response: httpx.Response, account: str, access: Access) -> None:
    """Raise what an answer to that account means, if it is no success."""
    if response.is_success:
        return
    status = response.status_code
    document = document_of(response)
    code, words = document.get("code"), _words(document, response, access)
    if status == 401 or code == BAD_TOKEN or (status == 404 and code == UNKNOWN_WEBHOOK):
        raise PlatformError(
            ErrorKind.AUTH,
            words,
            http_status=status,
            hint="The webhook was deleted, or the token is no more good. Make another: "
            f"postsched account set {account} --token-stdin",
        )
    if status == 403 and code in (NO_PERMISSION, NO_ACCESS):
        raise PlatformError(
            ErrorKind.AUTH,
            words,
            http_status=status,
            hint="Give the bot the permissions to see the channel, to post and to attach files, "
            f"then: postsched account check {account}",
            hold=True,
        )
    if status == 429:
        raise _too_many(response, document, words)
    if status in (400, 413) or code == TOO_LARGE:
        hint = "Discord takes 10 MiB a file and 25 MiB a message" if status == 413 else None
        raise PlatformError(ErrorKind.INVALID, words, http_status=status, hint=hint)
    if status == 404 and code == UNKNOWN_MESSAGE:
        raise MessageGone(ErrorKind.PERMANENT, words, http_status=status)
    if status < 500 and status not in (408, 425):
        raise PlatformError(ErrorKind.PERMANENT, words, http_status=status)
    raise_for_answer(response, words)


def document_of(response: httpx.Response) -> dict[str, Any]:
    """The JSON object of an answer, empty where there is none."""
    try:
        document = response.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _too_many(response: httpx.Response, document: Mapping[str, Any], words: str) -> PlatformError:
    after, until = wait_wish(response)
    wish = document.get("retry_after")
    is_number = isinstance(wish, int | float) and not isinstance(wish, bool)
    if is_number and wish is not None and 0 <= wish < 10**6:
        after = float(wish)
    return PlatformError(ErrorKind.RATE_LIMIT, words, http_status=429, after=after, until=until)


def _words(document: Mapping[str, Any], response: httpx.Response, access: Access) -> str:
    """What Discord says, and of which field, in one line and without a secret."""
    message = document.get("message")
    if not isinstance(message, str) or not message.strip():
        message = f"HTTP {response.status_code} {response.reason_phrase}"
    words = access.scrub(": ".join([message, *_detail(document.get("errors"))]))
    line = " ".join("".join(char if char.isprintable() else " " for char in words).split())
    return line if len(line) <= LONGEST_WORDS else line[:LONGEST_WORDS] + "…"


def _detail(errors: Any, depth: int = 0) -> list[str]:
    """The path to the first field that is wrong, and what is wrong with it."""
    if not isinstance(errors, dict) or depth > 5:
        return []
    for name, inner in errors.items():
        if name == "_errors":
            first = inner[0] if isinstance(inner, list) and inner else None
            said = first.get("message") if isinstance(first, dict) else None
            return [said] if isinstance(said, str) else []
        if found := _detail(inner, depth + 1):
            return [str(name), *found]
    return []
