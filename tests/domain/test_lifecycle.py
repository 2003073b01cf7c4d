"""Whole lives of deliveries, by chance: the machine and the judge against a network with a memory.

The network model is honest about what a Guarantee promises (it remembers keys for so long, it
shows a post by the last of the look-ups) and hostile in all else: answers are lost before or after
the effect, workers die anywhere, limits and refusals come at any time.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postsched.domain import moves
from postsched.domain.capabilities import FOREVER, Guarantee
from postsched.domain.delivery import Claim, Delivery, DeliveryStatus
from postsched.domain.outcome import (
    Absent,
    Asked,
    ErrorKind,
    Failed,
    LetGo,
    Lost,
    NotKnown,
    Problem,
    Published,
    Retry,
    Sent,
)
from postsched.domain.retry import RetryPolicy
from postsched.domain.settling import DOUBT_ENDS, Judge
from tests.domain.samples import NOON, PROBLEM, delivery, steps

S = DeliveryStatus
DELAY = 20.0
"""Seconds after which the network shows a new post: before the last of the look-ups."""
GUARANTEES = {
    "forever": Guarantee(FOREVER),
    "an hour, then asked": Guarantee(timedelta(hours=1), can_look_up=True),
    "an hour, then nothing": Guarantee(timedelta(hours=1)),
    "asked": Guarantee(None, can_look_up=True),
    "asked, without a record": Guarantee(None, can_look_up=True, prepares_alike=True),
    "nothing": Guarantee(),
}
FATES = (
    "out", "out", "lost after", "lost before", "retry", "limited", "refused", "let go",
    "dies before", "dies after", "unprepared",
)  # fmt: skip
WORDS = ("answers", "answers", "silent", "refused login", "keyring away")


@dataclass
class Network:
    """What is really out: by step, when it went out, every time."""

    guarantee: Guarantee
    out: dict[int, list[datetime]] = field(default_factory=dict)
    first_sent: dict[int, datetime] = field(default_factory=dict)

    def put(self, index: int, now: datetime) -> Published:
        """Take a step in, unless its key is still known."""
        first = self.first_sent.setdefault(index, now)
        memory = self.guarantee.deduplicates
        known = memory is not None and now - first < memory and index in self.out
        if not known:
            self.out.setdefault(index, []).append(now)
        return Published(f"id{index}")

    def find(self, index: int, now: datetime) -> Asked:
        """What it shows of a step."""
        seen = self.out.get(index)
        if seen and now - seen[0] >= timedelta(seconds=DELAY):
            return Published(f"id{index}")
        return Absent("not there")


@dataclass
class Life:
    """One delivery from its plan on, one worker, one network."""

    guarantee: Guarantee
    rng: Random
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    now: datetime = NOON
    claims: int = 0
    given_back: int = 0

    def __post_init__(self) -> None:
        self.network = Network(self.guarantee)
        count = self.rng.randint(1, 3)
        self.delivery = delivery(steps=steps(count, prepared=False), grace_until=None)

    def judge(self) -> Judge:
        return Judge(self.guarantee, self.policy, self.now, self.rng)

    def turn(self) -> None:
        """Let the delivery be taken up at its instant, and let something happen to it."""
        assert self.delivery.next_at is not None
        self.now = max(self.now, self.delivery.next_at)
        held = Claim(str(self.rng.random()), 1, self.now, self.now + timedelta(minutes=2))
        if self.delivery.status is S.CONFIRMING:
            self.delivery = moves.claim_to_ask(self.delivery, held)
            self.ask()
        else:
            self.delivery = moves.claim(self.delivery, held)
            self.claims += 1
            self.check_attempts()
        while self.delivery.status is S.PUBLISHING:
            self.send()
        self.check()

    def send(self) -> None:
        fate = self.rng.choice(FATES)
        before, index = self.delivery, self.delivery.next_step
        assert index is not None
        if fate == "unprepared":
            if self.guarantee.prepares_alike and self.guarantee.settles and self.rng.random() < 0.5:
                self.network.put(index, self.now)  # sent without being on record
            self.die()
            return
        laid = list(before.steps)
        laid[index] = replace(laid[index], prepared={"text": "x"})
        self.delivery = replace(before, steps=tuple(laid))
        if not self.guarantee.settles and fate not in ("let go", "dies before"):
            self.delivery = replace(self.delivery, sent_at=self.now)
        started = self.now
        self.now += timedelta(seconds=self.rng.uniform(0, 5))
        if fate.startswith("dies"):
            if fate == "dies after":
                self.network.put(index, started)
            self.die()
            return
        outcome = self.outcome(fate, index, started)
        self.delivery = self.judge().sent(self.delivery, outcome, started)
        if isinstance(outcome, LetGo) or (isinstance(outcome, Retry) and not outcome.counts):
            self.given_back += 1

    def outcome(self, fate: str, index: int, started: datetime) -> Sent:
        match fate:
            case "out":
                return self.network.put(index, started)
            case "lost after":
                self.network.put(index, started)
                return Lost(PROBLEM)
            case "lost before":
                return Lost(PROBLEM)
            case "retry":
                return Retry(PROBLEM, prepare_again=self.rng.random() < 0.5)
            case "limited":
                return Retry(PROBLEM, after=self.rng.uniform(0, 7200), counts=False)
            case "refused":
                return Failed(PROBLEM)
        return LetGo(PROBLEM, here=True)

    def die(self) -> None:
        self.now += timedelta(minutes=2)
        before = self.delivery
        self.delivery = moves.claim_ran_out(before, self.guarantee, self.now)
        self.given_back += before.attempts > self.delivery.attempts

    def ask(self) -> None:
        index = self.delivery.next_step
        assert index is not None
        judge = self.judge()
        if not judge.can_settle(self.delivery.sent_at):
            self.delivery = moves.give_to_person(self.delivery, PROBLEM)
            return
        match self.rng.choice(WORDS):
            case "silent":
                answer: Asked = NotKnown(PROBLEM)
            case "refused login":
                answer = LetGo(PROBLEM)
            case "keyring away":
                answer = LetGo(Problem(ErrorKind.AUTH, "locked"), here=True)
            case _ if judge.remembers(self.delivery.sent_at):
                answer = self.network.put(index, self.now)
            case _:
                answer = self.network.find(index, self.now)
        self.delivery = judge.asked(self.delivery, answer)

    def person(self) -> None:
        """Settle what only a person can, by what is really out."""
        index = self.delivery.next_step
        if self.delivery.status is S.UNCONFIRMED:
            assert index is not None
            self.now += timedelta(seconds=DELAY)
            found = self.network.find(index, self.now)
            if isinstance(found, Published):
                self.delivery = moves.resolve_published(self.delivery, found, self.now)
            else:
                self.delivery = moves.resolve_absent(self.delivery, self.now)
        else:
            self.delivery = moves.retry(self.delivery, self.now)
        self.claims = self.given_back = 0
        self.network.first_sent.clear()  # the person looked: nothing of the next step is out

    def check_attempts(self) -> None:
        assert self.delivery.attempts == self.claims - self.given_back
        assert self.delivery.attempts <= self.policy.attempts

    def check(self) -> None:
        """What holds after every turn, whatever happened."""
        twice = {index: times for index, times in self.network.out.items() if len(times) > 1}
        assert not twice, f"went out twice: {twice}"
        known = {i for i, step in enumerate(self.delivery.steps) if step.published}
        assert known <= set(self.network.out), "said to be out, and is not"
        assert known == set(range(len(known))), "a part before it is not out"
        if self.delivery.status is S.PUBLISHED:
            assert set(self.network.out) == set(range(len(self.delivery.steps)))
        hidden = set(self.network.out) - known
        if hidden:
            assert self.delivery.status in (S.CONFIRMING, S.UNCONFIRMED), "out, and nobody asks"
        if self.delivery.status is S.CONFIRMING:
            assert self.delivery.sent_at is not None
        if self.delivery.status is S.UNCONFIRMED:
            assert self.delivery.sent_at is not None


@pytest.mark.parametrize("name", GUARANTEES)
@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_never_twice_never_lost(name: str, seed: int) -> None:
    life = Life(GUARANTEES[name], Random(seed))
    for _ in range(60):
        if life.delivery.status is S.PUBLISHED:
            return
        if life.delivery.next_at is None:
            life.person()
        else:
            life.turn()


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_doubt_ends_within_a_day(seed: int) -> None:
    """However silent the network: by then it is out, known not to be, or a person's."""
    life = Life(GUARANTEES["an hour, then asked"], Random(seed))
    doubtful: Delivery = delivery(S.CONFIRMING, sent_at=NOON)
    for _ in range(500):
        if doubtful.status is not S.CONFIRMING:
            break
        assert doubtful.next_at is not None
        life.now = max(life.now, doubtful.next_at)
        assert life.now - NOON <= DOUBT_ENDS
        silence: list[Asked] = [NotKnown(PROBLEM), LetGo(PROBLEM, here=True)]
        answer = life.rng.choice(silence)
        doubtful = life.judge().asked(doubtful, answer)
    assert doubtful.status is S.UNCONFIRMED
