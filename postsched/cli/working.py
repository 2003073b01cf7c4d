"""The engine, and what tells of its work, as run and publish-due get them."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from postsched.cli.program import Program
from postsched.domain.errors import SecretUnavailable

if TYPE_CHECKING:
    from postsched.config import Settings
    from postsched.engine.assembly import Engine
    from postsched.engine.herald import Herald
    from postsched.engine.supervision import Supervisor
    from postsched.engine.upkeep import Upkeep

log = logging.getLogger("postsched.settings")
AT_START = ("secrets", "secrets_file", "allow_plaintext_keyring")
"""The settings that are not read again while it runs."""


def engine_for(program: Program, kind: str, concurrency: int | None) -> Engine:
    """An engine for this call; `kind` is run or publish-due."""
    from dataclasses import replace

    from postsched.engine.assembly import assemble
    from postsched.engine.clock import clock_of
    from postsched.engine.outlets import outlet_for
    from postsched.store.opening import open_database

    settings = program.settings
    if concurrency is not None:
        total = max(settings.concurrency_total, concurrency)
        settings = replace(settings, concurrency=concurrency, concurrency_total=total)
    _unlock_secrets(program, kind)
    # The daemon waits less for another writer: it tries again by itself, and stays responsive.
    patience = {"patience": 2.0} if kind == "run" else {}
    database = open_database(settings.database, **patience)
    database.outlet = outlet_for(settings)
    engine = assemble(
        database, settings, program.secrets, clock_of(database), program.rng, kind, program.zone
    )
    if engine.rewound:
        program.warn(str(engine.rewound))
    engine = replace(engine, upkeep=_upkeep(engine, settings))
    if kind != "run":
        return engine
    from postsched.engine.herald import Herald

    herald = Herald(
        settings, program.secrets, program.for_children, database, engine.clock, program.rng,
        engine.worker.mark, engine.is_well,
    )  # fmt: skip
    return replace(engine, herald=herald)


def _upkeep(engine: Engine, settings: Settings) -> Upkeep:
    """What lets leave what is long over."""
    from postsched.cli.prune import sweep_of
    from postsched.engine.upkeep import Upkeep
    from postsched.media.kept import MediaStore

    sweep = sweep_of(engine.database, settings, engine.clock.now)
    kept = MediaStore(settings.media_folder, settings.media_fault)
    return Upkeep(sweep, engine.dispatcher, engine.turns, engine.clock, kept, engine.database)


def reloading(program: Program, concurrency: int | None, engine: Engine) -> Callable[[], Engine]:
    """What gives the engine of `run` anew, with the settings and the tz database as they are then;
    its events are told where those of `engine` are."""
    from postsched.domain import zone_files

    def again() -> Engine:
        zone_files.forget()
        program.__dict__.pop("zone", None)  # it is made of the rules of before
        before, after = program.settings, program.read_settings()
        for name in AT_START:
            if getattr(before, name) != getattr(after, name):
                log.warning("%s changes only when postsched is started again", name)
        program.assume(after)
        try:
            fresh = engine_for(program, "run", concurrency)
        except BaseException:
            program.assume(before)
            raise
        fresh.dispatcher.on_event = engine.dispatcher.on_event
        return fresh

    return again


def supervisor(program: Program) -> Supervisor:
    """What systemd is told by."""
    from postsched.engine.supervision import Supervisor

    return Supervisor(program.environ, os.getpid())


def tell(program: Program) -> None:
    """Tell what is to be told, after all that is due was sent; one sign of life."""
    from postsched.engine.outlets import is_set

    if not is_set(program.settings) and not _is_waiting(program):
        return
    import asyncio

    asyncio.run(herald(program).once())


def herald(program: Program) -> Herald:
    """What tells, for a process that ends by itself."""
    from uuid import uuid4

    from postsched.engine.clock import SystemClock
    from postsched.engine.herald import Herald

    return Herald(
        program.settings, program.secrets, program.for_children, program.database,
        SystemClock(), program.rng, uuid4().hex,
    )  # fmt: skip


def _is_waiting(program: Program) -> bool:
    """Whether a callback is to be told now."""
    from postsched.domain.notice import Way
    from postsched.store import untold

    with program.database.read() as connection:
        at = untold.next_at(connection, Way.CALLBACK)
    return at is not None and at <= program.now()


def _unlock_secrets(program: Program, kind: str) -> None:
    """Ask for the passphrase of the secrets file now, and not in the middle of the night. Where
    nobody can be asked, the accounts in it wait, and the others go out; publish-due says so of
    those of which something is due."""
    try:
        program.secrets.unlock()
    except SecretUnavailable as error:
        if sys.stdin.isatty():
            raise
        if kind == "run":
            program.warn(str(error))
