"""What the text of a series came to, judged before anything of it is sent.

A text with variables may grow past a limit long after it was judged at `add`: then nothing of a
thread is to be out. Only texts are judged, and only where the limits were read from the account:
else, and of all that reads the same every time, the network has the last word.
"""

from __future__ import annotations

from collections.abc import Callable

from postsched.domain.fitting import judge
from postsched.domain.outcome import ErrorKind, Problem
from postsched.platforms.base import Platform
from postsched.store.queue import Work

FIELDS = frozenset({"text", "then", "comment", "title", "warning"})


def grown(work: Work, platform: Callable[[str], Platform]) -> Problem | None:
    """Why the account can't take what a series says this time, as `add` says it."""
    delivery, account = work.delivery, work.account
    if delivery.number is None or delivery.wording or delivery.out or not account.facts:
        return None
    try:
        by = platform(account.platform)
        found = judge(work.post.content, account.name, by.title, by.capabilities(account.facts))
    except Exception:  # noqa: BLE001 - a plug-in may raise anything: told when it prepares
        return None
    wrong = [one.message for one in found if one.fatal and one.field in FIELDS]
    if not wrong:
        return None
    post = work.post.id
    hint = f"Shorten it: postsched edit {post}, then: postsched retry {post}"
    return Problem(ErrorKind.INVALID, "; ".join(wrong), hint=hint)
