"""A server without a keyring: secrets in the encrypted file, by the command line."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backends.fail import Keyring

from postsched.testing import MastodonServer
from postsched.testing.mastodon import TOKEN
from tests.cli.calling import Answer, Caller
from tests.cli.logins import Door
from tests.servers import postgres
from tests.servers.visitor import visit

pytestmark = pytest.mark.slow
"""The crash matrix and the contract of adapters go through the same in the gate."""

WORDS = "open up"
BY_FD = 'exec 3<"$0"; export POSTSCHED_PASSPHRASE_FD=3; exec "$@"'


@pytest.fixture
def server() -> Iterator[MastodonServer]:
    """A Mastodon on loopback."""
    with MastodonServer() as running:
        yield running


class Headless:
    """Calls where there is no keyring."""

    def __init__(
        self, call: Caller, server: MastodonServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.call, self.server, self._monkeypatch = call, server, monkeypatch
        call.set(PYTHON_KEYRING_BACKEND="keyring.backends.fail.Keyring")
        keyring.set_keyring(Keyring())  # type: ignore[no-untyped-call]  # keyring has no types
        self.file = call.database.parent / "postsched-secrets.json"
        self.words = call.home / "words"
        self.words.write_text(WORDS + "\n")

    def __call__(self, *words: str, stdin: str = "", passphrase: str | None = WORDS) -> Answer:
        if passphrase is None:
            self._monkeypatch.delenv("POSTSCHED_PASSPHRASE", raising=False)
        else:
            self._monkeypatch.setenv("POSTSCHED_PASSPHRASE", passphrase)
        return self.judged(self.call(*words, stdin=stdin))

    def by_fd(self, *words: str, stdin: str = "") -> Answer:
        """Call it with the passphrase in a file that the shell opens."""
        self._monkeypatch.delenv("POSTSCHED_PASSPHRASE", raising=False)
        prefix = ("sh", "-c", BY_FD, str(self.words))
        return self.judged(self.call.process(*words, stdin=stdin.encode(), prefix=prefix))

    def judged(self, answer: Answer) -> Answer:
        """The answer, which has no secret in it."""
        for secret in (TOKEN, WORDS):
            assert secret not in answer.out + answer.err, answer
        assert "Traceback" not in answer.err, answer
        return answer

    @property
    def adding(self) -> tuple[str, ...]:
        """The words that add the account."""
        url = self.server.url
        return ("account", "add", "me", "--platform", "mastodon", "--url", url, "--token-stdin")

    def secret(self) -> str | None:
        """Where the secret of `me` is."""
        source: str | None = self("account", "show", "me", "--json", passphrase=None).json["secret"]
        return source

    def status(self, post: int) -> str:
        """The status of a post."""
        found: str = self("show", str(post), "--json", passphrase=None).json["status"]
        return found


@pytest.fixture
def headless(call: Caller, server: MastodonServer, monkeypatch: pytest.MonkeyPatch) -> Headless:
    """A server with nothing on it yet."""
    return Headless(call, server, monkeypatch)


@pytest.fixture(scope="module")
def mould(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first server that is settled is kept, for the others to be copies of it: a key
    takes its time."""
    return tmp_path_factory.mktemp("mould") / "data"


@pytest.fixture
def settled(headless: Headless, mould: Path) -> Headless:
    """The same, with an account whose secret is in the file."""
    if postgres.is_used() or not mould.exists():
        assert headless(*headless.adding, stdin=TOKEN).code == 0
        if not postgres.is_used():
            shutil.copytree(headless.call.database.parent, mould)
        return headless
    shutil.copytree(mould, headless.call.database.parent)
    with postgres.behind(headless.call.database) as base:
        base.execute("UPDATE accounts SET url = ?", (headless.server.url,))
    return headless


def test_by_environment(headless: Headless) -> None:
    answer = headless(*headless.adding, stdin=TOKEN)
    assert answer.code == 0, answer
    assert f"is encrypted in {headless.file}" in answer.err
    assert stat.S_IMODE(headless.file.stat().st_mode) == 0o600
    assert headless.secret() == "file"
    assert headless("add", "Hello", "--to", "me", "--at", "now", passphrase=None).code == 0
    answer = headless("publish-due")
    assert (answer.code, answer.out) == (0, "1 published\n"), answer
    assert headless.server.state.statuses
    for path in headless.call.home.rglob("*"):
        if path.is_file():
            assert TOKEN.encode() not in path.read_bytes(), path


