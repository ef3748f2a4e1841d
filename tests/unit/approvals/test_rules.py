"""Extensions: whose word is needed, until when one may ask, and when the ticket is due then."""

from datetime import datetime

import pytest

from app.approvals import rules
from app.core.clock import BEIJING
from app.deadlines.rules import TOTAL_WORKING_DAYS


def at(text: str) -> datetime:
    """A moment in Beijing, e.g. `2026-09-30 18:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=BEIJING)


@pytest.mark.parametrize(
    ("due", "days", "then"),
    [
        ("2026-12-01 18:00", 1, "2026-12-02 18:00"),
        ("2026-12-01 18:00", 10, "2026-12-11 18:00"),
        # ends on a Saturday, on a Sunday: Monday
        ("2026-12-01 18:00", 4, "2026-12-07 18:00"),
        ("2026-12-01 18:00", 5, "2026-12-07 18:00"),
        # 国庆 is over on the 8th; Saturday the 10th is worked
        ("2026-09-22 18:00", 10, "2026-10-08 18:00"),
        ("2026-09-30 18:00", 10, "2026-10-10 18:00"),
        # 春节 15–23 February
        ("2026-02-05 18:00", 10, "2026-02-24 18:00"),
        # a month's and a year's end, in a year whose holidays are not published
        ("2026-12-15 18:00", 30, "2027-01-14 18:00"),
        # a time limit that ends in the forenoon ends at closing time when it is prolonged
        ("2026-12-01 10:00", 1, "2026-12-02 18:00"),
    ],
)
def test_a_prolonged_time_limit_counts_calendar_days_and_ends_on_a_working_day(
    due: str, days: int, then: str
) -> None:
    assert rules.prolonged(at(due), days) == at(then)


@pytest.mark.parametrize(
    ("now", "due", "late"),
    [
        ("2026-12-01 09:00", "2026-12-02 18:00", False),
        ("2026-12-01 18:00", "2026-12-02 18:00", False),
        ("2026-12-01 18:00:01", "2026-12-02 18:00", True),
        ("2026-12-02 09:00", "2026-12-02 18:00", True),
        ("2026-12-03 09:00", "2026-12-02 18:00", True),
        # over the weekend: Friday is a working day before Monday, Saturday is not
        ("2026-12-04 17:00", "2026-12-07 18:00", False),
        ("2026-12-05 09:00", "2026-12-07 18:00", True),
        ("2026-09-30 17:00", "2026-10-08 18:00", False),
        ("2026-10-03 09:00", "2026-10-08 18:00", True),
    ],
)
def test_it_is_asked_for_a_working_day_before(now: str, due: str, late: bool) -> None:
    assert rules.is_too_late(at(now), at(due)) is late


@pytest.mark.parametrize(
    ("now", "due", "then"),
    [
        ("2026-12-01 09:00", "2026-12-10 18:00", "2026-12-10 18:00"),
        ("2026-12-10 09:00", "2026-12-10 18:00", "2026-12-11 18:00"),
        ("2026-12-11 19:00", "2026-12-10 18:00", "2026-12-15 18:00"),
    ],
)
def test_a_refusal_leaves_a_working_day(now: str, due: str, then: str) -> None:
    assert rules.after_refusal(at(due), at(now)) == at(then)


@pytest.mark.parametrize(
    ("source", "asked_by", "has_city", "is_citys_own", "way"),
    [
        ("p12345_api", "county", True, False, rules.Way(True, True, "p12345")),
        ("p12345_page", "county", False, False, rules.Way(False, True, "p12345")),
        ("p12345_api", "city", True, False, rules.Way(False, True, "p12345")),
        ("p12345_api", "province", False, False, rules.Way(False, False, "p12345")),
        ("national", "county", True, False, rules.Way(True, True, "national")),
        ("phone_010", "province", False, False, rules.Way(False, False, "national")),
        ("call", "county", True, False, rules.Way(True, True, "leader")),
        ("letter", "city", True, False, rules.Way(False, True, "leader")),
        ("letter", "county", True, True, rules.Way(True, False, "leader")),
        ("visit", "city", True, True, rules.Way(False, False, "leader")),
    ],
)
def test_the_way_up(
    source: str, asked_by: str, has_city: bool, is_citys_own: bool, way: rules.Way
) -> None:
    assert rules.way(source, asked_by, has_city=has_city, is_citys_own=is_citys_own) == way


def test_every_type_says_how_long_it_may_be_extended() -> None:
    assert set(rules.EXTENSIONS) == set(TOTAL_WORKING_DAYS)
    for policy in rules.EXTENSIONS.values():
        assert (policy.times > 0) is (policy.days > 0)
        assert policy.days <= 30
