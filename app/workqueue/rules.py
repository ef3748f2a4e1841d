"""When a failed item is tried again, and when it is given up."""

from collections.abc import Sequence
from datetime import timedelta

BACK_OFF = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=6),
    timedelta(hours=12),
    timedelta(hours=24),
)
"""The pause after attempt 1, 2, … 8; a ninth failure is final after almost two days."""

MAX_ATTEMPTS = len(BACK_OFF) + 1
_SPREAD = 0.1


def pause_after(
    attempt: int,
    chance: float,
    asked: timedelta = timedelta(0),
    pauses: Sequence[timedelta] = BACK_OFF,
) -> timedelta:
    """How long to wait after failed attempt number `attempt` (from 1).

    `chance` in [0, 1) spreads the pause over ±10 %, so that a partner who comes back is not met by
    everything at once. `asked` is the other side's own wish (`Retry-After`), honoured up to a day.
    """
    pause = pauses[min(attempt, len(pauses)) - 1]
    spread = pause * (1 - _SPREAD + 2 * _SPREAD * chance)
    return max(spread, min(asked, BACK_OFF[-1]))


def is_final(attempt: int, max_attempts: int) -> bool:
    """Whether no further attempt follows."""
    return attempt >= max_attempts
