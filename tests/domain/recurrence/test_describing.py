"""Schedules in words: a table."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from postsched.domain.recurrence import Wishes, describe, occurrences, plan
from postsched.domain.schedule import SLOT, Schedule, once

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 22, 13, 30, 5, tzinfo=UTC)
WEEKLY_NINE = Wishes(at="09:00", repeat="weekly")
MONTHLY_NINE = Wishes(at="09:00", repeat="monthly")
DAILY_NINE = Wishes(at="09:00", repeat="daily")


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        (
            Wishes(at="17:30,9am", repeat="daily"),
            "every day at 09:00 and 17:30 Europe/Berlin",
        ),
        (
            replace(WEEKLY_NINE, on=("thu,mon",), until="2026-12-31"),
            "every Mon and Thu at 09:00 Europe/Berlin until 31 Dec 2026, 12 left",
        ),
        (
            replace(WEEKLY_NINE, on=("mon", "thu"), every=2, count=12),
            "every 2 weeks on Mon and Thu at 09:00 Europe/Berlin, 12 left",
        ),
        (replace(WEEKLY_NINE, on=("mon-fri",)), "every Mon to Fri at 09:00 Europe/Berlin"),
        (replace(WEEKLY_NINE, on=("fri-mon",)), "every Mon and Fri to Sun at 09:00 Europe/Berlin"),
        (
            replace(MONTHLY_NINE, on=("last,1,15",)),
            "on the 1st, the 15th and the last day of every month at 09:00 Europe/Berlin",
        ),
        (
            replace(MONTHLY_NINE, on=("last-fri", "1mon"), every=3),
            "on the first Mon and the last Fri of every 3 months at 09:00 Europe/Berlin",
        ),
        (
            replace(MONTHLY_NINE, on=("2", "11", "22", "31")),
            "on the 2nd, the 11th, the 22nd and the 31st of every month at 09:00 Europe/Berlin",
        ),
        (
            Wishes(at="2028-02-29T09:00", repeat="yearly"),
            "every year on 29 Feb (28 Feb in other years) at 09:00 Europe/Berlin",
        ),
        (
            Wishes(at="09:00:30.250", repeat="yearly", every=2, on=("12-24,12-31",)),
            "every 2 years on 24 Dec and 31 Dec at 09:00:30.25 Europe/Berlin",
        ),
        (
            replace(DAILY_NINE, from_="2026-12-01", except_=("2027-01-05T09:00",)),
            "every day at 09:00 Europe/Berlin from 1 Dec 2026 except 5 Jan 2027 09:00",
        ),
        (
            replace(DAILY_NINE, every=3, except_=tuple(f"2026-12-{n:02}" for n in range(1, 20))),
            "every 3 days at 09:00 Europe/Berlin but for 19 exceptions",
        ),
        (Wishes(cron="*/15 * * * *"), "every 15 minutes, Europe/Berlin"),
        (Wishes(cron="* * * * *"), "every minute, Europe/Berlin"),
        (Wishes(cron="@hourly"), "every hour, Europe/Berlin"),
        (Wishes(cron="5,35 * * * *"), "at minutes 5 and 35 of every hour, Europe/Berlin"),
        (
            Wishes(cron="0 8-18 * * 1-5"),
            "at minute 0 of hours 8 to 18, Mon to Fri, Europe/Berlin",
        ),
        (Wishes(cron="0 */2 * * *"), "at minute 0 of every 2nd hour, Europe/Berlin"),
        (Wishes(cron="0 9 * * *"), "every day at 09:00 Europe/Berlin"),
        (Wishes(cron="30 9,17 * * 0,6"), "every Sat and Sun at 09:30 and 17:30 Europe/Berlin"),
        (
            Wishes(cron="0 9 1,15 * *"),
            "on the 1st and the 15th of every month at 09:00 Europe/Berlin",
        ),
        (Wishes(cron="0 0 24 12 *"), "every year on 24 Dec at 00:00 Europe/Berlin"),
        (
            Wishes(cron="0 9 13 * fri"),
            "on the 13th of every month and every Fri at 09:00 Europe/Berlin",
        ),
        (Wishes(cron="0 9 1-31 * fri"), "every day at 09:00 Europe/Berlin"),
        (Wishes(cron="0 9 * jun-aug mon"), "every Mon in Jun to Aug at 09:00 Europe/Berlin"),
        (
            Wishes(cron="*/20 9 1 1-6/5 *"),
            "every year on 1 Jan and 1 Jun at 09:00, 09:20 and 09:40 Europe/Berlin",
        ),
        (Wishes(cron="0 9 1-7 * */2"), 'by cron "0 9 1-7 * */2" Europe/Berlin'),
        (Wishes(rrule="FREQ=DAILY;INTERVAL=2", at="09:00"), "every 2 days at 09:00 Europe/Berlin"),
        (
            Wishes(rrule="FREQ=WEEKLY;BYDAY=TH,MO;BYHOUR=9;UNTIL=20261231"),
            "every Mon and Thu at 09:00 Europe/Berlin until 31 Dec 2026, 12 left",
        ),
        (
            Wishes(rrule="FREQ=MONTHLY;BYDAY=1MO,-1FR;COUNT=3", at="09:00"),
            "on the first Mon and the last Fri of every month at 09:00 Europe/Berlin, 3 left",
        ),
        (
            Wishes(rrule="FREQ=MONTHLY;BYMONTHDAY=-1,1", at="09:00"),
            "on the 1st and the last day of every month at 09:00 Europe/Berlin",
        ),
        (
            Wishes(rrule="FREQ=YEARLY", at="2026-12-24T09:00"),
            "every year on 24 Dec at 09:00 Europe/Berlin",
        ),
        (Wishes(rrule="FREQ=HOURLY;INTERVAL=6"), "every 6 hours, Europe/Berlin"),
        (
            Wishes(rrule="FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1", at="09:00"),
            'by rule "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1" Europe/Berlin',
        ),
        (
            Wishes(rrule="DTSTART:20261201T090000Z\nFREQ=DAILY\nRDATE:20261201T100000Z"),
            'by rule "DTSTART:20261201T090000Z FREQ=DAILY RDATE:20261201T100000Z" UTC',
        ),
        (Wishes(at="2026-11-27T14:30"), "Fri 27 Nov 2026, 14:30 CET, in 5 days"),
    ],
)
def test_a_schedule_in_words(wishes: Wishes, said: str) -> None:
    schedule, _ = plan(wishes, NOW, BERLIN)
    assert describe(schedule, NOW) == said


def test_what_is_left_goes_down() -> None:
    schedule, _ = plan(replace(DAILY_NINE, count=3), NOW, BERLIN)
    first = next(occurrences(schedule)).instant
    assert describe(schedule, first).endswith(", 2 of 3 left")
    assert describe(schedule, first + timedelta(days=9)).endswith("Europe/Berlin, over")
    assert describe(schedule, NOW, waiting=1).endswith(", 1 of 3 left")


def test_what_does_not_recur() -> None:
    assert describe(Schedule(), NOW) == "not scheduled"
    assert describe(Schedule(SLOT, "2026-11-27T14:30:00"), NOW) == "in the next free slot"
    assert describe(once(NOW, "UTC"), NOW).startswith("Sun 22 Nov 2026, 13:30:05 UTC")
