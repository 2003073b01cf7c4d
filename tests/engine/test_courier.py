"""What is in the outbox is told: once, again if need be, in time, and given up in the end. The
clock is moved by the test; no time passes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import func, select

from postsched.config import Settings
from postsched.domain.notice import EVERY, LOUD, Event, Message, Notify, Told, Wanted, Way, Webhook
from postsched.engine.courier import TROUBLED, Courier
from postsched.engine.outlets import outlet_for
from postsched.engine.pulse import Pulse
from postsched.engine.tellers import Tellers
from postsched.secrets import Secrets
from postsched.store import accounts as account_rows
from postsched.store import pauses, untold
from postsched.store.database import Database
from postsched.store.outbox import Outlet
from postsched.store.outbox_tables import notifications
from postsched.testing import Answer, FakeClock, Fault, FaultKind
from postsched.transport import Transport
from tests.engine.rig import play, until
from tests.servers.receiver import SECRET, Receiver, verified
from tests.store import rows

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass
class FakeTellers:
    """Takes everything, unless told otherwise; `told` is what it was given."""

    answers: list[Told | Exception | asyncio.Event] = field(default_factory=list)
    told: list[tuple[Way, Message]] = field(default_factory=list)
    ways: tuple[Way, ...] = (Way.WEBHOOK, Way.TARGETS)
    fate: Callable[[Message], Told] = field(default=lambda message: Told())

    def longest(self, way: Way) -> timedelta:
        return timedelta(minutes=1)

    async def tell(self, way: Way, message: Message) -> Told:
        self.told.append((way, message))
        answer = self.answers.pop(0) if self.answers else self.fate(message)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, asyncio.Event):
            await answer.wait()
            return Told()
        return answer


class Post:
    """A database with an outlet, a clock, and couriers of several processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.tellers: Any = FakeTellers()
        ways = {Way.WEBHOOK: EVERY, Way.TARGETS: LOUD}
        self.outlet = Outlet(Wanted(ways, lambda thing: {"id": thing.id, "post_id": thing.id}))
        self.opened: list[Database] = []
        self.database = self.open()
        with self.database.write() as connection:
            self.me = rows.account(connection)

    def open(self) -> Database:
        database = rows.opened(self.folder)
        database.outlet = self.outlet
        self.opened.append(database)
        return database

    def miss(self, count: int, database: Database | None = None, url: str | None = None) -> None:
        """Let so many posts be missed, in one transaction; `url` is their callback."""
        due = self.clock.now() - 2 * DAY
        with (database or self.database).write() as connection:
            for n in range(count):
                rows.post(connection, str(n), [self.me], due, callback=url)
            pauses.miss(connection, self.clock.now())

    def finished(self) -> int:
        """How many notifications are told, or given up, and that is on record."""
        with self.database.read() as connection:
            query = select(func.count()).where(notifications.c.finished_at.is_not(None))
            return connection.scalar(query) or 0

    def courier(self, mark: str = "a") -> Courier:
        return Courier(self.open(), self.tellers, self.clock, Random(1), mark)

    @asynccontextmanager
    async def once(self, mark: str = "a") -> Any:
        courier = self.courier(mark)
        try:
            yield courier
        finally:
            courier.close()

    def deliver(self, mark: str = "a") -> list[tuple[Way, Message]]:
        """What one process tells, having come and gone."""
        self.tellers.told.clear()

        async def scene() -> None:
            async with self.once(mark) as courier:
                await courier.deliver(20)

        play(scene)
        return list(self.tellers.told)


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    found = Post(tmp_path)
    yield found
    for database in found.opened:
        database.close()


def of(told: list[tuple[Way, Message]], way: Way) -> list[Message]:
    return [message for one, message in told if one is way]


def test_many_at_once_are_one_message_to_people_and_each_to_programs(post: Post) -> None:
    post.miss(100)
    post.miss(100)
    told = post.deliver()
    (message,) = of(told, Way.TARGETS)
    assert (message.event, message.account, len(message.items)) == (Event.MISSED, "me", 200)
    hooks = of(told, Way.WEBHOOK)
    assert len({message.uid for message in hooks}) == len(hooks) == 200
    assert post.deliver() == []


