"""What `doctor` looks at, one module a subject; `findings` goes through all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from postsched.domain.errors import PostschedError
from postsched.service.checks.accounts import account_findings, platform_findings
from postsched.service.checks.finding import Finding, State, Subject, ok, problem, warning
from postsched.service.checks.hosting import host_findings
from postsched.service.checks.notices import notice_findings
from postsched.service.checks.retention import retention_findings
from postsched.service.checks.secrets import secret_findings
from postsched.service.checks.server import server_findings
from postsched.service.checks.settings import settings_findings
from postsched.service.checks.storage import database_findings, disk_findings, media_findings
from postsched.service.checks.time import clock_findings, zone_findings
from postsched.service.checks.visitors import visitor_findings
from postsched.service.checks.work import work_findings

__all__ = ["Finding", "State", "Subject", "findings", "ok", "problem", "warning"]
CHECKS: tuple[tuple[str, Callable[[Subject], Iterator[Finding]]], ...] = (
    ("settings", settings_findings),
    ("database", database_findings),
    ("server", server_findings),
    ("archive", retention_findings),
    ("disk", disk_findings),
    ("media", media_findings),
    ("clock", clock_findings),
    ("time zone", zone_findings),
    ("platforms", platform_findings),
    ("secrets", secret_findings),
    ("accounts", account_findings),
    ("media host", host_findings),
    ("notify", notice_findings),
    ("serve", visitor_findings),
    ("work", work_findings),
)


def findings(subject: Subject) -> Iterator[Finding]:
    """Everything that was looked at, in order. A check that fails itself is a problem, too: the
    others still say what they found."""
    for name, check in CHECKS:
        try:
            yield from check(subject)
        except PostschedError as error:
            yield problem(name, error.message, error.hint)
        except Exception as error:  # noqa: BLE001 - a patient so ill that the check breaks
            yield problem(name, f"could not be checked ({type(error).__name__}: {error})")
