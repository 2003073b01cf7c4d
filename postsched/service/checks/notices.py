"""How failures are told: whether it can work, and what could not be told. Nothing is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from shutil import which
from urllib.parse import urlsplit

from postsched.domain.errors import InvalidInput
from postsched.domain.hook import HOOKS
from postsched.domain.notice import ENTRY, Way, ways_of
from postsched.domain.setting import LOOPBACK
from postsched.notify import command, targets, webhook
from postsched.service.checks.finding import Finding, Subject, counted, ok, problem, warning
from postsched.store import hooks, untold

RECENT = timedelta(days=7)
"""How long it is said that something could not be told."""
TRY = "Try it: postsched notify test"
SEE = "See: postsched webhook list --failed"


def notice_findings(subject: Subject) -> Iterator[Finding]:
    """Each way that is set."""
    notify, hook = subject.settings.notify, subject.settings.webhook
    ways = ways_of(notify, hook)
    if Way.TARGETS in ways:
        yield from _targets(notify.targets)
    if Way.COMMAND in ways:
        yield from _command(notify.command)
    if Way.WEBHOOK in ways or _calls(subject):
        yield from _secret(subject)
    for key, url in (("webhook", hook.url), ("heartbeat", notify.heartbeat_url)):
        if url:
            yield from _address(subject, key, url)
    yield from _backlog(subject)


def _targets(given: tuple[str, ...]) -> Iterator[Finding]:
    if targets.needs_apprise(given, {}) and not targets.is_installed():
        yield problem("notify", "the targets of [notify] need Apprise", targets.INSTALL)
        return
    wrong = asyncio.run(targets.unknown(given))
    for said in wrong:
        yield problem("notify", said, "See https://appriseit.com/services/ for its form")
    if not wrong:
        yield ok("notify", f"{counted(len(given), 'target')} of [notify]")


def _command(given: tuple[str, ...]) -> Iterator[Finding]:
    name = given[0]
    if which(command.words(given)[0]) is None:
        yield problem(
            "notify", f"the command {name} of [notify] can't be found or started",
            "Give its whole path, and make it executable: chmod +x",
        )  # fmt: skip
    else:
        yield ok("notify", f"the command {name}")


def _secret(subject: Subject) -> Iterator[Finding]:
    found = subject.secrets.read(ENTRY)
    if found is None:
        yield problem(
            "webhook", "there is no secret to sign webhooks with, so none is sent",
            "Make one: postsched notify secret",
        )  # fmt: skip
        return
    try:
        webhook.key_of(found)
    except InvalidInput as error:
        yield problem("webhook", error.message, error.hint)
    else:
        yield ok("webhook", "signed by Standard Webhooks")


def _address(subject: Subject, check: str, url: str) -> Iterator[Finding]:
    parts = urlsplit(url)
    here = LOOPBACK.fullmatch(parts.hostname or "") is not None
    if here and not subject.settings.allow_private_addresses:
        yield problem(
            check, f"the address of the {check} is on this machine, which is not called",
            "Set allow_private_addresses = true",
        )  # fmt: skip
    elif parts.scheme == "http" and not here:
        yield warning(check, f"the address of the {check} is not https: others can read along")


def _calls(subject: Subject) -> bool:
    """Whether a post has a callback."""
    if subject.database is None:
        return False
    with subject.database.read() as connection:
        return hooks.has_callbacks(connection)


def _backlog(subject: Subject) -> Iterator[Finding]:
    if subject.database is None:
        return
    with subject.database.read() as connection:
        found = untold.backlog(connection, subject.now() - RECENT)
    for one in found:
        what = one.way.value if one.way in HOOKS else "notify"
        see = SEE if one.way in HOOKS else TRY
        if one.given_up:
            said = f"{counted(one.given_up, 'event')} of the last days could not be told"
            yield problem(what, f"{said}: {one.problem}", see)
        if one.waiting:
            waits = "event waits" if one.waiting == 1 else "events wait"
            yield warning(what, f"{one.waiting} {waits} to be told again: {one.problem}", see)
