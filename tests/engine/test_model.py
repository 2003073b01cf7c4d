"""Whatever people, clocks, networks and several workers do in whatever order, judged by a model:
nothing goes out twice, nothing early or past its grace, nothing vanishes, every status is reached
by allowed moves, what is held stays, and in the end all that is wanted is out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from postsched.domain.delivery import DeliveryStatus
from postsched.domain.errors import PostschedError
from postsched.domain.recurrence import occurrences
from postsched.service import deliveries, pausing
from postsched.service.deliveries import Which
from tests.model.doom import PLACES
from tests.model.fates import FATES
from tests.model.machine import TO
from tests.model.serial import Serial
from tests.model.world import GUARANTEES, Chain

S = DeliveryStatus
MICROSECOND = timedelta(microseconds=1)
ROUNDS = 8
"""How often a person looks after what is left in the end."""


def _passed(chain: Chain, first: datetime, now: datetime) -> Iterator[datetime]:
    """What a series names from one occurrence on until now."""
    for one in occurrences(chain.schedule, first - MICROSECOND):
        if one.instant >= now:
            return
        yield one.instant


class Model(Serial):
    """The same, with what goes wrong while a post goes out, and an end."""

    @rule(to=TO, how=st.sampled_from(["post", "account", "all"]), release=st.booleans())
    def pause_at_work(self, to: list[str], how: str, release: bool) -> None:
        """Right before it is due."""
        self.add(to, 5, None, None, False, False, None)
        number, which = len(self.world.given), Which(None)
        if how == "all":
            self.hold_all(True)
        else:
            which = Which(frozenset(to[:1])) if how == "account" else which
            self._pause(number, which)
        self.judge.look()
        self.crew.go(10)
        self.judge.look()
        if release and how != "all":
            self._resume(number, which)
        elif release:
            self.hold_all(False)

    @rule(to=TO, fate=st.sampled_from(sorted(FATES["publish"])))
    def edit_at_work(self, to: list[str], fate: str) -> None:
        """After a first try, of which it may be known that nothing came."""
        self._have_awake(1)
        self.add(to, 5, None, None, False, False, fate)
        self.crew.go(10)
        with suppress(PostschedError):
            self._edit(len(self.world.given), Which())
            self._retry(len(self.world.given), Which())
        self.crew.tell()

    @rule(to=TO, then=st.booleans(), place=st.sampled_from(PLACES), left=st.integers(1, 5),
          seconds=st.sampled_from([10, 130]))  # fmt: skip
    def die_at_work(self, to: list[str], then: bool, place: str, left: int, seconds: int) -> None:
        self._have_awake(1)
        self.crew.awake[0].doom.ordain(place, left)
        self.add(to, 5, None, None, then, False, None)
        self.crew.go(seconds)

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

    @precondition(lambda self: self.world.zones)
    @rule(place=st.sampled_from(PLACES), left=st.integers(1, 6), seconds=st.sampled_from([65, 130]))
    def die_over_a_series(self, place: str, left: int, seconds: int) -> None:
        """Before or after the next is planned."""
        self._have_awake(1)
        self.crew.awake[0].doom.ordain(place, left)
        self.crew.go(seconds)

    @precondition(lambda self: self.world.zones)
    @rule()
    def all_goes_well(self) -> None:
        """For a while: then every occurrence that comes is taken up."""
        self.crew.go_on()
        self._release()
        self._have_awake(1)
        self.crew.go(70)
        now = self.clock.now()
        chains = self.world.chains()
        led = {(c.post.id, c.account): d for c in chains for d in c.leaders if d.due_at >= now}
        self.crew.go(65)
        for chain in self.world.chains():
            first = led.get((chain.post.id, chain.account))
            there = {row.occurrence for row in chain.rows if row.status is not S.SCHEDULED}
            for one in _passed(chain, first.occurrence, self.clock.now()) if first else ():
                assert one in there, f"{one} was lost: {chain}"

    def _release(self) -> None:
        """The networks work again, nothing is held, and accounts have secrets that work."""
        for fake in self.world.fakes.values():
            fake.forget()
        pausing.pause_accounts(self.desk, sorted(GUARANTEES), paused=False)
        pausing.pause_all(self.desk, paused=False)
        for number in range(1, len(self.world.given) + 1):
            pausing.resume(self.desk, [number])
        self.judge.paused.clear()
        self.world.log_in()
        self.crew.tell()

    def _have_awake(self, count: int) -> None:
        while len(self.crew.awake) < count:
            self.crew.hire()

    def teardown(self) -> None:
        try:
            self._finish()
        finally:
            self.world.close()

    def _finish(self) -> None:
        """All die; the networks work again, all is released, and one worker does the rest."""
        self.world.dismiss()
        last = max([self.clock.now(), *(due for dues in self.world.given for due in dues)])
        self.clock.set_wall(last + timedelta(minutes=5))
        self._release()
        self.crew.hire()
        self.crew.go(25 if self.world.zones else 0)
        self.judge.look()
        for number in self.world.zones:
            self._cancel(number + 1, Which())
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
                deliveries.retry(self.desk, [delivery.post_id], Which(delivery=delivery.id))


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
