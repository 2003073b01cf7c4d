"""Who is told: one whose server does not answer is not to keep the others waiting.

Callbacks go to as many addresses as there are posts. One that gave no answer, or only one of
trouble (429, 5xx), is left alone for a while, longer each time; then one message is tried first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from postsched.domain.notice import FIRST_WAIT, Message, Told, Way
from postsched.store.untold import Untold

LONGEST = timedelta(minutes=10)
"""How long an address is left alone at the most."""
DEAD = 5
"""After how many failures in a row what waits for an address is given up once it is a day old."""
REMEMBERED = 10_000
"""How many addresses in trouble are remembered."""
TOO_MANY, TROUBLE = 429, 500


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message, and the rows it stands for, held by a token."""

    way: Way
    token: str
    rows: Sequence[Untold]

    @property
    def ids(self) -> list[int]:
        """The rows' ids."""
        return [one.id for one in self.rows]

    @property
    def message(self) -> Message:
        """The one message that they become."""
        items = [item for one in self.rows for item in one.message.items]
        return replace(self.rows[0].message, items=items)


class Receivers:
    """The addresses of callbacks that are in trouble, as far as this process has seen."""

    def __init__(self) -> None:
        self._failures: Counter[str] = Counter()

    def fair(self, due: Sequence[tuple[int, str]], most: int) -> list[int]:
        """Up to so many of the rows that are due, each with its address, in their order: one for
        each address that is in trouble."""
        chosen: list[int] = []
        tried: set[str] = set()
        for number, url in due:
            if url not in tried and len(chosen) < most:
                chosen.append(number)
                tried |= {url} & self._failures.keys()
        return chosen

    def failed(self, url: str, now: datetime) -> tuple[datetime, bool]:
        """An address is in trouble: until when it is left alone, and whether it seems dead."""
        if len(self._failures) >= REMEMBERED:
            self._failures.clear()
        self._failures[url] += 1
        tries = self._failures[url]
        wait = min(FIRST_WAIT * 3.0 ** min(tries - 1, 10), LONGEST)
        return now + wait, tries >= DEAD

    def well(self, url: str) -> None:
        """It has answered."""
        self._failures.pop(url, None)


def is_trouble(told: Told) -> bool:
    """Whether it is the receiver that is in trouble, and not this message."""
    if told.problem is None or told.here:
        return False
    return told.answer is None or told.answer == TOO_MANY or told.answer >= TROUBLE
