"""Posts that recur, as rules for hypothesis, beside all that may happen."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from postsched.domain.draft import Draft, DraftPart
from postsched.domain.errors import NotFound
from postsched.domain.post import CatchUp
from postsched.domain.recurrence import next_occurrence
from postsched.service import drafts, editing, occurrences, posts
from postsched.service.deliveries import Which
from tests.model.fates import FATES
from tests.model.machine import TO, Machine
from tests.model.world import label_of

ARRANGING = ["skip", "move", "reword", "replan"]
RULES: dict[str, dict[str, Any]] = {
    "every 20 seconds": {"rrule": "FREQ=SECONDLY;INTERVAL=20"},
    "every minute": {"cron": "* * * * *"},
    "three times": {"cron": "* * * * *", "count": 3},
    "every hour": {"cron": "0 * * * *"},
    "every day": {"repeat": "daily", "tz": "Europe/Berlin"},
}
OFTEN = ("every 20 seconds", "every minute")
MOST_SERIES = 2
MOST_LATE = 6
"""What is due within a minute is not missed, and the next."""
MOST_AT_ONCE = 26
"""A day's grace of hours."""


def _local(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).replace(tzinfo=None).isoformat()


class Serial(Machine):
    """With series, of which a person arranges single occurrences, or all from now on."""

    @precondition(lambda self: len(self.world.zones) < MOST_SERIES)
    @rule(to=TO, kind=st.sampled_from(sorted(RULES)), catch_up=st.sampled_from(list(CatchUp)),
          grace=st.sampled_from([None, "1m"]), then=st.booleans(),
          fate=st.none() | st.sampled_from(sorted(FATES["publish"])))  # fmt: skip
    def add_series(
        self, to: list[str], kind: str, catch_up: CatchUp, grace: str | None, then: bool,
        fate: str | None,
    ) -> None:  # fmt: skip
        """It begins within a minute. What is sent in full after a sleep is little."""
        if fate:
            self.world.foresee(to[0], "publish", fate)
        if catch_up is CatchUp.ALL and kind in OFTEN:
            grace = "2m"
        zone = ZoneInfo(RULES[kind].get("tz", "UTC"))
        at = (self.clock.now() + timedelta(seconds=40)).replace(microsecond=0)
        text = f"n{len(self.world.given)}v0o{{{{date:%FT%R:%S}}}}"
        draft = Draft(
            text, tuple(to), None if "cron" in RULES[kind] else _local(at, zone),
            catch_up=catch_up.value, grace=grace, then=(DraftPart(f"{text}p2"),) if then else (),
        )  # fmt: skip
        assert posts.add(self.desk, replace(draft, **RULES[kind]))
        self.world.zones[len(self.world.given)] = zone
        self.world.given.append(set())
        self.crew.tell()

    @precondition(lambda self: self.world.zones)
    @rule(verb=st.sampled_from(ARRANGING), data=st.data())
    def arrange(self, verb: str, data: st.DataObject) -> None:
        self._do(verb, data.draw(st.sampled_from(sorted(self.world.zones))) + 1, data)

    def _skip(self, post_id: int, which: Which) -> None:
        self._cancel(post_id, replace(which, occurrence=self._coming(post_id)))

    def _move(self, post_id: int, which: Which) -> None:
        """Past the next of its series, or before itself."""
        at = self._coming(post_id)
        to = self.clock.now() + timedelta(seconds=50)
        which = replace(which, occurrence=at)
        for changed in occurrences.change(self.desk, post_id, which, to, None).changed:
            self.judge.moved[post_id, changed.account, changed.occurrence] = to

    def _reword(self, post_id: int, which: Which) -> None:
        at = self._coming(post_id)
        self.version += 1
        zone = self.world.zones[post_id - 1]
        text = f"n{post_id - 1}v{self.version}o{label_of(at, zone)}"
        occurrences.change(self.desk, post_id, replace(which, occurrence=at), None, text)

    def _replan(self, post_id: int, which: Which) -> None:
        """Other days or times from now on."""
        before = drafts.draft_of(self.desk, post_id)
        self.version += 1
        until = f"{self.clock.now() + timedelta(days=self.version % 3 + 1):%Y-%m-%d}"
        change: dict[str, Any] = {"until": until} if self.version % 2 else {"count": 9}
        if before.cron and self.version % 3:
            change = {"cron": "*/2 * * * *" if before.cron == "* * * * *" else "* * * * *"}
        editing.edit(self.desk, post_id, before, replace(before, **change))
        self.judge.cancelled.add(post_id)  # what was tried, and is not named any more

    def _coming(self, post_id: int) -> datetime:
        """The next to come of a series, or one after it. Raises NotFound where it is over."""
        schedule = next(c.schedule for c in self.world.chains() if c.post.id == post_id)
        after = self.clock.now() + timedelta(seconds=self.version % 3 * 30)
        coming = next_occurrence(schedule, after)
        if coming is None:
            raise NotFound("it is over", "")
        return coming.instant

    @precondition(lambda self: self.world.zones)
    @rule()
    def suspend_for_a_year(self) -> None:
        self.suspend_for(timedelta(days=365))

    def suspend_for(self, time: timedelta) -> None:
        """The machine sleeps, and all that were not stopped wake up; there is no storm."""
        before = [len(chain.rows) for chain in self.world.chains()]
        super().suspend_for(time)
        for count, chain in zip(before, self.world.chains(), strict=True):
            most = MOST_AT_ONCE if chain.post.catch_up is CatchUp.ALL else MOST_LATE
            assert len(chain.rows) <= count + most, f"a storm: {chain}"
