"""The examples of RFC 5545, section 3.8.5.3, all of them, with the dates the RFC gives.

All are in America/New_York, at 09:00 where no time is said. Where the RFC gives `...` the
series is endless, and its dates are the first. One is read as corrected by erratum 3883.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from postsched.domain.recurrence import Wishes, is_endless, left, occurrences, plan

ZONE = ZoneInfo("America/New_York")
EARLY = datetime(1996, 1, 1, tzinfo=UTC)
EVERY_DAY = "BYDAY=SU,MO,TU,WE,TH,FR,SA"


def dates(text: str) -> list[str]:
    """`1997: Sep 2 4-6; Oct 2 | 1998: Jan 3` written out as times at 09:00."""
    found = []
    for year_text in text.split(" | "):
        year, _, months = year_text.partition(": ")
        for month_text in months.split("; "):
            month, *days = month_text.split()
            for word in days:
                first, _, last = word.partition("-")
                numbers = range(int(first), int(last or first) + 1)
                found += [f"{year} {month} {day} 09:00" for day in numbers]
    return found


def each_day(begin: date, end: date) -> list[str]:
    days = (begin + timedelta(days=n) for n in range((end - begin).days + 1))
    return [f"{day:%Y %b} {day.day} 09:00" for day in days]


TWENTY_MINUTES = [
    f"1997 Sep {day} {hour:02}:{minute:02}"
    for day in (2, 3)
    for hour in range(9, 17)
    for minute in (0, 20, 40)
]
EXAMPLES: list[tuple[str, str, list[str]]] = [
    ("19970902", "FREQ=DAILY;COUNT=10", dates("1997: Sep 2-11")),
    (
        "19970902", "FREQ=DAILY;UNTIL=19971224T000000Z",
        each_day(date(1997, 9, 2), date(1997, 12, 23)),
    ),
    (
        "19970902", "FREQ=DAILY;INTERVAL=2 ...",
        dates("1997: Sep 2 4 6 8 10 12 14 16 18 20 22 24 26 28 30; "
              "Oct 2 4 6 8 10 12 14 16 18 20 22 24 26 28 30; Nov 1 3"),
    ),
    ("19970902", "FREQ=DAILY;INTERVAL=10;COUNT=5", dates("1997: Sep 2 12 22; Oct 2 12")),
    (
        "19980101", f"FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;{EVERY_DAY}",
        dates("1998: Jan 1-31 | 1999: Jan 1-31 | 2000: Jan 1-31"),
    ),
    (
        "19980101", "FREQ=DAILY;UNTIL=20000131T140000Z;BYMONTH=1",
        dates("1998: Jan 1-31 | 1999: Jan 1-31 | 2000: Jan 1-31"),
    ),
    (
        "19970902", "FREQ=WEEKLY;COUNT=10",
        dates("1997: Sep 2 9 16 23 30; Oct 7 14 21 28; Nov 4"),
    ),
    (
        "19970902", "FREQ=WEEKLY;UNTIL=19971224T000000Z",
        dates("1997: Sep 2 9 16 23 30; Oct 7 14 21 28; Nov 4 11 18 25; Dec 2 9 16 23"),
    ),
    (
        "19970902", "FREQ=WEEKLY;INTERVAL=2;WKST=SU ...",
        dates("1997: Sep 2 16 30; Oct 14 28; Nov 11 25; Dec 9 23 | 1998: Jan 6 20; Feb 3 17"),
    ),
    (
        "19970902", "FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH",
        dates("1997: Sep 2 4 9 11 16 18 23 25 30; Oct 2"),
    ),
    (
        "19970902", "FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH",
        dates("1997: Sep 2 4 9 11 16 18 23 25 30; Oct 2"),
    ),
    (
        "19970901", "FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR",
        dates("1997: Sep 1 3 5 15 17 19 29; Oct 1 3 13 15 17 27 29 31; Nov 10 12 14 24 26 28; "
              "Dec 8 10 12 22"),
    ),
    (
        "19970902", "FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH",
        dates("1997: Sep 2 4 16 18 30; Oct 2 14 16"),
    ),
    (
        "19970905", "FREQ=MONTHLY;COUNT=10;BYDAY=1FR",
        dates("1997: Sep 5; Oct 3; Nov 7; Dec 5 | 1998: Jan 2; Feb 6; Mar 6; Apr 3; May 1; Jun 5"),
    ),
    (
        "19970905", "FREQ=MONTHLY;UNTIL=19971224T000000Z;BYDAY=1FR",
        dates("1997: Sep 5; Oct 3; Nov 7; Dec 5"),
    ),
    (
        "19970907", "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU",
        dates("1997: Sep 7 28; Nov 2 30 | 1998: Jan 4 25; Mar 1 29; May 3 31"),
    ),
    (
        "19970922", "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO",
        dates("1997: Sep 22; Oct 20; Nov 17; Dec 22 | 1998: Jan 19; Feb 16"),
    ),
    (
        "19970928", "FREQ=MONTHLY;BYMONTHDAY=-3 ...",
        dates("1997: Sep 28; Oct 29; Nov 28; Dec 29 | 1998: Jan 29; Feb 26"),
    ),
    (
        "19970902", "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15",
        dates("1997: Sep 2 15; Oct 2 15; Nov 2 15; Dec 2 15 | 1998: Jan 2 15"),
    ),
    (
        "19970930", "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1",
        dates("1997: Sep 30; Oct 1 31; Nov 1 30; Dec 1 31 | 1998: Jan 1 31; Feb 1"),
    ),
    (
        "19970910", "FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15",
        dates("1997: Sep 10-15 | 1999: Mar 10-13"),
    ),
    (
        "19970902", "FREQ=MONTHLY;INTERVAL=2;BYDAY=TU ...",
        dates("1997: Sep 2 9 16 23 30; Nov 4 11 18 25 | 1998: Jan 6 13 20 27; Mar 3 10 17 24 31"),
    ),
    (
        "19970610", "FREQ=YEARLY;COUNT=10;BYMONTH=6,7",
        dates("1997: Jun 10; Jul 10 | 1998: Jun 10; Jul 10 | 1999: Jun 10; Jul 10 "
              "| 2000: Jun 10; Jul 10 | 2001: Jun 10; Jul 10"),
    ),
    (
        "19970310", "FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3",
        dates("1997: Mar 10 | 1999: Jan 10; Feb 10; Mar 10 | 2001: Jan 10; Feb 10; Mar 10 "
              "| 2003: Jan 10; Feb 10; Mar 10"),
    ),
    (
        "19970101", "FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200",
        dates("1997: Jan 1; Apr 10; Jul 19 | 2000: Jan 1; Apr 9; Jul 18 "
              "| 2003: Jan 1; Apr 10; Jul 19 | 2006: Jan 1"),
    ),
    ("19970519", "FREQ=YEARLY;BYDAY=20MO ...", dates("1997: May 19 | 1998: May 18 | 1999: May 17")),
    (
        "19970512", "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO ...",
        dates("1997: May 12 | 1998: May 11 | 1999: May 17"),
    ),
    (
        "19970313", "FREQ=YEARLY;BYMONTH=3;BYDAY=TH ...",
        dates("1997: Mar 13 20 27 | 1998: Mar 5 12 19 26 | 1999: Mar 4 11 18 25"),
    ),
    (
        "19970605", "FREQ=YEARLY;BYDAY=TH;BYMONTH=6,7,8 ...",
        dates("1997: Jun 5 12 19 26; Jul 3 10 17 24 31; Aug 7 14 21 28 "
              "| 1998: Jun 4 11 18 25; Jul 2 9 16 23 30; Aug 6 13 20 27 "
              "| 1999: Jun 3 10 17 24; Jul 1 8 15 22 29; Aug 5 12 19 26"),
    ),
    (
        "19970902",
        "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13 EXDATE;TZID=America/New_York:19970902T090000 ...",
        dates("1998: Feb 13; Mar 13; Nov 13 | 1999: Aug 13 | 2000: Oct 13"),
    ),
    (
        "19970913", "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13 ...",
        dates("1997: Sep 13; Oct 11; Nov 8; Dec 13 | 1998: Jan 10; Feb 7; Mar 7; Apr 11; May 9; "
              "Jun 13"),
    ),
    (
        "19961105", "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8 ...",
        dates("1996: Nov 5 | 2000: Nov 7 | 2004: Nov 2"),
    ),
    (
        "19970904", "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3",
        dates("1997: Sep 4; Oct 7; Nov 6"),
    ),
    (
        "19970929", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2 ...",
        dates("1997: Sep 29; Oct 30; Nov 27; Dec 30 | 1998: Jan 29; Feb 26; Mar 30"),
    ),
    (
        "19970902", "FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T210000Z",
        ["1997 Sep 2 09:00", "1997 Sep 2 12:00", "1997 Sep 2 15:00"],
    ),
    (
        "19970902", "FREQ=MINUTELY;INTERVAL=15;COUNT=6",
        [f"1997 Sep 2 {clock}" for clock in ["09:00", "09:15", "09:30", "09:45", "10:00", "10:15"]],
    ),
    (
        "19970902", "FREQ=MINUTELY;INTERVAL=90;COUNT=4",
        [f"1997 Sep 2 {clock}" for clock in ["09:00", "10:30", "12:00", "13:30"]],
    ),
    (
        "19970902", "FREQ=DAILY;BYHOUR=9,10,11,12,13,14,15,16;BYMINUTE=0,20,40 ...",
        TWENTY_MINUTES,
    ),
    (
        "19970902", "FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10,11,12,13,14,15,16 ...",
        TWENTY_MINUTES,
    ),
    (
        "19970805", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
        dates("1997: Aug 5 10 19 24"),
    ),
    (
        "19970805", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
        dates("1997: Aug 5 17 19 31"),
    ),
    (
        "20070115", "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5",
        dates("2007: Jan 15 30; Feb 15; Mar 15 30"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("start", "text", "expected"), EXAMPLES)
def test_the_examples_of_the_rfc(start: str, text: str, expected: list[str]) -> None:
    endless = text.endswith(" ...")
    said = f"DTSTART;TZID=America/New_York:{start}T090000 RRULE:{text.removesuffix(' ...')}"
    schedule, _ = plan(Wishes(rrule=said), EARLY, ZONE)
    found = list(islice(occurrences(schedule), len(expected) if endless else None))
    assert [f"{one.local:%Y %b} {one.local.day} {one.local:%H:%M}" for one in found] == expected
    assert all(one.instant.astimezone(ZONE).replace(tzinfo=None) == one.local for one in found)
    assert is_endless(schedule) == endless
    assert left(schedule, EARLY) == (None if endless else len(expected))
    middle = found[len(found) // 2].instant
    after = islice(occurrences(schedule, middle), len(found) - len(found) // 2 - 1)
    assert list(after) == found[len(found) // 2 + 1 :]
