"""Renewing a pair whose refresh token works once: no good pair is lost, whatever goes wrong."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from postsched.domain.account import AccountState
from postsched.domain.errors import SecretUnavailable
from postsched.domain.outcome import ErrorKind
from postsched.domain.secret import Secret
from postsched.login import LEASE
from postsched.platforms.base import PlatformError, Renewal
from postsched.store.tables import accounts
from tests.login.world import HTTP, World, play
from tests.store import rows

DEAD = timedelta(seconds=-1)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    database = rows.opened(tmp_path)
    yield World(database)
    database.close()


@pytest.fixture
def ended(tmp_path: Path) -> Iterator[World]:
    """The same with a pair whose access token has ended."""
    database = rows.opened(tmp_path)
    yield World(database, DEAD)
    database.close()


class TestInOrder:
    """Renewed, saved, used, and the pair before dropped."""

    def test_the_pair_before_is_kept_until_the_new_one_has_worked(self, world: World) -> None:
        before: list[dict[str, Any]] = []

        async def act(login: Any) -> str:
            before.append(world.stored())
            return await world.network.act(login)

        async def scene() -> None:
            process = world.process()
            await process.use(world.account, world.network, HTTP, act)
            await process.finish()

        play(scene)
        assert before[0]["access_token"] == "a1"
        assert before[0]["previous"]["access_token"] == "a0"
        assert world.stored()["access_token"] == "a1"
        assert "previous" not in world.stored()
        assert world.ring.writes == ["a1", "a1"]

    def test_what_is_dropped_is_dropped_once(self, world: World) -> None:
        async def scene() -> None:
            process = world.process()
            await asyncio.gather(*(world.use(process) for _ in range(5)))
            await world.use(process)

        play(scene)
        assert world.ring.writes == ["a1", "a1"]
        assert world.network.asked == ["r0"]

    def test_dropping_holds_up_nobody(self, world: World) -> None:
        """Nor does a keyring that fails then."""

        async def scene() -> None:
            process = world.process()
            await process.get(world.account, world.network, HTTP)

            def locked() -> None:
                raise SecretUnavailable("locked")

            world.ring.on_write = locked
            assert await world.use(process) == "a1"
            assert await world.use(process) == "a1"

        play(scene)
        assert world.stored()["previous"]["access_token"] == "a0"

    def test_the_database_follows(self, world: World) -> None:
        end = world.clock.now() + timedelta(days=365)

        async def refresh(*args: Any, **more: Any) -> Renewal:
            return Renewal(Secret(world.network.first(timedelta(hours=2))), end)

        world.network.refresh = refresh  # type: ignore[method-assign]  # a network with an end
        with world.database.write() as connection:
            values = {"state": "login", "state_message": "was refused"}
            connection.execute(update(accounts).values(**values))
        play(lambda: world.use(world.process()))
        row = world.row()
        assert (row.state, row.state_message, row.token_expires_at) == (AccountState.OK, None, end)

    def test_a_process_that_waited_takes_what_the_other_made(self, ended: World) -> None:
        async def scene() -> list[str]:
            return await asyncio.gather(*(ended.use(ended.process(h)) for h in "abc"))

        assert play(scene) == ["a1"] * 3
        assert ended.network.asked == ["r0"]

    def test_who_can_go_on_does_not_wait(self, world: World) -> None:
        """Another process renews it, and takes its time; the old access token lives."""
        renewed = asyncio.Event()

        async def scene() -> None:
            world.network.answers = [renewed.wait]
            slow = asyncio.create_task(world.use(world.process("a")))
            while not world.network.asked:
                await asyncio.sleep(0.005)
            assert await world.use(world.process("b")) == "a0"
            renewed.set()
            assert await slow == "a1"

        play(scene)
        assert world.network.asked == ["r0"]


LOST: dict[str, Exception] = {
    "timeout": httpx.ReadTimeout(""),
    "reset": httpx.ReadError(""),
    "5xx": PlatformError(ErrorKind.TRANSIENT, "bad gateway", http_status=502, sent=True),
    "unreadable": PlatformError(ErrorKind.TRANSIENT, "can't be read", http_status=200),
    "broken adapter": KeyError("access_token"),
}


class TestALostAnswer:
    """The network has rotated, and nobody knows the new pair."""

    @pytest.mark.parametrize("name", LOST)
    def test_asked_once_more_and_then_used_to_its_end(
        self, world: World, name: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        world.network.answers = [LOST[name]]
        before = world.stored()

        async def scene() -> None:
            process = world.process()
            assert await world.use(process) == "a0"
            said = world.row().state_message or ""
            assert "token r0 was used; the answer to the request before was lost" in said
            world.clock.advance(timedelta(minutes=4))
            assert await world.use(process) == "a0"
            world.clock.advance(timedelta(minutes=2))
            with pytest.raises(PlatformError) as caught:
                await world.use(process)
            assert "postsched account set me --token-stdin" in (caught.value.problem.hint or "")

        play(scene)
        assert world.stored() == before
        assert world.network.asked[:2] == ["r0", "r0"]
        row, end = world.row(), datetime.fromisoformat(before["expires_at"])
        assert row.state is AccountState.OK, "the engine holds it when nothing works any more"
        assert row.token_expires_at == end
        assert row.state_message is not None
        assert "postsched account set me --token-stdin" in row.state_message
        loud = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
        assert loud
        assert all(line.startswith("me: its login can't be renewed") for line in loud)

    def test_it_may_come_at_the_second_try(self, world: World) -> None:
        """The first never arrived: the refresh token is good."""

        async def gone(*args: Any, **more: Any) -> Any:
            world.network.refresh = real  # type: ignore[method-assign]  # once only
            raise httpx.ReadTimeout("")

        real = world.network.refresh
        world.network.refresh = gone  # type: ignore[method-assign]  # a network that is away
        assert play(lambda: world.use(world.process())) == "a1"

    def test_no_connection_is_tried_again_another_time(
        self, world: World, caplog: pytest.LogCaptureFixture
    ) -> None:
        world.network.answers = [httpx.ConnectError("no route")]

        async def scene() -> None:
            process = world.process()
            assert await world.use(process) == "a0"
            assert world.network.asked == ["r0"], "not at once"
            world.clock.advance(timedelta(seconds=61))
            assert await world.use(process) == "a1"

        play(scene)
        assert world.row().state_message is None
        assert [r.levelno for r in caplog.records] == [logging.WARNING]

    def test_what_has_ended_is_an_error(self, ended: World) -> None:
        ended.network.answers = [httpx.ConnectError("no route")]
        with pytest.raises(httpx.ConnectError):
            play(lambda: ended.use(ended.process()))

    def test_a_renewal_that_works_after_all_takes_the_words_back(self, world: World) -> None:
        spent, world.network.good_refresh = world.network.good_refresh, "r9"

        async def scene() -> None:
            process = world.process()
            await world.use(process)
            assert world.row().state_message is not None
            world.network.good_refresh = spent
            world.clock.advance(timedelta(seconds=61))
            assert await world.use(process) == "a1"

        play(scene)
        assert (world.row().state_message, world.row().token_expires_at) == (None, None)


class TestARefusedPair:
    """The new pair is refused, though it was given."""

    def test_gives_way_to_the_one_before(
        self, world: World, caplog: pytest.LogCaptureFixture
    ) -> None:
        world.network.refused = {"a1"}
        assert play(lambda: world.use(world.process())) == "a0"
        stored = world.stored()
        assert (stored["access_token"], stored["previous"]["access_token"]) == ("a0", "a1")
        assert world.network.asked == ["r0"], "no further pair was asked for"
        assert "is refused, the one before is used" in caplog.text

    def test_and_is_not_lost(self, world: World) -> None:
        """Its refresh token is the only good one; the network was wrong for a while."""
        world.network.refused = {"a1"}

        async def scene() -> None:
            assert await world.use(world.process("a")) == "a0"
            world.network.refused.clear()
            world.clock.advance(timedelta(minutes=6))
            assert await world.use(world.process("b")) == "a2"

        play(scene)
        assert world.network.asked == ["r0", "r0", "r1"]

    def test_another_is_asked_for_where_the_one_before_has_ended(self, ended: World) -> None:
        ended.network.refused = {"a1"}

        assert play(lambda: ended.use(ended.process())) == "a2"
        assert ended.network.asked == ["r0", "r1"]

    def test_when_nothing_works_any_more_it_says_what_mends_it(self, world: World) -> None:
        world.network.refused = {"a0", "a1", "a2", "a3"}
        calls = 0

        async def act(login: Any) -> str:
            nonlocal calls
            calls += 1
            return await world.network.act(login)

        async def scene() -> None:
            await world.process().use(world.account, world.network, HTTP, act)

        with pytest.raises(PlatformError) as caught:
            play(scene)
        assert caught.value.problem.kind is ErrorKind.AUTH
        assert caught.value.problem.hint == ("Log in again: postsched account set me --token-stdin")
        assert calls <= 3


class TestSuspended:
    """A process sleeps past its lease, and wakes up with a pair in its hands."""

    def test_writes_over_nothing_newer(self, ended: World) -> None:
        """A person has logged in again meanwhile."""

        async def asleep() -> None:
            ended.clock.advance(LEASE * 2)
            ended.network.ends["hand"] = ended.clock.now() + timedelta(hours=2)
            ended.keep({"access_token": "hand"})

        ended.network.answers = [asleep]
        assert play(lambda: ended.use(ended.process())) == "hand"
        assert ended.stored() == {"access_token": "hand"}

    def test_saves_its_pair_if_nobody_has_another(self, ended: World) -> None:
        """The other process had to give up, for the refresh token was spent."""

        async def scene() -> None:
            async def asleep() -> None:
                ended.clock.advance(LEASE * 2)
                with pytest.raises(PlatformError):
                    await ended.use(ended.process("b"))

            ended.network.answers = [asleep]
            assert await ended.use(ended.process("a")) == "a1"
            assert await ended.use(ended.process("b")) == "a1"

        play(scene)
        assert ended.network.asked == ["r0", "r0"]

    def test_does_not_bring_back_what_was_removed(self, ended: World) -> None:
        async def asleep() -> None:
            del ended.ring.kept["me"]

        ended.network.answers = [asleep]
        with pytest.raises(PlatformError, match="no secret"):
            play(lambda: ended.use(ended.process()))
        assert ended.ring.kept == {}


class TestSaving:
    """Before it is used."""

    def test_what_can_not_be_saved_is_saved_later(self, ended: World) -> None:
        """It is in nobody's hands but ours: asking again would find the refresh token spent."""

        def locked() -> None:
            raise SecretUnavailable("the keyring is locked")

        async def scene() -> None:
            process = ended.process()
            ended.ring.on_write = locked
            with pytest.raises(SecretUnavailable):
                await ended.use(process)
            ended.ring.on_write = lambda: None
            assert await ended.use(process) == "a1"

        play(scene)
        assert ended.network.asked == ["r0"]
        assert ended.stored()["access_token"] == "a1"

    def test_meanwhile_the_old_one_is_used(self, world: World) -> None:
        def locked() -> None:
            raise SecretUnavailable("the keyring is locked")

        world.ring.on_write = locked
        assert play(lambda: world.use(world.process())) == "a0"

    @pytest.mark.parametrize(
        "nonsense",
        [17, "token", Renewal("token"), Renewal(Secret({"access_token": b"x"})),  # type: ignore[arg-type]
         Renewal(Secret("")), Renewal(Secret("x"), datetime(2026, 1, 1)),  # noqa: DTZ001 - naive
         Renewal(Secret("x"), "soon")],  # type: ignore[arg-type]
    )  # fmt: skip
    def test_nonsense_is_never_saved(self, ended: World, nonsense: Any) -> None:
        async def refresh(*args: Any, **more: Any) -> Any:
            return nonsense

        before = ended.stored()
        ended.network.refresh = refresh  # type: ignore[method-assign]  # a plug-in gone wrong
        with pytest.raises(PlatformError, match="a login that is none"):
            play(lambda: ended.use(ended.process()))
        assert ended.stored() == before


class TestFromTheEnvironment:
    """It is never refreshed: the next process would find the refresh token spent."""

    def test_a_pair_is_used_as_it_is(self, world: World) -> None:
        world.ring.environ["me"] = world.ring.kept.pop("me")
        assert play(lambda: world.use(world.process())) == "a0"
        assert world.network.asked == []

    def test_until_it_is_refused(self, ended: World) -> None:
        ended.ring.environ["me"] = ended.ring.kept.pop("me")
        with pytest.raises(PlatformError) as caught:
            play(lambda: ended.use(ended.process()))
        assert caught.value.problem.kind is ErrorKind.AUTH
        assert ended.network.asked == []


def test_words_of_the_network_are_scrubbed_of_the_tokens(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.keep({**world.stored(), "refresh_token": "r0-secret-refresh", "expires_at": "1"})
    world.keep({**json.loads(world.ring.kept["me"]),
                "expires_at": (world.clock.now() + timedelta(minutes=5)).isoformat()})  # fmt: skip
    assert play(lambda: world.use(world.process())) == "a0"
    assert "secret-refresh" not in caplog.text
    assert "secret-refresh" not in (world.row().state_message or "")
    assert "[secret]" in (world.row().state_message or "")
