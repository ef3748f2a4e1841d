"""When a caller is called back after the line dropped, around lunch, evening and rest days."""

from datetime import date, datetime, timedelta

import pytest

from app.calls.rules import ATTEMPTS, HALF_DAYS, half_day, is_exhausted, next_attempt
from app.core.clock import BEIJING

REST = {date(2026, 11, 28), date(2026, 11, 29)}


def works(day: date) -> bool:
    return day not in REST


def at(day: int, clock: str) -> datetime:
    """A moment of November 2026 in Beijing; the 24th is a Tuesday, the 28th a Saturday."""
    hour, minute = map(int, clock.split(":"))
    return datetime(2026, 11, day, hour, minute, tzinfo=BEIJING)


@pytest.mark.parametrize(
    ("attempts", "wanted"),
    [
        ([(24, "9:30")], (24, "10:00")),
        ([(24, "9:30"), (24, "10:00")], (24, "14:30")),
        ([(24, "11:29")], (24, "11:59")),
        ([(24, "11:30")], (24, "14:30")),
        ([(24, "11:30"), (24, "14:30")], (24, "15:00")),
        ([(24, "12:10")], (25, "8:30")),
        ([(24, "15:00"), (24, "15:30")], (25, "8:30")),
        ([(24, "17:40")], (25, "8:30")),
        ([(24, "17:40"), (25, "8:30")], (25, "9:00")),
        ([(24, "20:15")], (25, "8:30")),
        ([(25, "6:00")], (25, "14:30")),
        ([(27, "16:00"), (27, "16:30")], (30, "8:30")),
        ([(28, "10:00")], (30, "8:30")),
    ],
)
def test_the_next_try(attempts: list[tuple[int, str]], wanted: tuple[int, str]) -> None:
    assert next_attempt([at(*each) for each in attempts], works) == at(*wanted)


@pytest.mark.parametrize(
    ("attempts", "enough"),
    [
        ([], False),
        ([(24, "9:30"), (24, "14:30")], False),
        ([(24, "9:00"), (24, "9:30"), (24, "10:00")], False),
        ([(24, "9:00"), (24, "9:30"), (24, "14:30")], True),
        ([(24, "17:00"), (25, "8:30"), (25, "9:00")], True),
    ],
)
def test_three_tries_on_two_half_days_are_enough(
    attempts: list[tuple[int, str]], enough: bool
) -> None:
    assert is_exhausted([at(*each) for each in attempts]) is enough


@pytest.mark.parametrize("minutes", range(0, 24 * 60, 25))
def test_whenever_the_line_drops_a_working_day_is_enough(minutes: int) -> None:
    tries = [at(24, "0:00") + timedelta(minutes=minutes)]

    while not is_exhausted(tries):
        tries.append(next_attempt(tries, works))

    assert len(tries) == ATTEMPTS
    assert len({half_day(each) for each in tries}) == HALF_DAYS
    assert tries[-1] - tries[0] <= timedelta(days=1, hours=3)
