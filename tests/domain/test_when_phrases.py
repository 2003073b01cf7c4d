"""Freer English phrases: a table labelled by hand, what is said of a refusal, what is loaded."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from postsched.domain.errors import InvalidInput
from postsched.domain.when import describe, is_fixed, understand
from tests.domain.phrases import MEANT, ODD, REFUSED
from tests.readme import README

SUNDAY = ("2026-11-22T13:30:00Z", "Europe/Berlin")


def found(phrase: str, place: tuple[str, str]) -> str:
    """The UTC instant that is understood, or `refused`."""
    now, zone = datetime.fromisoformat(place[0]), ZoneInfo(place[1])
    try:
        instant = understand(phrase, now, zone).instant
    except InvalidInput as error:
        advice = (error.hint, str(error))
    else:
        assert describe(instant, now, zone)
        return instant.isoformat().replace("+00:00", "Z")
    assert advice[0]
    assert "\n" not in advice[1]
    assert len(advice[1]) < 500
    return "refused"


def labelled() -> list[tuple[str, tuple[str, str], str]]:
    """Every phrase of the table, where and when it is said, and what it means."""
    table = []
    for place, lines in MEANT.items():
        for line in lines.strip().splitlines():
            phrase, _, meaning = line.strip().rpartition(" | ")
            table.append((phrase, place, meaning))
    table += [(line.strip(), SUNDAY, "refused") for line in REFUSED.strip().splitlines()]
    return table + [(phrase, place, "refused") for phrase in ODD for place in MEANT]


def test_no_phrase_is_guessed_wrong() -> None:
    table = labelled()
    assert len({phrase for phrase, _, _ in table}) >= 300
    wrong = [
        f"{phrase!r} at {place[0]} in {place[1]}: {got}, meant {meaning}"
        for phrase, place, meaning in table
        if (got := found(phrase, place)) != meaning
    ]
    assert not wrong, "\n".join(wrong)


def test_the_readme_says_what_is_understood() -> None:
    now, zone = datetime.fromisoformat(SUNDAY[0]), ZoneInfo(SUNDAY[1])
    text = README.read_text(encoding="utf-8").partition("| WHEN | is |\n")[2]
    rows = re.findall(r"^\| `(.+)` \| (.+) \|$", text.partition("\n\n")[0], re.MULTILINE)
    assert len(rows) > 20
    for phrase, meaning in rows:
        if meaning.startswith("refused: "):
            assert found(phrase, SUNDAY) == "refused", phrase
        else:
            said = describe(understand(phrase, now, zone).instant, now, zone)
            assert said.startswith(f"{meaning}, in "), phrase


@pytest.mark.parametrize(
    ("phrase", "said"),
    [
        ("tomorow 9am", "'tomorow'. Did you mean tomorrow?"),
        ("next friday 9am", "'next friday' may be Fri 27 Nov 2026 or Fri 4 Dec 2026. Write the"),
        ("Wed, 1 Dec 2026 9am", "'wed', and 1 Dec 2026 is a Tuesday. Correct the one or the other"),
        ("tomorrow at 9", "'9' may be am or pm. Write 09:00 or 21:00"),
        ("03/04/2026 9am", "'03/04/2026'. Write a date as year-month-day: 2026-12-01"),
        ("every monday 9am", "'every'. WHEN is one time: a series is made with --repeat"),
        ("9am CET", "'CET' is a zone in some countries or summers and another elsewhere. Write"),
        ("20 november 9am", "the next one is Sat 20 Nov 2027. If that is meant, write 2027-11-20"),
        ("tomorrow evening", "is a day without a time. Add one: 'tomorrow evening 19:00'"),
        ("friday midnight", "midnight of 'friday' may be its start or its end. Write 00:00"),
        ("tomorrow 14h30", "'14h30'. Did you mean 14:30?"),
        ("22th november 9am", "'22th'. Did you mean 22nd?"),
        ("tomorrow 9am Pacific/Kiritimati", "it is another day there, so 'tomorrow' may be two"),
        ("tomorrow\u200f 9am", "the sign U+200F. Write it in English, with the digits 0 to 9"),
        ("9" * 10_000, "it has 10000 characters"),
    ],
)
def test_a_refusal_names_the_part_and_what_to_do(phrase: str, said: str) -> None:
    now, zone = datetime.fromisoformat(SUNDAY[0]), ZoneInfo(SUNDAY[1])
    with pytest.raises(InvalidInput, match="is not understood as a time: ") as caught:
        understand(phrase, now, zone)
    assert said in str(caught.value)


def test_clock_changes_are_said_of_phrases_too() -> None:
    now, zone = datetime(2027, 3, 27, 12, tzinfo=UTC), ZoneInfo("Europe/Berlin")
    assert "is skipped by" in str(understand("tomorrow at 2:30am", now, zone).note)
    assert "comes twice" in str(understand("last sunday of october 2am", now, zone).note)
    assert understand("31 october 2027 2:30am UTC", now, zone).note is None


def test_a_local_time_is_kept_as_one_only_at_home() -> None:
    now, zone = datetime.fromisoformat(SUNDAY[0]), ZoneInfo(SUNDAY[1])
    assert understand("friday at noon", now, zone).local == datetime(2026, 11, 27, 12)  # noqa: DTZ001
    for phrase in ("in half an hour", "1 dec 2026 noon UTC", "@1796112000", "20261201T090000Z"):
        assert understand(phrase, now, zone).local is None, phrase


@pytest.mark.parametrize(
    ("phrase", "fixed"),
    [
        ("2026-12-01 09:00", True),
        ("@1796112000", True),
        ("20261201T0900", True),
        ("27 nov 2026 9am", True),
        ("Tue, 01 Dec 2026 09:00:00 +0100", True),
        ("first monday of december 2026 9am", True),
        ("27 nov 9am", False),
        ("nov 27 20:30", False),
        ("in 2000 minutes", False),
        ("2000 minutes from now", False),
        ("friday at noon", False),
    ],
)
def test_what_names_a_whole_date_is_fixed(phrase: str, fixed: bool) -> None:
    assert is_fixed(phrase) is fixed


def test_the_usual_forms_load_no_library() -> None:
    """Nor do freer phrases, where no date has to be read or counted."""
    code = """
