"""Puts the engine together from the settings; `run`, `publish-due`, `demo` and tests all use it."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, tzinfo
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from postsched import platforms, recognition, wakeup
from postsched.domain.account import AccountState
from postsched.domain.errors import StoreMoved, StoreUnavailable
from postsched.domain.retry import RetryPolicy
from postsched.engine.attachments import Attachments
from postsched.engine.clock import Clock
from postsched.engine.dispatcher import Dispatcher
from postsched.engine.ears import ServerBell
from postsched.engine.growth import Growth
from postsched.engine.hands import Limits
from postsched.engine.herald import Herald
from postsched.engine.hosting import Hosting
from postsched.engine.intake import Intake
from postsched.engine.publisher import Publisher
from postsched.engine.quotas import Quotas
from postsched.engine.removal import Removal
from postsched.engine.turns import Turns
from postsched.engine.upkeep import Upkeep
from postsched.engine.uploads import Uploads
from postsched.engine.worker import clear_bells, register, strike_dead
from postsched.login import Logins
from postsched.media.kept import MediaStore
from postsched.planning import zone_rules
from postsched.planning.chain import revive
from postsched.planning.planner import planner_of
from postsched.recognition import Rewound
from postsched.store import accounts as account_rows
from postsched.store import holds, outlook, workers
from postsched.store.database import Database
from postsched.store.listening import Listener
from postsched.store.workers import Worker
from postsched.transport import Transport
from postsched.wakeup import Bell

if TYPE_CHECKING:
    from postsched.config import Settings
    from postsched.secrets import Secrets

log = logging.getLogger("postsched.engine")
LAST_STEP = 5.0
"""Seconds for the step of the upkeep that is under way, at the end."""
LAST_NEWS = 5.0
"""Seconds for telling what is left to be told, at the end."""
PATIENCE = 10.0
"""Seconds in which the database thread of an engine that is well answers."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A dispatcher with all it needs, and its end."""

    dispatcher: Dispatcher
    turns: Turns
    transport: Transport
    worker: Worker
    bell: Bell | ServerBell
    clock: Clock
    database: Database
    shutdown_timeout: float
    logins: Logins
    removal: Removal | None = None
    herald: Herald | None = None
    upkeep: Upkeep | None = None
    rewound: Rewound | None = None
    """What it means, if the database turned out to be a copy from before: to be told."""

    async def stop(self) -> None:
        """Stop in order, within the configured time; what came of it is told at the very end."""
        if self.upkeep is not None:
            self.upkeep.hush()
        await self.dispatcher.stop(self.shutdown_timeout)
        if self.upkeep is not None:
            await self.upkeep.stop(LAST_STEP)
        if self.removal is not None:
            await self.removal.finish(self.shutdown_timeout)
        if self.herald is not None:
            await self.herald.stop(min(LAST_NEWS, self.shutdown_timeout))

    async def is_well(self) -> bool:
        """Whether the database works, and its thread answers."""
        return await self.answers() and self.dispatcher.cycle.trouble is None

    async def answers(self) -> bool:
        """Whether the database thread answers: that the database is in trouble no restart mends."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self.turns.run(lambda database: None)
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """Close connections, strike this worker off the list, and tidy the log of the database."""
        await self.logins.finish()
        await self.transport.close()
        signed_off = False
        try:
            signed_off = await self.turns.run(partial(_sign_off, worker=self.worker))
        except StoreMoved:
            pass  # the copy knows no workers
        except StoreUnavailable as error:
            log.error("%s; what this process held is settled by the next", error.message)
        finally:
            self.turns.close()
            self.bell.take_down(keep=not signed_off)


def assemble(
    database: Database,
    settings: Settings,
    secrets: Secrets,
    clock: Clock,
    rng: Random,
    kind: str,
    zone: tzinfo = UTC,
) -> Engine:
    """An engine over an open database; `kind` is run or publish-due, and `zone` what quiet hours
    are local in.

    Raises StoreUnavailable.
    """
    clock.adjust(database)
    tide = recognition.tide_of(database, settings.state_folder)
    rewound = recognition.recognise(database, tide, clock.now())
    planner = planner_of(settings, zone)
    bells = wakeup.folder_for(settings)
    if zone_rules.follow(database, planner, clock.now()):
        wakeup.tell(bells)
    mark = wakeup.new_mark()
    # Before the first claim: without a bell this worker counts as dead.
    bell = _bell(bells, mark, settings, database)
    try:
        with database.write() as connection:
            strike_dead(connection, bells, clock.now())
            worker = register(connection, kind, mark, clock.now())
            if database.path is None:
                workers.seen(connection, worker.id, clock.now())
            _free_accounts_with_new_secrets(connection, secrets)
            holds.count_anew(connection)
            revive(connection, planner, clock.now())
        clear_bells(database, bells)
    except BaseException:
        bell.take_down(keep=False)
        raise
    transport = Transport(settings.request_timeout, allow_private=settings.allow_private_addresses)
    logins = Logins(secrets, settings, database, clock.now, mark)
    kept = MediaStore(settings.media_folder, settings.media_fault)
    uploads = Uploads()
    hosting = Hosting(settings, secrets, database, transport, clock, uploads)
    attachments = Attachments(kept, platforms.get, hosting)
    publisher = Publisher(platforms.get, logins, transport, settings, clock, attachments, uploads)
    growth = Growth(database, tide, worker.id)
    intake = Intake(
        database,
        worker,
        bells,
        settings.claim_timeout,
        publisher.guarantee,
        growth,
        planner,
        Quotas(platforms.get, settings),
    )
    turns = Turns(database, worker, bells, intake, growth)
    dispatcher = Dispatcher(
        turns,
        publisher,
        clock,
        rng,
        RetryPolicy(settings.attempts, settings.retry_delay),
        Limits(
            settings.concurrency,
            settings.concurrency_total,
            settings.claim_ahead,
            settings.claim_timeout,
        ),
        settings.request_timeout,
        database.path,
    )
    return Engine(
        dispatcher,
        turns,
        transport,
        worker,
        bell,
        clock,
        database,
        settings.shutdown_timeout.total_seconds(),
        logins,
        Removal(hosting),
        rewound=rewound,
    )


def _bell(bells: Path, mark: str, settings: Settings, database: Database) -> Bell | ServerBell:
    bell = Bell(bells, mark)
    if database.path is not None:
        return bell
    return ServerBell(bell, Listener(settings.database))


def _free_accounts_with_new_secrets(connection: Connection, secrets: Secrets) -> None:
    """A secret in the environment may be new with every process: give it a try."""
    for account in account_rows.every(connection):
        if account.state is AccountState.LOGIN and secrets.in_environment(account.name):
            account_rows.set_state(connection, account.id, AccountState.UNCHECKED)


def _sign_off(database: Database, worker: Worker) -> bool:
    """Strike the worker off the list, if it holds nothing any more: what it could not give back
    is to be found by the next one, as of a dead worker."""
    with database.write() as connection:
        if outlook.holds_any(connection, worker.id):
            return False
        workers.remove(connection, [worker.id])
    database.checkpoint()
    return True
