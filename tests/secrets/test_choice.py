"""Environment, keyring and file together: one place for each account, the same for everyone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keyring
import pytest

from postsched.domain.errors import SecretUnavailable
from postsched.domain.secret import Secret, SecretStore
from postsched.secrets import Passphrase, Secrets, SecretsFile
from postsched.secrets.sealed import Cost
from tests.secrets import backends
from tests.secrets.backends import Memory

WORDS = {"POSTSCHED_PASSPHRASE": "open up"}


@pytest.fixture(autouse=True)
def ring() -> Iterator[Callable[[str], None]]:
    """Chooses the keyring; in memory at first, and empty."""

    def choose(name: str) -> None:
        keyring.set_keyring(getattr(backends, name)())

    before = keyring.get_keyring()
    Memory.kept.clear()
    choose("Memory")
    yield choose
    keyring.set_keyring(before)
    Memory.kept.clear()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is to be."""
    return tmp_path / "secrets.json"


@pytest.fixture
def process(path: Path) -> Callable[..., Secrets]:
    """The secrets as a process with that environment sees them."""

    def start(store: str = "auto", **environ: str) -> Secrets:
        file = SecretsFile(path, Passphrase(environ), Cost(2**14, 8, 1))
        return Secrets(environ, False, SecretStore(store), file)

    return start


def text(secrets: Secrets, account: str = "me") -> str | None:
    found = secrets.read(account)
    return found.text if found else None


def refusal(act: Callable[[], Any]) -> str:
    with pytest.raises(SecretUnavailable) as caught:
        act()
    return str(caught.value)


Start = Callable[..., Secrets]
Ring = Callable[[str], None]


class TestAuto:
    """What `secrets = "auto"` comes to."""

    def test_with_a_keyring_it_is_used_and_no_file_made(self, process: Start, path: Path) -> None:
        secrets = process(**WORDS)
        secrets.write("me", Secret("SESAME"))
        assert (text(secrets), secrets.source("me")) == ("SESAME", "keyring")
        assert not path.exists()
        assert secrets.source("you") is None
        assert secrets.read("you") is None

    @pytest.mark.parametrize("none", ["Missing", "NoCollection", "PlaintextMemory"])
    def test_without_a_keyring_a_passphrase_makes_the_file(
        self, process: Start, ring: Ring, none: str
    ) -> None:
        ring(none)
        secrets = process(**WORDS)
        secrets.write("me", Secret("SESAME"))
        assert (text(secrets), secrets.source("me")) == ("SESAME", "file")
        assert process().source("me") == "file"
        assert secrets.source("you") is None
        secrets.delete("me")
        assert secrets.source("me") is None

    def test_without_keyring_and_passphrase_nothing_is_made(
        self, process: Start, ring: Ring, path: Path
    ) -> None:
        ring("Missing")
        for act in (
            lambda: process().write("me", Secret("SESAME")),
            lambda: process().read("me"),
            lambda: process().source("me"),
            lambda: process().delete("me"),
        ):
            said = refusal(act)
            assert "there is no keyring on this system" in said
            assert 'set POSTSCHED_TOKEN_ME, or secrets = "file"' in said
        assert not path.exists()

    @pytest.mark.parametrize("fault", ["Locked", "Dismissed", "Exploding", "Asking", "WrongMac"])
    def test_a_keyring_that_fails_is_not_replaced_by_the_file(
        self, process: Start, ring: Ring, path: Path, fault: str
    ) -> None:
        """It may hold the account's secret, and other processes go by that."""
        ring(fault)
        secrets = process(**WORDS)
        assert "keyring" in refusal(lambda: secrets.write("me", Secret("SESAME")))
        assert "keyring" in refusal(lambda: secrets.read("me"))
        assert "keyring" in refusal(lambda: secrets.source("me"))
        assert not path.exists()

    def test_what_a_process_can_not_see_is_not_said_to_be_missing(
        self, process: Start, ring: Ring
    ) -> None:
        process().write("me", Secret("SESAME"))
        ring("Missing")
        cron = process(**WORDS)
        cron.write("you", Secret("OPEN"))
        said = refusal(lambda: cron.read("me"))
        assert "holds no secret of me, and there is no keyring on this system" in said
        assert "postsched account set me --token-stdin" in said

    def test_an_account_of_the_file_is_the_files_for_everyone(
        self, process: Start, ring: Ring
    ) -> None:
        """No two processes go by different secrets, whether they reach the keyring or not."""
        process().write("me", Secret("old"))
        ring("Missing")
        process(**WORDS).write("me", Secret("new"))
        ring("Memory")
        desktop = process(**WORDS)
        assert (text(desktop), desktop.source("me")) == ("new", "file")
        desktop.write("me", Secret("newer"))
        assert Memory.kept["postsched", "me"] == "old"
        assert desktop.left_in_keyring("me")
        assert "no passphrase is given" in refusal(lambda: process().read("me"))
        ring("Locked")
        assert text(process(**WORDS)) == "newer", "the keyring is not even asked"
        assert not desktop.left_in_keyring("me")
        ring("Memory")
        desktop.delete("me")
        assert desktop.source("me") is None
        assert Memory.kept == {}

    def test_beside_a_file_others_stay_in_the_keyring(self, process: Start, ring: Ring) -> None:
        ring("Missing")
        process(**WORDS).write("you", Secret("OPEN"))
        ring("Memory")
        desktop = process()
        desktop.write("me", Secret("SESAME"))
        assert (text(desktop), desktop.source("me")) == ("SESAME", "keyring")

    @pytest.mark.parametrize("content", [b"", b"{}"])
    def test_a_broken_file_is_never_passed_over(
        self, process: Start, path: Path, content: bytes
    ) -> None:
        process().write("me", Secret("SESAME"))
        path.touch(0o600)
        path.write_bytes(content)
        for act in (
            lambda: process(**WORDS).read("me"),
            lambda: process(**WORDS).source("me"),
            lambda: process(**WORDS).write("me", Secret("other")),
            lambda: process(**WORDS).delete("me"),
        ):
            assert str(path) in refusal(act)
        assert path.read_bytes() == content
        assert Memory.kept["postsched", "me"] == "SESAME"


