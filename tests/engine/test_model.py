"""Whatever people, clocks, networks and several workers do in whatever order, judged by a model:
nothing goes out twice, nothing early or past its grace, nothing vanishes, every status is reached
by allowed moves, what is held stays, and in the end all that is wanted is out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from postsched.domain.delivery import DeliveryStatus
from postsched.domain.draft import Draft, DraftPart
from postsched.domain.errors import InvalidInput, PostschedError
from postsched.service import deliveries, drafts, editing, posts
from postsched.service.deliveries import Which
from tests.model.doom import PLACES
from tests.model.fates import FATES
from tests.model.judge import Judge
from tests.model.world import GUARANTEES, World

S = DeliveryStatus
ZONES = [ZoneInfo(name) for name in ("UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia")]
CHANGES = [datetime(2026, 10, 25, 1, tzinfo=UTC), datetime(2026, 11, 1, 6, tzinfo=UTC)]
"""When clocks are set back in Berlin and in New York."""
NAMES = st.sampled_from(sorted(GUARANTEES))
TO = st.lists(NAMES, min_size=1, unique=True)
VERBS = ["cancel", "retry", "pause", "resume", "edit", "put off"]
ROUNDS = 8
"""How often a person looks after what is left in the end."""


class Model(RuleBasedStateMachine):
    """Three accounts, posts to them, and everything that may happen."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.clock, self.crew, self.desk = self.world.clock, self.world.crew, self.world.desk
        self.judge = Judge(self.world)
        self.version = 0

    # ---- what people write

    @rule(to=TO, seconds=st.integers(1, 60),
          zone=st.none() | st.sampled_from(ZONES), grace=st.sampled_from([None, "1m"]),
          then=st.booleans(), comment=st.booleans(),
          fate=st.none() | st.sampled_from(sorted(FATES["publish"])))  # fmt: skip
    def add(
        self, to: list[str], seconds: int, zone: ZoneInfo | None, grace: str | None,
        then: bool, comment: bool, fate: str | None,
    ) -> None:  # fmt: skip
        """With a zone the time is the wall clock's there, which may be there twice. Telegram takes
        no comments."""
        comment = comment and "telegram" not in to
        if fate:
            self.world.foresee(to[0], "publish", fate)
        due = self.clock.now() + timedelta(seconds=seconds, microseconds=seconds)
        at = due.isoformat()
        if zone:
            local = due.astimezone(zone).replace(tzinfo=None)
            at, due = local.isoformat(), local.replace(tzinfo=zone, fold=0).astimezone(UTC)
        text = f"n{len(self.world.given)}v0"
        draft = Draft(
            text, tuple(to), at, tz=zone.key if zone else None, grace=grace,
            then=(DraftPart(f"{text}p2"),) if then else (),
            comment=f"{text}p{2 + then}" if comment else None,
        )  # fmt: skip
        if due <= self.clock.now():
            with pytest.raises(InvalidInput):
                posts.add(self.desk, draft)
            return
        assert posts.add(self.desk, draft)
        self.world.given.append({due})
        self.crew.tell()

    @precondition(lambda self: self.world.given)
    @rule(verb=st.sampled_from(VERBS), data=st.data())
    def act(self, verb: str, data: st.DataObject) -> None:
        post_id = data.draw(st.integers(1, len(self.world.given)))
        which = Which(data.draw(st.none() | NAMES.map(lambda name: frozenset({name}))))
        before = self.world.deliveries()
        try:
            getattr(self, "_" + verb.replace(" ", "_"))(post_id, which)
        except PostschedError:
            after = self.world.deliveries()
            assert after == before, "it was refused, and done all the same"
        self.crew.tell()

    def _cancel(self, post_id: int, which: Which) -> None:
        deliveries.cancel(self.desk, [post_id], which)
        self.judge.cancelled.add(post_id)

    def _retry(self, post_id: int, which: Which) -> None:
        deliveries.retry(self.desk, [post_id], which)

    def _pause(self, post_id: int, which: Which) -> None:
        if which.accounts:
            deliveries.pause_accounts(self.desk, sorted(which.accounts), paused=True)
        else:
            deliveries.pause(self.desk, [post_id])
        self.judge.paused |= which.accounts or {post_id}

    def _resume(self, post_id: int, which: Which) -> None:
        if which.accounts:
            deliveries.pause_accounts(self.desk, sorted(which.accounts), paused=False)
        else:
            deliveries.resume(self.desk, [post_id])
        self.judge.paused -= which.accounts or {post_id}

    def _edit(self, post_id: int, which: Which) -> None:
        before = drafts.draft_of(self.desk, post_id)
        self.version += 1
        text = f"{before.text.partition('v')[0]}v{self.version}"
        editing.edit(self.desk, post_id, before, replace(before, text=text))

    def _put_off(self, post_id: int, which: Which) -> None:
        before = drafts.draft_of(self.desk, post_id)
        self.version += 1
        due = self.clock.now() + timedelta(seconds=30, microseconds=self.version)
        after = replace(before, at=due.isoformat(), tz=None)
        editing.edit(self.desk, post_id, before, after)
        self.world.given[post_id - 1].add(due)

    @rule(paused=st.booleans())
    def hold_all(self, paused: bool) -> None:
        deliveries.pause_all(self.desk, paused=paused)
        (self.judge.paused.add if paused else self.judge.paused.discard)("all")
        self.crew.tell()

    @rule()
    def resolve(self) -> None:
        self.world.settle_doubts()
        self.crew.tell()

    @rule()
    def log_in(self) -> None:
        self.world.log_in()
        self.crew.tell()

    # ---- what clocks do

    @rule(seconds=st.integers(1, 120))
    def wait(self, seconds: int) -> None:
        self.crew.go(seconds)

    @rule()
    def wait_until_nearly_due(self) -> None:
        """By then it is claimed."""
        now = self.clock.now()
        left = [(d.due_at - now).total_seconds() for d in self.world.deliveries().values()]
        if coming := [seconds for seconds in left if 0.1 < seconds < 120]:
            self.crew.go(min(coming) - 0.1)

    @rule(minutes=st.sampled_from([1, 3, 60, 60 * 30]))
    def suspend(self, minutes: int) -> None:
        self.suspend_for(timedelta(minutes=minutes))

    def suspend_for(self, time: timedelta) -> None:
        """The machine sleeps, and all that were not stopped wake up."""
        self.clock.suspend(time)
        self.crew.tell()

    @rule(minutes=st.sampled_from([-120, -5, -1, 1, 5, 120]))
    def set_the_clock(self, minutes: int) -> None:
        self.clock.set_wall(self.clock.now() + timedelta(minutes=minutes))
        self.crew.tell()

    @rule(change=st.sampled_from(CHANGES), minutes=st.sampled_from([-61, -1, 59]))
    def suspend_until_clocks_change(self, change: datetime, minutes: int) -> None:
        """Or until shortly before the hour that comes twice, or its end."""
        asleep = change + timedelta(minutes=minutes) - self.clock.now()
        if asleep > timedelta(0):
            self.suspend_for(asleep)

    # ---- what networks do

    @rule(name=NAMES, verb=st.sampled_from(sorted(FATES)), data=st.data())
    def foresee(self, name: str, verb: str, data: st.DataObject) -> None:
        self.world.foresee(name, verb, data.draw(st.sampled_from(sorted(FATES[verb]))))

    @rule()
    def let_go_on(self) -> None:
        self.world.let_go_on()

    # ---- what becomes of workers

    @precondition(lambda self: len(self.crew.members) < 3)
    @rule()
    def hire(self) -> None:
        self.crew.hire()

    @precondition(lambda self: self.crew.members)
    @rule(number=st.integers(0, 2))
    def die(self, number: int) -> None:
        self.crew.kill(number)

    @rule(to=TO, then=st.booleans(), place=st.sampled_from(PLACES), left=st.integers(1, 5),
          seconds=st.sampled_from([10, 130]))  # fmt: skip
    def die_at_work(self, to: list[str], then: bool, place: str, left: int, seconds: int) -> None:
        self._have_awake(1)
        self.crew.awake[0].doom.ordain(place, left)
        self.add(to, 5, None, None, then, False, None)
        self.crew.go(seconds)

    @precondition(lambda self: self.crew.members)
    @rule(number=st.integers(0, 2))
    def stop(self, number: int) -> None:
        self.crew.stop(number)

    @rule()
    def go_on(self) -> None:
        self.crew.go_on()

    @rule(to=TO, seconds=st.sampled_from([5, 130, 300]), asleep=st.booleans())
    def stop_at_work(self, to: list[str], seconds: int, asleep: bool) -> None:
        """Another is there, and takes over what is held for too long: by the clock on the wall,
        where the machine sleeps meanwhile."""
        self._have_awake(2)
        self.add(to, 5, None, None, False, False, None)
        self.wait_until_nearly_due()
        if holding := [m for m in self.crew.awake if m.sim.dispatcher.hands.everything()]:
            holding[0].asleep = True
        if asleep:
            self.suspend_for(timedelta(seconds=seconds))
        else:
            self.crew.go(seconds)
        self.crew.go_on()

    def _have_awake(self, count: int) -> None:
        while len(self.crew.awake) < count:
            self.crew.hire()

    # ---- what must hold

    @invariant()
    def all_is_well(self) -> None:
        self.judge.look()

    def teardown(self) -> None:
        try:
            self._finish()
        finally:
            self.world.close()

    def _finish(self) -> None:
        """All die; the networks work again, all is released, and one worker does the rest."""
        self.world.dismiss()
        for fake in self.world.fakes.values():
            fake.forget()
        last = max([self.clock.now(), *(due for dues in self.world.given for due in dues)])
        self.clock.set_wall(last + timedelta(minutes=5))
        deliveries.pause_accounts(self.desk, sorted(GUARANTEES), paused=False)
        deliveries.pause_all(self.desk, paused=False)
        numbers = range(1, len(self.world.given) + 1)
        for number in numbers:
            deliveries.resume(self.desk, [number])
        self.judge.paused.clear()
        self.crew.hire()
        for _ in range(ROUNDS):
            self.world.log_in()
            self._look_after()
            self.crew.tell()
            self.crew.go(600)
            self.judge.look()
            if self.judge.all_is_settled():
                break
        self.judge.everything_is_out()

    def _look_after(self) -> None:
        self.world.settle_doubts()
        for delivery in self.world.deliveries().values():
            if delivery.status in (S.FAILED, S.MISSED):
                which = Which(frozenset({delivery.account}))
                deliveries.retry(self.desk, [delivery.post_id], which)


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
        max_examples=300, stateful_step_count=40, deadline=None, print_blob=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
