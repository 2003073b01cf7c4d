"""Loads all that the processes of the matrix need, once: each of them is forked from this one."""

from __future__ import annotations

import contextlib
import gc
import importlib
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from postsched import platforms, transport
from postsched.testing.picture import png
from tests.matrix.stage import Stage
from tests.matrix.stands import STANDS
from tests.matrix.world import World

MODEL = "mastodon"
"""The network by which it is learnt what processes load."""


def warm() -> None:
    """Load every platform, and what processes load that send a post; begin a TLS context."""
    for stand in STANDS.values():
        platforms.get(stand.platform)
    with TemporaryDirectory(prefix="matrix-") as folder:
        _rehearse(Path(folder) / "home")
    transport._tls()
    gc.collect()
    gc.freeze()


def _rehearse(home: Path) -> None:
    stage, stand = Stage(STANDS[MODEL], home, World(), 0), STANDS[MODEL]
    home.mkdir()
    (home / "square.png").write_bytes(png())
    modules = home / "modules"
    with stage.network():
        stage.let_in(stage.login)
        for words in (
            stand.account(home, stage.login), [*stand.post(home), "--in", "1ms"],
            ["run", "--until-idle", "--no-live"], ["publish-due"], ["resolve", "1", "absent"],
        ):  # fmt: skip
            call = stage.call(*words, modules=modules)
            assert modules.exists(), call.said
            _load(modules.read_text().split())


def _load(names: Iterable[str]) -> None:
    """Import those modules, as far as they can be."""
    for name in names:
        if name not in sys.modules:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
