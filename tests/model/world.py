"""What the model test plays with: three accounts, their networks, a crew, and a person's desk."""

from __future__ import annotations

import re
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from postsched.domain.account import AccountState
from postsched.domain.capabilities import FOREVER, Capabilities, Guarantee
from postsched.domain.delivery import Delivery, DeliveryStatus
from postsched.domain.outcome import Published
from postsched.domain.post import Post
from postsched.domain.schedule import Schedule
from postsched.service import deliveries
from postsched.service.deliveries import Which
from postsched.service.desk import Desk
from postsched.store import accounts as account_rows
from postsched.store import chains as chain_rows
from postsched.store import posts as post_rows
from postsched.store import reading
from postsched.testing import FakeClock, FakePlatform
from postsched.testing.network import Seen
from postsched.testing.platform import ABLE, Held
from tests.model.crew import Crew
from tests.model.fates import FATES
from tests.store import rows

START = datetime.fromisoformat("2026-10-24T20:00:00+00:00")
"""The evening before Europe sets its clocks back."""
GUARANTEES = {
    "outbox": Guarantee(FOREVER, can_look_up=True),
    "mastodon": Guarantee(None, can_look_up=True),
    "telegram": Guarantee(),
}
"""By the account's name, which is its platform's, too: keys, asking, and nothing."""
TEXT = re.compile(r"n(\d+)v\d+(?:o([\dT:-]+))?(?:p(\d+))?")
"""How texts read: the post's number from 0, its version, the local time of an occurrence where it
is a series, and the step from 2."""
MEMORY = Path("/dev/shm")
Spot = tuple[int, str, int]
"""A step of a post: the post's number, its occurrence as texts name it, and the step's number from
1."""


def spot_of(text: str) -> Spot:
    """What a text is."""
    found = TEXT.fullmatch(text)
    assert found, text
    return int(found[1]), found[2] or "", int(found[3] or 1)


def label_of(occurrence: datetime, zone: ZoneInfo) -> str:
    """How texts name an occurrence."""
    return f"{occurrence.astimezone(zone):%Y-%m-%dT%H:%M:%S}"


@dataclass(frozen=True)
class Chain:
    """A series to one account: its rows, and whether it was not cancelled for it."""

    post: Post
    account: str
    schedule: Schedule
    rows: list[Delivery]
    runs: bool

    @property
    def leaders(self) -> list[Delivery]:
        """What leads: one at the most."""
        return [row for row in self.rows if row.leads]


def _able(guarantee: Guarantee) -> Capabilities:
    return replace(ABLE, guarantee=guarantee)


class World:
    """See the module. `given` are the instants that a person gave a post, by its number; of a
    series none, but `zones` has it."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        place = MEMORY if MEMORY.is_dir() else None
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(dir=place)))
        self.clock = FakeClock(START)
        self.database = rows.opened(folder)
        self._stack.callback(self.database.close)
        self.fakes = {name: FakePlatform(_able(g), self.clock.now)
                      for name, g in GUARANTEES.items()}  # fmt: skip
        with self.database.write() as connection:
            self._accounts = [rows.account(connection, name, name).id for name in GUARANTEES]
        self.crew = Crew(folder, self.fakes, self.clock)
        self._stack.callback(self.dismiss)
        self.crew.hire()
        settings = self.crew.members[0].rig.settings
        self.desk = Desk(self.database, settings, self.clock.now, ZoneInfo("UTC"))
        self.given: list[set[datetime]] = []
        self.zones: dict[int, ZoneInfo] = {}
        self._slow: list[Held] = []

    def close(self) -> None:
        """Take it apart."""
        self._stack.close()

    def dismiss(self) -> None:
        """All workers die."""
        while self.crew.members:
            self.crew.kill(0)

    def foresee(self, name: str, verb: str, fate: str) -> None:
        """The next call of that kind to a network comes to this."""
        answer = FATES[verb][fate]()
        if isinstance(answer, Held):
            self._slow.append(answer)
        self.fakes[name].will(verb, answer)

    def let_go_on(self) -> None:
        """What was slow is done."""
        for held in self._slow:
            held.event.set()
        self._slow.clear()
        self.crew.quiet()

    def log_in(self) -> None:
        """A person gives each account a secret that works."""
        with self.database.write() as connection:
            for number in self._accounts:
                account_rows.set_state(connection, number, AccountState.OK)

    def deliveries(self) -> dict[int, Delivery]:
        """All of them, by id."""
        with self.database.read() as connection:
            found = reading.file_posts(connection, range(1, len(self.given) + 1))
        return {d.id: d for filed in found for d in filed.deliveries}

    def chains(self) -> list[Chain]:
        """The series, account by account."""
        found, ids = [], [number + 1 for number in self.zones]
        if not ids:
            return []
        rows_of = self.deliveries().values()
        with self.database.read() as connection:
            schedules = post_rows.schedule_of(connection, ids)
            for post in post_rows.get(connection, ids).values():
                ended = chain_rows.stopped(connection, post.id)
                for name, number in zip(GUARANTEES, self._accounts, strict=True):
                    mine = [d for d in rows_of if (d.post_id, d.account) == (post.id, name)]
                    runs = name in post.accounts and number not in ended
                    found.append(Chain(post, name, schedules[post.id], mine, runs))
        return found

    def spot(self, delivery: Delivery, step: int) -> Spot:
        """What a step, from 1, of a delivery is."""
        number = delivery.post_id - 1
        if number not in self.zones:
            return number, "", step
        return number, label_of(delivery.occurrence, self.zones[number]), step

    def out(self, name: str) -> dict[Spot, list[Seen]]:
        """What is out on a network."""
        found: dict[Spot, list[Seen]] = {}
        for post in self.fakes[name].posts:
            found.setdefault(spot_of(post.text), []).append(post)
        return found

    def settle_doubts(self) -> None:
        """A person looks at the networks for what they can't tell by themselves."""
        for delivery in self.deliveries().values():
            if delivery.status is DeliveryStatus.UNCONFIRMED:
                assert delivery.next_step is not None
                spot = self.spot(delivery, delivery.next_step + 1)
                there = self.out(delivery.account).get(spot)
                published = Published(there[0].remote_id, "") if there else None
                which = Which(delivery=delivery.id)
                deliveries.resolve(self.desk, delivery.post_id, which, published)
