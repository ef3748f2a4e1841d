"""When failed work is tried again."""

from datetime import timedelta

import pytest

from app.workqueue import rules

MIDDLE = 0.5


@pytest.mark.parametrize(
    ("attempt", "minutes"),
    [(1, 1), (2, 5), (3, 15), (4, 60), (5, 180), (6, 360), (7, 720), (8, 1440), (20, 1440)],
)
def test_pause_grows_by_the_table(attempt: int, minutes: int) -> None:
    assert rules.pause_after(attempt, MIDDLE) == timedelta(minutes=minutes)


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 54), (0.5, 60), (0.999, 66)])
def test_pause_is_spread_by_a_tenth(chance: float, seconds: int) -> None:
    assert rules.pause_after(1, chance).total_seconds() == pytest.approx(seconds, abs=0.1)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (timedelta(seconds=5), timedelta(minutes=1)),
        (timedelta(minutes=30), timedelta(minutes=30)),
        (timedelta(days=9), timedelta(days=1)),
    ],
)
def test_retry_after_is_honoured_up_to_a_day(asked: timedelta, expected: timedelta) -> None:
    assert rules.pause_after(1, MIDDLE, asked) == expected


@pytest.mark.parametrize(("attempt", "final"), [(1, False), (8, False), (9, True), (10, True)])
def test_ninth_failure_is_final(attempt: int, final: bool) -> None:
    assert rules.is_final(attempt, rules.MAX_ATTEMPTS) is final


def test_all_pauses_together_last_almost_two_days() -> None:
    assert timedelta(hours=46) < sum(rules.BACK_OFF, timedelta()) < timedelta(hours=48)
