"""Working days and hours in real weeks: 春节 and 国庆 with make-up days, year ends, seasons."""

import random
from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.clock import BEIJING
from app.deadlines.calendar import STANDARD, Calendar, Hours, Moment, Period
from app.deadlines.published import calendar, years

C = calendar()
HOUR = timedelta(hours=1)

XINJIANG = (
    Hours((Period(600, 840), Period(960, 1200))),
    Hours((Period(600, 810), Period(930, 1170)), (10, 1), (4, 30)),
)
"""新疆 by Beijing wall time: 10:00–14:00, 16:00–20:00; in winter 10:00–13:30, 15:30–19:30."""


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BEIJING)


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        # 2024 春节: off 10–17 February, work on Sunday 4 and 18 February
        ("2024-02-02 10:00", 1, "2024-02-04 18:00"),
        ("2024-02-08 10:00", 2, "2024-02-18 18:00"),
        ("2024-02-10 10:00", 1, "2024-02-19 18:00"),
        ("2024-02-17 23:59", 5, "2024-02-23 18:00"),
        # 2024 国庆: off 1–7 October, work on 29 September and 12 October
        ("2024-09-27 17:59", 1, "2024-09-29 18:00"),
        ("2024-09-30 18:00", 1, "2024-10-08 18:00"),
        ("2024-09-30 18:00:01", 1, "2024-10-09 18:00"),
        ("2024-10-11 09:00", 1, "2024-10-12 18:00"),
        # 2025 春节: off 28 January – 4 February, work on 26 January and 8 February
        ("2025-01-24 12:30", 1, "2025-01-26 18:00"),
        ("2025-01-27 08:00", 3, "2025-02-07 18:00"),
        ("2025-02-07 18:01", 1, "2025-02-10 18:00"),
        # 2025 国庆 with 中秋: off 1–8 October, work on 28 September and 11 October
        ("2025-09-26 10:00", 3, "2025-09-30 18:00"),
        ("2025-09-30 10:00", 3, "2025-10-11 18:00"),
        # 2026 春节: off 15–23 February, work on 14 and 28 February
        ("2026-02-13 10:00", 1, "2026-02-14 18:00"),
        ("2026-02-14 10:00", 4, "2026-02-27 18:00"),
        ("2026-02-27 10:00", 1, "2026-02-28 18:00"),
        # 2026 国庆: off 1–7 October, work on 20 September and 10 October
        ("2026-09-18 10:00", 1, "2026-09-20 18:00"),
        ("2026-09-30 10:00", 3, "2026-10-10 18:00"),
        # month and year ends
        ("2024-02-28 10:00", 1, "2024-02-29 18:00"),
        ("2026-04-30 10:00", 1, "2026-05-06 18:00"),
        ("2025-12-31 10:00", 1, "2026-01-04 18:00"),
        ("2026-12-31 10:00", 1, "2027-01-04 18:00"),
        # 18:00 sharp, Saturday, Sunday, the night
        ("2026-11-24 18:00", 1, "2026-11-25 18:00"),
        ("2026-11-28 10:00", 1, "2026-12-01 18:00"),
        ("2026-11-29 10:00", 1, "2026-12-01 18:00"),
        ("2026-11-24 00:00", 0, "2026-11-24 18:00"),
    ],
)
def test_working_days_end_at_closing_time(start: str, days: int, due: str) -> None:
    assert C.add_working_days(at(start), days).at == at(due)


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        ("2026-11-24 09:30", 2, "2026-11-24 11:30"),
        ("2026-11-24 10:00", 2, "2026-11-24 12:00"),
        ("2026-11-24 10:00", 2.5, "2026-11-24 15:00"),
        ("2026-11-24 07:00", 4, "2026-11-24 15:00"),
        ("2026-11-24 13:00", 4, "2026-11-25 09:00"),
        ("2026-11-24 18:00", 4, "2026-11-25 15:00"),
        ("2026-11-24 20:00", 7, "2026-11-25 18:00"),
        ("2026-11-27 17:00", 4, "2026-11-30 11:30"),
        ("2026-11-29 10:00", 4, "2026-11-30 15:00"),
        # over 春节, whose Saturdays are worked
        ("2026-02-13 17:00", 4, "2026-02-14 11:30"),
        ("2026-02-14 17:00", 4, "2026-02-24 11:30"),
        ("2026-12-31 17:00", 2, "2027-01-04 09:30"),
    ],
)
def test_working_hours_pass_only_while_people_work(start: str, hours: float, due: str) -> None:
    assert C.add_working_time(at(start), hours * HOUR).at == at(due)


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        ("2026-11-23 09:30", 60, "2027-01-22 18:00"),
        ("2026-12-01 09:30", 15, "2026-12-16 18:00"),
        # the last day is a Sunday, a holiday, a make-up Saturday
        ("2026-11-24 09:30", 5, "2026-11-30 18:00"),
        ("2026-01-31 09:30", 15, "2026-02-24 18:00"),
        ("2026-09-25 09:30", 15, "2026-10-13 18:00"),
        ("2026-09-24 09:30", 10, "2026-10-08 18:00"),
        ("2026-09-10 09:30", 30, "2026-10-10 18:00"),
        # received on Sunday is received on Monday
        ("2026-11-29 09:30", 15, "2026-12-15 18:00"),
    ],
)
def test_calendar_days_leave_the_first_out_and_do_not_end_on_a_rest_day(
    start: str, days: int, due: str
) -> None:
    assert C.add_calendar_days(at(start), days).at == at(due)


