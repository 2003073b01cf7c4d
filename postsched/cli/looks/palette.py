"""How firings are marked: a colour and a letter for each account, a sign for each status."""

from __future__ import annotations

import string
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from postsched.domain.delivery import DeliveryStatus
from postsched.domain.firing import Firing

S = DeliveryStatus
COLOURS = ("cyan", "magenta", "yellow", "blue", "green",
           "bold cyan", "bold magenta", "bold yellow", "bold blue", "bold green")  # fmt: skip
"""Red is left for what went wrong."""
SIGNS = {
    S.PUBLISHED: ("✓", "v", "green"),
    S.FAILED: ("✗", "x", "bold red"),
    S.MISSED: ("!", "!", "bold red"),
    S.UNCONFIRMED: ("?", "?", "bold red"),
    S.RETRYING: ("↻", "~", "yellow"),
    S.CONFIRMING: ("…", "~", "yellow"),
    S.PUBLISHING: ("…", "~", "yellow"),
}
"""Status -> its sign, the same in ASCII, and its style. What is scheduled has none."""
PAUSED, OVERDUE = ("‖", "=", "dim"), ("◂", "<", "bold red")


@dataclass(frozen=True, slots=True)
class Mark:
    """A sign, its style, and what it means."""

    sign: str
    style: str
    meaning: str


class Palette:
    """The marks of some firings. The colour of an account is always the same; its letter is that
    of its place among those that are shown."""

    def __init__(
        self, firings: Iterable[Firing], now: datetime, *, colour: bool, signs: bool
    ) -> None:
        self._now, self._colour, self._signs = now, colour, signs
        self._ids: dict[str, int] = {}
        self._used: dict[str, Mark] = {}
        for firing in firings:
            self._ids[firing.account] = firing.account_id
        letters = string.ascii_lowercase + string.ascii_uppercase
        names = sorted(self._ids)
        self._letters = {name: letters[n % len(letters)] for n, name in enumerate(names)}

    def account(self, name: str) -> Mark:
        """A dot in the colour of the account; without colour its letter."""
        if not self._colour:
            return Mark(self._letters[name], "", name)
        return Mark("●" if self._signs else "*", COLOURS[self._ids[name] % len(COLOURS)], name)

    def status(self, firing: Firing) -> Mark | None:
        """The sign of its status, None for what simply waits for its time."""
        meaning, sign = firing.status.value, SIGNS.get(firing.status)
        if sign is None and firing.paused:
            meaning, sign = "paused", PAUSED
        elif sign is None and firing.due_at < self._now:
            meaning, sign = "overdue", OVERDUE
        if sign is None:
            return None
        mark = Mark(sign[0] if self._signs else sign[1], sign[2], meaning)
        self._used[meaning] = mark
        return mark

    @property
    def legend(self) -> list[Mark]:
        """The accounts, and the signs that were given out."""
        return [*(self.account(name) for name in sorted(self._ids)), *self._used.values()]
