"""Loads all that the processes of the matrix need, once: each of them is forked from this one."""

from __future__ import annotations

import asyncio
import gc
import os
import pkgutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from postsched import platforms, transport
from postsched.testing.picture import png
from tests.matrix.stage import Stage
from tests.matrix.stands import STANDS
from tests.matrix.world import World, enter

MODEL = "mastodon"
"""The network that is posted to, by which the rest is loaded."""


def warm() -> None:
    """Load every platform, and what sends a post; begin a TLS context. Leaves no thread."""
    for module in pkgutil.walk_packages(platforms.__path__, f"{platforms.__name__}."):
        import_module(module.name)
    with TemporaryDirectory(prefix="matrix-") as folder:
        _rehearse(Path(folder) / "home")
    transport.tls()
    gc.collect()
    gc.freeze()
    gc.disable()  # the processes are short


def _rehearse(home: Path) -> None:
    """Add and send posts in this very process, as a user would: what is read, compiled and kept at
    the first time need not be in those that are forked from it."""
    from postsched.cli.app import run

    stand = STANDS[MODEL]
    stage = Stage(stand, home, World(), 0)
    home.mkdir()
    (home / "square.png").write_bytes(png())
    with stage.network():
        stage.let_in(stage.login)
        with _living_there(stage):
            for words in (
                stand.account(home, stage.login), [*stand.post(home), "--in", "1ms"],
                ["run", "--until-idle", "--no-live"],
                [*stand.post(home), "--in", "1ms", "--key", "again"], ["publish-due"],
            ):  # fmt: skip
                code = run(list(words))
                assert code == 0, (home / "said").read_text()


@contextmanager
def _living_there(stage: Stage) -> Iterator[None]:
    """Be one of the stage's processes, whose words go to the file `said`."""
    kept, folder = dict(os.environ), Path.cwd()
    outputs = [(number, os.dup(number)) for number in (1, 2)]
    file = os.open(stage.home / "said", os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        for number, _ in outputs:
            os.dup2(file, number)
        os.chdir(stage.home)
        _set_environment(stage.environment)
        enter(stage.world, patience=20.0)
        yield
    finally:
        asyncio.set_event_loop_policy(None)
        _set_environment(kept)
        os.chdir(folder)
        for number, copy in outputs:
            os.dup2(copy, number)
            os.close(copy)
        os.close(file)


def _set_environment(values: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(values)
