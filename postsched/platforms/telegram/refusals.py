"""What Telegram's refusals mean (fact sheet, section 5).

They are told by `ok` and `error_code`; their words are no promise, and only searched for signs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from postsched.domain.outcome import ErrorKind
from postsched.platforms.base import PlatformError
from postsched.platforms.judging import unreadable, wait_wish

if TYPE_CHECKING:
    import httpx

LONGEST_WORDS = 300
"""Characters of Telegram's own words that are passed on."""
RIGHTS = re.compile(r"\brights?\b|administrator|_FORBIDDEN\b|_REQUIRED\b", re.I)
NO_CHAT = re.compile(r"chat not found|PEER_ID_INVALID", re.I)
NO_PARENT = re.compile(r"repl(y|ied)\b.*not found", re.I)


def refusal(
    response: httpx.Response, document: Mapping[str, Any], account: str, token: str
) -> PlatformError:
    """What an answer to that account means which is no success; `document` is its JSON object."""
    status = response.status_code
    is_own = document.get("ok") is False
    code = _number(document.get("error_code")) if is_own and status < 500 else None
    code = status if code is None or code < 400 else code
    words = _words(document, response, token)
    match code:
        case 401 | 404:
            return _auth(
                code,
                words,
                f"Take the token from @BotFather: postsched account set {account} --token-stdin",
            )
        case 429:
            return _too_many(response, document, words)
        case 403 if is_own:
            return _no_right(code, words, account)
        case 400 if is_own and RIGHTS.search(words):
            return _no_right(code, words, account)
        case 400 if is_own and NO_CHAT.search(words):
            return PlatformError(
                ErrorKind.PERMANENT,
                words,
                http_status=code,
                hint="Give the chat as @name or as its number, -100…, and make the bot a member: "
                f"postsched account set {account} user=@NAME",
            )
        case 400 | 413:
            return PlatformError(
                ErrorKind.INVALID, words, http_status=code, hint=_hint(code, words)
            )
    if code >= 500 or code in (408, 425):
        after, until = wait_wish(response)
        return PlatformError(
            ErrorKind.TRANSIENT, words, http_status=code, after=after, until=until, sent=True
        )
    if code < 300:
        return unreadable(response, "Telegram")
    return PlatformError(ErrorKind.PERMANENT, words, http_status=code)


def parameter(document: Mapping[str, Any], name: str) -> int | None:
    """A number that a refusal gives beside its words, None if there is none."""
    parameters = document.get("parameters")
    return _number(parameters.get(name)) if isinstance(parameters, dict) else None


def _auth(code: int, words: str, hint: str, *, hold: bool = False) -> PlatformError:
    return PlatformError(ErrorKind.AUTH, words, http_status=code, hint=hint, hold=hold)


def _no_right(code: int, words: str, account: str) -> PlatformError:
    hint = "Make the bot an administrator of the chat with the right to post, then"
    return _auth(code, words, f"{hint}: postsched account check {account}", hold=True)


def _too_many(response: httpx.Response, document: Mapping[str, Any], words: str) -> PlatformError:
    after, until = wait_wish(response)
    wish = parameter(document, "retry_after")
    return PlatformError(
        ErrorKind.RATE_LIMIT,
        words,
        http_status=429,
        after=after if wish is None or wish < 0 else float(wish),
        until=until,
    )


def _hint(code: int, words: str) -> str | None:
    if NO_PARENT.search(words):
        return "The part before it was deleted: the rest of the thread can't follow it"
    if code == 413:
        return "A bot can send files of 50 MB at the most, photos of 10 MB"
    return None


def _words(document: Mapping[str, Any], response: httpx.Response, token: str) -> str:
    """What Telegram says, in one line and without the token."""
    words = document.get("description")
    if not isinstance(words, str) or not words.strip():
        words = f"HTTP {response.status_code} {response.reason_phrase}"
    words = words.replace(token, "***")
    line = " ".join("".join(char if char.isprintable() else " " for char in words).split())
    return line if len(line) <= LONGEST_WORDS else line[:LONGEST_WORDS] + "…"


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