class TestBeforeWriting:
    """What is known before a new secret is fetched."""

    @pytest.mark.parametrize("store", SecretStore)
    def test_it_is_what_would_be_replaced(self, process: Start, store: str) -> None:
        secrets = process(store, **WORDS)
        assert secrets.before_writing("me") is None
        secrets.write("me", Secret("SESAME"))
        found = secrets.before_writing("me")
        assert found is not None
        assert found.text == "SESAME"

    def test_without_a_keyring_it_is_nothing_where_a_file_is_expected(
        self, process: Start, ring: Ring, path: Path
    ) -> None:
        ring("Missing")
        assert process(**WORDS).before_writing("me") is None
        assert not path.exists()
        assert "no keyring" in refusal(lambda: process().before_writing("me"))

    def test_what_could_not_be_kept_is_refused(
        self, process: Start, ring: Ring, path: Path
    ) -> None:
        variable = {"POSTSCHED_TOKEN_ME": "x"}
        assert "is set" in refusal(lambda: process(**variable).before_writing("me"))
        assert "no passphrase" in refusal(lambda: process("file").before_writing("me"))
        process("file", **WORDS).write("you", Secret("OPEN"))
        wrong = process("file", POSTSCHED_PASSPHRASE="wrong")
        assert "passphrase is not" in refusal(lambda: wrong.before_writing("me"))
        ring("Locked")
        assert "locked" in refusal(lambda: process(**WORDS).before_writing("me"))

    def test_what_is_no_secret_can_be_replaced(self, process: Start, ring: Ring) -> None:
        ring("Broken")
        assert process().before_writing("me") is None


