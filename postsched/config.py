"""Settings: what the command line, the environment and the configuration file say, in that order.

Which keys there are is in `domain/setting.py`. Nothing is read at import.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from postsched.domain.duration import format_duration
from postsched.domain.errors import InvalidInput
from postsched.domain.hosting import MediaHost
from postsched.domain.notice import Notify, Webhook
from postsched.domain.overlay import Overlay, mistyped, slug
from postsched.domain.post import CatchUp, Missed
from postsched.domain.secret import SecretStore
from postsched.domain.serving import Web
from postsched.domain.setting import Rate

if TYPE_CHECKING:
    from postsched.domain.quiet import QuietHours

_DATABASE, _FILE = "postsched.db", "config.toml"
_SECRETS = "postsched-secrets.json"
_PLACES = "Give a path, sqlite:///PATH or postgresql://…"
_LARGEST_FILE = 1_000_000
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")  # two letters at least: C: is a drive


@dataclass(frozen=True, slots=True)
class PlatformSettings:
    """What is set for one platform, for all its accounts; None where nothing is."""

    url: str | None = None
    authorize_url: str | None = None
    token_url: str | None = None
    client_id: str | None = None
    api_version: str | None = None
    rate: Rate | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set, one field for each key of the file.

    `database` is the absolute path of a SQLite file, or a `postgresql://` URL (which may hold a
    password: it is in no repr). `config_file` is the file that was read, None for none. `warnings`
    are sentences for the user on what looks like a mistake.
    """

    database: str = field(repr=False)
    config_file: Path | None = None
    timezone: str | None = None
    misfire_grace: timedelta = timedelta(hours=24)
    missed: Missed = Missed.ASK
    catch_up: CatchUp = CatchUp.NEWEST
    concurrency: int = 10
    concurrency_total: int = 50
    attempts: int = 3
    retry_delay: timedelta = timedelta(seconds=60)
    timeout: timedelta = timedelta(seconds=30)
    claim_timeout: timedelta = timedelta(minutes=2)
    claim_ahead: timedelta = timedelta(milliseconds=250)
    prepare_ahead: timedelta = timedelta(minutes=10)
    shutdown_timeout: timedelta = timedelta(seconds=30)
    require_alt_text: bool = False
    quiet_hours: QuietHours | None = None
    min_spacing: timedelta = timedelta(0)
    close_gaps: bool = False
    media_dir: Path | None = None
    state_dir: Path | None = None
    keep: timedelta | None = timedelta(days=400)
    archive: bool = True
    archive_dir: Path | None = None
    secrets: SecretStore = SecretStore.AUTO
    secrets_file: Path | None = None
    callback_port: int = 8765
    allow_plaintext_keyring: bool = False
    allow_private_addresses: bool = False
    platforms: Mapping[str, PlatformSettings] = field(default_factory=dict)
    media_host: MediaHost | None = None
    webhook: Webhook = field(default_factory=Webhook)
    notify: Notify = field(default_factory=Notify)
    web: Web = field(default_factory=Web)
    warnings: tuple[str, ...] = ()

    @property
    def database_path(self) -> Path | None:
        """The SQLite file, None with PostgreSQL."""
        return None if self.database.startswith("postgresql://") else Path(self.database)

    @property
    def media_folder(self) -> Path:
        """Where media files are kept: `media_dir`, else `media` beside the database, or in the
        user's data folder with PostgreSQL, where nothing is to be kept: see `media_fault`."""
        return self.media_dir or self.data_folder / "media"

    @property
    def media_fault(self) -> tuple[str, str] | None:
        """Why no media can be kept and what to do, None if they can: a folder of this machine's
        own is no place for what workers on others are to send."""
        if self.media_dir is not None or self.database_path is not None:
            return None
        return (
            "with PostgreSQL there is no folder for media yet",
            "Set media_dir to a folder that all workers can reach",
        )

    @property
    def data_folder(self) -> Path:
        """The folder of the database, with PostgreSQL the user's data folder."""
        return (self.database_path or Path(locate_database(None))).parent

    @property
    def state_folder(self) -> Path:
        """Where is noted how far databases have come: `state_dir`, else in the user's state
        folder."""
        if self.state_dir is not None:
            return self.state_dir
        import platformdirs

        return Path(_absolute(platformdirs.user_state_dir("postsched", False)))

    @property
    def archive_folder(self) -> Path | None:
        """Where what has left the database is kept: `archive_dir`, else `archive` beside the
        database; None with PostgreSQL and no `archive_dir`."""
        if self.archive_dir is not None or self.database_path is None:
            return self.archive_dir
        return self.database_path.parent / "archive"

    @property
    def secrets_path(self) -> Path:
        """Where the encrypted secrets are kept, if a file is used: `secrets_file`, else beside the
        database, with PostgreSQL in the user's data folder. A link is followed, so that the file
        itself is replaced and not the link."""
        if self.secrets_file is not None:
            return Path(os.path.realpath(self.secrets_file))
        return Path(os.path.realpath(self.data_folder / _SECRETS))

    @property
    def request_timeout(self) -> float:
        """Seconds that one request may take: `timeout`, and at most half of `claim_timeout`, so
        that a claim never runs out under a request."""
        return min(self.timeout, self.claim_timeout / 2).total_seconds()

    def platform(self, name: str) -> PlatformSettings:
        """What is set for the platform of that name, whatever its case."""
        return self.platforms.get(slug(name), PlatformSettings())


