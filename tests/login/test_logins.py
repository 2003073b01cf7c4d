"""Logins: read, kept for a minute, renewed by one process at a time, saved before they are used."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest

from postsched.config import PlatformSettings, Settings
from postsched.domain.account import Account, AccountState
from postsched.domain.errors import SecretUnavailable
from postsched.domain.outcome import ErrorKind, Problem
from postsched.domain.secret import Secret
from postsched.login import FRESH, LEASE, Logins, login_for
from postsched.platforms.base import Login, PlatformError, Renewal
from postsched.store.database import Database
from postsched.testing import FakeClock, FakePlatform
from tests.secrets.fake import FakeSecrets
from tests.store import rows

HTTP: Any = None
"""No adapter here makes a request."""


class Renewing(FakePlatform):
    """A network whose secrets become stale when they begin with "old"."""

    needs_secret: ClassVar[bool] = True

    def __init__(self, journal: list[str]) -> None:
        super().__init__()
        self.journal = journal
        self.renewals = 0

    def stale(self, login: Login, now: datetime) -> bool:
        assert login.secret is not None
        return str(login.secret.reveal()).startswith("old")

    async def refresh(
        self, login: Login, http: httpx.AsyncClient, now: datetime, *, refused: bool
    ) -> Renewal | None:
        if not (refused or self.stale(login, now)):
            return None
        self.renewals += 1
        await self._play(_call(login), lambda: None)
        self.journal.append(f"renewed {login.secret.reveal() if login.secret else None}")
        return Renewal(Secret(f"new {self.renewals}"))


def _call(login: Login) -> Any:
    from postsched.testing.platform import Call

    return Call("refresh", login)


class World:
    """A database, a keyring, a network, and the logins of any number of processes."""

    def __init__(self, database: Database) -> None:
        self.clock = FakeClock()
        self.database = database
        self.secrets = FakeSecrets()
        self.platform = Renewing(self.secrets.journal)
        self.account = Account(1, "u" * 32, "me", "fake", rows.NOON)

    def logins(self, holder: str = "a", patience: float = 5.0) -> Logins:
        secrets: Any = self.secrets
        return Logins(secrets, Settings("x.db"), self.database, self.clock.now, holder, patience)

    async def secret(self, logins: Logins, *, refused: str | None = None) -> str:
        was = login_for(self.account, self.platform, Settings("x.db"), Secret(refused or ""))
        login = await logins.get(
            self.account, self.platform, HTTP, refused=[was] if refused else []
        )
        assert login.secret is not None
        return str(login.secret.reveal())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    database = rows.opened(tmp_path)
    yield World(database)
    database.close()


def run(scene: Callable[[], Any]) -> Any:
    async def bounded() -> Any:
        async with asyncio.timeout(10):
            return await scene()

    return asyncio.run(bounded())


class TestReading:
    """Where the secret comes from, and how long it is kept."""

    def test_a_platform_without_secrets_needs_none(self, world: World) -> None:
        world.secrets.ring["me"] = "not to be read"
        login = run(lambda: world.logins().get(world.account, FakePlatform(), HTTP))
        assert login.secret is None
        assert world.secrets.reads == 0

    def test_none_there(self, world: World) -> None:
        with pytest.raises(PlatformError) as caught:
            run(lambda: world.secret(world.logins()))
        assert caught.value.problem.kind is ErrorKind.AUTH
        assert "account set me" in (caught.value.problem.hint or "")

    def test_it_is_kept_for_a_minute(self, world: World) -> None:
        async def scene() -> None:
            logins = world.logins()
            world.secrets.ring["me"] = "one"
            assert await world.secret(logins) == "one"
            world.secrets.ring["me"] = "two"
            assert await world.secret(logins) == "one"
            world.clock.advance(FRESH + timedelta(seconds=1))
            assert await world.secret(logins) == "two"

        run(scene)
        assert world.secrets.reads == 2

    def test_not_for_longer_when_the_clock_is_set_back(self, world: World) -> None:
        async def scene() -> None:
            logins = world.logins()
            world.secrets.ring["me"] = "one"
            await world.secret(logins)
            world.secrets.ring["me"] = "two"
            world.clock.set_wall(world.clock.now() - timedelta(days=1))
            assert await world.secret(logins) == "two"

        run(scene)

    def test_many_at_once_read_it_once(self, world: World) -> None:
        world.secrets.ring["me"] = "one"

        async def scene() -> None:
            logins = world.logins()
            await asyncio.gather(*(world.secret(logins) for _ in range(20)))

        run(scene)
        assert world.secrets.reads == 1

    def test_another_account_of_the_same_number_has_its_own(self, world: World) -> None:
        """The account was removed, and the next one got its row's number."""

        async def scene() -> None:
            logins = world.logins()
            world.secrets.ring |= {"me": "mine", "you": "yours"}
            assert await world.secret(logins) == "mine"
            world.account = replace(world.account, uid="v" * 32, name="you")
            assert await world.secret(logins) == "yours"

        run(scene)

    @pytest.mark.parametrize(
        "change",
        [{"url": "https://new.example"}, {"user": "else"}, {"facts": {"limit": 1}},
         {"settings": {"dir": "x"}}, {"state": AccountState.OK}],
    )  # fmt: skip
    def test_a_changed_account_is_read_anew(self, world: World, change: dict[str, Any]) -> None:
        async def scene() -> Login:
            logins = world.logins()
            world.secrets.ring["me"] = "one"
            await world.secret(logins)
            world.secrets.ring["me"] = "two"
            world.account = replace(world.account, **change)
            return await logins.get(world.account, world.platform, HTTP)

        login = run(scene)
        assert login.secret.reveal() == "two"
        for name in {"url", "user", "facts", "settings"} & change.keys():
            assert getattr(login, name) == change[name]

    def test_forgetting(self, world: World) -> None:
        async def scene() -> None:
            logins = world.logins()
            world.secrets.ring["me"] = "one"
            await world.secret(logins)
            world.secrets.ring["me"] = "two"
            logins.forget()
            assert await world.secret(logins) == "two"

        run(scene)


