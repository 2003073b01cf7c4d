"""The outbox keeps the contract of a platform."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from postsched.platforms.base import Message
from postsched.platforms.outbox import Outbox
from postsched.platforms.outbox.thread import newest
from postsched.testing import Network, PlatformContract, Seen
from tests.platforms.outbox.sending import NINE, login_to


class TestOutbox(PlatformContract):
    platform = Outbox

    @pytest.fixture
    def network(self, tmp_path: Path) -> Network:
        folder = tmp_path / "outbox"

        def posts() -> list[Seen]:
            if not (folder / "posts").is_dir():
                return []
            entries = [e for t in newest(folder / "posts", 1000) for e in t.entries]
            return [
                Seen(e.stem, e.text, e.in_reply_to, tuple(m.get("alt", "") for m in e.media), e.key)
                for e in entries
            ]

        return Network(login_to(folder), posts)

    def message(self, text: str, **more: Any) -> Message:
        """The same step is due at the same instant, however slowly the test runs: the file's name
        depends on it."""
        return replace(super().message(text, **more), occurrence=NINE)
