"""Whether everything is as it must be, at every moment of a model test."""

from __future__ import annotations

from datetime import datetime

from postsched.domain.delivery import Delivery, DeliveryStatus
from postsched.domain.moves import MOVES
from postsched.domain.recurrence import next_occurrence
from postsched.testing.platform import Call
from tests.model.world import World, spot_of

S = DeliveryStatus
SETTLED = (S.PUBLISHED, S.CANCELLED)


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


class Judge:
    """Compares what the networks saw and what the database says with what people did: `cancelled`
    are the posts (by id) that somebody cancelled, `paused` is what is held: posts (by id), accounts
    (by name), and everything ("all")."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.cancelled: set[int] = set()
        self.paused: set[int | str] = set()
        self._known: dict[int, Delivery] = {}
        self._held: set[int] = set()
        self._heard = dict.fromkeys(world.fakes, 0)
        self._keys: dict[tuple[str, str], str] = {}
        self._led: dict[tuple[int, str], datetime] = {}
        self._latest = world.clock.now()
        self.moved: dict[tuple[int, str, datetime], datetime] = {}
        """When what a person moved is due, by post id, account and occurrence."""
        self.replanned = False
        """Whether a person has changed since the last look what a series names."""

    def look(self) -> None:
        """AssertionError if anything is wrong."""
        now = self._world.deliveries()
        self._nothing_is_twice()
        for name in self._world.fakes:
            self._look_at_calls(name, now)
        self._statuses_follow_the_moves(now)
        self._what_is_held_stays(now)
        self._series_go_on()
        self._known = now

    def _nothing_is_twice(self) -> None:
        for name in self._world.fakes:
            out = self._world.out(name)
            ids = {post.remote_id: spot for spot, posts in out.items() for post in posts}
            for (number, label, step), posts in out.items():
                assert len(posts) == 1, f"{name}: {posts}"
                parent = (number, label, step - 1) if step > 1 else None
                assert ids.get(posts[0].parent or "") == parent, f"{posts[0]} hangs elsewhere"

    def _look_at_calls(self, name: str, now: dict[int, Delivery]) -> None:
        calls = self._world.fakes[name].called("publish")
        for call in calls[self._heard[name] :]:
            self._look_at(call, name, now)
        self._heard[name] = len(calls)

    def _look_at(self, call: Call, name: str, now: dict[int, Delivery]) -> None:
        """A key stands for one text; nothing is early, and past its grace nothing is begun unless
        a person wants it."""
        assert call.prepared
        assert call.key
        assert call.at
        text = call.prepared.data["text"]
        assert self._keys.setdefault((name, call.key), text) == text, "a key for two texts"
        spot = number, _, step = spot_of(text)
        mine = (d for d in now.values() if (d.post_id, d.account) == (number + 1, name))
        (delivery,) = (d for d in mine if self._world.spot(d, step) == spot)
        assert delivery.number or delivery.occurrence in self._world.given[number]
        due = self.moved.get((delivery.post_id, name, delivery.occurrence), delivery.occurrence)
        assert call.at >= due, f"{text} is early on {name}"
        if step == 1 and call.prepared.since is None and delivery.grace_until:
            assert call.at <= delivery.grace_until, f"{text} is too late on {name}"

    def _statuses_follow_the_moves(self, now: dict[int, Delivery]) -> None:
        for number, before in self._known.items():
            if number not in now:
                may_go = before.number and before.status is S.SCHEDULED and not before.out
                assert may_go, f"a delivery is gone: {before}"
                continue
            after = now[number]
            assert after.status in REACHABLE[before.status], f"{before.status}, {after.status}"
            assert after.out >= before.out, "what was out is no longer"
            if after.status is S.CANCELLED:
                assert after.post_id in self.cancelled, "nobody cancelled it"

    def _series_go_on(self) -> None:
        """One row leads each that is not over, by the latest that the clock has said; and none goes
        back in time."""
        led = {}
        self._latest = max(self._latest, self._world.clock.now())
        for chain in self._world.chains():
            leaders = chain.leaders
            assert len(leaders) <= bool(chain.runs), f"{len(leaders)} lead {chain}"
            if leaders:
                place, at = (chain.post.id, chain.account), leaders[0].occurrence
                led[place] = at
                back = at < self._led.get(place, at)
                assert not back or self.replanned, f"it went back to {at}: {chain}"
            elif chain.runs:
                last = max([self._latest, *(row.occurrence for row in chain.rows)])
                assert next_occurrence(chain.schedule, last) is None, f"nothing leads {chain}"
        self._led, self.replanned = led, False

    def _what_is_held_stays(self, now: dict[int, Delivery]) -> None:
        """What was in nobody's hands when it was paused stays untried until it is released."""
        held = {d.id for d in now.values() if self._is_paused(d)}
        for number in held & self._held:
            before, after = self._known[number], now[number]
            if before.claim is None:
                assert after.claim is None, f"{after} was claimed"
                assert after.attempts <= before.attempts, f"{after} was tried"
                asked = before.status is S.CONFIRMING is not after.status
                assert not asked, f"{after} was asked for"
        self._held = held

    def _is_paused(self, delivery: Delivery) -> bool:
        return not self.paused.isdisjoint({delivery.post_id, delivery.account, "all"})

    def all_is_settled(self) -> bool:
        """Whether nothing is left to be done."""
        return all(d.status in SETTLED for d in self._world.deliveries().values())

    def everything_is_out(self) -> None:
        """All that nobody cancelled is out, and each step where the database says so."""
        for delivery in self._world.deliveries().values():
            assert delivery.status in SETTLED, delivery
            out = self._world.out(delivery.account)
            for place, step in enumerate(delivery.steps):
                there = self._world.spot(delivery, place + 1) in out
                assert there == (step.published is not None), f"{delivery}, out: {there}"
