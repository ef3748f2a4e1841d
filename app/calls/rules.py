"""Calling back after the line dropped (C06): three tries on two half-days, by plain values."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta

from app.core.clock import BEIJING

ATTEMPTS = 3
HALF_DAYS = 2
PAUSE = timedelta(minutes=30)
"""Between two tries of the same half-day."""
HALVES = ((time(8, 30), time(12)), (time(14, 30), time(18)))
"""When people are called: morning and afternoon in Beijing."""
_NOON = time(12)

IsWorkingDay = Callable[[date], bool]


def half_day(moment: datetime) -> tuple[date, bool]:
    """The half-day a moment belongs to: its date in Beijing, and whether it is the afternoon."""
    local = moment.astimezone(BEIJING)
    return local.date(), local.time() >= _NOON


def is_exhausted(attempts: Sequence[datetime]) -> bool:
    """Whether enough was tried to give up: `attempts` are all moments, in order."""
    return len(attempts) >= ATTEMPTS and len({half_day(at) for at in attempts}) >= HALF_DAYS


def next_attempt(attempts: Sequence[datetime], is_working_day: IsWorkingDay) -> datetime:
    """When to try again after the last of `attempts`.

    Twice in one half-day, half an hour apart, then in the next: so three tries on two half-days end
    within a working day. Outside working hours the next half-day begins it.
    """
    last = attempts[-1].astimezone(BEIJING)
    soon = last + PAUSE
    same = [at for at in attempts if half_day(at) == half_day(last)]
    if len(same) < ATTEMPTS - 1 and half_day(soon) == half_day(last):
        if is_working_day(soon.date()) and any(a <= soon.time() < b for a, b in HALVES):
            return soon
    day = last.date()
    while True:
        for begin, _ in HALVES:
            start = datetime.combine(day, begin, BEIJING)
            if is_working_day(day) and start > last and half_day(start) != half_day(last):
                return start
        day += timedelta(days=1)
