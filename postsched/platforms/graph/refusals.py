"""What errors in Meta's Graph style mean: a code and a subcode, whatever the HTTP status.

Sources: fact sheets instagram.md, threads.md and facebook.md, sections 5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from postsched.domain.outcome import ErrorKind
from postsched.platforms.base import PlatformError
from postsched.platforms.graph.usage import wait_of
from postsched.platforms.judging import raise_for_answer, wait_wish

if TYPE_CHECKING:
    import httpx

LONGEST_WORDS = 300
"""Characters of the network's own words that are passed on."""
LOGIN = frozenset({102, 104, 190, 2500})
RATE = frozenset({4, 17, 32, 341, 613, 80001, 80002, 1390008})
PERMISSION = frozenset({10, 1404078, 4854002})
"""Beside 200 to 299: what has to be put right at the network (Pages: who may publish, and who
they are)."""
INVALID = frozenset(
    {100, 197, 352, 36000, 36001, 36003, 36004, 1349125, 1366046, 1609005, 1609008, 2061006,
     2069019, 2207057}
)  # fmt: skip
BLOCKED = frozenset({25, 368, 4279013, 1346003, 1404006, 1404102, 1404112})
HICCUP = frozenset({-2, -1, 1, 2, 1363047, 1609010})
DUPLICATE = frozenset({506, 1366051})
"""The same as the last post, or photos that a post has already (Facebook)."""
LEAST_SUBCODE = 1_000_000
"""A larger number means the same as a code and as a subcode."""
SPAM = 2207051
NOT_FETCHED = 2207052
QUOTA_USED = 2207042
RESTRICTED = frozenset({2207050, 4279013})
NOT_YET = frozenset({2207008, 2207027, 4279009})
"""Subcodes: it is there, but not ready, or not seen yet."""
CONTAINER_GONE = frozenset({2207006, 2207020, 2207032, 2207053})
"""Subcodes: the container can't be used any more, a new one is needed."""
RATE_WAIT, QUOTA_WAIT, SOON = 600.0, 3600.0, 15.0
"""Seconds until the next try where the network names none: after too many calls, too many posts,
and for what is only not ready."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal, read: `words` in one line without a secret; `after` is the wait the network asks
    for, in seconds."""

    response: httpx.Response
    status: int
    code: int | None
    subcode: int | None
    words: str
    transient: bool = False
    after: float | None = None

    @property
    def numbers(self) -> frozenset[int | None]:
        """Its code, and its subcode where that stands for itself."""
        special = self.subcode is not None and self.subcode >= LEAST_SUBCODE
        return frozenset({self.code, self.subcode} if special else {self.code})

    @property
    def is_login(self) -> bool:
        """Whether the token is refused."""
        return self.code in LOGIN or (self.code is None and self.status == 401)

    @property
    def is_permission(self) -> bool:
        """Whether the login may not do this (code 10 comes for posts that are out, too)."""
        named = self.code is not None and 200 <= self.code <= 299
        return named or bool(self.numbers & PERMISSION)

    @property
    def is_rate(self) -> bool:
        """Whether there were too many calls or posts."""
        spam = self.subcode == SPAM
        return not spam and bool(self.numbers & RATE or self.is_quota or self.status == 429)

    @property
    def is_quota(self) -> bool:
        """Whether the posts of a day are used up."""
        return self.subcode == QUOTA_USED or self.code == 9

    @property
    def is_spam(self) -> bool:
        """Whether it was taken for spam; it may be out all the same."""
        return self.subcode == SPAM

    @property
    def is_duplicate(self) -> bool:
        """Whether it equals a post that is out, which may be itself."""
        return bool(self.numbers & DUPLICATE)

    @property
    def is_unseen(self) -> bool:
        """Whether what was asked for can't be read: gone, or too young (100/33, 24)."""
        return self.status == 404 or self.code == 24 or (self.code, self.subcode) == (100, 33)

    @property
    def is_too_young(self) -> bool:
        """Whether it is only not ready, or not seen yet."""
        young = self.subcode in NOT_YET or (self.code is not None and self.is_unseen)
        return young and self.subcode not in CONTAINER_GONE

    @property
    def is_open(self) -> bool:
        """Whether what was asked for may have been done all the same."""
        return self.status >= 500 or bool(self.numbers & HICCUP) or self.transient or self.is_spam

    def error(self) -> PlatformError:
        """What to raise."""
        if self.is_login:
            return self._as(ErrorKind.AUTH, "Log in again, or give a new token")
        if self.is_rate:
            wait = self.after or (QUOTA_WAIT if self.is_quota else RATE_WAIT)
            return self._as(ErrorKind.RATE_LIMIT, after=wait)
        if self.is_permission:
            return self._as(
                ErrorKind.AUTH,
                "Log in again with every permission ticked; while the app is in development, the "
                "account needs a role in it, and has to accept the invitation",
                hold=True,
            )
        return self._by_code()

    def _by_code(self) -> PlatformError:
        if self.is_duplicate:
            hint = "The network takes no post that equals the one before it: change a word"
            return self._as(ErrorKind.DUPLICATE, hint, sent=True)
        if self.is_spam or self.numbers & BLOCKED or self.subcode in RESTRICTED:
            return self._as(ErrorKind.PERMANENT, "Look at the account itself", sent=self.is_spam)
        if self.subcode in CONTAINER_GONE:
            return self._as(ErrorKind.TRANSIENT, prepare_again=True)
        if self.is_too_young:
            return self._as(ErrorKind.TRANSIENT, after=SOON)
        if self.subcode == NOT_FETCHED or self.code == 9004:
            return self._as(
                ErrorKind.INVALID,
                "The network fetches media itself: the address must be public, and answer with the "
                "file and its Content-Type",
            )
        if self.subcode in INVALID:
            return self._as(ErrorKind.INVALID)
        if self.transient or self.numbers & HICCUP:
            return self._as(ErrorKind.TRANSIENT, after=self.after, sent=True)
        if self.code in INVALID:
            return self._as(ErrorKind.INVALID)
        return self._by_status()

    def _by_status(self) -> PlatformError:
        try:
            raise_for_answer(self.response, self.words)
        except PlatformError as error:
            return error
        # An error with the status of a success: what it says counts.
        return self._as(ErrorKind.PERMANENT)

    def _as(self, kind: ErrorKind, hint: str | None = None, **more: Any) -> PlatformError:
        return PlatformError(kind, self.words, http_status=self.status, hint=hint, **more)


