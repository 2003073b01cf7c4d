"""Whether a time accounts for every word of the phrase that it was understood from.

Written apart from the code it judges: words are sorted into kinds, each kind may be named once, and
what it names must be seen in the local time. It can't tell what a phrase means; it tells when a
part of it was left out, taken twice, or contradicted.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
NUMBERS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "fifteen": 15, "twenty": 20,
    "thirty": 30, "forty": 40, "fifty": 50, "ninety": 90,
}  # fmt: skip
RANKS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "last": 0}
FILLERS = {
    "",
    "-",
    "on",
    "at",
    "the",
    "of",
    "in",
    ",",
    "and",
    "this",
    "coming",
    "next",
    "from",
    "now",
}
PARTS = {"morning": (0, 11), "afternoon": (12, 17), "evening": (16, 23), "night": (18, 23)}
SECONDS = {"h": 3600, "hour": 3600, "hr": 3600, "m": 60, "min": 60, "minute": 60, "s": 1,
           "sec": 1, "second": 1, "ms": 0.001}  # fmt: skip
DAYS = {"d": 1, "day": 1, "w": 7, "week": 7, "fortnight": 14}
LONG = {"month": 1, "year": 12}
NUMBER = rf"(?:[0-9]+(?:\.[0-9]+)?|\b(?:{'|'.join(NUMBERS)})\b)"
UNIT = r"(?:(?:hour|hr|min|minute|sec|second|day|week|fortnight|month|year)s?|ms|[hmsdw])(?![a-z])"
KINDS = (
    ("clock", (rf"(?:(?:(?:quarter|half|{NUMBER}(?: minutes)?) (?:past|to) )?{NUMBER}"
              r"(?: o'?clock)? ?(?:[ap]\.?m\b\.?)"
              r"|\b[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?(?: ?[ap]\.?m\b\.?)?"
              r"|\b[0-9]{1,2}\.[0-9]{2} ?[ap]\.?m\b\.?|\b(?:12 )?noon\b|\bmidday\b|\bmidnight\b)")),
    ("date", r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    ("amount", (r"(?:half an hour|(?:a |3 |three )?quarters? of an hour"
               rf"|{NUMBER} and a half {UNIT}"
               rf"|{NUMBER} {UNIT} and a half|{NUMBER} ?{UNIT})")),
    ("ordinal", r"\b[0-9]{1,2}(?:st|nd|rd|th)\b"),
    ("year", r"\b[0-9]{4}\b"),
    ("hours", rf"(?:(?:quarter|half|{NUMBER}(?: minutes)?) (?:past|to) )?{NUMBER}(?: o'?clock)?"),
    ("weekday", (r"\b(?:mon(?:day)?|tue(?:s|sday)?|weds?|wednesday|thu(?:r|rs|rsday)?|fri(?:day)?"
                r"|sat(?:urday)?|sun(?:day)?)\b\.?")),
    ("month", (r"\b(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
              r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?")),
    ("rank", rf"\b(?:{'|'.join(RANKS)})\b"),
    ("part", rf"\b(?:{'|'.join(PARTS)})\b"),
    ("near", r"\bday after tomorrow\b|\b(?:today|tonight|tomorrow)\b"),
    ("zone", (r"\b(?:utc|gmt)(?:[+-][0-9:]+)?\b|(?<=[0-9])z\b|[+-][0-9]{2}:?[0-9]{2}\b"
             r"|[a-z_]+/[a-z_]+")),
    ("unit", r"\b(?:week|month|day)\b"),
    ("after", r"\bafter\b"),
    ("filler", r"[a-z]+|,|-| "),
)  # fmt: skip
TOKEN = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in KINDS))


def fault(phrase: str, instant: datetime, now: datetime, zone: ZoneInfo) -> str | None:
    """What of the phrase isn't in the instant that it was taken for, None if all is."""
    text = " ".join(phrase.lower().split())
    stamp = _stamp(text, zone)
    if stamp is not None:
        return None if stamp == instant else "another stamp"
    text = re.sub(r"(?:z|[+-][0-9]{2}:?[0-9]{2})?\[(.*)\]$", r" \1", text)
    text = re.sub(r"(?<=[0-9]{4}-[0-9]{2}-[0-9]{2})t(?=[0-9])", " ", text)
    text = re.sub(r"\b([0-9]{4})-?w([0-9]{2})-?([0-9])\b", _plain_week, text)
    tokens, at = [], 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None or match.end() == at:
            return f"{text[at:]!r} is nothing known"
        tokens.append((str(match.lastgroup), match[0].strip()))
        at = match.end()
    return _fault(tokens, instant, now, _zone_in(tokens, zone))


