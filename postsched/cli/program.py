"""What every command is handed: settings, database, clock, secrets, and the two ways to speak.

The clock, the source of chance and the environment enter here, and are passed down from here.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from postsched.cli import streams
from postsched.cli.characters import printable

if TYPE_CHECKING:
    from random import Random
    from zoneinfo import ZoneInfo

    from postsched.cli.screen import Screen
    from postsched.config import Settings
    from postsched.secrets import Passphrase, Secrets
    from postsched.service.desk import Desk
    from postsched.store.database import Database

CONTROLS = {code: f"\\u{code:04x}" for code in range(0x7F, 0xA0)}
"""The control characters that JSON would print as they are, though terminals may obey them."""


class Program:
    """One call of postsched. Nothing is read or opened before a command needs it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.verbosity = 0
        self.quiet = False
        self._db: str | None = None
        self._config: str | None = None
        self._database: Database | None = None
        self._complained = False
        # A file descriptor is secured before anything is opened that could get its number.
        early = "POSTSCHED_PASSPHRASE_FD" in environ
        self._passphrase: Passphrase | None = self._make_passphrase() if early else None
        early = "POSTSCHED_NEW_PASSPHRASE_FD" in environ
        self._new_passphrase = self._make_passphrase(new=True) if early else None

    def take_options(self, db: str | None, config: str | None, verbosity: int, quiet: bool) -> None:
        """The global options."""
        self._db, self._config = db, config
        self.verbosity, self.quiet = verbosity, quiet

    @property
    def places(self) -> dict[str, str | None]:
        """Which database and settings were named by options, for another process of ours."""
        return {"db": self._db, "config": self._config}

    @cached_property
    def settings(self) -> Settings:
        """The settings; what looks like a mistake in them is said once."""
        settings = self.read_settings()
        for warning in settings.warnings:
            self.warn(warning)
        for name in settings.platforms:
            self._warn_of_no_platform(name)
        return settings

    def _warn_of_no_platform(self, name: str) -> None:
        from postsched.service.checks.settings import no_platform

        if sentence := no_platform(name):
            self.warn(". ".join(filter(None, sentence)))

    def read_settings(self) -> Settings:
        """The settings, read without a word."""
        from postsched.config import load

        return load(self._config, self._db, self.environ)

    def assume(self, settings: Settings | None) -> Settings:
        """Go on with these settings; with None, with the defaults for all but the database."""
        from postsched.config import Settings, locate_database

        if settings is None:
            settings = Settings(locate_database(self._db or self.environ.get("POSTSCHED_DB")))
        self.settings = settings
        return settings

    @property
    def database(self) -> Database:
        """The database, opened at the first use."""
        if self._database is None:
            from postsched.engine.outlets import outlet_for
            from postsched.store.opening import open_database

            self._database = open_database(self.settings.database)
            self._database.outlet = outlet_for(self.settings)
            self._database.measure(self.now)
        return self._database

    @property
    def for_children(self) -> Mapping[str, str]:
        """The environment for programs that are started: without secrets of ours, see `app`, and
        that of the database."""
        return {name: value for name, value in os.environ.items() if name != "PGPASSWORD"}

    def expect_database(self) -> None:
        """Open the database, for a command that an empty one has nothing for: if it had to be made
        this is said, since its name may be mistyped, and then nothing would ever be due."""
        path = self.settings.database_path
        missing = path is not None and not os.path.exists(path)
        if missing and self.database.path is not None:
            self.warn(f"there was no database {self.database.path}: an empty one was made")

    @cached_property
    def zone(self) -> ZoneInfo:
        """The zone that times without an offset are in."""
        from postsched.domain.zones import zone_named
        from postsched.localzone import system_zone

        name = self.settings.timezone
        return zone_named(name) if name else system_zone(self.environ)

    @cached_property
    def secrets(self) -> Secrets:
        """Where the accounts' secrets are."""
        from postsched.secrets import Secrets, SecretsFile

        settings = self.settings
        file = SecretsFile(settings.secrets_path, self._passphrase or self._make_passphrase())
        return Secrets(self.environ, settings.allow_plaintext_keyring, settings.secrets, file)

    @property
    def new_passphrase(self) -> Passphrase:
        """The passphrase that is to take the place of the secrets file's."""
        return self._new_passphrase or self._make_passphrase(new=True)

    def _make_passphrase(self, *, new: bool = False) -> Passphrase:
        from postsched.cli.asking import hidden
        from postsched.secrets import Passphrase
        from postsched.secrets.passphrase import NEW_VARIABLE, VARIABLE

        return Passphrase(self.environ, hidden, NEW_VARIABLE if new else VARIABLE)

    @property
    def desk(self) -> Desk:
        """What the use cases work on."""
        from postsched.service.desk import Desk

        faults = self._host_fault, self._callback_fault
        return Desk(self.database, self.settings, self.now, self.zone, *faults)

    def _host_fault(self) -> str | None:
        from postsched.service.hosting import fault

        return fault(self.settings, self.secrets)

    def _callback_fault(self) -> str | None:
        from postsched.service.callbacks import fault

        return fault(self.secrets)

    @cached_property
    def rng(self) -> Random:
        """The source of chance."""
        from random import SystemRandom

        return SystemRandom()

    def now(self) -> datetime:
        """The instant, UTC, by the database server's clock once one is open."""
        now = datetime.now(UTC)
        return now if self._database is None else now + self._database.offset

    def expect_no_move(self) -> None:
        """Raise StoreMoved for a database that was moved to another place: nothing goes out from
        it any more."""
        if self.database.moved:
            raise self.database.moved.refusal(self.database.name)

    def close(self) -> None:
        """Close what was opened."""
        if self._database is None:
            return
        self._database.close()
        if self._database.moved and not self._complained:
            self.warn(str(self._database.moved.refusal(self._database.name)))

    def print(self, text: str = "") -> None:
        """Data: to stdout."""
        streams.write(sys.stdout, printable(text, sys.stdout) + "\n")

    @property
    def screen(self) -> Screen:
        """What pages for stdout are made for."""
        from shutil import get_terminal_size

        from postsched.cli.screen import Screen

        colour = sys.stdout.isatty() and not self.environ.get("NO_COLOR")
        width = get_terminal_size((0, 0)).columns  # COLUMNS, else the terminal's
        return Screen(width or None, colour and self.environ.get("TERM") != "dumb")

    def show(self, page: str) -> None:
        """A page that was made for the screen: to stdout."""
        streams.write(sys.stdout, page + "\n")

    def print_json(self, document: Any) -> None:
        """One JSON document: to stdout."""
        import json

        utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
        text = json.dumps(document, ensure_ascii=not utf8, indent=2).translate(CONTROLS)
        streams.write(sys.stdout, text + "\n")

    def say(self, text: str) -> None:
        """A message for the person: to stderr, unless --quiet."""
        if not self.quiet:
            streams.write(sys.stderr, printable(text, sys.stderr) + "\n")

    def warn(self, text: str) -> None:
        """A warning: to stderr, whatever --quiet says."""
        streams.write(sys.stderr, printable(f"postsched: warning: {text}", sys.stderr) + "\n")

    def complain(self, text: str) -> None:
        """An error, in one line: to stderr."""
        self._complained = True
        line = " ".join(text.split())
        streams.write(sys.stderr, printable(f"postsched: {line}", sys.stderr) + "\n")
