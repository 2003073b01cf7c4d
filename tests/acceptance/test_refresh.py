"""Several processes renew one pair at the same moment, one of them is killed: the login survives.

Real processes of postsched, a network whose refresh tokens work once, a keyring that they share.

Where the victim has sent its request and the new pair is not saved yet, the network has rotated
and the only good refresh token dies with the process: no program can survive that for good. What
can be had is shown: the old access token is used until it ends, it is said loudly when it ends and
by which command a person logs in again, and only when nothing works any more is the account held.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest

from postsched.testing.faults import Fault, FaultKind
from postsched.testing.loopback import Loopback
from postsched.testing.x import XServer
from postsched.testing.x_oauth import CLIENT_ID, REFRESH_TOKEN, TOKEN
from tests.acceptance.rotating import SURVIVED
from tests.servers import postgres
from tests.servers.tokens import CLIENT, TokenServer

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
MEND = "postsched account login me"
CHECK = ("account", "check", "me")


def slow(*values: object) -> Any:
    """A case that only the slow run has."""
    return pytest.param(*values, marks=pytest.mark.slow)


class Person:
    """One home with a database and a keyring, and an account on the network."""

    def __init__(self, home: Path, server: Loopback) -> None:
        self.home, self.server = home, server
        self.ring = home / "ring.json"
        _install_plugin(home / "site")
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "NO_PROXY": "*",
            "PYTHONPATH": f"{home / 'site'}{os.pathsep}{ROOT}",
            "POSTSCHED_DB": postgres.place(home / "posts.db"),
            "POSTSCHED_ALLOW_PLAINTEXT_KEYRING": "true",
            "PYTHON_KEYRING_BACKEND": "tests.acceptance.rotating.SharedRing",
            "ROTATING_RING": str(self.ring),
        }

    def log_in(self, life: timedelta) -> None:
        """A pair of which the access token ends after that time."""
        assert isinstance(self.server, TokenServer)
        ends = datetime.now(UTC) + life
        self.keep(**self.server.log_in(), client_id=CLIENT, expires_at=ends.isoformat())

    def keep(self, **secret: str) -> None:
        """Put a secret into the keyring."""
        self.ring.write_text(json.dumps({"me": json.dumps(secret)}))

    def kept(self) -> dict[str, Any]:
        """What the keyring holds."""
        secret: dict[str, Any] = json.loads(json.loads(self.ring.read_text())["me"])
        return secret

    def start(self, *words: str, **environ: str) -> subprocess.Popen[str]:
        """Start a process of postsched."""
        return subprocess.Popen(
            [sys.executable, "-m", "postsched", *words],
            env={**self.environ, **environ}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def call(self, *words: str) -> tuple[int, str]:
        """Run one to its end."""
        return end(self.start(*words))

    def account(self) -> dict[str, Any]:
        """The account as `account list` shows it."""
        _, out = self.call("account", "list", "--json")
        (found,) = json.loads(out)
        return dict(found)

    def state_message(self) -> str | None:
        """What is said of the account's state, if anything is."""
        with postgres.behind(self.home / "posts.db") as base:
            ((said,),) = base.execute("SELECT state_message FROM accounts")
        return None if said is None else str(said)

    def let_leases_run_out(self) -> None:
        """Of those who are dead; waiting for it takes a quarter of a minute."""
        with postgres.behind(self.home / "posts.db") as base:
            base.execute("UPDATE leases SET until = 0")


def end(process: subprocess.Popen[str]) -> tuple[int, str]:
    """How a process ended, and all it said."""
    out, err = process.communicate(timeout=PATIENCE)
    assert "Traceback" not in err, err
    return process.returncode, out + err


def _install_plugin(site: Path) -> None:
    about = site / "rotating-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: rotating\nVersion: 1.0\n")
    entry = "[postsched.platforms]\nrotating = tests.acceptance.rotating:Rotating\n"
    (about / "entry_points.txt").write_text(entry)


@pytest.fixture
def server() -> Iterator[TokenServer]:
    with TokenServer() as network:
        yield network


