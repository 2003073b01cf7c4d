"""No secret is ever shown or written: recognisable ones are planted for every platform that is
installed, networks give them back in every manner, and then all that postsched has said and left
behind is searched: stdout, stderr with -vv, the log, every file of the database (attempts and
their evidence among them), and the arguments of every process.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import subprocess
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from postsched import platforms
from postsched.domain.secret import Secret
from postsched.platforms.base import Login, PlatformError, Renewal, Service
from postsched.platforms.oauth import Client
from postsched.secrets import Secrets
from postsched.testing.exposure import logged
from tests.cli.posting import Posting
from tests.secrets.backends import Memory
from tests.servers.echo import MANNERS, MARK, EchoServer

pytestmark = pytest.mark.slow

SOON = (datetime.now(UTC) + timedelta(minutes=2)).isoformat()
SECRETS: dict[str, Any] = {
    "string": f"{MARK}string01",
    "pair": {
        "access_token": f"{MARK}access01", "refresh_token": f"{MARK}refresh01",
        "client_id": "ours", "client_secret": f"{MARK}client01", "expires_at": SOON,
        "previous": {"access_token": f"{MARK}access00", "refresh_token": f"{MARK}refresh00",
                     "expires_at": SOON},
    },
    "keys": {
        "consumer_key": f"{MARK}consumer01", "consumer_secret": f"{MARK}consumersecret01",
        "token": f"{MARK}token01", "token_secret": f"{MARK}tokensecret01",
    },
    "password": {
        "password": f"{MARK}password01", "access_token": f"{MARK}access01",
        "refresh_token": f"{MARK}refresh01", "expires_at": SOON, "did": "did:plc:me",
    },
}  # fmt: skip
"""One of each form that a secret has."""
WEBHOOK = f"/api/webhooks/17/{MARK}webhook01"
"""Where a secret is an address, it is one at the server that is asked."""
INSTALLED = [name for name in platforms.names() if platforms.get(name).needs_secret]
SLOW = [(name, kind) for name in INSTALLED for kind in SECRETS]
QUICK = [("x", "pair")]
GIVEN = [
    (name, manner)
    if manner == "401" and name == "x"
    else pytest.param(name, manner, marks=pytest.mark.slow)
    for name in INSTALLED
    for manner in ("401", "success", "500", "html", "no header")
]
BASE64 = [base64.b64encode(b"x" * n + MARK.encode())[-(-n * 4 // 3) : -4].strip(b"=")
          for n in (0, 1, 2)]  # fmt: skip
"""The mark as it looks in Basic authentication, however it lies."""


@pytest.fixture
def server() -> Iterator[EchoServer]:
    with EchoServer() as network:
        yield network


def shown(text: str | bytes) -> bool:
    """Whether a secret can be seen in it."""
    return bool(seen_in(text))


def seen_in(text: str | bytes) -> list[bytes]:
    """Where a secret can be seen in it, with what is around it."""
    data = text.encode() if isinstance(text, str) else text
    places = [data.find(one) for one in (MARK.encode(), *BASE64)]
    return [data[max(0, at - 60) : at + 60] for at in places if at >= 0]


def test_the_search_finds_secrets() -> None:
    assert shown(f"... {MARK}access01 ...")
    assert shown(quote(f"{MARK}access01"))
    for before in ("", "a", "ab"):
        assert shown(base64.b64encode(f"{before}{MARK}client01".encode()))
    assert not shown("nothing at all")


def secret_of(platform: str, kind: str, server: str) -> Any:
    """A secret of that form, as the platform has it."""
    if platform != "discord" or kind not in ("string", "pair"):
        return SECRETS[kind]
    address = server + WEBHOOK
    return address if kind == "string" else {"webhook_url": address, "bot_token": f"{MARK}bot01"}


class Account:
    """An account `me` on the echo server, and a look at all that is left behind."""

    def __init__(self, cli: Posting, server: EchoServer, caplog: pytest.LogCaptureFixture) -> None:
        self.cli, self.server, self.caplog = cli, server, caplog
        self.calls = 0
        self.secret = Secret("")

    def make(self, platform: str, kind: str) -> None:
        """Add it; its secret is put where it belongs, for the network refuses all."""
        words = ["account", "add", "it", "--platform", platform, "--url", self.server.url]
        if platforms.get(platform).needs_user:
            words += ["--user", "me.example"]
        self.cli(*words)
        self.secret = Secret(secret_of(platform, kind, self.server.url))
        Secrets({}).write("it", self.secret)

    def live(self, manner: str) -> None:
        """Use it in every way while the server answers in that manner."""
        self.server.manner = manner
        with self.cli.database() as base:
            base.execute("UPDATE accounts SET state = 'ok', state_message = NULL")
            base.execute("DELETE FROM leases")
        self.say("account", "check", "it")
        self.say("add", f"Hello {self.calls}", "--then", "More", "--to", "it", "--at", "now")
        self.say("publish-due")
        self.search(manner)

    def look(self) -> None:
        """Read all there is to read."""
        for words in (("list", "--all"), ("status",), ("history",), ("account", "list"),
                      ("account", "show", "it"), ("doctor",)):  # fmt: skip
            self.say(*words)
            self.say(*words, "--json")
        for post in self.cli.json("list", "--all"):
            self.say("show", str(post["id"]))
            self.say("show", str(post["id"]), "--json")

    def say(self, *words: str) -> None:
        """Call a command with -vv, and search what it says."""
        self.calls += 1
        answer = self.cli.call("-vv", *words)
        for place, text in (("stdout", answer.out), ("stderr", answer.err)):
            assert not seen_in(text), (place, words)
        assert "bug in postsched" not in answer.err

    def search(self, manner: str) -> None:
        """Search the log, and every file beside the database."""
        assert not seen_in(logged(self.caplog)), manner
        for path in self.cli.call.home.rglob("*"):
            if path.is_file():
                assert not seen_in(path.read_bytes()), (manner, path)


@pytest.fixture
def account(cli: Posting, server: EchoServer, caplog: pytest.LogCaptureFixture) -> Account:
    caplog.set_level(logging.WARNING)  # as -vv has it: of others, only what they warn of
    caplog.set_level(logging.DEBUG, "postsched")
    return Account(cli, server, caplog)


def _rehearse(account: Account, platform: str, kind: str) -> None:
    account.make(platform, kind)
    for manner in MANNERS:
        Secrets({}).write("it", account.secret)
        account.live(manner)
    account.look()


@pytest.mark.slow
@pytest.mark.parametrize(("platform", "kind"), QUICK)
def test_whatever_a_network_gives_back(account: Account, platform: str, kind: str) -> None:
    _rehearse(account, platform, kind)
    sent = account.server.requests
    seen = [(request.path.encode(), request.body, repr(request.headers)) for request in sent]
    assert any(shown(text) for one in seen for text in one), "else nothing was tested"


@pytest.mark.slow
@pytest.mark.parametrize(("platform", "kind"), [case for case in SLOW if case not in QUICK])
def test_whatever_the_form_of_the_secret(account: Account, platform: str, kind: str) -> None:
    """Some are of no use to the platform: then they must not be in what it says of that."""
    _rehearse(account, platform, kind)


@pytest.mark.parametrize(("platform", "manner"), GIVEN)
def test_while_the_secret_is_given(
    cli: Posting, server: EchoServer, platform: str, manner: str
) -> None:
    server.manner = manner
    words = ["account", "add", "it", "--platform", platform, "--url", server.url, "--token-stdin"]
    if platforms.get(platform).needs_user:
        words += ["--user", "me.example"]
    for kind in SECRETS:
        secret = secret_of(platform, kind, server.url)
        text = secret if isinstance(secret, str) else json.dumps(secret)
        for broken in (text, text + "\n\n", text[: len(text) // 2], "{" + text):
            answer = cli.call("-vv", *words, stdin=broken)
            assert not seen_in(answer.out + answer.err), words
            cli.call("account", "remove", "it")


def test_the_arguments_of_processes(cli: Posting, server: EchoServer, tmp_path: Path) -> None:
    """A secret enters by stdin or the environment only; while a process has it, all can see its
    arguments."""
    if not Path("/proc/self/cmdline").exists():
        pytest.skip("this system does not show arguments in /proc")
    words = ("account", "add", "it", "--platform", "mastodon", "--url", server.url)
    process = subprocess.Popen(
        [sys.executable, "-m", "postsched", *words, "--token-stdin"],
        env=cli.call.environ(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(f"{MARK}string01".encode())
    process.stdin.close()
    seen = 0
    while process.poll() is None:
        for folder in Path("/proc").glob("[0-9]*"):
            if int(folder.name) != os.getpid():
                try:
                    arguments = (folder / "cmdline").read_bytes()
                except OSError:
                    continue
                seen += b"postsched" in arguments
                assert not shown(arguments)
    assert process.stdout is not None
    assert process.stderr is not None
    assert not shown(process.stdout.read() + process.stderr.read())
    process.stdout.close()
    process.stderr.close()
    assert seen


def test_what_holds_a_secret_does_not_show_it() -> None:
    """In its repr, nor with all its neighbours in a traceback that shows local variables."""
    secret = Secret(SECRETS["pair"])
    service = Service(client_secret=secret)
    login = Login("me", "https://example.com", secret, service=service)
    holders = [secret, login, service, Renewal(secret), Client("ours", f"{MARK}client01")]
    for holder in holders:
        assert not shown(repr(holder))
        assert not shown(str(holder))
    try:
        raise RuntimeError("oops")
    except RuntimeError as error:
        whole = traceback.TracebackException.from_exception(error, capture_locals=True)
        assert "login" in "".join(whole.format())
        assert not shown("".join(whole.format()).replace(f"MARK = '{MARK}'", ""))


def test_a_platform_error_is_what_its_problem_says() -> None:
    error = PlatformError("auth", "refused")  # type: ignore[arg-type]  # a plug-in may say it so
    assert str(error) == "refused"
    assert Memory.kept == {}
