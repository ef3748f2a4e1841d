"""When a ticket is due, in real days around the holidays of 2026."""

from datetime import date, datetime, timedelta

import pytest

from app.core.clock import BEIJING
from app.deadlines.plan import Facts, total
from app.deadlines.policy import default
from app.deadlines.published import calendar


def at(text: str) -> datetime:
    """A moment in Beijing, e.g. `2026-09-30 09:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=BEIJING)


def due_of(kind: str, received: datetime, requested: date | None = None) -> tuple[datetime, bool]:
    """The due date, and whether the requested one was adjusted."""
    found = total(Facts(kind, "p12345_api", received, requested=requested), default(), calendar())
    return found.due_at, found.adjusted


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
        # into 2027: of its holidays only the statutory days are known
        ("2026-12-21 10:00", "2027-01-12 18:00"),
        ("2026-12-31 19:00", "2027-01-25 18:00"),
        ("2027-06-01 10:00", "2027-06-23 18:00"),
    ],
)
def test_a_complaint_is_due_after_fifteen_working_days(received: str, due: str) -> None:
    assert due_of("complaint", at(received)) == (at(due), False)


@pytest.mark.parametrize(
    ("kind", "days"),
    [("complaint", 15), ("declaration", 20), ("consultation", 2), ("suggestion", 10)],
)
def test_each_type_has_its_total(kind: str, days: int) -> None:
    due, _ = due_of(kind, at("2026-11-02 09:00"))

    day, counted = date(2026, 11, 2), 0
    while day < due.date():
        day += timedelta(days=1)
        counted += calendar().is_working_day(day)
    assert counted == days


def test_a_moment_in_another_zone_is_the_same_moment() -> None:
    utc = datetime.fromisoformat("2026-11-24T10:00:01+00:00")  # 18:00:01 in Beijing

    assert due_of("complaint", utc) == (at("2026-12-16 18:00"), False)


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
    found = due_of("complaint", at(received), date.fromisoformat(requested))

    assert found == (at(due), adjusted)
