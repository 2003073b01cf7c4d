"""Telling running workers that something changed, and whether a worker still lives.

Each worker that waits has a bell: a FIFO (POSIX) in a folder beside the database, named after the
worker's mark. Whoever commits a change writes a byte into every bell. A FIFO that nobody reads
from can't be opened for writing, so a bell also tells at once, on this machine, whether its
worker is dead, whatever became of its process number. Where there are no FIFOs (Windows) the bell
is a UDP port on loopback with a random token, and tells nothing of life.

The folder lies beside the database because everyone who shares the database finds it there: cron
and containers have other runtime folders than the login that started the daemon.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from postsched.domain.errors import StoreUnavailable

if TYPE_CHECKING:
    import asyncio

FIFO = hasattr(os, "mkfifo")
NO_FIFOS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
"""What mkfifo says on file systems without them (FAT, some of containers)."""
SUFFIX = ".bell"
SERVER = "postgresql://"
"""How the URL of a database server begins."""


def folder_of(database: Path) -> Path:
    """Where the bells for a database file are."""
    return database.with_name(database.name + "-run")


class Places(Protocol):
    """What the settings say of where things are."""

    @property
    def database(self) -> str:
        """A path, or the URL of a server."""

    @property
    def state_folder(self) -> Path:
        """A folder of the user's own."""


def folder_for(settings: Places) -> Path:
    """Where the bells are. With a database server they only tell which processes of this machine
    live: the server itself wakes them."""
    if not settings.database.startswith(SERVER):
        return folder_of(Path(settings.database))
    name = hashlib.sha256(settings.database.encode()).hexdigest()[:16]
    return settings.state_folder / f"run-{name}"


def tell(folder: Path) -> None:
    """Ring every bell in the folder. Never fails: a lost ring costs a waiting worker at most its
    30 s."""
    for bell in _bells(folder):
        with contextlib.suppress(OSError, ValueError, OverflowError):  # it may hold anything
            _ring(bell)


def alive(folder: Path, mark: str) -> bool | None:
    """Whether the worker of that mark lives, None if that can't be told here: a bell that is gone
    may have been removed by somebody while its worker lives."""
    bell = folder / (mark + SUFFIX)
    if not FIFO or not bell.is_fifo():
        return None
    try:
        os.close(os.open(bell, os.O_WRONLY | os.O_NONBLOCK))
    except OSError as error:
        return False if error.errno == errno.ENXIO else None
    return True


def remove(folder: Path, mark: str) -> None:
    """Remove the bell of a worker that is known to be dead."""
    with contextlib.suppress(OSError):
        (folder / (mark + SUFFIX)).unlink()


def living(folder: Path) -> list[str]:
    """The marks of the workers that live, as far as can be told."""
    return [mark for mark in marks(folder) if alive(folder, mark) is not False]


def dead(folder: Path) -> list[str]:
    """The marks of the workers that ended without taking their bell down."""
    return [mark for mark in marks(folder) if alive(folder, mark) is False]


def marks(folder: Path) -> list[str]:
    """The marks of all bells, dead ones too."""
    return [bell.name.removesuffix(SUFFIX) for bell in _bells(folder)]


def new_mark() -> str:
    """A mark for a worker: 16 hex digits by chance."""
    return secrets.token_hex(8)


class Bell:
    """The bell of this worker. Hang it before the first look at the queue, so that no ring is
    lost; `answer` is called in the event loop at every ring.

    Raises StoreUnavailable where the folder can't be written.
    """

    def __init__(self, folder: Path, mark: str, *, fifo: bool = FIFO) -> None:
        self.path = folder / (mark + SUFFIX)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Under another name until somebody reads: a FIFO without a reader counts as dead.
            hidden = folder / f".{mark}"
            if not (fifo and self._open_fifo(hidden)):
                self._open_port(hidden)
            hidden.rename(self.path)
        except OSError as error:
            raise StoreUnavailable(
                f"can't make {self.path}, by which this process is woken: {error.strerror}",
                "Check the permissions of its folder",
            ) from error

    def _open_fifo(self, path: Path) -> bool:
        """False where the file system has no FIFOs."""
        try:
            os.mkfifo(path, 0o600)
        except OSError as error:
            if error.errno not in NO_FIFOS:
                raise
            return False
        self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        # A writer of our own: without one, the end of every ring reads as end of file, for ever.
        self._keep: int | socket.socket = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        return True

    def _open_port(self, path: Path) -> None:
        port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        port.setblocking(False)
        port.bind(("127.0.0.1", 0))
        self._fd, self._keep = port.fileno(), port
        self._token = secrets.token_hex(16)
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{port.getsockname()[1]} {self._token}")

    def hang(self, loop: asyncio.AbstractEventLoop, answer: Callable[[], None]) -> None:
        """Answer every ring from now on."""

        def rung() -> None:
            if self._heard():
                answer()

        loop.add_reader(self._fd, rung)

    def silence(self, loop: asyncio.AbstractEventLoop) -> None:
        """Answer no more; the worker still counts as alive."""
        loop.remove_reader(self._fd)

    def take_down(self, *, keep: bool) -> None:
        """Count as dead. `keep` leaves the bell where it is, so that others
        see at once that its worker is dead: for one that could not give its claims back."""
        if isinstance(self._keep, socket.socket):
            self._keep.close()
        else:
            os.close(self._fd)
            os.close(self._keep)
        if not keep:
            with contextlib.suppress(OSError):
                self.path.unlink()

    def _heard(self) -> bool:
        if not isinstance(self._keep, socket.socket):
            with contextlib.suppress(BlockingIOError):
                return bool(os.read(self._fd, 65536))
            return False
        heard = False
        with contextlib.suppress(BlockingIOError):
            while True:
                heard |= secrets.compare_digest(self._keep.recv(64), self._token.encode())
        return heard


def _bells(folder: Path) -> list[Path]:
    with contextlib.suppress(OSError):
        return [path for path in folder.iterdir() if path.name.endswith(SUFFIX)]
    return []


def _ring(bell: Path) -> None:
    if not FIFO or not bell.is_fifo():
        _ring_port(bell)
        return
    descriptor = os.open(bell, os.O_WRONLY | os.O_NONBLOCK)
    try:
        os.write(descriptor, b"\n")
    finally:
        os.close(descriptor)


def _ring_port(bell: Path) -> None:
    number, token = bell.read_text().split()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port:
        port.sendto(token.encode(), ("127.0.0.1", int(number)))