def furnish(someone: Person) -> None:
    """Add the account."""
    words = ("account", "add", "me", "--platform", "rotating", "--url", someone.server.url)
    code, said = someone.call(*words)
    assert code == 0, said


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the account, at an address where nobody is."""
    home = tmp_path_factory.mktemp("furnished")
    with TokenServer() as network:
        furnish(Person(home, network))
    return home / "posts.db"


@pytest.fixture
def person(tmp_path: Path, server: TokenServer, furnished: Path) -> Person:
    """With a pair that is to be renewed, and still lives five minutes."""
    someone = Person(tmp_path, server)
    if postgres.is_used():  # what was furnished is gone with the test that asked for it
        furnish(someone)
    else:
        copyfile(furnished, tmp_path / "posts.db")
    with postgres.behind(tmp_path / "posts.db") as base:
        base.execute("UPDATE accounts SET url = ?", (server.url,))
    someone.log_in(timedelta(minutes=5))
    return someone


ALIVE, ENDED = timedelta(minutes=5), timedelta(seconds=-1)


@pytest.mark.slow
@pytest.mark.parametrize("life", [slow(ALIVE), ENDED])
def test_several_at_the_same_moment_renew_it_once(
    person: Person, server: TokenServer, life: timedelta
) -> None:
    person.log_in(life)
    if life is ENDED:
        server.end_access()
    for code, said in [end(process) for process in [person.start(*CHECK) for _ in range(4)]]:
        assert code == 0, said
    assert server.rotations == 1
    assert person.kept()["refresh_token"] == server.refresh
    assert "previous" not in person.kept()


QUICK = ("saved",)


@pytest.mark.parametrize("step", [s if s in QUICK else slow(s) for s in SURVIVED])
def test_one_is_killed_and_the_login_survives(
    person: Person, server: TokenServer, step: str
) -> None:
    victim = person.start(*CHECK, ROTATING_DIE_AT=step)
    other = person.start(*CHECK)
    code, said = end(other)
    assert code == 0, said
    victim.communicate(timeout=PATIENCE)
    person.let_leases_run_out()
    code, said = person.call(*CHECK)
    assert code == 0, said
    assert person.kept()["refresh_token"] == server.refresh
    assert server.rotations == 1
    assert person.state_message() is None
    assert "previous" not in person.kept()


@pytest.mark.slow
@pytest.mark.parametrize("step", SURVIVED)
def test_the_victim_is_alone(person: Person, server: TokenServer, step: str) -> None:
    """So that it surely is the one that renews."""
    assert end(person.start(*CHECK, ROTATING_DIE_AT=step))[0] == -9
    code, said = person.call(*CHECK)
    assert code == 0, said
    person.let_leases_run_out()
    assert person.call(*CHECK)[0] == 0
    assert person.kept()["refresh_token"] == server.refresh
    assert server.rotations == 1


@pytest.mark.slow
@pytest.mark.parametrize("step", ["sent", "answered"])
def test_a_pair_that_dies_with_its_process(person: Person, server: TokenServer, step: str) -> None:
    """See the module: used until its end, said loudly, held only then."""
    _lose_pair(person, server, step)
    before = person.kept()
    code, said = person.call(*CHECK)
    assert code == 0, said
    person.let_leases_run_out()
    code, said = person.call(*CHECK)
    assert code == 0, said
    assert MEND in said, "the check that could not renew it says so"
    account = person.account()
    ends = datetime.fromisoformat(before["expires_at"])
    assert account["state"] == "ok"
    assert datetime.fromisoformat(account["token_expires_at"]) == ends
    assert MEND in account["state_message"]
    assert MEND in person.call("status")[1]
    assert person.kept() == before

    server.end_access()
    person.keep(**{**before, "expires_at": datetime.now(UTC).isoformat()})
    code, said = person.call(*CHECK)
    assert (code, MEND in said) == (1, True)
    assert person.account()["state"] == "login"
    assert MEND in person.call("status")[1]

    person.log_in(timedelta(hours=2))
    code, said = person.call(*CHECK)
    assert code == 0, said
    assert person.account()["state"] == "ok"


def _lose_pair(person: Person, server: TokenServer, step: str) -> None:
    if step == "answered":
        assert end(person.start(*CHECK, ROTATING_DIE_AT=step))[0] == -9
        return
    server.program(Fault(FaultKind.HANG_AFTER), "POST", "/token")
    victim = person.start(*CHECK)
    server.wait_for(1, PATIENCE)
    victim.kill()
    victim.communicate(timeout=PATIENCE)
    assert server.rotations == 1


@pytest.mark.parametrize("step", [slow(step) for step in ("saved", "settling", None)])
def test_the_token_of_x(tmp_path: Path, step: str | None) -> None:
    """The same with our own adapter and the strict X: four at once, and one that dies."""
    with XServer() as server:
        person = Person(tmp_path, server)
        words = ("account", "add", "me", "--platform", "x", "--url", server.url)
        code, said = person.call(*words)
        assert code == 0, said
        pair = {"access_token": TOKEN, "refresh_token": REFRESH_TOKEN, "client_id": CLIENT_ID}
        person.keep(**pair, expires_at=(datetime.now(UTC) + ALIVE).isoformat())
        dying = {"ROTATING_DIE_AT": step} if step else {}
        victim = person.start(*CHECK, **dying)
        for code, said in [end(other) for other in [person.start(*CHECK) for _ in range(3)]]:
            assert code == 0, said
        victim.communicate(timeout=PATIENCE)
        person.let_leases_run_out()
        code, said = person.call(*CHECK)
        assert code == 0, said
        assert [r.path for r in server.requests].count("/2/oauth2/token") == 1
        assert person.kept()["refresh_token"] in server.guard.refresh_tokens
        assert "previous" not in person.kept()


@pytest.mark.slow
def test_the_lease_of_a_dead_process_runs_out(person: Person, server: TokenServer) -> None:
    """Where nothing works without renewing it, the others wait for that; here for real."""
    person.log_in(ENDED)
    server.end_access()
    assert end(person.start(*CHECK, ROTATING_DIE_AT="lease"))[0] == -9
    began = time.monotonic()
    code, said = person.call(*CHECK)
    assert code == 0, said
    assert time.monotonic() - began < 25
    assert person.kept()["refresh_token"] == server.refresh


@pytest.mark.slow
def test_a_suspended_process_writes_over_nobody(person: Person, server: TokenServer) -> None:
    """Stopped with the answer on its way, its lease run out, a person logs in anew: that stays."""
    person.log_in(ENDED)
    server.end_access()
    server.program(Fault(FaultKind.DELAY, seconds=1.0), "POST", "/token")
    sleeper = person.start(*CHECK)
    server.wait_for(1, PATIENCE)
    os.kill(sleeper.pid, signal.SIGSTOP)
    person.let_leases_run_out()
    person.log_in(timedelta(hours=2))
    newer = person.kept()
    os.kill(sleeper.pid, signal.SIGCONT)
    code, said = end(sleeper)
    assert code == 0, said
    assert person.kept() == newer


@pytest.mark.slow
def test_killed_at_any_moment(person: Person, server: TokenServer) -> None:
    """Two at once, one of them killed at random, over and over: whoever lives can work, and a pair
    is lost only where the victim died with it in its hands."""
    rng, lost = random.Random(20261122), 0
    for _ in range(40):
        person.log_in(timedelta(minutes=5))
        person.let_leases_run_out()
        victim, other = person.start(*CHECK), person.start(*CHECK)
        time.sleep(rng.random() * 1.5)
        victim.kill()
        victim.communicate(timeout=PATIENCE)
        code, said = end(other)
        assert code == 0, said
        person.let_leases_run_out()
        code, said = person.call(*CHECK)
        assert code == 0, said
        if person.kept()["refresh_token"] != server.refresh:
            lost += 1
            assert MEND in said
    assert lost < 5, "the moment between rotating and saving is a short one"