def _stamp(text: str, zone: ZoneInfo) -> datetime | None:
    """A time as machines write it, by the standard library."""
    if re.fullmatch(r"@[0-9]+(\.[0-9]+)?", text):
        return datetime.fromtimestamp(float(text[1:]), ZoneInfo("UTC"))
    text = re.sub(r"\[.*\]$", "", text)
    if not re.match(r"[0-9]{8}t|[0-9]{4}-?w", text):
        return None
    try:
        stamp = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    return stamp if stamp.tzinfo else stamp.replace(tzinfo=zone)


def _plain_week(match: re.Match[str]) -> str:
    return date.fromisocalendar(int(match[1]), int(match[2]), int(match[3])).isoformat()


def _zone_in(tokens: list[tuple[str, str]], zone: ZoneInfo) -> ZoneInfo | None:
    """The zone that the phrase is about; None where an offset is."""
    names = [word for kind, word in tokens if kind == "zone"]
    if not names:
        return zone
    if names[0] in ("utc", "gmt", "z"):
        return ZoneInfo("UTC")
    if "/" not in names[0]:
        return None
    return ZoneInfo("/".join(part.title() for part in names[0].split("/")).replace("_y", "_Y"))


def _fault(
    tokens: list[tuple[str, str]], instant: datetime, now: datetime, zone: ZoneInfo | None
) -> str | None:
    counts = Counter(kind for kind, _ in tokens)
    words = [word for _, word in tokens]
    twice = [
        k for k, n in counts.items() if n > 1 and k not in ("filler", "amount", "unit", "hours")
    ]
    unknown = [word for kind, word in tokens if kind == "filler" and word not in FILLERS]
    if counts["hours"] > 1:
        return _two_numbers(tokens, instant, zone)
    if unknown or [kind for kind in twice if kind != "near" or "after" not in words]:
        return f"{unknown or twice}"
    if zone is None:
        return None
    if counts["amount"] and "second" not in words:
        return _amounts(tokens, instant, now, zone)
    local, today = instant.astimezone(zone), now.astimezone(zone).date()
    faults = [f"{k} {w}" for k, w in tokens if not _shown(k, w, local, today, words)]
    return ", ".join(faults) or None


def _two_numbers(
    tokens: list[tuple[str, str]], instant: datetime, zone: ZoneInfo | None
) -> str | None:
    """A day of the month and an hour of twelve, each once."""
    words = [word for kind, word in tokens if kind == "hours"]
    if len(words) > 2 or zone is None or "month" not in dict(tokens):
        return f"{words}"
    local, side = instant.astimezone(zone), [word for word in words if " " in word]
    numbers = sorted(int(word) for word in words if word.isdigit())
    hours = [] if side else [local.hour % 12 or 12]
    return None if numbers == sorted([local.day, *hours]) else f"{words}"


