"""WHEN phrases with what they mean, labelled by hand: where and when it is said, then a line for
each phrase, `phrase | UTC instant`, and the phrases that must be refused. Where English speakers
may mean two times, refusing is the right answer."""

from __future__ import annotations

MEANT: dict[tuple[str, str], str] = {
    ("2026-11-22T13:30:00Z", "Europe/Berlin"): """
        now | 2026-11-22T13:30:00Z
        friday 9am | 2026-11-27T08:00:00Z
        friday at noon | 2026-11-27T11:00:00Z
        on friday at 5pm | 2026-11-27T16:00:00Z
        On Friday, at 5 p.m. | 2026-11-27T16:00:00Z
        noon on friday | 2026-11-27T11:00:00Z
        5pm on friday | 2026-11-27T16:00:00Z
        5pm friday | 2026-11-27T16:00:00Z
        9am, friday | 2026-11-27T08:00:00Z
        at 9am on friday | 2026-11-27T08:00:00Z
        this friday 9am | 2026-11-27T08:00:00Z
        this coming friday at 9am | 2026-11-27T08:00:00Z
        coming friday at 9am | 2026-11-27T08:00:00Z
        this sunday 15:00 | 2026-11-22T14:00:00Z
        next sunday 9am | 2026-11-29T08:00:00Z
        sunday 14:00 | 2026-11-29T13:00:00Z
        Fri. 9am | 2026-11-27T08:00:00Z
        tues at 9am | 2026-11-24T08:00:00Z
        weds 9am | 2026-11-25T08:00:00Z
        thurs. 9am | 2026-11-26T08:00:00Z
        friday morning at 9 | 2026-11-27T08:00:00Z
        friday evening at 8 | 2026-11-27T19:00:00Z
        friday evening 8pm | 2026-11-27T19:00:00Z
        friday night at 11 | 2026-11-27T22:00:00Z
        friday afternoon at 2:30 | 2026-11-27T13:30:00Z
        friday afternoon 14:30 | 2026-11-27T13:30:00Z
        friday at quarter past nine am | 2026-11-27T08:15:00Z
        friday at half past eight in the evening | 2026-11-27T19:30:00Z
        friday at twenty to 9am | 2026-11-27T07:40:00Z
        friday at ten past noon | refused
        today at 3pm | 2026-11-22T14:00:00Z
        today 14:31 | 2026-11-22T13:31:00Z
        this evening at 8 | 2026-11-22T19:00:00Z
        this afternoon at 3 | 2026-11-22T14:00:00Z
        this afternoon at 3:15 | 2026-11-22T14:15:00Z
        tonight at 8pm | 2026-11-22T19:00:00Z
        tonight 8pm | 2026-11-22T19:00:00Z
        8pm tonight | 2026-11-22T19:00:00Z
        at 8 tonight | 2026-11-22T19:00:00Z
        tonight at 11:30 | 2026-11-22T22:30:00Z
        tonight at 20:15 | 2026-11-22T19:15:00Z
        tomorrow at noon | 2026-11-23T11:00:00Z
        tomorrow at midday | 2026-11-23T11:00:00Z
        tomorrow at 12 noon | 2026-11-23T11:00:00Z
        noon tomorrow | 2026-11-23T11:00:00Z
        9am tomorrow | 2026-11-23T08:00:00Z
        09:00 tomorrow | 2026-11-23T08:00:00Z
        tomorrow 9:30 a.m. | 2026-11-23T08:30:00Z
        Tomorrow, 9:30 A.M. | 2026-11-23T08:30:00Z
        tomorrow morning at 9 | 2026-11-23T08:00:00Z
        tomorrow morning 9am | 2026-11-23T08:00:00Z
        tomorrow morning at 09:00 | 2026-11-23T08:00:00Z
        tomorrow evening at 8:30 | 2026-11-23T19:30:00Z
        tomorrow night at 10 | 2026-11-23T21:00:00Z
        tomorrow at 9 in the morning | 2026-11-23T08:00:00Z
        tomorrow at 9 o'clock in the evening | 2026-11-23T20:00:00Z
        tomorrow at 5 in the afternoon | 2026-11-23T16:00:00Z
        tomorrow at 10 at night | 2026-11-23T21:00:00Z
        tomorrow at nine am | 2026-11-23T08:00:00Z
        tomorrow at 2.30pm | 2026-11-23T13:30:00Z
        tomorrow 12am | 2026-11-22T23:00:00Z
        tomorrow 12pm | 2026-11-23T11:00:00Z
        the day after tomorrow 10:00 | 2026-11-24T09:00:00Z
        day after tomorrow at 10am | 2026-11-24T09:00:00Z
        10am the day after tomorrow | 2026-11-24T09:00:00Z
        the day after tomorrow at noon | 2026-11-24T11:00:00Z
        the day after tomorrow in the evening at 7 | 2026-11-24T18:00:00Z
        9am | 2026-11-23T08:00:00Z
        9 AM | 2026-11-23T08:00:00Z
        9:00 a.m. | 2026-11-23T08:00:00Z
        9 a.m. | 2026-11-23T08:00:00Z
        nine am | 2026-11-23T08:00:00Z
        at nine pm | 2026-11-22T20:00:00Z
        2.30pm | 2026-11-23T13:30:00Z
        quarter past 9am | 2026-11-23T08:15:00Z
        quarter to 9 pm | 2026-11-22T19:45:00Z
        half past 3 pm | 2026-11-22T14:30:00Z
        half past eight in the evening | 2026-11-22T19:30:00Z
        ten to nine in the morning | 2026-11-23T07:50:00Z
        20 minutes past 5pm | 2026-11-22T16:20:00Z
        9 in the morning | 2026-11-23T08:00:00Z
        noon | 2026-11-23T11:00:00Z
        midday | 2026-11-23T11:00:00Z
        midnight | 2026-11-22T23:00:00Z
        27 nov 2026 14:30 | 2026-11-27T13:30:00Z
        27 nov 14:30 | 2026-11-27T13:30:00Z
        nov 27 at 2:30pm | 2026-11-27T13:30:00Z
        nov 27 2:30pm | 2026-11-27T13:30:00Z
        November 27th, 2026 2.30 pm | 2026-11-27T13:30:00Z
        November 27, 2026 at 2:30 PM | 2026-11-27T13:30:00Z
        27th of November 14:30 | 2026-11-27T13:30:00Z
        the 27th of november at noon | 2026-11-27T11:00:00Z
        november the 27th at noon | 2026-11-27T11:00:00Z
        on the 27th of november 2026 at noon | 2026-11-27T11:00:00Z
        Nov. 27, 2026, 9 a.m. | 2026-11-27T08:00:00Z
        2026 nov 27 09:00 | 2026-11-27T08:00:00Z
        27-nov-2026 14:30 | 2026-11-27T13:30:00Z
        27-Nov 14:30 | 2026-11-27T13:30:00Z
        14:30 on november 27 | 2026-11-27T13:30:00Z
        9am on 27 november | 2026-11-27T08:00:00Z
        9am, 27 november 2026 | 2026-11-27T08:00:00Z
        27 november at 14:30:30 | 2026-11-27T13:30:30Z
        27 november 2026 at 14:30:30.25 | 2026-11-27T13:30:30.250000Z
        27 november at 9 in the morning | 2026-11-27T08:00:00Z
        27 november in the evening at 8 | 2026-11-27T19:00:00Z
        22 november 15:00 | 2026-11-22T14:00:00Z
        1st december 9am | 2026-12-01T08:00:00Z
        2nd dec 9am | 2026-12-02T08:00:00Z
        3rd dec 9am | 2026-12-03T08:00:00Z
        dec 11th 9am | 2026-12-11T08:00:00Z
        dec 12th 9am | 2026-12-12T08:00:00Z
        21st december 9am | 2026-12-21T08:00:00Z
        jan 5 9am | 2027-01-05T08:00:00Z
        5 january 9am | 2027-01-05T08:00:00Z
        1 may 9am | 2027-05-01T07:00:00Z
        sept 5 at noon | 2027-09-05T10:00:00Z
        29 february 2028 9am | 2028-02-29T08:00:00Z
        27 july 2030 9am | 2030-07-27T07:00:00Z
        fri 27 nov 2026 9am | 2026-11-27T08:00:00Z
        friday 27 november 09:00 | 2026-11-27T08:00:00Z
        friday, november 27th, 2026 at 9am | 2026-11-27T08:00:00Z
        friday the 27th of november at 9am | 2026-11-27T08:00:00Z
        Friday, 27 November 2026, 9:00 | 2026-11-27T08:00:00Z
        9am on friday 27 november | 2026-11-27T08:00:00Z
        friday the 27th at 9am | 2026-11-27T08:00:00Z
        the 27th at 9am | 2026-11-27T08:00:00Z
        on the 27th 09:00 | 2026-11-27T08:00:00Z
        the 20th at 9am | 2026-12-20T08:00:00Z
        the 1st at noon | 2026-12-01T11:00:00Z
        the 22nd at 3pm | 2026-11-22T14:00:00Z
        the 27th of this month at 9am | 2026-11-27T08:00:00Z
        the 5th of next month at 9am | 2026-12-05T08:00:00Z
        tue 2026-12-01 09:00 | 2026-12-01T08:00:00Z
        9am on 2026-12-01 | 2026-12-01T08:00:00Z
        first monday of december at 9am | 2026-12-07T08:00:00Z
        the first monday in december at 9am | 2026-12-07T08:00:00Z
        9am on the first monday of december | 2026-12-07T08:00:00Z
        first monday of december 2027 9am | 2027-12-06T08:00:00Z
        2nd tuesday of december 9am | 2026-12-08T08:00:00Z
        fifth thursday of december 9am | 2026-12-31T08:00:00Z
        last friday of the month 17:00 | 2026-11-27T16:00:00Z
        last friday of this month 17:00 | 2026-11-27T16:00:00Z
        the last friday of next month at noon | 2026-12-25T11:00:00Z
        last friday of november at noon | 2026-11-27T11:00:00Z
        last friday of january at noon | 2027-01-29T11:00:00Z
        last day of the month at noon | 2026-11-30T11:00:00Z
        the last day of february at noon | 2027-02-28T11:00:00Z
        first day of next month 9am | 2026-12-01T08:00:00Z
        in two weeks | 2026-12-06T13:30:00Z
        in two weeks at 9am | 2026-12-06T08:00:00Z
        in a fortnight | 2026-12-06T13:30:00Z
        in a fortnight at noon | 2026-12-06T11:00:00Z
        in 3 days at 14:30 | 2026-11-25T13:30:00Z
        in 3 days 14:30 | 2026-11-25T13:30:00Z
        at 9am in 3 days | 2026-11-25T08:00:00Z
        in three days at 9am | 2026-11-25T08:00:00Z
        in a week at 9am | 2026-11-29T08:00:00Z
        in a week and 2 days at 9am | 2026-12-01T08:00:00Z
        in 2 months | 2027-01-22T13:30:00Z
        in 2 months at 9am | 2027-01-22T08:00:00Z
        in a year at 9am | 2027-11-22T08:00:00Z
        in 1 year and 2 months at 9am | 2028-01-22T08:00:00Z
        in half an hour | 2026-11-22T14:00:00Z
        in a quarter of an hour | 2026-11-22T13:45:00Z
        in three quarters of an hour | 2026-11-22T14:15:00Z
        in an hour and a half | 2026-11-22T15:00:00Z
        in two and a half hours | 2026-11-22T16:00:00Z
        in an hour | 2026-11-22T14:30:00Z
        an hour from now | 2026-11-22T14:30:00Z
        half an hour from now | 2026-11-22T14:00:00Z
        2 hours from now | 2026-11-22T15:30:00Z
        2h from now | 2026-11-22T15:30:00Z
        90 minutes from now | 2026-11-22T15:00:00Z
        2 hours and 5 minutes from now | 2026-11-22T15:35:00Z
        2 days from now | 2026-11-24T13:30:00Z
        2 days from now at 9am | 2026-11-24T08:00:00Z
        two weeks from now at noon | 2026-12-06T11:00:00Z
        2 weeks from today at noon | 2026-12-06T11:00:00Z
        a week from tomorrow 09:00 | 2026-11-30T08:00:00Z
        two days from tomorrow at 9am | 2026-11-25T08:00:00Z
        2 days after tomorrow at 9am | 2026-11-25T08:00:00Z
        a week from friday at 9am | 2026-12-04T08:00:00Z
        two weeks after 1 dec 2026 at 9am | 2026-12-15T08:00:00Z
        2026-12-01 09:00 Europe/Berlin | 2026-12-01T08:00:00Z
        2026-12-01 09:00 europe/berlin | 2026-12-01T08:00:00Z
        2026-12-01T09:00 America/New_York | 2026-12-01T14:00:00Z
        1 dec 2026 9am America/New_York | 2026-12-01T14:00:00Z
        1 dec 2026 9am UTC | 2026-12-01T09:00:00Z
        1 dec 2026 9am GMT | 2026-12-01T09:00:00Z
        1 dec 2026 9am UTC+2 | 2026-12-01T07:00:00Z
        1 dec 2026 9am -05:00 | 2026-12-01T14:00:00Z
        9am UTC | 2026-11-23T09:00:00Z
        tomorrow 9am UTC | 2026-11-23T09:00:00Z
        friday 14:30Z | 2026-11-27T14:30:00Z
        friday 5pm Asia/Kolkata | 2026-11-27T11:30:00Z
        2026-12-01T09:00:00+01:00[Europe/Berlin] | 2026-12-01T08:00:00Z
        2026-12-01T09:00[Asia/Kolkata] | 2026-12-01T03:30:00Z
        2026-W49-2 09:00 | 2026-12-01T08:00:00Z
        2026-W49-2T09:00Z | 2026-12-01T09:00:00Z
        2026W492 09:00 | 2026-12-01T08:00:00Z
        2026-W53-5 09:00 | 2027-01-01T08:00:00Z
        20261201T090000Z | 2026-12-01T09:00:00Z
        20261201T0900 | 2026-12-01T08:00:00Z
        20261201T090000+0530 | 2026-12-01T03:30:00Z
        @1796112000 | 2026-12-01T08:00:00Z
        @1796112000.5 | 2026-12-01T08:00:00.500000Z
        Tue, 01 Dec 2026 09:00:00 +0100 | 2026-12-01T08:00:00Z
        Tue, 1 Dec 2026 09:00:00 GMT | 2026-12-01T09:00:00Z
    """,
    ("2026-03-25T14:00:00Z", "America/New_York"): """
        friday at noon | 2026-03-27T16:00:00Z
        wednesday 9am | 2026-04-01T13:00:00Z
        this wednesday at 11am | 2026-03-25T15:00:00Z
        next wednesday 9am | 2026-04-01T13:00:00Z
        next monday 9am | 2026-03-30T13:00:00Z
        next tuesday at 9am | 2026-03-31T13:00:00Z
        monday next week 9am | 2026-03-30T13:00:00Z
        friday of next week at 5pm | 2026-04-03T21:00:00Z
        next week on friday at 5pm | 2026-04-03T21:00:00Z
        friday this week at 5pm | 2026-03-27T21:00:00Z
        mar 27 5pm | 2026-03-27T21:00:00Z
        april 1st 9am | 2026-04-01T13:00:00Z
        november 1 2026 at 1:30am | 2026-11-01T05:30:00Z
        march 14 2027 at 2:30am | 2027-03-14T07:30:00Z
        in two weeks at 9am | 2026-04-08T13:00:00Z
        tonight at 8 | 2026-03-26T00:00:00Z
        9pm UTC | 2026-03-25T21:00:00Z
        1 apr 2026 9am Europe/London | 2026-04-01T08:00:00Z
        next friday 9am | refused
        next thursday 9am | refused
        next saturday 9am | refused
        next sunday 9am | refused
        sunday next week 9am | refused
        this wednesday at 9am | refused
        friday 9am EST | refused
        friday 9am EDT | refused
        friday 9am ET | refused
        04/05/2026 9am | refused
        12/25/2026 9am | refused
        4/5 9am | refused
    """,
    ("2027-03-27T12:00:00Z", "Europe/Berlin"): """
        tomorrow at 2:30am | 2027-03-28T01:30:00Z
        sunday at half past two in the morning | 2027-03-28T01:30:00Z
        28 march at 02:00 | 2027-03-28T01:00:00Z
        28 march at 03:00 | 2027-03-28T01:00:00Z
        28 march 2027 2:59am | 2027-03-28T01:59:00Z
        in 1 day at 2:30am | 2027-03-28T01:30:00Z
        31 october 2027 at 2:30am | 2027-10-31T00:30:00Z
        31 october 2027 at 3am | 2027-10-31T02:00:00Z
        last sunday of october 02:15 | 2027-10-31T00:15:00Z
        31 october 2027 2:30am +01:00 | 2027-10-31T01:30:00Z
        31 october 2027 2:30am UTC | 2027-10-31T02:30:00Z
        next friday 9am | 2027-04-02T07:00:00Z
        next saturday 9am | 2027-04-03T07:00:00Z
        next sunday 9am | refused
        next monday 9am | 2027-03-29T07:00:00Z
    """,
    ("2026-12-31T23:30:00Z", "Europe/London"): """
        noon | 2027-01-01T12:00:00Z
        tomorrow at noon | 2027-01-01T12:00:00Z
        tonight at 11:45 | 2026-12-31T23:45:00Z
        jan 1 9am | 2027-01-01T09:00:00Z
        the 1st at 9am | 2027-01-01T09:00:00Z
        31 december 23:45 | 2026-12-31T23:45:00Z
        first friday of january 9am | 2027-01-01T09:00:00Z
        in half an hour | 2027-01-01T00:00:00Z
        5 minutes from now | 2026-12-31T23:35:00Z
        in a month at noon | 2027-01-31T12:00:00Z
        in 2 months at noon | refused
        tomorrow 9am Asia/Tokyo | refused
        friday 9am Asia/Tokyo | refused
        9am Asia/Tokyo | 2027-01-01T00:00:00Z
        30 december 9am | refused
    """,
    ("2028-02-28T04:00:00Z", "Asia/Kolkata"): """
        feb 29 9am | 2028-02-29T03:30:00Z
        tomorrow 9am | 2028-02-29T03:30:00Z
        last day of the month 9am | 2028-02-29T03:30:00Z
        in 2 days 9am | 2028-03-01T03:30:00Z
        in a year at 9am | 2029-02-28T03:30:00Z
        next tuesday 9am | refused
        monday at noon | 2028-02-28T06:30:00Z
        30 feb 9am | refused
        29 feb 2029 9am | refused
        a year from tomorrow at 9am | refused
        today at 9 | refused
    """,
    ("2026-01-30T12:00:00Z", "UTC"): """
        in a month | refused
        in 1 month at noon | refused
        the 31st at noon | 2026-01-31T12:00:00Z
        the 30th at 13:00 | 2026-01-30T13:00:00Z
        the 30th at 11:00 | refused
        the 5th at 11:00 | 2026-02-05T11:00:00Z
        friday 11:00 | 2026-02-06T11:00:00Z
        this friday 13:00 | 2026-01-30T13:00:00Z
        a week from friday 13:00 | refused
        1 feb 9am | 2026-02-01T09:00:00Z
        5 november 9am | 2026-11-05T09:00:00Z
        5 december 9am | refused
        29 january 9am | refused
    """,
}

