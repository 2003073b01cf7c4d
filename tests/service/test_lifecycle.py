"""Whatever people do to posts in whatever order: nothing goes out twice, nothing that was not
asked for, and every refusal is a sentence."""

from __future__ import annotations

import tempfile
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from postsched.domain.delivery import Delivery, DeliveryStatus
from postsched.domain.draft import Draft, DraftPart
from postsched.domain.errors import PostschedError
from postsched.service import deliveries, drafts, editing, pausing, posts
from postsched.service.deliveries import Which
from postsched.store import reading
from postsched.testing import FakeClock
from tests.service.desk import NAMES, claim, desk_at, publish

S = DeliveryStatus
WHEN = st.sampled_from(["in 1h", "in 2h", "in 1d"])
TO = st.sampled_from([("me",), ("work",), ("work", "me")])
CHANGES: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "text": st.sampled_from(["one", "two"]),
        "to": TO,
        "at": st.none() | WHEN,
        "then": st.sampled_from([(), (DraftPart("more"),)]),
        "draft": st.booleans(),
        "grace": st.sampled_from(["0s", "1h"]),
        "missed": st.sampled_from(["ask", "late"]),
        "tags": st.just(("t",)),
    },
)
WHICH = st.builds(Which, st.none() | st.sampled_from(NAMES).map(lambda name: frozenset({name})))


class Lifecycle(RuleBasedStateMachine):
    """One post, and everything that may be done to it."""

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        folder = self._stack.enter_context(tempfile.TemporaryDirectory())
        self.clock = FakeClock()
        self.desk = self._stack.enter_context(desk_at(Path(folder), self.clock))
        self.held: list[Delivery] = []
        self.sent: Counter[tuple[str, int]] = Counter()

    def teardown(self) -> None:
        self._stack.close()

    @initialize(to=TO, at=st.none() | WHEN)
    def add(self, to: tuple[str, ...], at: str | None) -> None:
        draft = Draft("one", to, at, grace="1h", draft=at is None)
        assert posts.add(self.desk, draft).id == 1

    @rule(changes=CHANGES)
    def edit(self, changes: dict[str, Any]) -> None:
        before = drafts.draft_of(self.desk, 1)
        after = replace(before, **changes)
        found = self.deliveries()
        try:
            editing.edit(self.desk, 1, before, after)
        except PostschedError:
            assert self.deliveries() == found
            return
        doubtful = {d.id for d in found if d.status in (S.PUBLISHING, S.CONFIRMING, S.UNCONFIRMED)}
        assert not doubtful, "it was changed while it may have been going out"
        assert [d for d in self.deliveries() if d.out] == [d for d in found if d.out] or (
            after.text == before.text and after.then == before.then
        )

    @rule(which=WHICH)
    def cancel(self, which: Which) -> None:
        self.act(lambda: deliveries.cancel(self.desk, [1], which))

    @rule(which=WHICH)
    def retry(self, which: Which) -> None:
        self.act(lambda: deliveries.retry(self.desk, [1], which))

    @rule()
    def pause(self) -> None:
        pausing.pause(self.desk, [1])

    @rule()
    def resume(self) -> None:
        pausing.resume(self.desk, [1])

    @rule(hours=st.integers(1, 30))
    def wait(self, hours: int) -> None:
        self.clock.advance(timedelta(hours=hours))

    @precondition(lambda self: not self.held)
    @rule()
    def work(self) -> None:
        self.held = claim(self.desk)

    @precondition(lambda self: self.held)
    @rule(parts=st.none() | st.integers(0, 1))
    def finish(self, parts: int | None) -> None:
        for delivery in self.held:
            before = sum(step.published is not None for step in delivery.steps)
            after = publish(self.desk, delivery, parts)
            for number, step in enumerate(after.steps):
                if step.published and number >= before:
                    self.sent[delivery.account, number] += 1
        self.held = []

    @invariant()
    def nothing_is_out_twice(self) -> None:
        assert all(count == 1 for count in self.sent.values()), self.sent

    @invariant()
    def an_account_has_one_delivery(self) -> None:
        found = self.deliveries()
        assert len({delivery.account for delivery in found}) == len(found)
        out = {account for account, _ in self.sent}
        waiting = [d for d in found if d.status in (S.SCHEDULED, S.RETRYING)]
        assert all(d.out for d in waiting if d.account in out), "it would go out again"

    @invariant()
    def what_waits_is_wanted(self) -> None:
        with self.desk.database.read() as connection:
            (filed,) = reading.file_posts(connection, [1]) or (None,)
        if filed is None:
            return
        waiting = [d for d in filed.deliveries if d.status is S.SCHEDULED]
        if filed.post.draft:
            assert not [d for d in waiting if not d.out]
        assert {d.account for d in waiting} <= set(filed.post.accounts)

    def act(self, action: Any) -> None:
        before = self.deliveries()
        try:
            done = action()
        except PostschedError:
            assert self.deliveries() == before
        else:
            assert all(done.refused)

    def deliveries(self) -> list[Delivery]:
        with self.desk.database.read() as connection:
            found = reading.file_posts(connection, [1])
        return list(found[0].deliveries) if found else []


Lifecycle.TestCase.settings = settings(max_examples=6, stateful_step_count=15, deadline=None)
TestLifecycle = Lifecycle.TestCase
