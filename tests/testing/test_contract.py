"""The contract over a platform that keeps it."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from postsched.platforms.base import Login
from postsched.testing import FakePlatform, Network, PlatformContract


class OneFake(FakePlatform):
    """All objects of the class are one network, as the contract makes a new one for each step."""

    state: ClassVar[dict[str, Any]] = {}

    def __init__(self) -> None:
        if not self.state:
            super().__init__()
            self.state.update(self.__dict__)
        self.__dict__ = self.state


class TestFakePlatform(PlatformContract):
    """The fake that the engine's tests use keeps the contract itself."""

    platform = OneFake

    @pytest.fixture
    def network(self) -> Network:
        OneFake.state.clear()
        fake = OneFake()
        return Network(Login("me", "http://127.0.0.1:1", None), lambda: fake.posts)
