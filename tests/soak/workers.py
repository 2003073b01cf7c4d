"""The processes that publish in a soak, and what is done to them."""

from __future__ import annotations

import signal
import subprocess
import time
from collections import Counter
from random import Random
from typing import Self

from tests.soak.town import Town

KINDS = (("run", "--no-live"), ("run", "--no-live"), ("publish-due",))
ASLEEP = 12.0
"""Seconds for which one is stopped at the most: less than commands wait for the database, which it
may have locked."""
PATIENCE = 60.0
"""Seconds in which a worker ends that is asked to."""


class Workers:
    """Two daemons, and publish-due again and again."""

    def __init__(self, town: Town, rng: Random) -> None:
        self._town = town
        self._rng = rng
        self._living: list[subprocess.Popen[bytes]] = []
        self._asleep: dict[int, float] = {}
        """By place: until when it is stopped, by the monotonic clock."""
        self._done: Counter[str] = Counter()

    def __enter__(self) -> Self:
        self._living = [self._town.start(*kind) for kind in KINDS]
        return self

    def __exit__(self, *exc: object) -> None:
        for process in self._living:
            process.kill()
            process.wait()

    def trouble(self) -> None:
        """Wake who has slept enough, start who is gone, and do something to one of them."""
        for place, until in list(self._asleep.items()):
            if time.monotonic() > until:
                del self._asleep[place]
                self._living[place].send_signal(signal.SIGCONT)
        for place, kind in enumerate(KINDS):
            if self._living[place].poll() is not None:
                self._asleep.pop(place, None)
                self._living[place] = self._town.start(*kind)
        place = self._rng.randrange(len(KINDS))
        what = self._rng.choice(("SIGKILL", "SIGKILL", "SIGTERM", "SIGSTOP", "", "", ""))
        if what and place not in self._asleep:
            self._done[what] += 1
            self._town.note(f"{what} to {self._living[place].pid}")
            self._living[place].send_signal(getattr(signal, what))
            if what == "SIGSTOP":
                self._asleep[place] = time.monotonic() + self._rng.uniform(1, ASLEEP)

    def stop(self) -> None:
        """All end in order; AssertionError for one that does not."""
        for process in self._living:
            process.send_signal(signal.SIGCONT)
            process.send_signal(signal.SIGTERM)
        for process in self._living:
            process.wait(PATIENCE)

    def summary(self) -> str:
        """What was done to them, in a few words."""
        return ", ".join(f"{count} x {what}" for what, count in sorted(self._done.items()))
