"""An error in every single call of the store, one after the other: what is due goes out on time,
and what the error hit is neither lost nor doubled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

import httpx
import pytest

from postsched.domain.capabilities import Capabilities, CommentAs, Guarantee
from postsched.domain.delivery import Delivery, DeliveryStatus
from postsched.domain.outcome import ErrorKind
from postsched.domain.secret import Secret
from postsched.platforms.base import Login, PlatformError, Renewal
from postsched.testing import FakeClock, FakePlatform
from postsched.testing.platform import LostAnswer
from tests.engine.faults import ERRORS, Faults
from tests.engine.rig import Rig, Simulation, play
from tests.secrets.fake import FakeSecrets
from tests.servers import postgres
from tests.store import rows

S = DeliveryStatus
DUE = 4
"""Seconds from the start at which most of it is due."""
LAST = 8
"""Seconds from the start at which the last post is due: well after the error."""


class Renewing(FakePlatform):
    """A network whose secret has to be renewed, under a lease in the database."""

    needs_secret: ClassVar[bool] = True

    def stale(self, login: Login, now: datetime) -> bool:
        return login.secret is not None and login.secret.reveal() == "old"

    async def refresh(
        self, login: Login, http: httpx.AsyncClient, now: datetime, *, refused: bool
    ) -> Renewal | None:
        return Renewal(Secret("new")) if self.stale(login, now) else None


@dataclass
class Played:
    """How a play went."""

    deliveries: Mapping[str, Delivery]
    platforms: Mapping[str, FakePlatform]
    start: datetime
    statements: list[str] = field(default_factory=list)
    hit: list[str] = field(default_factory=list)


def perform(
    folder: Path,
    at: Iterable[int],
    error: str = "disk",
    *,
    only: str | None = None,
    after: bool = False,
    seconds: float = 90,
) -> Played:
    """A play with everything in it that the engine asks of the store: claims, preparations ahead,
    threads, retries, lost answers, renewed logins, missed posts, refused logins, renewed claims, a
    dead worker, and a last post. The calls of those numbers fail."""
    folder.mkdir()
    clock = FakeClock()
    start = clock.now()
    platforms: dict[str, FakePlatform] = {
        "keys": FakePlatform(now=clock.now),
        "looks": FakePlatform(_able(Guarantee(None, can_look_up=True)), now=clock.now),
        "nothing": FakePlatform(_able(Guarantee()), now=clock.now),
        "renewing": Renewing(now=clock.now),
        "refusing": FakePlatform(now=clock.now),
        "last": FakePlatform(now=clock.now),
    }
    refusal = PlatformError(ErrorKind.AUTH, "revoked")
    platforms["keys"].will("publish", LostAnswer(httpx.ReadTimeout("")))
    platforms["looks"].will("publish", httpx.ConnectError("no"))
    platforms["refusing"].will("publish", refusal, refusal)
    rig = Rig(folder, platforms, clock, secrets=FakeSecrets({"renewing": "old"}),
              retry_delay=timedelta(seconds=5))  # fmt: skip
    known = {name: rig.account(name, name) for name in platforms}
    due = start + timedelta(seconds=DUE)
    ids = {
        "keys": rig.post("One", known["keys"], due, then=["Two"], comment="And"),
        "looks": rig.post("One", known["looks"], due),
        "nothing": rig.post("One", known["nothing"], due),
        "renewing": rig.post("One", known["renewing"], due),
        "refusing": rig.post("One", known["refusing"], due),
        "ahead": rig.post("Ahead", known["keys"], due, prepare_at=start + timedelta(seconds=2)),
        "missed": rig.post("Old", known["keys"], start - timedelta(hours=25)),
        "last": rig.post("Last", known["last"], start + timedelta(seconds=LAST)),
    }
    faults = Faults(rig.database.engine)
    faults.at, faults.name, faults.only, faults.after_commit = frozenset(at), error, only, after

    async def scene() -> None:
        dead = rig.engine()
        dead.bell.take_down(keep=True)
        sim = Simulation(rig)
        faults.armed = True
        await sim.go(seconds)
        faults.armed = False
        await sim.end()

    with faults.listening():
        play(scene)
    found = {name: rig.delivery(number) for name, number in ids.items()}
    assert not any(delivery.claim for delivery in rows.every(rig.other))
    rig.close()
    return Played(found, platforms, start, faults.calls, faults.hit)


def _able(guarantee: Guarantee) -> Capabilities:
    return Capabilities(guarantee=guarantee, thread=True, comment=CommentAs.REPLY)


def check(played: Played, *, on_time: bool = True) -> None:
    """Everything is where it must be, once, and the last post was on time."""
    what = f"after {len(played.hit)} errors, the first in {' '.join(played.hit[:1])[:200]}"
    for name, fake in played.platforms.items():
        keys = [post.key for post in fake.posts]
        assert len(keys) == len(set(keys)), f"twice on {name} {what}"
    for name, delivery in played.deliveries.items():
        wanted = {"missed": S.MISSED, "refusing": S.SCHEDULED}.get(name, S.PUBLISHED)
        assert delivery.status is wanted, f"{name} is {delivery.status} {what}"
        if on_time:
            counted = {"missed": 0, "refusing": 0, "looks": 2}.get(name, 1)
            assert delivery.attempts == counted, f"{name} {what}"
    counts = {name: len(fake.posts) for name, fake in played.platforms.items()}
    assert counts == {
        "keys": 4, "looks": 1, "nothing": 1, "renewing": 1, "refusing": 0, "last": 1
    }, what  # fmt: skip
    for fake in played.platforms.values():
        for call in fake.called("publish"):
            assert call.at is not None
            assert call.at >= played.start + timedelta(seconds=DUE), "early"
    if on_time:
        (last,) = played.platforms["last"].called("publish")
        assert last.at == played.start + timedelta(seconds=LAST), what
        for name in ("keys", "nothing", "renewing", "ahead"):
            first = played.deliveries[name].lateness
            assert first is not None
            assert first < timedelta(milliseconds=500), f"{name}: {first} {what}"


CHANGED = "sent_at", "claim_until", "prepare_at"


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Counter[str]:
    """What is asked of the store when nothing goes wrong, and how often."""
    played = perform(tmp_path_factory.mktemp("plain") / "db", ())
    check(played)
    return Counter(played.statements)


def test_the_play_has_everything_in_it(calls: Counter[str]) -> None:
    whole = "\n".join(calls)
    begin, mark = ("FOR UPDATE", "%(") if postgres.is_used() else ("BEGIN IMMEDIATE", "?")
    for part in (begin, "COMMIT", "RETURNING", "WITH RECURSIVE", "leases", "attempts",
                 "UPDATE accounts", *(f"{name}={mark}" for name in CHANGED)):  # fmt: skip
        assert part in whole, part
    assert calls.total() > 100


@pytest.mark.slow
def test_every_statement_fails_once(calls: Counter[str], tmp_path: Path) -> None:
    for number, statement in enumerate(calls):
        played = perform(tmp_path / str(number), {1}, only=statement)
        assert played.hit == [statement]
        check(played)


@pytest.mark.parametrize("step", [9, pytest.param(1, marks=pytest.mark.slow)])
def test_every_commit_fails_once(calls: Counter[str], tmp_path: Path, step: int) -> None:
    for number in range(1, calls["COMMIT"] + 1, step):
        check(perform(tmp_path / str(number), {number}, "full", only="COMMIT"))


@pytest.mark.slow
def test_every_commit_is_made_and_reported_as_failed(calls: Counter[str], tmp_path: Path) -> None:
    """What it claimed is not known to anybody then, and runs out."""
    for number in range(1, calls["COMMIT"] + 1):
        played = perform(tmp_path / str(number), {number}, only="COMMIT", after=True, seconds=300)
        check(played, on_time=False)


@pytest.mark.slow
@pytest.mark.parametrize("error", sorted(ERRORS))
def test_every_call_fails_once_in_every_way(
    calls: Counter[str], tmp_path: Path, error: str
) -> None:
    for place, (statement, count) in enumerate(calls.items()):
        for number in range(1, count + 1):
            folder = tmp_path / f"{place}-{number}"
            check(perform(folder, {number}, error, only=statement))


@pytest.mark.parametrize("step", [2, 3, 7])
def test_a_part_of_all_calls_fails(tmp_path: Path, step: int) -> None:
    """For as long as it lasts; then everything is caught up with."""
    played = perform(tmp_path / "db", range(1, 400, step), "busy", seconds=600)
    assert len(played.hit) > 10
    check(played, on_time=False)


def test_a_database_that_fails_for_a_minute(tmp_path: Path) -> None:
    """Everything that fell due meanwhile goes out after it, once."""
    played = perform(tmp_path / "db", range(20, 120), "disk", seconds=600)
    assert len(played.hit) > 30
    check(played, on_time=False)
