"""What an attempt to settle a doubt came to, as an answer, with its evidence."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from postsched.domain.outcome import (
    Absent,
    Asked,
    ErrorKind,
    Failed,
    LetGo,
    Lost,
    NotKnown,
    Problem,
    Published,
    Retry,
    Sent,
)


def sent_again(outcome: Sent, now: datetime) -> Asked:
    """What sending the same again says of the first time."""
    if isinstance(outcome, Published):
        return _evident(outcome, "sent again with the same key")
    if isinstance(outcome, LetGo | Failed):
        return outcome
    if isinstance(outcome, Retry) and outcome.prepare_again:
        return Absent(outcome.problem.message, prepare_again=True)
    return not_known(outcome, now)


def not_known(outcome: Any, now: datetime) -> Asked:
    """An answer that is none."""
    match outcome:
        case LetGo():
            return outcome
        case Retry(problem, after, until):
            return NotKnown(problem, after if until is None else (until - now).total_seconds())
        case Lost(problem) | Failed(problem):  # an adapter that is unsure for good says so
            return NotKnown(problem, final=problem.kind is ErrorKind.UNCONFIRMED)
    return NotKnown(Problem(ErrorKind.TRANSIENT, "the answer could not be read"))


def found(post: Published) -> Published:
    """What the network showed when it was asked."""
    return _evident(post, "the network was asked and has it")


def _evident(post: Published, how: str) -> Published:
    """Say how the doubt was settled."""
    if post.evidence is not None:
        return post
    return replace(post, evidence=f"{post.remote_id} ({how})")
