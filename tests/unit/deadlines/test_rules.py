"""When a ticket is due, in real days around the holidays of 2026, and how lists say it."""

from datetime import date, datetime, timedelta

import pytest

from app.core.clock import BEIJING
from app.deadlines import rules


def at(text: str) -> datetime:
    """A moment in Beijing, e.g. `2026-09-30 09:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=BEIJING)


@pytest.mark.parametrize(
    ("received", "due"),
    [
        # an ordinary Tuesday: the day of receipt does not count
        ("2026-11-24 09:30", "2026-12-15 18:00"),
        # 18:00 sharp is still today, a second later is tomorrow
        ("2026-11-24 18:00", "2026-12-15 18:00"),
        ("2026-11-24 18:00:01", "2026-12-16 18:00"),
        ("2026-11-24 00:00", "2026-12-15 18:00"),
        # Friday evening, Saturday and Sunday count as Monday
        ("2026-11-27 18:01", "2026-12-21 18:00"),
        ("2026-11-28 10:00", "2026-12-21 18:00"),
        ("2026-11-29 23:59", "2026-12-21 18:00"),
        ("2026-11-30 08:00", "2026-12-21 18:00"),
        # 国庆: off 1–7 October, work on Sunday 20 September and Saturday 10 October
        ("2026-09-30 10:00", "2026-10-27 18:00"),
        ("2026-10-01 10:00", "2026-10-28 18:00"),
        ("2026-10-08 10:00", "2026-10-28 18:00"),
        ("2026-10-10 10:00", "2026-10-30 18:00"),
        ("2026-09-20 10:00", "2026-10-16 18:00"),
        # 春节: off 15–23 February, work on 14 and 28 February
        ("2026-02-13 10:00", "2026-03-12 18:00"),
        ("2026-02-14 10:00", "2026-03-13 18:00"),
        ("2026-02-15 10:00", "2026-03-16 18:00"),
        # into 2027, whose holidays are not published: Monday to Friday
        ("2026-12-21 10:00", "2027-01-11 18:00"),
        ("2026-12-31 19:00", "2027-01-22 18:00"),
        ("2027-06-01 10:00", "2027-06-22 18:00"),
    ],
)
def test_a_complaint_is_due_after_fifteen_working_days(received: str, due: str) -> None:
    assert rules.total_due("complaint", at(received), None) == (at(due), False)


@pytest.mark.parametrize(
    ("kind", "days"),
    [("complaint", 15), ("declaration", 20), ("consultation", 2), ("suggestion", 10)],
)
def test_each_type_has_its_total(kind: str, days: int) -> None:
    due, _ = rules.total_due(kind, at("2026-11-02 09:00"), None)

    day, counted = date(2026, 11, 2), 0
    while day < due.date():
        day += timedelta(days=1)
        counted += rules.is_working_day(day)
    assert counted == days


def test_a_moment_in_another_zone_is_the_same_moment() -> None:
    utc = datetime.fromisoformat("2026-11-24T10:00:01+00:00")  # 18:00:01 in Beijing

    assert rules.total_due("complaint", utc, None) == (at("2026-12-16 18:00"), False)


@pytest.mark.parametrize(
    ("received", "requested", "due", "adjusted"),
    [
        ("2026-11-24 09:30", "2026-12-14", "2026-12-14 18:00", False),
        # a day off is kept: it is the platform's own wish
        ("2026-11-24 09:30", "2026-12-13", "2026-12-13 18:00", False),
        ("2026-11-24 09:30", "2027-03-01", "2027-03-01 18:00", False),
        # one working day at least
        ("2026-11-24 09:30", "2026-11-25", "2026-11-25 18:00", False),
        ("2026-11-24 18:30", "2026-11-26", "2026-11-26 18:00", False),
        ("2026-11-27 09:30", "2026-11-30", "2026-11-30 18:00", False),
        # too early
        ("2026-11-24 09:30", "2026-11-24", "2026-12-15 18:00", True),
        ("2026-11-24 09:30", "2026-11-01", "2026-12-15 18:00", True),
        ("2026-11-24 18:30", "2026-11-25", "2026-12-16 18:00", True),
        ("2026-11-27 09:30", "2026-11-29", "2026-12-18 18:00", True),
        # too late to be meant: more than a year
        ("2026-11-24 09:30", "2027-11-24", "2027-11-24 18:00", False),
        ("2026-11-24 09:30", "2027-11-26", "2026-12-15 18:00", True),
        ("2026-11-24 09:30", "2199-12-31", "2026-12-15 18:00", True),
    ],
)
def test_a_requested_date_counts_when_it_can_be_met(
    received: str, requested: str, due: str, adjusted: bool
) -> None:
    found = rules.total_due("complaint", at(received), date.fromisoformat(requested))

    assert found == (at(due), adjusted)


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2026-11-24", True),
        ("2026-11-28", False),
        ("2026-10-01", False),
        ("2026-10-10", True),  # 调休
        ("2026-02-28", True),  # 调休
        ("2026-01-01", False),
        ("2027-01-01", True),  # not published yet: a Friday
        ("2027-01-02", False),
    ],
)
def test_working_days_know_make_up_weekends_and_survive_a_year_without_data(
    day: str, works: bool
) -> None:
    assert rules.is_working_day(date.fromisoformat(day)) is works


@pytest.mark.parametrize(
    ("now", "due", "colour"),
    [
        ("2026-11-24 09:30", None, "none"),
        ("2026-11-24 09:30", "2026-11-24 09:29", "red"),
        ("2026-11-24 09:30", "2026-11-24 09:30", "yellow"),
        ("2026-11-24 09:30", "2026-11-26 18:00", "yellow"),
        ("2026-11-24 09:30", "2026-11-27 18:00", "green"),
        ("2026-11-27 09:30", "2026-12-01 18:00", "yellow"),  # over a weekend
        ("2026-11-27 09:30", "2026-12-02 18:00", "green"),
        ("2026-09-30 09:30", "2026-10-09 18:00", "yellow"),  # over 国庆
        ("2026-09-30 09:30", "2026-10-10 18:00", "green"),
    ],
)
def test_the_light_is_yellow_two_working_days_before(
    now: str, due: str | None, colour: str
) -> None:
    assert rules.light(at(now), at(due) if due else None) == colour


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2026-11-24 08:30", "2026-11-24 12:00", 3.5),
        ("2026-11-24 08:30", "2026-11-24 18:00", 7),
        ("2026-11-24 12:00", "2026-11-24 14:30", 0),
        ("2026-11-24 17:00", "2026-11-25 09:30", 2),
        ("2026-11-27 17:00", "2026-11-30 09:30", 2),
        ("2026-11-28 09:00", "2026-11-29 17:00", 0),
        ("2026-11-24 10:00", "2026-11-24 09:00", 0),
    ],
)
def test_working_hours_are_seven_a_day(start: str, end: str, hours: float) -> None:
    assert rules.working_hours(at(start), at(end)) == hours


@pytest.mark.parametrize(
    ("now", "due", "text"),
    [
        ("2026-11-24 09:30", None, "未设时限"),
        ("2026-11-24 09:30", "2026-11-24 18:00", "剩余 6 工作时"),
        ("2026-11-24 08:30", "2026-11-24 18:00", "剩余 1 个工作日"),
        ("2026-11-24 08:30", "2026-11-25 10:30", "剩余 1 个工作日 2 小时"),
        ("2026-11-24 17:30", "2026-11-24 18:00", "剩余不足 1 工作时"),
        ("2026-11-24 18:00", "2026-11-24 18:00", "剩余不足 1 工作时"),
        ("2026-11-24 18:10", "2026-11-24 18:00", "逾期不足 1 工作时"),
        ("2026-11-25 10:30", "2026-11-24 18:00", "逾期 2 工作时"),
        ("2026-11-26 10:30", "2026-11-24 18:00", "逾期 1 个工作日 2 小时"),
        ("2026-11-30 08:30", "2026-11-27 18:00", "逾期不足 1 工作时"),
    ],
)
def test_the_rest_of_the_time_is_said_in_working_days_and_hours(
    now: str, due: str | None, text: str
) -> None:
    assert rules.remaining_text(at(now), at(due) if due else None) == text


def test_every_stage_of_the_diagram_vocabulary_has_a_name() -> None:
    assert all(name for name in rules.STAGES.values())
    assert set(rules.STAGES) >= {"sign_in", "review", "dispatch", "handle", "audit_province"}