@pytest.mark.slow
def test_by_descriptor(headless: Headless) -> None:
    assert headless.by_fd(*headless.adding, stdin=TOKEN).code == 0
    assert headless.secret() == "file"
    assert headless("add", "Hello", "--to", "me", "--at", "now", passphrase=None).code == 0
    answer = headless.by_fd("publish-due")
    assert (answer.code, answer.out) == (0, "1 published\n"), answer
    assert headless("account", "check", "me").code == 0, "it is the same passphrase"


def test_without_keyring_and_passphrase_nothing_is_added(headless: Headless) -> None:
    answer = headless(*headless.adding, stdin=TOKEN, passphrase=None)
    answer.refused(4, "no keyring on this system", "POSTSCHED_TOKEN_ME", 'secrets = "file"')
    assert not headless.file.exists()
    assert headless("account", "list", "--json", passphrase=None).json == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "passphrase",
    ["wrong", *(pytest.param(p, marks=pytest.mark.slow) for p in (None, ""))],
)
def test_what_can_not_be_opened_waits_and_the_rest_goes_out(
    settled: Headless, passphrase: str | None
) -> None:
    before = settled.file.read_bytes()
    assert settled("account", "add", "box", "--platform", "outbox", passphrase=None).code == 0
    assert settled("add", "Hello", "--to", "me,box", "--at", "now", passphrase=None).code == 0
    answer = settled("publish-due", passphrase=passphrase)
    assert (answer.code, answer.out) == (4, "1 published\n"), answer
    assert sum("passphrase" in line for line in answer.err.splitlines()) == 1, answer.err
    assert str(settled.file) in answer.err or passphrase == ""
    assert settled("account", "list", "--json").json[1]["state"] == "ok", "it is not its fault"
    answer = settled("account", "set", "me", "--token-stdin", stdin="x", passphrase=passphrase)
    answer.refused(4, "passphrase")
    assert settled.file.read_bytes() == before
    assert settled.status(1) == "scheduled"
    with postgres.behind(settled.call.database) as base:
        base.execute("UPDATE deliveries SET next_at = 0 WHERE status = 'scheduled'")
    assert settled("publish-due").out == "1 published\n"
    assert settled.status(1) == "published"


def test_what_needs_no_secret_never_looks(settled: Headless) -> None:
    settled.file.write_bytes(b"damaged")
    settled.file.chmod(0o644)
    settled.call.set(POSTSCHED_PASSPHRASE_FD="999")
    for words in (("list",), ("add", "Hello", "--to", "me", "--in", "1h"), ("status",)):
        assert settled(*words, passphrase="").code == 0
    assert settled("publish-due", passphrase="").out == "Nothing was due\n"


@pytest.mark.slow
def test_another_secret_and_none(settled: Headless) -> None:
    answer = settled("account", "set", "me", "--token-stdin", stdin="wrong token")
    assert answer.code == 1, answer
    assert settled("account", "check", "me").code == 0, "the old one is there again"
    assert settled("account", "set", "me", "--token-stdin", stdin=TOKEN).code == 0
    assert settled("account", "remove", "me", "--yes").code == 0
    assert b'"accounts": []' in settled.file.read_bytes()


def test_an_account_that_gets_its_secret_later(headless: Headless) -> None:
    answer = headless(*headless.adding[:-1])
    assert answer.code == 0, answer
    assert "no secret yet" in answer.err
    assert headless("account", "set", "me", "--token-stdin", stdin=TOKEN).code == 0
    assert headless.secret() == "file"