class TestReadingAhead:
    """Whether a secret can be read is found out before it is needed."""

    def test_it_is_kept_for_the_first_use(self, world: World) -> None:
        async def scene() -> None:
            logins = world.logins()
            world.secrets.ring["me"] = "one"
            await logins.read_ahead(world.account, world.platform)
            assert await world.secret(logins) == "one"

        run(scene)
        assert world.secrets.reads == 1

    def test_and_for_a_minute_at_most(self, world: World) -> None:
        async def scene() -> None:
            logins = world.logins()
            world.secrets.ring["me"] = "one"
            await logins.read_ahead(world.account, world.platform)
            world.secrets.ring["me"] = "two"
            world.clock.advance(FRESH + timedelta(seconds=1))
            assert await world.secret(logins) == "two"

        run(scene)

    def test_one_that_was_refused_is_read_anew(self, world: World) -> None:
        async def scene() -> None:
            logins = world.logins()
            world.secrets.ring["me"] = "one"
            await logins.read_ahead(world.account, world.platform)
            login = await logins.get(world.account, world.platform, HTTP)
            world.secrets.ring["me"] = "two"
            login = await logins.get(world.account, world.platform, HTTP, refused=[login])
            assert login.secret is not None
            assert login.secret.reveal() == "two"

        run(scene)

    def test_one_that_is_missing_may_be_given_until_then(self, world: World) -> None:
        async def scene() -> None:
            logins = world.logins()
            await logins.read_ahead(world.account, world.platform)
            world.secrets.ring["me"] = "one"
            assert await world.secret(logins) == "one"

        run(scene)

    def test_a_renewed_one_wins_over_the_environment(self, world: World) -> None:
        async def scene() -> None:
            logins = world.logins()
            world.secrets.environ["me"] = "old"
            assert await world.secret(logins) == "new 1"
            world.clock.advance(FRESH + timedelta(seconds=1))
            await logins.read_ahead(world.account, world.platform)
            assert await world.secret(logins) == "new 1"

        run(scene)

    def test_nothing_is_read_where_none_is_needed(self, world: World) -> None:
        run(lambda: world.logins().read_ahead(world.account, FakePlatform()))
        assert world.secrets.reads == 0