def load(config_path: str | None, db: str | None, environ: Mapping[str, str]) -> Settings:
    """Read the settings. `config_path` and `db` are the options `--config` and `--db`.

    Raises InvalidInput for a file that is named and missing or can't be read, an unknown key and
    a value that can't be: always with the place, the key and what is expected.
    """
    overlay = Overlay()
    path, table = _read_file(config_path, environ)
    overlay.take_file(path, table or {})
    _make_absolute(overlay, path.parent)
    overlay.take_environment(environ)
    _make_absolute(overlay, None)
    settings = Settings(
        database=locate_database(db if db is not None else environ.get("POSTSCHED_DB") or None),
        config_file=path if table is not None else None,
        platforms={name: PlatformSettings(**keys) for name, keys in overlay.platforms.items()},
        media_host=_media_host(overlay.sections["media_host"]),
        webhook=Webhook(**overlay.sections["webhook"]),
        notify=Notify(**overlay.sections["notify"]),
        web=Web(**overlay.sections["web"]),
        **overlay.values,
    )
    warnings = (*mistyped(environ), *_shortened(settings))
    return replace(settings, warnings=warnings)


def _make_absolute(overlay: Overlay, folder: Path | None) -> None:
    """Paths are relative to the file that names them, or to the current folder."""
    for key in {"media_dir", "state_dir", "secrets_file", "archive_dir"} & overlay.values.keys():
        overlay.values[key] = Path(_absolute(str(overlay.values[key]), folder))


def _media_host(found: Mapping[str, Any]) -> MediaHost | None:
    """What is set for the media host. Raises InvalidInput where that is only half of it."""
    if not found:
        return None
    if "url" not in found:
        raise InvalidInput(
            f"[media_host] has {', '.join(sorted(found))}, and no url",
            "Set its url: where the service is that takes the files",
        )
    if "region" in found and "bucket" not in found:
        raise InvalidInput(
            "[media_host] has a region, and no bucket", "Name the bucket, or take the region out"
        )
    return MediaHost(**found)


def _shortened(settings: Settings) -> tuple[str, ...]:
    seconds = settings.request_timeout
    if seconds >= settings.timeout.total_seconds():
        return ()
    sentence = (
        f"timeout is {format_duration(settings.timeout)}, but a request gets "
        f"{format_duration(timedelta(seconds=seconds))}: half of claim_timeout, so that no claim "
        "runs out under it"
    )
    return (sentence,)


def _read_file(
    named: str | None, environ: Mapping[str, str]
) -> tuple[Path, Mapping[str, Any] | None]:
    """The file's path and its table; None as the table where the default file isn't there."""
    named = named if named is not None else environ.get("POSTSCHED_CONFIG") or None
    path = Path(_absolute(named)) if named is not None else _default_file()
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
    except FileNotFoundError as error:
        if named is None:
            return path, None
        raise InvalidInput(
            f"the configuration file {path} does not exist", "Look at --config or POSTSCHED_CONFIG"
        ) from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InvalidInput(
            f"the configuration file {path} can't be read: {reason}", "Name another with --config"
        ) from error
    return path, _parse(path, content)


def _default_file() -> Path:
    import platformdirs

    return Path(_absolute(os.path.join(platformdirs.user_config_dir("postsched", False), _FILE)))


def _parse(path: Path, content: bytes) -> Mapping[str, Any]:
    import tomllib

    if len(content) > _LARGEST_FILE:
        raise InvalidInput(f"the configuration file {path} is larger than a megabyte")
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidInput(f"{path}, line {line}: this is not UTF-8") from error
    except (ValueError, RecursionError) as error:
        last = content.rstrip().count(b"\n") + 1
        why = str(error).replace("at end of document", f"at the end, line {last}")
        raise InvalidInput(f"{path} is not valid TOML: {why}") from error


def locate_database(named: str | None) -> str:
    """The absolute path of a SQLite file or a `postgresql://` URL, from a path or URL.

    None stands for the default, `postsched.db` in the user's data folder. Raises InvalidInput
    for a database in memory, which no other process could see, and for other kinds.
    """
    if named is None:
        import platformdirs

        return _absolute(os.path.join(platformdirs.user_data_dir("postsched", False), _DATABASE))
    if named.startswith("postgresql://"):
        return named
    if not named.strip():
        raise InvalidInput("the name of the database is empty", _PLACES)
    path = named.removeprefix("sqlite:///")
    if path in (":memory:", "") or (path != named and "?" in path):
        raise InvalidInput("a database in memory or with options can't be used", _PLACES)
    if path == named and (scheme := _SCHEME.match(named)):
        raise InvalidInput(f"a database can't be given as {scheme[0]}…", _PLACES)
    if "://" in path:  # it is not repeated, for it may hold a password
        raise InvalidInput("this is no URL of a database", _PLACES)
    return os.path.realpath(_absolute(path))  # what lies beside it is the same for every name


def _absolute(path: str, folder: Path | None = None) -> str:
    """The path with `~` replaced, relative to `folder`, else to the current folder."""
    if not path.strip() or not path.isprintable():
        raise InvalidInput(f"{path!r} is no path", "Give a path of printable characters")
    expanded = os.path.expanduser(path)
    if expanded.startswith("~"):
        raise InvalidInput(f"the home folder in {path} is not known", "Give the whole path")
    try:
        return os.path.abspath(os.path.join(folder or "", expanded))
    except OSError as error:
        raise InvalidInput("the current folder no longer exists", "Go to another one") from error