REFUSED = """
    next friday 9am
    next fri 9am
    next monday 9am
    this sunday 9am
    coming sunday 9am
    monday next week 9am
    friday this week 9am
    monday week 9am
    a week on monday 9am
    friday week
    friday fortnight
    tomorrow evening
    tomorrow morning
    tonight
    this evening
    friday
    friday night
    27 november
    27 nov 2026
    first monday of december
    the day after tomorrow
    a week from tomorrow
    2026-W49-2
    end of month
    end of the month 9am
    end of day
    christmas
    christmas 9am
    easter monday 9am
    new year's eve at noon
    14h30
    tomorrow 14h30
    0900
    tomorrow 0900
    1430
    friday 1430
    9
    at 9
    tomorrow at 9
    friday 9
    tomorrow at 9 o'clock
    9 o'clock
    half past eight
    half eight
    half nine am
    half to nine am
    quarter past nine
    quarter to 12am
    quarter past 14
    40 past 9am
    midnight tonight
    tonight at midnight
    midnight on friday
    friday midnight
    tomorrow midnight
    27 nov 2026 midnight
    tonight at 1am
    tonight at 3
    tonight at 9am
    friday night at 12
    friday night at 2
    12 in the morning
    tomorrow morning at 9pm
    tomorrow morning at 14:00
    tomorrow evening at 08:30
    tomorrow evening at 9am
    tomorrow morning at 9 in the evening
    this morning at 9
    9am CET
    9am cest
    27 nov 2026 9am EST
    27 nov 2026 9am PST
    27 nov 2026 9am IST
    9am BST
    9am Berlin
    9am Europe/Berln
    9am Mars/Olympus
    27 nov 9am +01:00
    9am +01:00
    tomorrow 9am +01:00
    1 dec 2026 9am +25:00
    1 dec 2026 9am +01:60
    1 dec 2026 9am UTC+99
    tomorrow 9am Pacific/Kiritimati
    2026-12-01T09:00+02:00[Europe/Berlin]
    2026-12-01T09:00[Nowhere/City]
    Wed, 01 Dec 2026 09:00:00 +0100
    wed 2026-12-01 09:00
    monday 27 november 9am
    saturday the 27th at 9am
    friday tomorrow 9am
    sunday 27 november 2026 9am
    mon tue 9am
    03/04/2026 9am
    3/4/2026 9am
    03.04.2026 09:00
    27.11.2026 14:30
    27/11/2026 14:30
    27-11-2026 14:30
    2026/12/01 09:00
    2026-12-1 9am
    26-12-01 9am
    27 nov 26 9am
    nov 27 28 9am
    27 28 nov 9am
    27 nov dec 9am
    27 nov 2026 2027 9am
    31 november 9am
    30 february 2027 9am
    29 february 2027 9am
    0 november 9am
    32 december 9am
    22th november 9am
    1th december 9am
    2st december 9am
    the 31st at 9am
    the 45th at 9am
    the 22nd at 9am
    fifth monday of december 9am
    6th monday of december 9am
    sixth monday of december 9am
    first moonday of december 9am
    20 november 9am
    29 feb 9am
    22 november 14:00
    2026-11-22 14:29
    27 nov 2025 9am
    today at noon
    yesterday 9am
    last friday 9am
    past friday 9am
    2 hours ago
    @1765000000
    @99999999999999
    @-5
    @
    20261301T0900
    20261201T2500
    20261201
    2026-W60-1 09:00
    2026-W49-8 09:00
    2026-335 09:00
    13pm
    0am
    14:30pm
    25:00 tomorrow
    tomorrow 24:00
    tomorrow 9:60
    tomorrow 9:5
    tomorrow 9.30
    tomorrow 2.3pm
    9ish
    tomorrow around 9am
    about 9am
    before 9am
    after 9am
    by friday 9am
    until friday 9am
    from 9am
    from tomorrow 9am
    friday 9am-10am
    friday 9am to 10am
    friday 9-10am
    9am or 10am
    9am and 10am tomorrow
    tomorrow 9am 10am
    9am tomorrow 10am
    tomorrow friday 9am
    tomorrow 9am tomorrow
    9am 9am
    noon noon
    now now
    now tomorrow
    not tomorrow 9am
    not friday at noon
    never
    no
    tomorrow 9am?
    tomorrow 9am!
    tomorrow 9am please
    please tomorrow 9am
    maybe tomorrow 9am
    every monday 9am
    each friday 9am
    daily 9am
    weekly
    mondays 9am
    on weekdays at 9am
    soon
    later
    asap
    whenever
    tomorow 9am
    tommorrow 9am
    tmrw 9am
    tmw 9am
    firday 9am
    fridy 9am
    mondey 9am
    novmber 27 9am
    27 novembre 9am
    27 noviembre 2026 9am
    27. november 2026 9am
    morgen 9 uhr
    morgen 9am
    demain 9h
    demain à 9h
    mañana 9am
    明日 9am
    завтра 9am
    غدا 9am
    heute 14:30
    freitag 9am
    am freitag
    vendredi 9am
    9amtomorrow
    tomorrow9am
    fri9am
    27nov 9am
    nov27 9am
    nov 27 20269am
    tomorrow 9 9am
    in
    in 5
    in hours
    in a
    in two
    in 2 3 hours
    in 2 hours 3
    in 3 hours 9am
    in an hour at 9am
    in half an hour at 9am
    in 1.5 days
    in half a day
    in 2,5 hours
    in a few hours
    in a couple of hours
    in some hours
    in a moment
    in a while
    in -2 hours
    in minus two hours
    in 2 hours ago
    in 3 months and 2 days
    in 2 weeks 1 month at 9am
    in 2 fridays at 9am
    2 hours
    two weeks
    a week
    2 hours later
    2 hours from
    2 hours from tomorrow
    2 hours from 9am
    2 days before friday 9am
    a week from sunday 9am
    a week from next friday 9am
    in 99999 days at 9am
    in 9999 years at 9am
    week 49 9am
    this week 9am
    next week
    next week 9am
    next month 9am
    next year
    this month
    monday morning
    weekend 9am
    this weekend at noon
    lunchtime
    tomorrow at lunch
    dawn
    sunset
    9am sharp
    9am local time
    9 hundred hours
    the
    at
    on
    of
    of the
    the the friday 9am
    on on friday 9am
    at at 9am
    , tomorrow 9am
    tomorrow 9am,
    tomorrow,, 9am
    tomorrow; 9am
    tomorrow/9am
    (tomorrow 9am)
    "tomorrow 9am"
    --at tomorrow
    null
    None
    0
    -1
    1e9
    NaN
    inf
    1 2 3
    1 december 2 3
    09:00 09:00
    9am am
    9 am pm
    9pm in the morning
    second
    a second friday
    may
    may 9am
    march 9am
    sun
    sat
    mon
    dec
"""
"""Said on Sun 22 Nov 2026, 14:30 in Berlin."""

