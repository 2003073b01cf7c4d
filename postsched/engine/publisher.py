"""One step of one delivery: prepare it, send it, or ask about it. Never raises.

Every exception becomes an outcome here, by `platforms.judging.classify`. A refused login is renewed
once and the call made again; a refusal proves that nothing was sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from postsched.domain.account import Account
from postsched.domain.capabilities import Guarantee
from postsched.domain.delivery import guaranteed
from postsched.domain.errors import PostschedError
from postsched.domain.outcome import (
    Absent,
    Asked,
    ErrorKind,
    Failed,
    Lost,
    NotKnown,
    Problem,
    Published,
    Sent,
)
from postsched.engine import answers, verdicts
from postsched.engine.attachments import Attachments
from postsched.engine.clock import Clock, wait_until
from postsched.engine.known import Known
from postsched.engine.sending import NotNow, Sending, obstacle_of, outcome_of
from postsched.engine.step import (
    in_doubt_since,
    prepared_step,
    step_key,
    step_media,
    step_message,
)
from postsched.engine.templates import grown
from postsched.engine.uploads import Uploads, size_of
from postsched.login import Logins, cleaned
from postsched.platforms.base import Login, Message, Platform, PlatformError, Unknown
from postsched.store.neighbours import Neighbours
from postsched.store.queue import Work
from postsched.transport import SLOWEST_UPLOAD

if TYPE_CHECKING:
    from postsched.config import Settings
    from postsched.transport import Transport

T = TypeVar("T")
PREPARE_TIME = 600.0
"""Seconds for all of one preparation, uploads of slow lines not counted: it may take many
requests, and waits for the network to look at what it got."""


class Publisher:
    """Calls the adapters. `platform` gives one by name, `attachments` the media of a step."""

    def __init__(
        self,
        platform: Callable[[str], Platform],
        logins: Logins,
        transport: Transport,
        settings: Settings,
        clock: Clock,
        attachments: Attachments,
        uploads: Uploads | None = None,
    ) -> None:
        self._platform = platform
        self._logins = logins
        self._transport = transport
        self._settings = settings
        self._clock = clock
        self._attachments = attachments
        self.uploads = uploads or Uploads()
        self._known = Known(platform, settings)
        # Twice the time of one request: adapters may have to read after they have written.
        self._sending_time = 2 * settings.request_timeout + 5

    def guarantee(self, account: Account) -> Guarantee:
        """How a lost answer of this account can be settled; the weakest if that can't be told."""
        return self._known.guarantee(account)

    async def obstacle(self, account: Account) -> Problem | None:
        """Why nothing can be sent for the account from here, whatever it is: its secret can't be
        read, or its platform is not installed."""
        try:
            await self._logins.read_ahead(account, self._platform(account.platform))
        except PostschedError as error:
            return obstacle_of(error)
        except Exception:  # noqa: BLE001 - a plug-in may raise anything: told when it is used
            return None
        return None

    async def connect(self, account: Account, count: int) -> None:
        """Have connections for so many posts that are due in a moment. What is in the way is for
        the sending to find."""
        try:
            if own := self._known.servers(account):
                await self._transport.open(account.name, *own, count=count)
        except Exception:  # noqa: BLE001 - a plug-in may raise anything: told when it is used
            return

    def prepares_alike(self, work: Work, index: int) -> bool:
        """Whether preparing the step again gives the same, so that it need not be on record."""
        return not step_media(work, index) and self.guarantee(work.account).prepares_alike

    def can_prepare(self, work: Work, index: int) -> bool:
        """Whether a step can be prepared now: some need the ids of those before it."""
        if index == work.delivery.next_step:
            return True
        try:
            platform = self._platform(work.account.platform)
            return not platform.capabilities(work.account.facts).prepares_in_turn
        except Exception:  # noqa: BLE001 - a plug-in may raise anything: told when it prepares
            return True

    async def prepare(self, work: Work, index: int) -> dict[str, Any] | Sent:
        """What the step needs before it can be sent, or why that can't be had."""
        if index == 0 and (problem := grown(work, self._platform)):
            return Failed(problem)

        async def call(platform: Platform, login: Login, sending: Sending) -> dict[str, Any]:
            message = await self._message(work, index)
            sending.upload.expect(size_of(one.media for one in message.attachments))
            return answers.prepared(await platform.prepare(message, login, sending.http))

        return await self._called(work, call, PREPARE_TIME + _upload_time(work, index))

    async def send_whole(
        self, work: Work, note: Callable[[dict[str, Any]], Work], begin: Callable[[], bool]
    ) -> Sent:
        """Prepare and send the only step of a delivery in one go, for what it is prepared with need
        not be on record. `note` is called with that, and gives the work as it is then; `begin` as
        in `send`."""
        if problem := grown(work, self._platform):
            return Failed(problem)
        due, seconds = work.delivery.due_at, self._sending_time

        async def call(platform: Platform, login: Login, sending: Sending) -> Published:
            message = step_message(work, 0, self._clock.now(), ())
            found = await platform.prepare(message, login, sending.http)
            ready = note(answers.prepared(cleaned(found, login)))
            if not await wait_until(due, self._clock) or not begin():
                raise NotNow
            prepared = prepared_step(ready.delivery, 0, self._clock.now(), None)
            sending.under_way = True
            sending.limit.reschedule(asyncio.get_running_loop().time() + seconds)
            return answers.published(
                await platform.publish(prepared, message.key, login, sending.http)
            )

        return await self._called(work, call, PREPARE_TIME)

    async def send(
        self,
        work: Work,
        index: int,
        begin: Callable[[], bool] = lambda: True,
        neighbours: Neighbours | None = None,
    ) -> Sent:
        """Send one prepared step, not before it is due: the one call that makes it visible.
        `begin` is called right before it, and says whether it still may be made. `neighbours` are
        given where the same may have been sent before."""
        due = work.delivery.due_at

        async def call(platform: Platform, login: Login, sending: Sending) -> Published:
            if not await wait_until(due, self._clock) or not begin():
                raise NotNow
            prepared = prepared_step(work.delivery, index, self._clock.now(), neighbours)
            key = step_key(work, index)
            sending.under_way = True
            return answers.published(await platform.publish(prepared, key, login, sending.http))

        return await self._called(work, call, self._sending_time + _upload_time(work, index))

    async def ask(
        self, work: Work, index: int, neighbours: Neighbours, *, remembered: bool
    ) -> Asked:
        """Settle a step whose answer was lost. While the network remembers keys, the same is sent
        again; else it is asked whether it has the post."""
        guarantee = guaranteed(work.delivery, self.guarantee(work.account))
        if remembered:
            outcome = await self.send(work, index, neighbours=neighbours)
            if not isinstance(outcome, Failed) or not guarantee.can_look_up:
                return verdicts.sent_again(outcome, self._clock.now())
            return await self._find(work, index, neighbours)
        if guarantee.can_look_up:
            return await self._find(work, index, neighbours)
        return NotKnown(
            Problem(
                ErrorKind.UNCONFIRMED,
                "the answer was lost, and this network can't be asked",
                hint="Look at the account, then: postsched resolve ID published|absent",
            )
        )

    async def _find(self, work: Work, index: int, neighbours: Neighbours) -> Asked:
        async def call(
            platform: Platform, login: Login, sending: Sending
        ) -> Published | Unknown | None:
            prepared = prepared_step(work.delivery, index, self._clock.now(), neighbours)
            key, since = step_key(work, index), in_doubt_since(work.delivery)
            found = await platform.find(prepared, key, login, sending.http, since)
            return answers.published(found) if isinstance(found, Published) else found

        found = await self._called(work, call, PREPARE_TIME)
        if found is None:
            return Absent(f"{work.account.name} was asked, it is not there")
        if isinstance(found, Unknown):
            unclear = self._attachments.scrub(Problem(ErrorKind.UNCONFIRMED, found.reason))
            return NotKnown(unclear, found.after, found.final)
        if isinstance(found, Published):
            return verdicts.found(found)
        return verdicts.not_known(found, self._clock.now())

    async def _called(
        self, work: Work, call: Callable[[Platform, Login, Sending], Awaitable[T]], seconds: float
    ) -> T | Sent:
        """Call the adapter; whatever it raises becomes an outcome, here and nowhere else."""
        sending = Sending()
        try:
            platform = self._platform(work.account.platform)
            own = self._known.servers(work.account)
            with (
                self.uploads.of(work.delivery.id) as upload,
                self._transport.client(work.account.name, *own, leaving=upload) as http,
            ):
                sending.http, sending.upload = http, upload

                async def action(login: Login) -> T:
                    sending.called, sending.under_way = True, False
                    upload.restart()
                    try:
                        async with asyncio.timeout(seconds) as sending.limit:
                            return await call(platform, login, sending)
                    except PlatformError as error:
                        if error.problem.kind is ErrorKind.AUTH:
                            sending.called = sending.under_way = False  # a refused login proves it
                        raise

                return await self._logins.use(work.account, platform, http, action)
        except asyncio.CancelledError as error:
            if sending.under_way:
                return Lost(Problem(ErrorKind.TRANSIENT, "stopped before the answer came"))
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            return outcome_of(RuntimeError(type(error).__name__), sending)
        except SystemExit as error:
            return outcome_of(RuntimeError(type(error).__name__), sending)
        except Exception as error:  # noqa: BLE001 - an adapter may raise anything
            return self._scrubbed(work.account, outcome_of(error, sending))

    def _scrubbed(self, account: Account, outcome: Sent) -> Sent:
        if isinstance(outcome, Published) or outcome.problem is None:
            return outcome
        problem = self._attachments.scrub(self._logins.scrub(account, outcome.problem))
        return replace(outcome, problem=problem)

    async def _message(self, work: Work, index: int) -> Message:
        attachments = await self._attachments.of(work, index)
        return step_message(work, index, self._clock.now(), attachments)


def _upload_time(work: Work, index: int) -> float:
    """Seconds that a slow line may take for the files of a step."""
    return size_of(step_media(work, index)) / SLOWEST_UPLOAD
