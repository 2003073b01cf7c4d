"""Whether what is due is being sent, and by whom."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from postsched.domain.duration import distance
from postsched.service.checks.finding import Finding, Subject, counted, ok, problem, warning
from postsched.store import lanes, pauses

OVERDUE = timedelta(minutes=2)
"""How long something may be due before somebody should worry: a minutely cron line takes one."""
START = "Start postsched run, or put postsched publish-due into your crontab"


def work_findings(subject: Subject) -> Iterator[Finding]:
    """The workers, and what waits for them."""
    if subject.database is None:
        return
    now = subject.now()
    with subject.database.read() as connection:
        waiting = [lane.next_at for lane in lanes.waiting_lanes(connection)]
        paused = pauses.all_paused(connection)
    if paused:
        yield warning("service", "everything is paused", "Release it: postsched resume --all")
    running = ", ".join(subject.named(worker) for worker in subject.living)
    if waiting and min(waiting) < now - OVERDUE:
        since = distance(min(waiting) - now)
        who = f"although {running} runs" if running else "and nothing runs"
        yield problem("service", f"posts wait that were due {since}, {who}", START)
    elif running:
        yield ok("service", f"running: {running}")
    elif waiting:
        yield warning("service", "posts wait, and nothing runs", START)
    else:
        yield ok("service", "not running, and nothing waits")
    for worker in subject.silent:
        assert worker.seen_at is not None
        yield warning(
            "workers",
            f"{subject.named(worker)} was last heard of {distance(worker.seen_at - now)}",
            "If it still runs it can't reach the database: look at that host. What was in its "
            "hands is taken over after claim_timeout",
        )
    if subject.dead:
        yield warning(
            "workers",
            f"{counted(subject.dead, 'process', 'processes')} ended without signing off",
            "What was in their hands is settled by the next postsched run or publish-due",
        )