ODD = (
    "",
    " ",
    "\t\n",
    "\0",
    "tomorrow\0 9am",
    "tomorrow 9am\0",
    "\x1b[31mtomorrow 9am",
    "\N{FULLWIDTH DIGIT NINE}am tomorrow",
    "tomorrow \N{FULLWIDTH DIGIT ZERO}9:00",
    "\N{ARABIC-INDIC DIGIT NINE}am tomorrow",
    "2026-12-0\N{ARABIC-INDIC DIGIT ONE} 09:00",
    "tomorrow \N{SUPERSCRIPT TWO}:30pm",
    "\N{RIGHT-TO-LEFT MARK}tomorrow 9am",
    "tomorrow\N{RIGHT-TO-LEFT OVERRIDE} 9am",
    "tomorrow\N{ZERO WIDTH SPACE}9am",
    "\N{ZERO WIDTH NO-BREAK SPACE}tomorrow 9am",
    "t\N{CYRILLIC SMALL LETTER O}morrow 9am",
    "tomorrow 9am \N{ALARM CLOCK}",
    "tomorrow 9\N{MODIFIER LETTER COLON}00",
    "in 2 wee\N{KELVIN SIGN}s",
    "tomorrow 9\u2013" + "10am",
    "fri \N{CIRCLED DIGIT NINE}am",
    "\ud800",
    "tomorrow 9am \udfff",
    "9" * 10_000,
    "tomorrow " * 1_200 + "9am",
    " " * 10_000 + "9am",
    "in " + "9" * 90 + " hours",
    "a" * 10_000,
    "\N{PILE OF POO}" * 100,
)
"""Refused wherever and whenever they are said."""