@pytest.mark.slow
def test_another_passphrase(settled: Headless) -> None:
    change = ("account", "passphrase")
    settled.call.set(POSTSCHED_NEW_PASSPHRASE="close it")
    settled(*change, passphrase="wrong").refused(4, "the passphrase is not that of")
    answer = settled(*change)
    assert (answer.code, answer.out) == (0, f"{settled.file} has a new passphrase\n")
    settled("account", "check", "me").refused(4, "the passphrase is not that of")
    assert settled("account", "check", "me", passphrase="close it").code == 0
    settled.call.set(POSTSCHED_SECRETS="keyring")
    settled(*change).refused(1, "no secrets file is used")


@pytest.mark.slow
def test_a_login_by_paste_is_kept_in_the_file(headless: Headless, tmp_path: Path) -> None:
    assert headless(*headless.adding[:-1]).code == 0
    missing = "keyring.backends.fail.Keyring"
    door = Door(headless.call, tmp_path, PYTHON_KEYRING_BACKEND=missing, POSTSCHED_PASSPHRASE=WORDS)
    answer = door.paste("me", answer=lambda url: visit(url)[1].split('value="')[1].split('"')[0])
    assert answer.code == 0, answer
    assert headless.secret() == "file"
    assert headless("add", "Hello", "--to", "me", "--at", "now", passphrase=None).code == 0
    assert headless("publish-due").out == "1 published\n"
    door = Door(headless.call, tmp_path, PYTHON_KEYRING_BACKEND=missing, POSTSCHED_PASSPHRASE="x")
    asked: list[str] = []

    def asked_for(url: str) -> str:
        asked.append(url)
        return "code"

    answer = door.paste("me", answer=asked_for)
    answer.refused(4, "the passphrase is not that of the secrets file")
    assert asked == [], "that is known before anybody is sent to a browser"


def rows(answer: Answer) -> dict[str, tuple[str, str]]:
    """What doctor found, by what it looked at."""
    return {found["check"]: (found["state"], found["message"]) for found in answer.json}


@pytest.mark.slow
def test_doctor_says_where_each_secret_is(settled: Headless) -> None:
    add = ("account", "add", "you", "--platform", "mastodon", "--url", settled.server.url)
    settled.call.set(POSTSCHED_TOKEN_YOU=TOKEN)
    assert settled(*add).code == 0
    answer = settled("doctor", "--json")
    found = rows(answer)
    assert answer.code == 0, found
    assert found["secrets"] == ("ok", "environment: you; file: me")
    assert found["secrets file"] == ("ok", str(settled.file))
    assert found["keyring"][0] == "ok"
    assert "not used, secrets are kept in a file" in found["keyring"][1]
    assert "secret in the file" in found["account me"][1]
    for passphrase, said in ((None, "no passphrase is given"), ("wrong", "passphrase is not")):
        answer = settled("doctor", "--json", passphrase=passphrase)
        found = rows(answer)
        assert answer.code == 1
        assert found["secrets file"][0] == found["account me"][0] == "problem"
        assert said in found["secrets file"][1]
        assert said in found["account me"][1]
        assert found["secrets"] == ("ok", "environment: you; file: me")


@pytest.mark.parametrize(
    ("store", "said"),
    [
        ("file", [("keyring", "ok", 'not used: secrets = "file"')]),
        (
            "keyring",
            [
                ("secrets file", "warning", 'not used: secrets = "keyring"'),
                ("keyring", "problem", "no keyring on this system"),
            ],
        ),
    ],
)
def test_doctor_with_one_store_only(
    settled: Headless, store: str, said: list[tuple[str, str, str]]
) -> None:
    settled.call.set(POSTSCHED_SECRETS=store)
    found = rows(settled("doctor", "--json"))
    for check, state, words in said:
        assert found[check][0] == state
        assert words in found[check][1]


def test_doctor_finds_what_is_wrong_with_the_file(settled: Headless) -> None:
    settled.file.chmod(0o644)
    found = settled("doctor", "--json").json
    row = next(one for one in found if one["check"] == "secrets file")
    assert "others than you may use" in row["message"]
    assert row["hint"] == f"chmod 600 {settled.file}"
    settled.file.chmod(0o600)
    settled.file.write_bytes(settled.file.read_bytes()[:100])
    found = rows(settled("doctor", "--json"))
    assert "is damaged" in found["secrets file"][1]
    assert "is damaged" in found["account me"][1]
    answer = settled("account", "show", "me", "--json")
    assert answer.json["secret"] is None
    assert "is damaged" in answer.err