@pytest.mark.parametrize(
    ("start", "days", "provisional"),
    [
        ("2026-12-01 10:00", 15, False),
        ("2026-12-24 10:00", 5, False),
        ("2026-12-24 10:00", 15, True),
        ("2027-03-01 10:00", 1, True),
        ("2045-03-01 10:00", 1, True),
    ],
)
def test_a_year_without_a_published_table_makes_a_date_provisional(
    start: str, days: int, provisional: bool
) -> None:
    assert C.add_working_days(at(start), days).provisional is provisional


def test_later_years_rest_on_the_estimated_festivals() -> None:
    assert years()[2027].status == "estimated"
    assert not C.is_working_day(date(2027, 2, 8))
    assert C.is_working_day(date(2060, 1, 1)) is (date(2060, 1, 1).weekday() < 5)


def test_hours_of_a_season_change_overnight() -> None:
    far = Calendar(C.days, C.official, XINJIANG)

    assert far.closing(date(2026, 9, 30)) == at("2026-09-30 20:00")
    assert far.closing(date(2026, 10, 8)) == at("2026-10-08 19:30")
    assert far.add_working_time(at("2026-04-30 19:00"), HOUR).at == at("2026-05-06 10:30")
    assert far.add_working_days(at("2026-11-24 19:00"), 1).at == at("2026-11-25 19:30")
    assert C.add_working_days(at("2026-11-24 19:00"), 1).at == at("2026-11-26 18:00")


def test_a_local_holiday_counts_only_where_it_is_one() -> None:
    guangxi = Calendar({**C.days, date(2026, 4, 20): False}, C.official)

    assert guangxi.add_working_days(at("2026-04-17 10:00"), 1).at == at("2026-04-21 18:00")
    assert C.add_working_days(at("2026-04-17 10:00"), 1).at == at("2026-04-20 18:00")


def test_jmix_790_a_working_day_is_not_twenty_four_working_hours() -> None:
    """Jmix 790: `P1D` on a business calendar became 24 business hours, three days or more."""
    start = at("2026-11-24 09:00")

    assert C.add_working_days(start, 1).at == at("2026-11-25 18:00")
    assert C.add_working_time(start, 24 * HOUR).at == at("2026-11-27 12:00")


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        # 30 July 2023 is a Sunday: received on Monday, three working *days* end on Thursday
        ("2023-07-30 10:00", 3, "2023-08-03 18:00"),
        ("2023-07-31 00:00", 3, "2023-08-03 18:00"),
        ("2023-07-31 17:59", 3, "2023-08-03 18:00"),
    ],
)
def test_taskana_2347_days_are_counted_as_days_and_not_as_their_hours(
    start: str, days: int, due: str
) -> None:
    """Taskana 2347: three days became 3 × the day's hours and ended one day too early."""
    assert C.add_working_days(at(start), days).at == at(due)
    assert C.add_working_time(at("2023-07-31 08:30"), 21 * HOUR).at == at("2023-08-02 18:00")


moments = st.integers(0, 3 * 365 * 86_400).map(
    lambda seconds: at("2024-01-01 00:00") + timedelta(seconds=seconds)
)
amounts = st.integers(0, 90 * 3600).map(lambda seconds: timedelta(seconds=seconds))


@given(moments, moments, amounts)
def test_a_later_start_is_never_due_earlier(one: datetime, other: datetime, by: timedelta) -> None:
    first, second = sorted((one, other))

    assert C.add_working_time(first, by).at <= C.add_working_time(second, by).at
    assert C.add_working_days(first, by.seconds % 60).at <= (
        C.add_working_days(second, by.seconds % 60).at
    )
    assert C.add_calendar_days(first, by.seconds % 60).at <= (
        C.add_calendar_days(second, by.seconds % 60).at
    )