def is_refusal(response: httpx.Response) -> bool:
    """Whether an answer is no success: by its status, or by an error in it."""
    return not response.is_success or _error_in(response) is not None


def read(response: httpx.Response, scrub: Callable[[str], str]) -> Refusal:
    """What a refusal says, in whatever shape; `scrub` takes secrets out."""
    error = _error_in(response) or {}
    code, subcode = _number(error.get("code")), _number(error.get("error_subcode"))
    said = error.get("error_user_msg") or error.get("message") or ""
    words = _one_line(scrub(said)) if isinstance(said, str) else ""
    words = words or f"HTTP {response.status_code} {response.reason_phrase}".strip()
    if code is not None:
        words += f" ({code}/{subcode})" if subcode is not None else f" ({code})"
    wish, until = wait_wish(response)
    del until  # Graph gives seconds only
    return Refusal(
        response, response.status_code, code, subcode, words,
        error.get("is_transient") is True, wait_of(response) if wish is None else wish,
    )  # fmt: skip


def _error_in(response: httpx.Response) -> dict[str, Any] | None:
    try:
        body = response.json()
    except ValueError:
        return None
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else None


def _number(value: Any) -> int | None:
    if isinstance(value, str) and value.lstrip("-").isdecimal():
        value = int(value[:19])
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _one_line(words: str) -> str:
    line = " ".join("".join(char if char.isprintable() else " " for char in words).split())
    return line if len(line) <= LONGEST_WORDS else line[:LONGEST_WORDS] + "…"