class TestOneOnly:
    """What `secrets = "keyring"` and `secrets = "file"` come to."""

    def test_keyring_never_looks_at_the_file(self, process: Start, path: Path, ring: Ring) -> None:
        path.write_text("nonsense")
        secrets = process("keyring", **WORDS)
        secrets.write("me", Secret("SESAME"))
        assert (text(secrets), secrets.source("me")) == ("SESAME", "keyring")
        secrets.unlock()
        secrets.delete("me")
        ring("Missing")
        said = refusal(lambda: secrets.write("me", Secret("SESAME")))
        assert "no keyring" in said
        assert "file" not in said
        assert path.read_text() == "nonsense"

    def test_file_never_looks_at_the_keyring(self, process: Start, ring: Ring) -> None:
        process().write("me", Secret("SESAME"))
        ring("Exploding")
        secrets = process("file", **WORDS)
        assert (text(secrets), secrets.source("me")) == (None, None)
        secrets.write("me", Secret("OPEN"))
        assert (text(secrets), secrets.source("me")) == ("OPEN", "file")
        secrets.delete("me")
        assert secrets.source("me") is None

    def test_without_a_passphrase_it_says_so(self, process: Start, path: Path) -> None:
        said = refusal(lambda: process("file").write("me", Secret("SESAME")))
        assert f"no passphrase is given for {path}" in said
        assert process("file").read("me") is None
        assert not path.exists()


@pytest.mark.parametrize("store", SecretStore)
def test_with_the_variable_nothing_else_is_touched(
    process: Start, path: Path, ring: Ring, store: str
) -> None:
    ring("Exploding")
    path.write_text("nonsense")
    secrets = process(store, POSTSCHED_TOKEN_ME="SESAME", POSTSCHED_PASSPHRASE_FD="999")
    assert (text(secrets), secrets.source("me")) == ("SESAME", "environment")
    secrets.delete("me")
    said = refusal(lambda: secrets.write("me", Secret("OPEN")))
    assert "POSTSCHED_TOKEN_ME is set" in said
    assert path.read_text() == "nonsense"


def test_a_damaged_entry_is_said(process: Start, path: Path) -> None:
    secrets = process("file", **WORDS)
    assert secrets.file is not None
    secrets.file.write("me", "two\nlines")
    said = refusal(lambda: secrets.read("me"))
    assert f"the secrets file {path}'s entry for account 'me' can't be used" in said


class TestUnlock:
    """Asking at the start."""

    def ask(self, path: Path, answer: str | None, **environ: str) -> tuple[Secrets, list[str]]:
        asked: list[str] = []

        def person(question: str) -> str | None:
            asked.append(question)
            return answer

        file = SecretsFile(path, Passphrase(environ, person), Cost(2**14, 8, 1))
        return Secrets(environ, False, SecretStore.AUTO, file), asked

    def test_a_person_is_asked_now_and_never_again(self, process: Start, path: Path) -> None:
        process("file", **WORDS).write("me", Secret("SESAME"))
        secrets, asked = self.ask(path, "open up")
        secrets.unlock()
        assert text(secrets) == "SESAME"
        assert asked == [f"Passphrase for {path}: "]

    def test_nobody_is_asked_without_need(self, process: Start, path: Path) -> None:
        secrets, asked = self.ask(path, "open up")
        secrets.unlock()
        process("file", **WORDS).write("me", Secret("SESAME"))
        assert "no passphrase is given" in refusal(lambda: secrets.read("me")), "it is too late"
        secrets, more = self.ask(path, "open up", POSTSCHED_TOKEN_ME="SESAME")
        secrets.unlock()
        assert asked + more == []

    @pytest.mark.parametrize("answer", ["wrong", "", None])
    def test_what_is_no_answer_is_said_and_nobody_asked_again(
        self, process: Start, path: Path, answer: str | None
    ) -> None:
        process("file", **WORDS).write("me", Secret("SESAME"))
        secrets, asked = self.ask(path, answer)
        assert "passphrase" in refusal(secrets.unlock)
        assert "passphrase" in refusal(lambda: secrets.read("me"))
        assert len(asked) == 1
