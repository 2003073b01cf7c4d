"""The deliveries table as an APScheduler job store: an adapter over the dispatcher.

It hands out what is already claimed, owns no state, never raises from the three calls whose
exceptions APScheduler does not catch, never touches the database in the event loop, and refuses
what would reach past the queue.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any, NoReturn

from apscheduler.executors.base import BaseExecutor
from apscheduler.job import Job
from apscheduler.jobstores.base import BaseJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from postsched.engine.clock import Clock
from postsched.engine.dispatcher import Dispatcher
from postsched.engine.hands import Held

log = logging.getLogger("postsched.engine")
ALIAS = "deliveries"
OVERDUE = timedelta(seconds=1)
"""How long a job that was handed out may take to begin, before we begin it ourselves."""


class DeliveryJobStore(BaseJobStore):  # type: ignore[misc]  # APScheduler has no types
    """A job is a delivery that is held and due; its id names the delivery and the attempt."""

    def __init__(self, dispatcher: Dispatcher, clock: Clock) -> None:
        super().__init__()
        self._dispatcher = dispatcher
        self._clock = clock
        self._given: dict[str, tuple[datetime, Held]] = {}

    def get_due_jobs(self, now: datetime) -> list[Job]:
        """The held deliveries whose instant has come, as jobs; each is handed out once."""
        try:
            self._begin_refused(now)
            return [self._job(held, now) for held in self._dispatcher.take_due(now)]
        except Exception:  # APScheduler does not catch it, and would never look again
            log.exception("the queue could not be looked at")
            return []

    def get_next_run_time(self) -> datetime:
        """When to look again, never None: a lost wake-up costs no more than the watch's 30 s."""
        now = self._clock.now()
        try:
            instant = self._dispatcher.next_instant(now)
        except Exception:  # for the same reason
            log.exception("the next instant could not be told")
            return now + OVERDUE
        return min(instant, now + OVERDUE) if self._given else instant

    def lookup_job(self, job_id: str) -> None:
        """None: jobs exist only from their instant to their end."""

    def get_all_jobs(self) -> list[Job]:
        """None of them, for the same reason."""
        return []

    def update_job(self, job: Job) -> None:
        """Nothing: the delivery's own row says what comes next."""

    def remove_job(self, job_id: str) -> None:
        """Nothing: called after the job was handed over, when its row may be anything."""

    def add_job(self, job: Job) -> NoReturn:
        """Refused: deliveries are planned by posts."""
        raise TypeError("deliveries come from posts; add jobs of your own to another job store")

    def remove_all_jobs(self) -> NoReturn:
        """Refused: it would reach the user's posts."""
        raise TypeError("deliveries are removed by cancelling their posts")

    def _begin_refused(self, now: datetime) -> None:
        """Begin what APScheduler took and, for a reason of its own, did not run: it says so in
        its log only, and drops the job."""
        for job_id, (since, held) in list(self._given.items()):
            if now - since >= OVERDUE:
                log.warning("%s was not begun by the scheduler", job_id)
                del self._given[job_id]
                self._dispatcher.let_fly(held)

    def _job(self, held: Held, now: datetime) -> Job:
        """A job made by its slots: the public constructor inspects signatures, for 30 times as
        long. Due now, so that it is run; without misfire grace, for lateness is judged by us; with
        a neutral name, for APScheduler logs it."""
        job = Job.__new__(Job)
        job.id = job.name = f"delivery {held.id} attempt {held.work.delivery.attempts}"
        job.func, job.func_ref, job.args, job.kwargs = self._fire, None, (job.id,), {}
        job.trigger, job.next_run_time = NEVER_AGAIN, now
        job.executor, job.max_instances = ALIAS, 1
        job.misfire_grace_time, job.coalesce = None, True
        job._scheduler, job._jobstore_alias = self._scheduler, ALIAS
        self._given[job.id] = (now, held)
        return job

    def _fire(self, job_id: str) -> None:
        """Only begins the delivery: APScheduler cancels what it runs when it is shut down, and
        takes a cancelled job for a success."""
        _, held = self._given.pop(job_id, (None, None))
        if held is not None:
            self._dispatcher.let_fly(held)


class Launcher(BaseExecutor):  # type: ignore[misc]  # APScheduler has no types
    """Runs the jobs of a `DeliveryJobStore`, which do no more than begin, where they are: on the
    event loop, without a task for each."""

    def submit_job(self, job: Job, run_times: list[datetime]) -> None:
        """Run it."""
        job.func(*job.args)

    def _do_submit_job(self, job: Job, run_times: list[datetime]) -> None:
        """The same: what APScheduler wants to be there."""
        self.submit_job(job, run_times)


class Timetable(AsyncIOScheduler):  # type: ignore[misc]  # APScheduler has no types
    """APScheduler where all who wake it are on the event loop: it need not wake itself by a byte
    through a socket, at which the database thread takes the interpreter."""

    def wakeup(self) -> None:
        """Run what is due, and set the timer."""
        self._stop_timer()
        self._start_timer(self._process_jobs())


class _NeverAgain(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """A delivery is run once; what comes after is another job."""

    def get_next_fire_time(self, previous_fire_time: Any, now: Any) -> None:
        """None."""


NEVER_AGAIN = _NeverAgain()
