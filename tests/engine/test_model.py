"""Whatever people, clocks, networks and several workers do in whatever order, judged by a model:
nothing goes out twice, nothing early, nothing vanishes, every status is reached by allowed moves,
and in the end all that is wanted is out."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from postsched.domain.capabilities import FOREVER, Capabilities, Guarantee
from postsched.domain.delivery import Delivery, DeliveryStatus
from postsched.domain.draft import Draft
from postsched.domain.errors import PostschedError
from postsched.domain.moves import MOVES
from postsched.domain.outcome import ErrorKind, Published
from postsched.platforms.base import PlatformError, Unknown
from postsched.service import deliveries, drafts, editing, posts
from postsched.service.deliveries import Which
from postsched.service.desk import Desk
from postsched.store import reading
from postsched.testing import FakeClock, FakePlatform
from postsched.testing.platform import ABLE, Call, LostAnswer
from tests.engine.crew import Crew
from tests.store import rows

S = DeliveryStatus
ZONES = [ZoneInfo(name) for name in ("UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia")]
START = datetime.fromisoformat("2026-10-24T20:00:00+00:00")
"""The evening before Europe sets its clocks back."""
GUARANTEES = {
    "outbox": Guarantee(FOREVER, can_look_up=True),
    "mastodon": Guarantee(None, can_look_up=True),
    "telegram": Guarantee(),
}
"""By the account's name, which is its platform's, too: keys, asking, and nothing."""
NAMES = st.sampled_from(sorted(GUARANTEES))
LOST = httpx.ReadTimeout("")


async def _hang(call: Call) -> Any:
    """It never reaches the network, and there is never an answer."""
    import asyncio

    await asyncio.Event().wait()


FATES: dict[str, Callable[[], Any]] = {
    "lost after": lambda: LostAnswer(LOST),
    "lost before": lambda: LOST,
    "hangs after": lambda: LostAnswer(None),
    "hangs before": lambda: _hang,
    "no connection": lambda: httpx.ConnectError(""),
    "full": lambda: PlatformError(ErrorKind.RATE_LIMIT, "full", after=30.0),
    "down": lambda: PlatformError(ErrorKind.TRANSIENT, "down", http_status=503),
    "refused": lambda: PlatformError(ErrorKind.PERMANENT, "no", http_status=422),
}


def _reachable() -> dict[S, set[S]]:
    """Where the allowed moves lead, in any number."""
    leads = {status: {status} for status in S}
    for _ in S:
        for starts, ends in MOVES.values():
            for found in leads.values():
                if found & starts:
                    found |= ends
    return leads


REACHABLE = _reachable()


class Model(RuleBasedStateMachine):
    """Three accounts, posts to them, and everything that may happen."""

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        self.clock = FakeClock(START)
        self.database = rows.opened(folder)
        self._stack.callback(self.database.close)
        self.fakes = {name: FakePlatform(_able(g), self.clock.now)
                      for name, g in GUARANTEES.items()}  # fmt: skip
        with self.database.write() as connection:
            for name in GUARANTEES:
                rows.account(connection, name, name)
        self.crew = Crew(folder, self.fakes, self.clock)
        self._stack.callback(self._dismiss)
        self.crew.hire()
        settings_ = self.crew.members[0].rig.settings
        self.desk = Desk(self.database, settings_, self.clock.now, ZONES[0])
        self.due: dict[int, datetime] = {}
        self.version = 0
        self.cancelled: set[int] = set()
        self.known: dict[int, Delivery] = {}

    def _dismiss(self) -> None:
        while self.crew.members:
            self.crew.kill(0)

    @rule(to=st.lists(NAMES, min_size=1, unique=True), seconds=st.integers(1, 60),
          zone=st.sampled_from(ZONES), grace=st.sampled_from([None, "1m"]),
          fate=st.none() | st.sampled_from(sorted(FATES)))  # fmt: skip
    def add(
        self, to: list[str], seconds: int, zone: ZoneInfo, grace: str | None, fate: str | None
    ) -> None:
        if fate:
            self.fakes[to[0]].will("publish", FATES[fate]())
        due = self.clock.now() + timedelta(seconds=seconds, microseconds=seconds)
        number = len(self.due)
        at = due.astimezone(zone).isoformat()
        assert posts.add(self.desk, Draft(f"n{number}v0", tuple(to), at, grace=grace))
        self.due[number] = due
        self.crew.tell()

    @rule(seconds=st.integers(1, 120))
    def wait(self, seconds: int) -> None:
        self.crew.go(seconds)

    @rule(minutes=st.sampled_from([1, 3, 60, 60 * 30]))
    def suspend(self, minutes: int) -> None:
        self.clock.suspend(timedelta(minutes=minutes))
        self.crew.tell()

    @rule(minutes=st.sampled_from([-120, -5, -1, 1, 5, 120]))
    def set_the_clock(self, minutes: int) -> None:
        self.clock.set_wall(self.clock.now() + timedelta(minutes=minutes))
        self.crew.tell()

    @rule(name=NAMES, answer=st.sampled_from([LOST, Unknown("busy")]))
    def foresee_asking(self, name: str, answer: Any) -> None:
        self.fakes[name].will("find", answer)

    @precondition(lambda self: len(self.crew.members) < 3)
    @rule()
    def hire(self) -> None:
        self.crew.hire()

    @precondition(lambda self: self.crew.members)
    @rule(number=st.integers(0, 2))
    def die(self, number: int) -> None:
        self.crew.kill(number)

    @precondition(lambda self: self.due)
    @rule(verb=st.sampled_from(["cancel", "retry", "pause", "resume", "edit"]), data=st.data())
    def act(self, verb: str, data: st.DataObject) -> None:
        post_id = data.draw(st.integers(1, len(self.due)))
        which = Which(data.draw(st.none() | NAMES.map(lambda name: frozenset({name}))))
        before = self.deliveries()
        try:
            getattr(self, f"_{verb}")(post_id, which)
        except PostschedError:
            assert self.deliveries() == before, "it was refused, and done all the same"
        self.crew.tell()

    def _cancel(self, post_id: int, which: Which) -> None:
        deliveries.cancel(self.desk, [post_id], which)
        self.cancelled.add(post_id)

    def _retry(self, post_id: int, which: Which) -> None:
        deliveries.retry(self.desk, [post_id], which)

    def _pause(self, post_id: int, which: Which) -> None:
        if which.accounts:
            deliveries.pause_accounts(self.desk, sorted(which.accounts), paused=True)
        else:
            deliveries.pause(self.desk, [post_id])

    def _resume(self, post_id: int, which: Which) -> None:
        if which.accounts:
            deliveries.pause_accounts(self.desk, sorted(which.accounts), paused=False)
        else:
            deliveries.resume(self.desk, [post_id])

    def _edit(self, post_id: int, which: Which) -> None:
        before = drafts.draft_of(self.desk, post_id)
        self.version += 1
        text = f"{before.text.partition('v')[0]}v{self.version}"
        editing.edit(self.desk, post_id, before, replace(before, text=text))

    @rule()
    def resolve(self) -> None:
        self._settle_doubts()
        self.crew.tell()

    def _settle_doubts(self) -> None:
        """A person looks at the network."""
        for delivery in self.deliveries().values():
            if delivery.status is S.UNCONFIRMED:
                out = self.out(delivery)
                published = Published(out[0], "") if out else None
                which = Which(frozenset({delivery.account}))
                deliveries.resolve(self.desk, delivery.post_id, which, published)

    @invariant()
    def nothing_is_twice_or_early(self) -> None:
        for name, fake in self.fakes.items():
            out = Counter(int(post.text[1:].partition("v")[0]) for post in fake.posts)
            assert not [n for n, count in out.items() if count > 1], f"{name}: {out}"
            for call in fake.called("publish"):
                assert call.prepared
                number = int(call.prepared.data["text"][1:].partition("v")[0])
                assert call.at, number
                assert call.at >= self.due[number], f"post {number} is early on {name}"

    @invariant()
    def statuses_follow_the_moves(self) -> None:
        now = self.deliveries()
        assert self.known.keys() <= now.keys(), "a delivery is gone"
        for number, before in self.known.items():
            after = now[number]
            assert after.status in REACHABLE[before.status], f"{before.status}, {after.status}"
            assert after.out >= before.out, "what was out is no longer"
            if after.status is S.CANCELLED:
                assert after.post_id in self.cancelled, "nobody cancelled it"
        self.known = now

    def deliveries(self) -> dict[int, Delivery]:
        """All of them, by id."""
        with self.database.read() as connection:
            found = reading.file_posts(connection, range(1, len(self.due) + 1))
        return {d.id: d for filed in found for d in filed.deliveries}

    def out(self, delivery: Delivery) -> list[str]:
        """The ids under which a delivery is out."""
        posts_ = self.fakes[delivery.account].posts
        begins = f"n{delivery.post_id - 1}v"
        return [post.remote_id for post in posts_ if post.text.startswith(begins)]

    def teardown(self) -> None:
        try:
            self._finish()
        finally:
            self._stack.close()

    def _finish(self) -> None:
        """All die; the networks work again, all is released, and one worker does the rest."""
        self._dismiss()
        for name, fake in self.fakes.items():
            fake.forget()
            deliveries.pause_accounts(self.desk, [name], paused=False)
        self.clock.set_wall(max([self.clock.now(), *self.due.values()]) + timedelta(minutes=5))
        for number in range(1, len(self.due) + 1):
            deliveries.resume(self.desk, [number])
        self.crew.hire()
        for _ in range(6):
            self.crew.go(600)
            self._settle_doubts()
            self.crew.tell()
        self.statuses_follow_the_moves()
        self.nothing_is_twice_or_early()
        for delivery in self.deliveries().values():
            out = bool(self.out(delivery))
            assert delivery.status in (S.PUBLISHED, S.FAILED, S.MISSED, S.CANCELLED), delivery
            assert out == (delivery.status is S.PUBLISHED), f"{delivery.status}, out: {out}"


def _able(guarantee: Guarantee) -> Capabilities:
    return replace(ABLE, guarantee=guarantee)


QUICK = settings(
    max_examples=4, stateful_step_count=15, deadline=None, derandomize=True,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
Model.TestCase.settings = QUICK
TestModel = Model.TestCase


@pytest.mark.slow
class TestModelForLong(Model.TestCase):  # type: ignore[misc, valid-type]  # made by hypothesis
    """The same, many times and by chance."""

    settings = settings(
        max_examples=300, stateful_step_count=40, deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