class TestAKeyringThatHangs:
    """It may be asking a person for its password."""

    def test_is_given_up_after_a_while(self, world: World) -> None:
        world.secrets.gate = threading.Event()
        world.secrets.ring["me"] = "one"

        async def scene() -> None:
            logins = world.logins(patience=0.05)
            for _ in range(3):
                with pytest.raises(SecretUnavailable, match="keyring"):
                    await world.secret(logins)
            assert world.secrets.reads == 1, "one thread waits, not one for each try"
            assert world.secrets.gate
            world.secrets.gate.set()
            assert await world.secret(logins) == "one"

        run(scene)

    def test_holds_up_no_number_of_other_accounts(self, world: World) -> None:
        """Nor the end of the process, which would wait for the threads of a pool."""
        world.secrets.gate = threading.Event()
        others = [replace(world.account, uid=f"{n:032}", name=f"a{n}") for n in range(50)]

        async def scene() -> None:
            logins = world.logins(patience=0.5)
            reads = [logins.read_ahead(other, world.platform) for other in others]
            found = await asyncio.gather(*reads, return_exceptions=True)
            assert all(isinstance(one, SecretUnavailable) for one in found)
            assert world.secrets.reads == len(others)

        run(scene)
        hanging = [t for t in threading.enumerate() if t.name.startswith("secret of a")]
        assert len(hanging) == len(others)
        assert all(thread.daemon for thread in hanging)
        world.secrets.gate.set()
        for thread in hanging:
            thread.join(10)

    def test_holds_up_no_other_account(self, world: World) -> None:
        world.secrets.gate = threading.Event()
        world.secrets.ring["me"] = "one"
        world.secrets.environ["you"] = "yours"
        other = replace(world.account, uid="v" * 32, name="you")

        async def scene() -> None:
            logins = world.logins(patience=5)
            waiting = asyncio.create_task(world.secret(logins))
            async with asyncio.timeout(2):
                login = await logins.get(other, world.platform, HTTP)
            assert login.secret is not None
            assert not waiting.done()
            assert world.secrets.gate
            world.secrets.gate.set()
            assert await waiting == "one"

        run(scene)


class TestRenewing:
    """One process at a time, saved before it is used."""

    def test_a_stale_one_is_renewed_and_saved(self, world: World) -> None:
        world.secrets.ring["me"] = "old"
        assert run(lambda: world.secret(world.logins())) == "new 1"
        assert world.secrets.journal == ["renewed old", "saved new 1"]
        assert world.secrets.ring["me"] == "new 1"

    def test_one_that_can_not_be_saved_is_not_used(self, world: World) -> None:
        world.secrets.ring["me"] = "old"

        def write(account: str, secret: Secret) -> None:
            raise SecretUnavailable("the keyring is locked")

        world.secrets.write = write  # type: ignore[method-assign]  # a fake that fails
        with pytest.raises(SecretUnavailable):
            run(lambda: world.secret(world.logins()))

    def test_a_refused_one_is_renewed(self, world: World) -> None:
        world.secrets.ring["me"] = "revoked"

        async def scene() -> None:
            logins = world.logins()
            assert await world.secret(logins) == "revoked"
            assert await world.secret(logins, refused="revoked") == "new 1"
            assert await world.secret(logins) == "new 1"

        run(scene)

    def test_one_that_a_person_replaced_meanwhile_is_taken(self, world: World) -> None:
        async def scene() -> None:
            logins = world.logins()
            world.secrets.ring["me"] = "revoked"
            await world.secret(logins)
            world.secrets.ring["me"] = "by hand"
            assert await world.secret(logins, refused="revoked") == "by hand"

        run(scene)
        assert world.platform.renewals == 0

    def test_many_that_were_refused_at_once_renew_it_once(self, world: World) -> None:
        """Networks count the logins: ten deliveries in flight must not make ten."""
        world.secrets.ring["me"] = "revoked"

        async def scene() -> list[str]:
            logins = world.logins()
            await world.secret(logins)
            many = (world.secret(logins, refused="revoked") for _ in range(10))
            return await asyncio.gather(*many)

        assert run(scene) == ["new 1"] * 10
        assert world.platform.renewals == 1

    def test_two_processes_renew_it_once(self, world: World) -> None:
        world.secrets.ring["me"] = "old"

        async def slow(call: Any) -> None:
            await asyncio.sleep(0.2)

        world.platform.will("refresh", slow)

        async def scene() -> list[str]:
            both = (world.secret(world.logins(holder)) for holder in "ab")
            return await asyncio.gather(*both)

        assert run(scene) == ["new 1", "new 1"]
        assert world.platform.renewals == 1

    def test_from_the_environment_it_is_renewed_for_this_process_only(self, world: World) -> None:
        world.secrets.environ["me"] = "old"

        async def scene() -> None:
            logins = world.logins()
            assert await world.secret(logins) == "new 1"
            world.clock.advance(FRESH * 2)
            assert await world.secret(logins) == "new 1"

        run(scene)
        assert world.secrets.journal == ["renewed old"]

    def test_a_renewal_that_fails_frees_the_lease(self, world: World) -> None:
        world.secrets.ring["me"] = "old"
        world.platform.will("refresh", httpx.ConnectError("no"))
        with pytest.raises(httpx.ConnectError):
            run(lambda: world.secret(world.logins("a")))
        assert run(lambda: world.secret(world.logins("b"))) == "new 2"

    def test_a_process_that_died_while_renewing_is_waited_for_no_longer_than_its_lease(
        self, world: World
    ) -> None:
        world.secrets.ring["me"] = "old"
        world.platform.will("refresh", lambda call: asyncio.Event().wait())

        async def scene() -> str:
            dying = asyncio.create_task(world.secret(world.logins("a")))
            while not world.platform.called("refresh"):
                await asyncio.sleep(0.01)
            waiting = asyncio.create_task(world.secret(world.logins("b")))
            await asyncio.sleep(0.2)
            assert not waiting.done()
            world.clock.advance(LEASE + timedelta(milliseconds=1))
            found = await waiting
            dying.cancel()
            return found

        assert run(scene) == "new 2"


