"""Who may raise a matter, for how long, and whose words are kept from whom."""

from datetime import date, datetime

import pytest

from app.core.clock import BEIJING
from app.matters import rules
from app.tickets.rules import CLOSED, STATES

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=BEIJING)


@pytest.mark.parametrize(
    ("level", "roles", "holder", "same_unit", "may"),
    [
        ("province", {"province_operator"}, "county", False, True),
        ("province", {"province_operator"}, "city", False, True),
        ("city", {"city_operator"}, "county", False, True),
        ("city", {"city_operator"}, "province", False, False),
        ("county", {"supervisor"}, "city", False, False),
        ("province", {"province_agent"}, "province", True, True),
        ("county", {"supervisor"}, "county", True, True),
        ("county", {"county_operator"}, "county", True, False),
        ("national", {"national"}, "province", False, True),
    ],
)
def test_upper_levels_urge_and_so_do_those_of_the_unit_who_do_not_handle(
    level: str, roles: set[str], holder: str, same_unit: bool, may: bool
) -> None:
    assert rules.may_urge(level, frozenset(roles), holder, same_unit=same_unit) is may


@pytest.mark.parametrize(
    ("until", "wrong"),
    [
        (date(2026, 11, 24), False),
        (date(2026, 11, 23), True),
        (date(2026, 12, 24), False),
        (date(2027, 1, 22), False),
        (date(2027, 1, 23), True),
        (date(2190, 1, 1), True),
    ],
)
def test_a_suspension_ends_later_today_at_the_earliest_and_in_sixty_days_at_the_latest(
    until: date, wrong: bool
) -> None:
    ends, problem = rules.suspension_ends(until, NOW)

    assert (problem is not None) is wrong
    assert ends == datetime(until.year, until.month, until.day, 18, tzinfo=BEIJING)


@pytest.mark.parametrize(
    "states",
    [
        rules.RUNNING,
        rules.WITHDRAWABLE,
        rules.SUPPLEMENTABLE,
        rules.SUSPENDABLE,
        rules.RECALLABLE,
    ],
)
def test_nothing_is_raised_about_a_closed_ticket(states: frozenset[str]) -> None:
    assert states <= set(STATES)
    assert states.isdisjoint(CLOSED)
