"""The words of freer English phrases: all that are known, in one spelling each.

A word that is not here is in no phrase that we understand.
"""

from __future__ import annotations

import re

from postsched.domain.nearest import nearest
from postsched.domain.when.moment import MONTHS, WEEKDAYS, NotUnderstood

WEEKDAY = (
    r"(?:mon(?:day)?|tue(?:s|sday)?|wed(?:s|nesday)?|thu(?:r|rs|rsday)?|fri(?:day)?|sat(?:urday)?"
    r"|sun(?:day)?)"
)
MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
UNIT = (
    r"(?:weeks?|w|days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s|ms|months?|years?"
    r"|fortnights?)(?![a-z])"
)
PARTS_OF_DAY = ("morning", "afternoon", "evening", "night")
RANKS = ("first", "second", "third", "fourth", "fifth")
_NUMBERS = {
    "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7",
    "eight": "8", "nine": "9", "ten": "10", "eleven": "11", "twelve": "12", "fifteen": "15",
    "twenty": "20", "thirty": "30", "forty": "40", "fifty": "50", "ninety": "90",
}  # fmt: skip
_LONG_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_KNOWN = frozenset({
    "now", "today", "tomorrow", "tonight", "noon", "midday", "midnight", "am", "pm", "oclock",
    "at", "on", "in", "the", "of", "from", "after", "and", "a", "an", "this", "next", "coming",
    "last", "half", "quarter", "quarters", "past", "to", "week", "month", "hour", "day",
    *PARTS_OF_DAY, *RANKS, *_NUMBERS, *_LONG_MONTHS, *(day.lower() for day in WEEKDAYS),
})  # fmt: skip
_KNOWN_SHAPE = re.compile(rf"{WEEKDAY}|{MONTH}|{UNIT}")

_SERIES = frozenset({
    "every", "each", "daily", "weekly", "monthly", "yearly", "hourly", "weekdays", "weekends",
    "mondays", "tuesdays", "wednesdays", "thursdays", "fridays", "saturdays", "sundays",
})  # fmt: skip
_BEFORE = frozenset(("ago", "yesterday"))
_ABBREVIATIONS = frozenset({
    "cet", "cest", "est", "edt", "et", "pst", "pdt", "pt", "cst", "cdt", "ct", "mst", "mdt", "mt",
    "bst", "ist", "wet", "west", "eet", "eest", "msk", "jst", "kst", "hkt", "sgt", "aest", "aedt",
    "acst", "awst", "nzst", "nzdt", "hst", "akst", "akdt", "ast", "adt",
})  # fmt: skip

_ABBREVIATED = re.compile(
    rf"\b({'|'.join(name.lower() for name in MONTHS)}|sept|mon|tues?|wed|thu(?:rs?)?|fri|sat|sun)"
    r"\.(?= )"
)
_HALF = re.compile(r"(?<![a-z])([ap])\.m\.?(?![a-z0-9])")
_SPELLINGS = (
    (re.compile(r"(?<=[0-9]{4}-[0-9]{2}-[0-9]{2})t(?=[0-9])"), " "),
    (re.compile(r" ?o'clock\b"), " oclock"),
    (_ABBREVIATED, r"\1"),
    (_HALF, r"\1m"),
    (re.compile(r"\b(?:midday|12 noon)\b"), "noon"),
    (re.compile(rf"\b({WEEKDAY}|noon|[0-9]+ ?[ap]m|[0-9]+:[0-9]+), "), r"\1 "),
    (re.compile(r"(?<!,), (?=at |[0-9]+[:.][0-9]|[0-9]+ ?[ap]m\b|noon\b|[0-9]{4}\b)"), " "),
    (
        re.compile(rf"(?<![a-z0-9-])(?:{'|'.join(_NUMBERS)})(?![a-z0-9-])"),
        lambda word: _NUMBERS[word[0]],
    ),
    (re.compile(r"\bhalf an hour\b"), "30 minutes"),
    (re.compile(r"\bhalf a minute\b"), "30 seconds"),
    (re.compile(r"\b(?:a )?quarter of an hour\b"), "15 minutes"),
    (re.compile(r"\b3 quarters of an hour\b"), "45 minutes"),
    (re.compile(r"\b(?:an?|1) (hour|minute) and a half\b"), r"1.5 \1s"),
    (re.compile(r"(?<![0-9.])([0-9]+) and a half (hours|minutes)\b"), r"\1.5 \2"),
)
_SIGNS = " :.,+-/"
_WORD = re.compile(r"(?<=[0-9])(?:st|nd|rd|th)(?![a-z])|[a-z]+|[0-9]+|.")


def spelled(phrase: str) -> str:
    """A phrase (lower case, single spaces) in the one spelling that the other modules read."""
    for pattern, spelling in _SPELLINGS:
        phrase = pattern.sub(spelling, phrase)
    return phrase


def check_words(phrase: str) -> None:
    """Raises NotUnderstood for the first word or sign that is in no phrase we understand."""
    for word in _WORD.findall(phrase):
        if word.isalpha():
            _check_word(word)
        elif not word.isdigit() and word not in _SIGNS:
            raise NotUnderstood(repr(word))


def _check_word(word: str) -> None:
    if word in _KNOWN or word in ("st", "nd", "rd", "th") or _KNOWN_SHAPE.fullmatch(word):
        return
    if word in _SERIES:
        raise NotUnderstood(repr(word), "WHEN is one time: a series is made with --repeat")
    if word in _BEFORE:
        raise NotUnderstood(f"{word!r} is past", "Give a time to come, or now")
    if word in _ABBREVIATIONS:
        raise NotUnderstood(
            f"{word.upper()!r} is a zone in some countries or summers and another elsewhere",
            "Write the zone's name, such as Europe/Berlin, or an offset after a date: +01:00",
        )
    meant = nearest(word, _KNOWN, 0.8) if len(word) > 2 else None
    raise NotUnderstood(repr(word), f"Did you mean {meant}?" if meant else None)


def check_ascii(phrase: str) -> None:
    """Raises NotUnderstood for what only looks like English: other digits, hidden signs."""
    for sign in phrase:
        if not sign.isascii():
            shown = repr(sign) if sign.isprintable() else f"the sign U+{ord(sign):04X}"
            raise NotUnderstood(shown, "Write it in English, with the digits 0 to 9")
