"""WHEN against random text: never a traceback, and nothing accepted that isn't accounted for."""

from __future__ import annotations

import random  # seeded: the same texts each time
from collections.abc import Callable, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from postsched.domain.errors import InvalidInput
from postsched.domain.when import Moment, describe, understand
from tests.domain.explaining import fault
from tests.domain.phrases import MEANT, ODD, REFUSED

PLACES = [(datetime.fromisoformat(now), ZoneInfo(zone)) for now, zone in MEANT]
PHRASES = [
    line.strip().rsplit(" | ", 1)[0]
    for lines in MEANT.values()
    for line in lines.strip().split("\n")
] + [line.strip() for line in REFUSED.strip().split("\n")]
WORDS = sorted({word for phrase in PHRASES for word in phrase.split()})
_USUAL = (
    "on at the of in and from after this next last first second third a an 2 3 12 9am 5pm 14:30 "
    "09:00 noon midnight today tomorrow tonight friday mon sunday december nov 27 27th 1st 2026 "
    "2027 days weeks months hours week month day morning evening half past quarter to UTC "
    "Europe/Berlin 2026-12-01 +01:00 now two nine am pm o'clock ,"
)
USUAL = _USUAL.split(" ")
PIECES = (
    ("friday", "next friday", "this sunday", "on monday", "tomorrow", "today", "tonight",
     "the day after tomorrow", "27 nov", "nov 27th 2026", "27th of november", "2 jan 2027",
     "the 27th", "friday 27 november", "tue 1 dec", "2026-12-01", "first monday of december",
     "last friday of the month", "last day of february", "in 3 days", "in two weeks", "a week",
     "2 days from now", "from tomorrow", "monday next week", "29 feb", "31 november", "in 2 months",
     "friday evening", "tomorrow morning", "this afternoon", "2026-W49-2"),
    ("9am", "at 9", "14:30", "at 2:30pm", "noon", "midnight", "half past 8 pm", "quarter to nine",
     "8:30", "at 23:59:59.5", "9 in the morning", "8 at night", "at 5 o'clock", "12am", "02:30",
     "in half an hour", "an hour from now", "in 1h30m", "09:00", "5 p.m."),
    ("", "", "", "UTC", "+01:00", "Asia/Tokyo", "CET", "in the evening", "in the morning",
     ", 2027"),
)  # fmt: skip
SIGNS = [chr(n) for n in (*range(1, 256), *range(0x600, 0x6FF), *range(0x2000, 0x2070))]


def _any_text(rng: random.Random) -> str:
    pool: Callable[[], str] = rng.choice(
        [lambda: chr(rng.randrange(0x110000)), lambda: rng.choice(SIGNS), lambda: rng.choice(ODD)]
    )
    return "".join(pool() for _ in range(rng.randrange(30)))


def _words(rng: random.Random) -> str:
    pool = rng.choice([WORDS, USUAL, USUAL])
    return rng.choice([" ", " ", " ", ""]).join(rng.choices(pool, k=rng.randint(1, 7)))


def _joined(rng: random.Random) -> str:
    """A day, a time of day and a place; or some of them, or two of a kind."""
    pieces = [rng.choice(kind) for kind in rng.choices(PIECES, k=rng.randint(1, 4))]
    pieces = rng.choice([pieces, [rng.choice(kind) for kind in PIECES]])
    return rng.choice([" ", " ", ", "]).join(filter(None, pieces))


def _changed(rng: random.Random) -> str:
    """A phrase of the table with words left out, added, doubled, moved or taken from another."""
    words = rng.choice(PHRASES).split()
    for _ in range(rng.randint(1, 3)):
        n = rng.randrange(len(words) + 1)
        change = rng.randrange(5)
        if change == 0:
            words[n : n + 1] = []
        elif change == 1:
            words[n:n] = [rng.choice(USUAL)]
        elif change == 2:
            words[n : n + 1] = [rng.choice(WORDS)]
        elif change == 3:
            rng.shuffle(words)
        else:
            words[n:n] = rng.choice(PHRASES).split()
    return " ".join(words)


def _misspelt(rng: random.Random) -> str:
    text = rng.choice(PHRASES)
    n = rng.randrange(len(text) + 1)
    letter: str = rng.choice(
        ["", *"abcdefghijklmnopqrstuvwxyz0123456789 .,:-/+", rng.choice(SIGNS)]
    )
    return text[:n] + letter + text[n + rng.randrange(2) :]


def texts(seed: int, count: int) -> Iterator[str]:
    """So many texts, from noise to what is nearly a phrase."""
    rng = random.Random(seed)
    makers = (_any_text, _words, _joined, _joined, _changed, _changed, _misspelt)
    for _ in range(count):
        make: Callable[[random.Random], str] = rng.choice(makers)
        yield make(rng)


def taken(text: str, now: datetime, zone: ZoneInfo) -> Moment | None:
    """The moment of the text, None if it is refused as it should be."""
    try:
        return understand(text, now, zone)
    except InvalidInput as error:
        lines = str(error)
    assert "\n" not in lines
    return None


def check(seed: int, count: int) -> int:
    """How many texts were understood; fails if one of them wrongly so."""
    rng, wrong, understood = random.Random(seed), [], 0
    for text in texts(seed, count):
        now, zone = rng.choice(PLACES)
        moment = taken(text, now, zone)
        if moment is None:
            continue
        understood += 1
        assert moment.instant >= now
        assert describe(moment.instant, now, zone)
        missing = fault(text, moment.instant, now, zone)
        if missing:
            wrong.append(f"{text!r} at {now} {zone}: {moment.instant.astimezone(zone)}: {missing}")
    assert not wrong, "\n".join(wrong[:100])
    return understood


def test_random_texts() -> None:
    assert check(1, 2_000) > 100


@pytest.mark.slow
def test_a_hundred_thousand_random_texts() -> None:
    assert check(2, 100_000) > 5_000
