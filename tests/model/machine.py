"""Everything that people, clocks, networks and workers may do, as rules for hypothesis."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from postsched.domain.delivery import DeliveryStatus
from postsched.domain.draft import Draft, DraftPart
from postsched.domain.errors import InvalidInput, PostschedError
from postsched.service import deliveries, drafts, editing, pausing, posts
from postsched.service.deliveries import Which
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


class Machine(RuleBasedStateMachine):
    """Three accounts, posts to them, and everything that may happen, one thing at a time."""

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
        if post_id - 1 in self.world.zones and verb == "put off":
            verb = "edit"
        self._do(verb, post_id, data)

    def _do(self, verb: str, post_id: int, data: st.DataObject) -> None:
        which = Which(data.draw(st.none() | NAMES.map(lambda name: frozenset({name}))))
        before = self.world.deliveries()
        self.judge.replanned = True
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
            pausing.pause_accounts(self.desk, sorted(which.accounts), paused=True)
        else:
            pausing.pause(self.desk, [post_id])
        self.judge.paused |= which.accounts or {post_id}

    def _resume(self, post_id: int, which: Which) -> None:
        if which.accounts:
            pausing.pause_accounts(self.desk, sorted(which.accounts), paused=False)
        else:
            pausing.resume(self.desk, [post_id])
        self.judge.paused -= which.accounts or {post_id}

    def _edit(self, post_id: int, which: Which) -> None:
        before = drafts.draft_of(self.desk, post_id)
        self.version += 1
        number, _, rest = before.text.partition("v")
        text = f"{number}v{self.version}{rest.lstrip('0123456789')}"
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
        pausing.pause_all(self.desk, paused=paused)
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

    @precondition(lambda self: self.crew.members)
    @rule(number=st.integers(0, 2))
    def stop(self, number: int) -> None:
        self.crew.stop(number)

    @rule()
    def go_on(self) -> None:
        self.crew.go_on()

    # ---- what must hold

    @invariant()
    def all_is_well(self) -> None:
        self.judge.look()