class TestUsing:
    """A refused login is renewed once, and the call made again."""

    def test_once_more_after_a_refusal(self, world: World) -> None:
        world.secrets.ring["me"] = "revoked"
        used: list[str] = []

        async def action(login: Login) -> str:
            assert login.secret is not None
            used.append(str(login.secret.reveal()))
            if len(used) == 1:
                raise PlatformError(ErrorKind.AUTH, "no")
            return "done"

        done = run(lambda: world.logins().use(world.account, world.platform, HTTP, action))
        assert (done, used) == ("done", ["revoked", "new 1"])

    def test_but_not_twice(self, world: World) -> None:
        world.secrets.ring["me"] = "revoked"
        used = 0

        async def action(login: Login) -> None:
            nonlocal used
            used += 1
            raise PlatformError(ErrorKind.AUTH, "no")

        with pytest.raises(PlatformError):
            run(lambda: world.logins().use(world.account, world.platform, HTTP, action))
        assert used == 2

    def test_other_errors_pass_through(self, world: World) -> None:
        world.secrets.ring["me"] = "one"

        async def action(login: Login) -> None:
            raise PlatformError(ErrorKind.INVALID, "no")

        with pytest.raises(PlatformError):
            run(lambda: world.logins().use(world.account, world.platform, HTTP, action))
        assert world.platform.renewals == 0


def test_words_are_scrubbed_of_the_secret(world: World) -> None:
    world.secrets.ring["me"] = "s3cret-token"
    said = Problem(ErrorKind.AUTH, "bad token s3cret-token", hint="not s3cret-token")

    async def scene() -> Problem:
        logins = world.logins()
        assert logins.scrub(world.account, said) == said
        await world.secret(logins)
        return logins.scrub(world.account, said)

    scrubbed = run(scene)
    assert "s3cret" not in f"{scrubbed}"


def test_the_address_is_the_accounts_own_then_the_configured_then_the_platforms() -> None:
    account = Account(1, "u", "me", "fake", rows.NOON)
    plain = Settings("x.db")
    configured = replace(plain, platforms={"fake": PlatformSettings(url="https://conf.example/")})
    own = replace(account, url="https://own.example")
    platform = FakePlatform()
    assert login_for(own, platform, configured, None).url == "https://own.example"
    assert login_for(account, platform, configured, None).url == "https://conf.example"
    assert login_for(account, platform, plain, None).url == "http://127.0.0.1:1"
