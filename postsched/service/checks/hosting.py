"""The media host: whether files can be put there, and what could not be removed."""

from __future__ import annotations

from collections.abc import Iterator

from postsched.domain.hosting import ENTRY
from postsched.service.checks.finding import Finding, Subject, counted, ok, problem, warning
from postsched.service.hosting import fault
from postsched.store import hosted

NAME = "media host"
STUCK = 5
"""Tries after which a removal does not look as if it would succeed by itself."""


def host_findings(subject: Subject) -> Iterator[Finding]:
    """Nothing is asked of it: that is `postsched media-host check`."""
    place = subject.settings.media_host
    if place is not None:
        if wrong := fault(subject.settings, subject.secrets):
            yield problem(NAME, wrong)
        else:
            where = subject.secrets.source(ENTRY)
            hint = "try it: postsched media-host check"
            yield ok(NAME, f"{place.name}, secret in the {where}; {hint}")
    yield from _left(subject)


def _left(subject: Subject) -> Iterator[Finding]:
    """What could not be removed, however often that was tried."""
    if subject.database is None:
        return
    with subject.database.read() as connection:
        left = [one for one in hosted.every(connection) if one.problem]
    if not left:
        return
    names = ", ".join(one.name for one in left[:3]) + (", …" if len(left) > 3 else "")
    found = problem if any(one.tries >= STUCK for one in left) else warning
    yield found(
        NAME,
        f"{counted(len(left), 'object')} could not be removed ({names}): {left[0].problem}",
        "It is tried again by postsched run and publish-due; else remove them there yourself",
    )