import sys
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo
from postsched.domain.when import understand
now, zone = datetime(2026, 11, 22, 13, 30, tzinfo=UTC), ZoneInfo("Europe/Berlin")
for text in ("now", "2026-12-01T09:00", "14:30", "in 2 hours", "tomorrow 9am", "fri 14:30"):
    understand(text, now, zone)
assert not {"postsched.domain.when.phrases", "dateparser"} & set(sys.modules)
for text in ("on friday at noon", "half past eight in the evening", "in half an hour"):
    understand(text, now, zone)
assert "dateparser" not in sys.modules
understand("27th of november at noon", now, zone)
assert "dateparser" in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("answer", [datetime(2026, 11, 28), datetime(2027, 11, 27), None])  # noqa: DTZ001
def test_the_library_is_not_trusted(
    answer: datetime | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another day than the words name, another number of days than they count, or a failure."""

    def get_date_data(parser: object, words: str) -> SimpleNamespace:
        if answer is None:
            raise AttributeError(words)
        return SimpleNamespace(date_obj=answer)

    monkeypatch.setattr("dateparser.date.DateDataParser.get_date_data", get_date_data)
    for phrase in ("27 nov 2026 9am", "in 2 weeks at 9am", "in 2 months at 9am", "fri 27 nov 9am"):
        assert found(phrase, SUNDAY) == "refused", phrase


@pytest.mark.slow
def test_every_day_of_three_years_in_every_spelling() -> None:
    now, zone = datetime(2026, 11, 22, tzinfo=UTC), ZoneInfo("UTC")
    for n in range(1, 3 * 365):
        day = now + timedelta(days=n)
        long, short = f"{day:%B}", f"{day:%b}"
        spellings = [
            f"{day.day} {long} {day.year}",
            f"{short} {day.day}, {day.year}",
            f"{day:%A}, {day.day} {short} {day.year}",
            f"{day.year} {short} {day.day}",
        ]
        spellings += [f"{day.day} {short}", f"{long} {day.day}"] if n < 300 else []
        for spelling in [*spellings, f"in {n} days", f"{n - 1} days from tomorrow"]:
            moment = understand(f"{spelling} at 9am", now, zone)
            assert moment.instant == day.replace(hour=9), spelling


def test_the_library_is_not_put_out_by_an_odd_system_zone() -> None:
    code = """
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo
from postsched.domain.when import understand
now = datetime(2026, 11, 22, 13, 30, tzinfo=UTC)
print(understand("27th of november at noon", now, ZoneInfo("Europe/Berlin")).instant)
print(understand("in 2 weeks at noon", now, ZoneInfo("Europe/Berlin")).instant)
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, "TZ": "Nonsense/Bad", "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:2] == [
        "2026-11-27 11:00:00+00:00",
        "2026-12-06 11:00:00+00:00",
    ]
