"""Rigs that are taken apart at the end of the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from postsched.testing import FakeClock, FakePlatform
from tests.engine.rig import Rig

MakeRig = Callable[..., Rig]


@pytest.fixture
def clock() -> FakeClock:
    """A clock that goes when the test moves it."""
    return FakeClock()


@pytest.fixture
def fake(clock: FakeClock) -> FakePlatform:
    """The network `fake`, which notes when it was called."""
    return FakePlatform(now=clock.now)


@pytest.fixture
def make(tmp_path: Path, clock: FakeClock, fake: FakePlatform) -> Iterator[MakeRig]:
    """Makes a rig over one database file, by the fake clock and with the fake network unless
    told otherwise."""
    made: list[Rig] = []

    def new(**more: Any) -> Rig:
        more = {"platforms": {"fake": fake}, "clock": clock, **more}
        made.append(Rig(tmp_path, **more))
        return made[-1]

    yield new
    for rig in made:
        rig.close()


@pytest.fixture
def rig(make: MakeRig) -> Rig:
    """The usual rig."""
    return make()