@given(moments, amounts, amounts)
def test_adding_twice_is_adding_the_sum(start: datetime, one: timedelta, other: timedelta) -> None:
    twice = C.add_working_time(C.add_working_time(start, one).at, other).at

    assert twice == C.add_working_time(start, one + other).at


@given(moments, amounts)
def test_nothing_is_due_before_it_starts_and_the_way_is_as_long_as_asked(
    start: datetime, by: timedelta
) -> None:
    due = C.add_working_time(start, by).at

    assert due >= start
    assert C.working_time(start, due) == by
    assert C.working_time(C.subtract_working_time(due, by), due) == by
    assert C.subtract_working_time(due, by) <= max(start, due) if by else True
    for count in (C.add_working_days, C.add_calendar_days):
        assert count(start, 0).at >= start or C.receipt(start) == start


@given(st.tuples(moments, moments, moments))
def test_working_time_adds_up_whatever_the_order(three: tuple[datetime, ...]) -> None:
    a, b, c = three

    assert C.working_time(a, b) + C.working_time(b, c) == C.working_time(a, c)
    assert C.working_time(a, b) == -C.working_time(b, a)


def _works(day: date) -> bool:
    """What the published tables say, read anew: holiday, make-up weekend, else the weekday."""
    import chinese_calendar

    if day in chinese_calendar.constants.holidays:
        return False
    return day in chinese_calendar.constants.workdays or day.weekday() < 5


@pytest.mark.slow
def test_every_minute_of_two_years_agrees_with_counting_on_fingers() -> None:
    """An independent count, minute by minute, of 2025 and 2026."""
    start = at("2025-01-01 00:00")
    minutes = 730 * 1440
    worked = bytearray(minutes)
    for day in range(730):
        if _works((start + timedelta(days=day)).date()):
            for opens, closes in ((510, 720), (870, 1080)):
                worked[day * 1440 + opens : day * 1440 + closes] = b"\x01" * (closes - opens)
    ends = [n + 1 for n in range(minutes) if worked[n]]
    chance = random.Random(20261124)
    passed = 0
    for n in range(minutes):
        moment = start + timedelta(minutes=n)
        assert C.working_time(start, moment) == timedelta(minutes=passed), moment
        wanted = passed + chance.randint(1, 40 * 60)
        if wanted <= len(ends):
            found = C.add_working_time(moment, timedelta(minutes=wanted - passed)).at
            assert found == start + timedelta(minutes=ends[wanted - 1]), moment
        passed += worked[n]


CLOSING = 18 * 60


def _received(day: date) -> tuple[date, date]:
    """The day on which what comes on a day counts as received: until closing, and after it."""
    later = day + timedelta(days=1)
    while not _works(later):
        later += timedelta(days=1)
    return (day if _works(day) else later), later


def _on_fingers(day: date, days: int, *, rest_days: bool) -> date:
    """The day so many days on, each told off one by one; it does not end on a rest day."""
    while days:
        day += timedelta(days=1)
        days -= rest_days or _works(day)
    while not _works(day):
        day += timedelta(days=1)
    return day


@pytest.mark.slow
@pytest.mark.parametrize(
    ("count", "rest_days", "numbers"),
    [(C.add_working_days, False, (1, 15)), (C.add_calendar_days, True, (15,))],
    ids=["working_days", "calendar_days"],
)
def test_every_minute_of_two_years_is_due_on_the_day_that_fingers_count(
    count: Callable[[datetime, int], Moment], rest_days: bool, numbers: tuple[int, ...]
) -> None:
    """Minutes that reach past 2026 are left out: nobody has published that table."""
    for n in range(730):
        day = date(2025, 1, 1) + timedelta(days=n)
        midnight = at(f"{day} 00:00")
        for number in numbers:
            if day + timedelta(days=2 * number + 12) > date(2026, 12, 31):
                continue
            closings = [
                at(f"{_on_fingers(received, number, rest_days=rest_days)} 18:00")
                for received in _received(day)
            ]
            for minute in range(1440):
                moment = midnight + timedelta(minutes=minute)
                assert count(moment, number).at == closings[minute > CLOSING], (moment, number)


def test_working_days_between_two_dates_leave_the_first_out() -> None:
    assert C.working_days_between(date(2026, 9, 30), date(2026, 10, 10)) == 3
    assert C.working_days_between(date(2026, 12, 30), date(2027, 1, 4)) == 2
    assert STANDARD.periods[-1].closes == 1080
