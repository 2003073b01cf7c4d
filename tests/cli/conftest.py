"""A person at a terminal, with an empty home and a keyring of their own."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest

from postsched.cli.app import run
from tests.cli.calling import Caller
from tests.cli.posting import Posting
from tests.secrets.backends import Memory


@pytest.fixture(autouse=True)
def ring() -> Iterator[Memory]:
    """The keyring: in memory, and empty."""
    before = keyring.get_keyring()
    memory = Memory()  # type: ignore[no-untyped-call]  # keyring has no types
    Memory.kept.clear()
    keyring.set_keyring(memory)
    yield memory
    keyring.set_keyring(before)
    Memory.kept.clear()


@pytest.fixture
def call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Caller:
    """Calls `postsched`."""
    home = tmp_path / "home"
    home.mkdir()
    return Caller(home, monkeypatch, capsys)


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the outbox account `me`."""
    home = tmp_path_factory.mktemp("furnished")
    with pytest.MonkeyPatch.context() as patch, io.StringIO() as nowhere:
        patch.setattr(sys, "stdout", nowhere)
        patch.setenv("HOME", str(home))
        place = str(home / "data" / "posts.db")
        assert run(["--db", place, "account", "add", "me", "--platform", "outbox"]) == 0
    return home / "data"


@pytest.fixture
def cli(call: Caller, furnished: Path) -> Posting:
    """The same person, with the outbox account `me`."""
    posting = Posting(call)
    posting.move_in(furnished)
    return posting