class TestTerminal:
    """With a person at a terminal."""

    @pytest.fixture(autouse=True)
    def _unix(self) -> None:
        pytest.importorskip("termios", reason="a terminal as on Unix")

    @pytest.mark.slow
    def test_a_new_passphrase_is_asked_for_twice_and_the_daemon_asks_once(
        self, headless: Headless
    ) -> None:
        from tests.cli.terminal import OnTerminal

        call, python = headless.call, [sys.executable, "-m", "postsched"]
        call.set(POSTSCHED_SECRETS="file")
        environ = call.environ()
        token = call.home / "token"
        token.write_text(TOKEN)
        piped = ["sh", "-c", 'exec "$@" <"$0"', str(token), *python, *headless.adding]
        with OnTerminal(piped, environ, columns=200) as shell:
            shell.wait_for("New passphrase for")
            shell.wait_for(lambda: not shell.echoes)
            shell.type(WORDS + "\n")
            shell.wait_for("Once more")
            shell.wait_for(lambda: not shell.echoes)
            shell.type(WORDS + "\n")
            assert shell.end() == 0
            assert WORDS not in shell.text
        with OnTerminal([*python, "account", "passphrase"], environ, columns=200) as shell:
            for asked in ("Passphrase for", "New passphrase for", "Once more"):
                shell.wait_for(asked)
                shell.wait_for(lambda: not shell.echoes)
                shell.type(WORDS + "\n")
            assert shell.end() == 0
        assert headless("add", "Hello", "--to", "me", "--at", "now").code == 0
        with OnTerminal([*python, "run", "--until-idle"], environ, columns=200) as shell:
            shell.wait_for("Passphrase for")
            shell.wait_for(lambda: not shell.echoes)
            shell.type(WORDS + "\n")
            assert shell.end() == 0
            assert WORDS not in shell.text
        assert headless.status(1) == "published"
        with OnTerminal([*python, "run"], environ, columns=200) as shell:
            shell.wait_for("Passphrase for")
            shell.wait_for(lambda: not shell.echoes)
            shell.type("wrong\n")
            assert shell.end() == 4
            shell.wait_for("the passphrase is not that of the secrets file")

    def test_the_editor_gets_no_secret(self, settled: Headless) -> None:
        from tests.cli.terminal import OnTerminal

        assert settled("add", "Hello", "--to", "me", "--in", "1h").code == 0
        editor, seen = settled.call.home / "editor", settled.call.home / "seen"
        editor.write_text(f"#!/bin/sh\nenv > {seen}\n")
        editor.chmod(0o755)
        environ = settled.call.environ(
            POSTSCHED_PASSPHRASE=WORDS, EDITOR=str(editor), VISUAL="",
            POSTSCHED_TOKEN_OTHER="tok-other", POSTSCHED_CLIENT_SECRET_X="app-secret",
        )  # fmt: skip
        command = [sys.executable, "-m", "postsched", "edit", "1"]
        with OnTerminal(command, environ, columns=200) as shell:
            assert shell.end() == 0
        inherited = seen.read_text()
        assert "POSTSCHED_DB=" in inherited
        assert not any(word in inherited for word in ("PASSPHRASE", "TOKEN", "CLIENT_SECRET"))


def test_the_environment_is_as_it_was_afterwards(call: Caller) -> None:
    call.set(POSTSCHED_PASSPHRASE=WORDS)
    assert call("list").code == 0
    assert os.environ["POSTSCHED_PASSPHRASE"] == WORDS


def test_the_file_can_be_elsewhere(headless: Headless, tmp_path: Path) -> None:
    (tmp_path / "vault").mkdir(0o700)
    link = tmp_path / "link"
    link.symlink_to("vault/file")
    headless.call.set(POSTSCHED_SECRETS_FILE=str(link))
    assert headless(*headless.adding, stdin=TOKEN).code == 0
    assert headless("account", "set", "me", "--token-stdin", stdin=TOKEN).code == 0
    assert link.is_symlink()
    assert (tmp_path / "vault" / "file").is_file()
    assert not headless.file.exists()
