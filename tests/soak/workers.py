"""The processes that publish in a soak, and what is done to them."""

from __future__ import annotations

import signal
import subprocess
from collections import Counter
from functools import partial
from random import Random
from threading import Timer
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
        self._asleep: dict[int, Timer] = {}
        """By place: what wakes it, even while a command waits for it."""
        self._done: Counter[str] = Counter()

    def __enter__(self) -> Self:
        self._living = [self._town.start(*kind) for kind in KINDS]
        return self

    def __exit__(self, *exc: object) -> None:
        for timer in self._asleep.values():
            timer.cancel()
        for process in self._living:
            process.kill()
            process.wait()

    def trouble(self) -> None:
        """Start who is gone, and do something to one that is not asleep."""
        for place, kind in enumerate(KINDS):
            if self._living[place].poll() is not None:
                self._living[place] = self._town.start(*kind)
        place = self._rng.randrange(len(KINDS))
        what = self._rng.choice(("SIGKILL", "SIGKILL", "SIGTERM", "SIGSTOP", "", "", ""))
        if what and not (place in self._asleep and self._asleep[place].is_alive()):
            self._done[what] += 1
            self._town.note(f"{what} to {self._living[place].pid}")
            self._living[place].send_signal(getattr(signal, what))
            if what == "SIGSTOP":
                wake = partial(self._living[place].send_signal, signal.SIGCONT)
                self._asleep[place] = Timer(self._rng.uniform(1, ASLEEP), wake)
                self._asleep[place].start()

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
