"""A person's targets: `desktop`, and the address of any service that Apprise knows.

The address of a target may hold secrets: it is on nobody's command line, in no message and no log.
A target is named by its place in the list and its scheme.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec

from postsched.domain.notice import Message, Told
from postsched.domain.telling import text, title
from postsched.notify import desktop
from postsched.notify.child import run

PATIENCE = 60.0
"""Seconds that Apprise gets for all of them; each request of its takes 8 at the most."""
LONGEST = PATIENCE + desktop.PATIENCE
"""Seconds that one message can take."""
DESKTOP = "desktop"
INSTALL = "pip install 'postsched[notify]'"
"""What brings Apprise."""


def is_installed() -> bool:
    """Whether Apprise is there."""
    return find_spec("apprise") is not None


def needs_apprise(targets: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Whether some of the targets can't be reached without it."""
    by_itself = desktop.words("", "", environ) is not None
    return any(target != DESKTOP or not by_itself for target in targets)


def name_of(target: str, place: int) -> str:
    """What to call a target, without any secret."""
    return DESKTOP if target == DESKTOP else f"target {place} ({target.partition('://')[0]}://…)"


def mark_of(target: str) -> str:
    """What a target is remembered by: too short for anybody to guess a secret by it."""
    return hashlib.sha256(target.encode()).hexdigest()[:8]


async def tell(targets: Sequence[str], message: Message, environ: Mapping[str, str]) -> Told:
    """Tell every target that has not got the message yet; told if each has it then."""
    problems = await tell_each(targets, message, environ)
    done = [mark_of(target) for target, problem in zip(targets, problems, strict=True)
            if problem is None]  # fmt: skip
    wrong = [f"{name_of(target, place)}: {problem}"
             for place, (target, problem) in enumerate(zip(targets, problems, strict=True), 1)
             if problem is not None]  # fmt: skip
    return Told("; ".join(wrong) or None, done=tuple(done))


async def tell_each(
    targets: Sequence[str], message: Message, environ: Mapping[str, str]
) -> list[str | None]:
    """For each target why it has not got the message, None where it has, now or before."""
    found: dict[str, str | None] = {}
    left: list[str] = []
    for target in targets:
        if mark_of(target) in message.done:
            found[target] = None
        elif target == DESKTOP and (program := _by_program(message, environ)):
            found[target] = await desktop.tell(program, environ)
        else:
            left.append(target)
    if left:
        found.update(zip(left, await _by_apprise(left, message, environ), strict=True))
    return [found[target] for target in targets]


def _by_program(message: Message, environ: Mapping[str, str]) -> Sequence[str] | None:
    return desktop.words(title(message), text(message), environ)


async def _by_apprise(
    targets: Sequence[str], message: Message, environ: Mapping[str, str]
) -> list[str | None]:
    return await _ask_apprise(targets, title(message), text(message), desktop.reachable(environ))


async def unknown(targets: Sequence[str]) -> list[str]:
    """What is wrong with those of the targets that Apprise can't make anything of; nothing is
    sent."""
    named = {one: name_of(one, place) for place, one in enumerate(targets, 1) if one != DESKTOP}
    problems = await _ask_apprise(list(named), "", None, None) if named else []
    return [f"{named[one]}: {said}" for one, said in zip(named, problems, strict=True) if said]


async def _ask_apprise(
    targets: Sequence[str], title: str, text: str | None, environ: Mapping[str, str] | None
) -> list[str | None]:
    if not is_installed():
        return [f"it needs Apprise: {INSTALL}"] * len(targets)
    addresses = [desktop.BY_APPRISE if one == DESKTOP else one for one in targets]
    given = json.dumps({"targets": addresses, "title": title, "text": text})
    program = [sys.executable, "-m", "postsched.notify.apprised"]
    try:
        ended = await run(program, given, environ, PATIENCE)
        problems = json.loads(ended.out) if ended.code == 0 else None
    except (OSError, ValueError):
        problems = None
    if not isinstance(problems, list) or len(problems) != len(targets):
        return ["apprise did not answer"] * len(targets)
    return [None if one is None else str(one) for one in problems]
