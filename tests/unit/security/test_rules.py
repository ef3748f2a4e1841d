"""Five failures within thirty minutes lock for thirty minutes."""

from datetime import UTC, datetime, timedelta

from app.security.rules import FAILURES, WINDOW, Strikes

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def fail(strikes: Strikes, times: int, start: datetime, every: timedelta) -> Strikes:
    for number in range(times):
        strikes = strikes.after_failure(start + number * every)
    return strikes


def test_four_failures_lock_nothing():
    assert not fail(Strikes(), FAILURES - 1, NOON, timedelta(minutes=1)).is_locked(NOON)


def test_the_fifth_failure_locks_for_thirty_minutes():
    strikes = fail(Strikes(), FAILURES, NOON, timedelta(0))

    assert strikes.is_locked(NOON)
    assert strikes.is_locked(NOON + WINDOW - timedelta(seconds=1))
    assert not strikes.is_locked(NOON + WINDOW)


def test_failures_far_apart_do_not_add_up():
    assert not fail(Strikes(), 20, NOON, timedelta(minutes=8)).is_locked(NOON + 20 * WINDOW)
    assert fail(Strikes(), 2, NOON, WINDOW).failures == 1


def test_after_a_lock_counting_starts_afresh():
    locked = fail(Strikes(), FAILURES, NOON, timedelta(0))

    again = locked.after_failure(NOON + WINDOW)

    assert again == Strikes(1, NOON + WINDOW, None)