def _shown(kind: str, word: str, local: datetime, today: date, words: list[str]) -> bool:
    """Whether the local time has what the word names."""
    if kind == "date":
        return local.date().isoformat() == word or local.hour in (0, 1, 2, 3)
    if kind == "weekday":
        return WEEKDAYS[local.weekday()] == word[:3]
    if kind == "month":
        return MONTHS[local.month - 1] == word[:3]
    if kind == "year":
        return local.year == int(word)
    if kind == "ordinal":
        n = int(word[:-2])
        return n in (local.day, (local.day - 1) // 7 + 1)
    if kind == "rank":
        if word == "last":
            return (local + timedelta(days=7)).month != local.month
        return RANKS[word] in (local.day, (local.day - 1) // 7 + 1)
    if kind == "near":
        ahead = {"today": 0, "tonight": 0, "tomorrow": 1}.get(word, 2)
        return local.date() == today + timedelta(days=ahead)
    if kind == "part":
        return PARTS[word][0] <= local.hour <= PARTS[word][1]
    if kind == "clock":
        return _clock(word, local)
    if kind == "hours" and word.isdigit():
        return int(word) in (local.day, local.hour % 12 or 12)
    return True


def _clock(word: str, local: datetime) -> bool:
    """Whether the clock shows it, an hour more or less where a clock change may have moved it."""
    word = word.replace(".m", "m").rstrip(".").replace("12 noon", "noon")
    if word in ("noon", "midday", "midnight"):
        return (local.hour, local.minute) == (0 if word == "midnight" else 12, 0)
    side = re.match(r"(quarter|half|\w+)(?: minutes)? (past|to) (.*)", word)
    if side:
        n = {"quarter": 15, "half": 30}.get(side[1]) or NUMBERS.get(side[1]) or int(side[1])
        ahead = timedelta(minutes=-n if side[2] == "past" else n)
        return _clock(side[3], local + ahead)
    match = re.match(r"(\w+?)(?:[:.]([0-9]{2}))?(?::([0-9.,]+))?(?: o'?clock)? ?([ap]m)?$", word)
    assert match, word
    hour = NUMBERS.get(match[1]) or int(match[1])
    if match[4]:
        hour = hour % 12 + (12 if match[4] == "pm" else 0)
    moved = local.utcoffset() != (local - timedelta(hours=3)).utcoffset()
    right = {hour, hour + 12} if match[2] and not match[4] else {hour}
    return local.minute == int(match[2] or 0) and (moved or local.hour in right)


def _amounts(
    tokens: list[tuple[str, str]], instant: datetime, now: datetime, zone: ZoneInfo
) -> str | None:
    """The same where time is counted: so many seconds, or so many days or months from a day."""
    kinds = {kind for kind, _ in tokens}
    total = Counter[str]()
    for kind, word in tokens:
        if kind == "amount":
            n, unit = _amount(word)
            for name, table in (("s", SECONDS), ("d", DAYS), ("m", LONG)):
                total[name] += round(n * table.get(unit, 0) * 1_000_000)
    exact, days, months = (total[name] / 1_000_000 for name in "sdm")
    local, today = instant.astimezone(zone), now.astimezone(zone)
    if exact and not days and not months and not kinds & {"near", "clock", "weekday", "month"}:
        return None if abs((instant - now).total_seconds() - exact) < 0.001 else "other seconds"
    near = next((word for kind, word in tokens if kind == "near"), None)
    start = today.date() + timedelta(
        days={None: 0, "today": 0, "tonight": 0, "tomorrow": 1}.get(near, 2)
    )
    if kinds & {"weekday", "month", "date", "ordinal"} or exact:
        return None
    if months:
        passed = (local.year - start.year) * 12 + local.month - start.month
        return None if (passed, local.day) == (months, start.day) else "other months"
    return None if (local.date() - start).days == days else "other days"


def _amount(word: str) -> tuple[float, str]:
    if "quarter" in word or word == "half an hour":
        return 0.75 if "quarters" in word else 0.25 if "quarter" in word else 0.5, "hour"
    extra = 0.5 if "and a half" in word else 0
    match = re.match(rf"({NUMBER}) ?(?:and a half )?([a-z]+)", word)
    assert match, word
    unit = match[2] if match[2] in ("s", "ms") else match[2].removesuffix("s")
    return float(NUMBERS.get(match[1], 0) or match[1]) + extra, unit
