"""A post whose answer is lost, on the engine and a loopback network that share a clock: a second
passes in a hundredth of one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Generic, TypeVar

from postsched.domain.delivery import Attempt, Delivery, DeliveryStatus
from postsched.platforms.base import Platform
from postsched.store import accounts as account_rows
from postsched.store import deliveries as delivery_rows
from postsched.testing import FakeClock, Loopback
from tests.engine.rig import Rig, Simulation, play
from tests.secrets.fake import FakeSecrets
from tests.store import rows

Server = TypeVar("Server", bound=Loopback)
Ends = Callable[[Delivery], bool]
TICK = 0.01
"""Seconds of real time in which one second passes."""


def has(*statuses: DeliveryStatus) -> Ends:
    """Whether a delivery has one of these."""
    return lambda delivery: delivery.status in statuses


SETTLED = has(DeliveryStatus.PUBLISHED, DeliveryStatus.FAILED, DeliveryStatus.UNCONFIRMED)


class Doubt(Generic[Server]):
    """An engine with one account. `serve` makes the network, given its clock in nanoseconds since
    the epoch."""

    def __init__(
        self,
        folder: Path,
        platform: Platform,
        serve: Callable[[Callable[[], int]], Server],
        token: str,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        self.clock = FakeClock()
        self.server = serve(self.now)
        self.server.__enter__()
        name = platform.name
        self.rig = Rig(folder, {name: platform}, self.clock, secrets=FakeSecrets({"me": token}))
        with self.rig.database.write() as connection:
            account = replace(rows.account(connection, "me", name), url=self.server.url)
            self.account = account if facts is None else replace(account, facts=facts)
            account_rows.save(connection, self.account)

    def now(self) -> int:
        """The time, in nanoseconds since the epoch."""
        return int(self.clock.now().timestamp() * 10**9)

    def play(
        self,
        text: str,
        meanwhile: Callable[[], None] = lambda: None,
        *,
        ends: Ends = SETTLED,
        **more: Any,
    ) -> Delivery:
        """Post a text, and let time pass until its delivery is as wanted."""
        due = self.clock.now() + timedelta(seconds=2)
        delivery = self.rig.post(text, self.account, due, **more)

        async def scene() -> None:
            sim = Simulation(self.rig)
            while not ends(self.rig.delivery(delivery)):
                sim.pump()
                await asyncio.sleep(TICK)
                self.clock.advance(1)
                meanwhile()
            await sim.end()

        play(scene)
        return self.rig.delivery(delivery)

    def attempts(self, delivery: Delivery) -> list[Attempt]:
        """What was tried."""
        with self.rig.database.read() as connection:
            return delivery_rows.attempts_of(connection, delivery.id)

    def close(self) -> None:
        """End it all."""
        self.server.close()
        self.rig.close()