def test_each_account_and_event_has_its_own_message(post: Post) -> None:
    post.miss(2)
    with post.database.write() as connection:
        account_rows.hold(connection, post.me.id, "revoked", post.clock.now())
        post.me = rows.account(connection, "you")
    post.miss(3)
    told = [(m.event, m.account, len(m.items)) for m in of(post.deliver(), Way.TARGETS)]
    assert told == [
        (Event.MISSED, "me", 2), (Event.LOGIN_EXPIRED, "me", 1), (Event.MISSED, "you", 3),
    ]  # fmt: skip


def test_what_is_not_taken_is_told_again_with_growing_waits_for_a_day(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    post.tellers.ways = (Way.WEBHOOK,)
    post.miss(1)
    began, waits, uids = post.clock.now(), [], set()
    while True:
        post.tellers.answers = [Told("the webhook answers 500")]
        told = post.deliver()
        uids |= {message.uid for _, message in told}
        with post.database.read() as connection:
            at = untold.next_at(connection, Way.WEBHOOK)
        if at is None:
            break
        waits.append((at - post.clock.now()).total_seconds())
        post.clock.advance(at - post.clock.now())
    assert [round(wait) for wait in waits[:4]] == pytest.approx([5, 16, 48, 145], rel=0.2)
    assert all(low < high for low, high in pairwise(waits[:8]))
    assert max(waits) <= 2.4 * 3600
    assert DAY <= post.clock.now() - began <= DAY + 3 * HOUR
    assert len(uids) == 1, "receivers know it by its id"
    (error,) = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert error.getMessage() == (
        "me could not be told of missed, given up: the webhook answers 500"
    )
    with post.database.read() as connection:
        (left,) = untold.backlog(connection, began)
    assert (left.given_up, left.waiting) == (1, 0)


def test_a_laptop_that_was_away_for_a_week_still_tells(post: Post) -> None:
    post.miss(1)
    post.clock.advance(7 * DAY)
    post.tellers.answers = [Told("no network yet"), Told("no network yet")]
    assert len(post.deliver()) == 2
    post.clock.advance(10.0)
    assert len(post.deliver()) == 2


def test_what_will_never_be_taken_is_given_up_at_once(post: Post) -> None:
    post.tellers.ways = (Way.WEBHOOK,)
    post.miss(1)
    post.tellers.answers = [Told("410", final=True)]
    assert len(post.deliver()) == 1
    post.clock.advance(DAY)
    assert post.deliver() == []


def test_a_receiver_that_asks_for_time_gets_it(post: Post) -> None:
    post.tellers.ways = (Way.WEBHOOK,)
    post.miss(1)
    post.tellers.answers = [Told("503", after=600)]
    post.deliver()
    post.clock.advance(599.0)
    assert post.deliver() == []
    post.clock.advance(1.0)
    assert len(post.deliver()) == 1


def test_targets_that_have_it_are_not_told_again(post: Post) -> None:
    post.tellers.ways = (Way.TARGETS,)
    post.miss(2)
    post.tellers.answers = [Told("target 2: 500", done=("aa",))]
    post.deliver()
    post.clock.advance(10.0)
    post.miss(1)
    told = sorted((m.done, len(m.items)) for m in of(post.deliver(), Way.TARGETS))
    assert told == [((), 1), (("aa",), 2)]


def test_a_teller_that_breaks_is_a_failure_as_any_other(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    post.miss(1)
    post.tellers.answers = [ValueError("boom"), ValueError("boom")]
    assert len(post.deliver()) == 2
    assert "failed here (ValueError)" in caplog.text
    post.clock.advance(10.0)
    assert len(post.deliver()) == 2


def test_after_a_batch_that_nobody_took_there_is_a_rest(post: Post) -> None:
    """A receiver that is dead is not asked a thousand times in a row."""
    post.tellers.ways = (Way.WEBHOOK,)
    post.miss(100)
    post.tellers.answers = [Told("dead") for _ in range(1000)]

    async def scene() -> float:
        async with post.once() as courier:
            return float(await courier.go_through(Way.WEBHOOK))

    assert play(scene) == TROUBLED
    assert len(post.tellers.told) == 8


class TestCallbacks:
    """Many addresses, of which one that is dead is not to trouble the others."""

    @pytest.fixture(autouse=True)
    def only_callbacks(self, post: Post) -> None:
        post.tellers.ways = (Way.CALLBACK,)

    def test_one_that_is_dead_does_not_keep_others_waiting(self, post: Post) -> None:
        post.miss(30, url="https://dead.example/")
        post.miss(30, url="https://well.example/")
        post.tellers.fate = lambda m: Told("no answer") if "dead" in (m.url or "") else Told()
        urls = [message.url for _, message in post.deliver()]
        assert urls.count("https://well.example/") == 30
        assert urls.count("https://dead.example/") <= 8, "it is left alone"
        post.clock.advance(4.0)
        assert post.deliver() == [], "all that is for it waits"
        post.clock.advance(HOUR)
        post.tellers.fate = lambda m: Told()
        assert len(post.deliver()) >= 22

    @pytest.mark.slow
    def test_what_is_for_a_dead_one_is_given_up_after_a_day(
        self, post: Post, caplog: pytest.LogCaptureFixture
    ) -> None:
        post.miss(20, url="https://dead.example/s3cret")
        post.tellers.fate = lambda m: Told("no answer", answer=502)

        async def scene() -> int:
            count = 0
            async with post.once() as courier:  # one process, which remembers
                while post.finished() < 20:
                    await courier.go_through(Way.CALLBACK)
                    post.clock.advance(timedelta(minutes=40))
                    count += 1
            return count

        tries = play(scene)
        assert 36 <= tries < 60
        assert "callbacks to one address were given up: no answer" in caplog.text
        assert "s3cret" not in caplog.text
        with post.database.read() as connection:
            (left,) = untold.backlog(connection, post.clock.now() - 2 * DAY)
        assert (left.way, left.given_up, left.waiting) == (Way.CALLBACK, 20, 0)

    def test_a_message_that_is_refused_says_nothing_of_its_address(self, post: Post) -> None:
        post.miss(20, url="https://a.example/")
        post.tellers.fate = lambda m: Told("404", answer=404)
        assert len(post.deliver()) == 20

    def test_with_something_wrong_here_there_is_a_rest(self, post: Post) -> None:
        post.miss(20, url="https://a.example/")
        post.tellers.fate = lambda m: Told("there is no secret", here=True)
        assert len(post.deliver()) <= 8


def test_two_processes_do_not_tell_the_same(post: Post) -> None:
    post.miss(40)

    async def scene() -> None:
        async with post.once("a") as one, post.once("b") as other:
            await asyncio.gather(one.deliver(20), other.deliver(20))

    play(scene)
    uids = [message.uid for message in of(post.tellers.told, Way.WEBHOOK)]
    assert len(set(uids)) == len(uids) == 40
    assert sum(len(m.items) for m in of(post.tellers.told, Way.TARGETS)) == 40


def test_what_a_dead_process_held_is_told_by_the_next(post: Post) -> None:
    post.miss(1)
    now = post.clock.now()
    with post.database.write() as connection:
        until = now + timedelta(minutes=1)
        held = untold.claim(connection, Way.WEBHOOK, now, now, until, "dead.1", 9)
    assert len(held) == 1
    assert of(post.deliver(), Way.WEBHOOK) == []
    post.clock.advance(60.0)
    (message,) = of(post.deliver(), Way.WEBHOOK)
    assert message.uid == held[0].message.uid


def test_the_daemon_tells_at_once_and_what_another_has_left(post: Post) -> None:
    async def scene() -> None:
        courier = post.courier()
        courier.start()
        await until(lambda: post.outlet.ring is not None)
        database = post.opened[-1]
        await asyncio.to_thread(post.miss, 1, database)
        await until(lambda: of(post.tellers.told, Way.WEBHOOK))
        assert not of(post.tellers.told, Way.TARGETS), "people are told a little later"
        post.clock.advance(2.0)
        courier.wake()
        await until(lambda: of(post.tellers.told, Way.TARGETS))
        await courier.stop()

    play(scene)


def test_a_way_that_hangs_holds_up_no_other_and_is_told_by_the_next_process(post: Post) -> None:
    post.miss(1)
    post.clock.advance(3.0)
    never = asyncio.Event()

    class Hanging(FakeTellers):
        async def tell(self, way: Way, message: Message) -> Told:
            if way is Way.WEBHOOK:
                await never.wait()
            return await super().tell(way, message)

    post.tellers = Hanging()

    async def scene() -> None:
        courier = post.courier()
        courier.start()
        await until(lambda: post.finished() == 1)
        await courier.stop(0.05)

    play(scene)
    post.tellers = FakeTellers()
    ((way, _),) = post.deliver("next")
    assert way is Way.WEBHOOK, "and at once, for it was given back"


def test_a_login_that_ends_soon_is_told_once(post: Post) -> None:
    with post.database.write() as connection:
        end = post.clock.now() + 6 * DAY
        account_rows.save(connection, replace(post.me, token_expires_at=end))
    assert [m.event for m in of(post.deliver(), Way.TARGETS)] == [Event.LOGIN_EXPIRING]
    assert post.deliver() == []
    post.clock.advance(5.5 * DAY)
    assert [m.event for m in of(post.deliver(), Way.TARGETS)] == [Event.LOGIN_EXPIRING]


def test_signs_of_life_are_given_while_all_is_well(caplog: pytest.LogCaptureFixture) -> None:
    beats: list[str | None] = []
    well = [True, False, True, True]
    problems = ["down", "down", None]

    async def beat() -> str | None:
        beats.append(problems[len(beats)] if len(beats) < 3 else None)
        return beats[-1]

    async def is_well() -> bool:
        return well.pop(0) if well else False

    async def scene() -> None:
        pulse = Pulse(beat, is_well, every=0.001)
        pulse.start()
        await until(lambda: not well)
        await pulse.stop()

    play(scene)
    assert beats == ["down", "down", None]
    assert caplog.text.count("no sign of life could be given: down") == 1


class TestWithReceiver:
    """The real tellers, and a receiver that verifies what it gets."""

    @pytest.fixture
    def receiver(self) -> Iterator[Receiver]:
        with Receiver() as server:
            yield server

    def tellers(self, post: Post, secret: str, **hook: Any) -> Tellers:
        settings = Settings(str(post.folder / "posts.db"), webhook=Webhook(**hook), notify=Notify())
        post.outlet = outlet_for(settings) or post.outlet
        post.database.outlet = post.outlet
        secrets = Secrets({"POSTSCHED_WEBHOOK_SECRET": secret})
        transport = Transport(0.5, allow_private=True)
        return Tellers(settings, secrets, {}, transport, post.clock.now)

    def test_faults_are_lived_through_and_each_delivery_arrives(
        self, post: Post, receiver: Receiver
    ) -> None:
        post.clock.set_wall(datetime.now(UTC))  # the library refuses what is old
        post.tellers = self.tellers(post, SECRET, url=f"{receiver.url}/hook")
        for kind in (FaultKind.HANG, FaultKind.RESET, FaultKind.RESET_AFTER):
            receiver.program(Fault(kind))
        receiver.program(Fault(FaultKind.ANSWER, Answer(500, {})))

        async def scene() -> None:
            post.miss(6)
            for _ in range(6):
                async with post.once() as courier:
                    await courier.deliver(20)
                post.clock.advance(30.0)
            await post.tellers.transport.close()

        play(scene)
        bodies = [body for body in verified(receiver.requests) if body["type"] == "missed"]
        ids = {body["data"]["id"] for body in bodies}
        assert ids == {1, 2, 3, 4, 5, 6}
        assert bodies[0]["data"]["status"] == "missed"
        assert bodies[0]["data"]["account"] == "me"
        by_id = {r.headers["webhook-id"] for r in receiver.requests}
        assert len(by_id) == 6, "a receiver can tell what it has got already"

    def test_a_secret_that_is_none_is_a_failure_that_shows_nothing(
        self, post: Post, receiver: Receiver, caplog: pytest.LogCaptureFixture
    ) -> None:
        post.tellers = self.tellers(post, "not-one-at-all", url=f"{receiver.url}/hook")

        async def scene() -> None:
            post.miss(1)
            async with post.once() as courier:
                await courier.deliver(20)

        play(scene)
        assert not receiver.requests
        assert "the secret of the webhook is none" in caplog.text
        assert "not-one-at-all" not in caplog.text
