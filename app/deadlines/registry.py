"""Who wants to know that a deadline has reached a step or moved. An upper room registers."""

from collections.abc import Callable
from datetime import datetime

from app.deadlines.ladder import STEPS
from app.deadlines.models import Deadline, TicketClock

Reached = Callable[[Deadline, TicketClock, str, datetime], None]
"""Runs in the transaction that marks the step, which holds the clock's row and not the instance's:
it writes rows, work items and messages (`runner.post_message`), and moves no diagram itself."""

Moved = Callable[[Deadline, TicketClock, datetime], None]
"""Runs in the transaction that moved a due date: what shows the date elsewhere follows."""

_movers: list[Moved] = []
_listeners: dict[str, list[Reached]] = {}


def reached(*steps: str) -> Callable[[Reached], Reached]:
    """Register a function for these steps of `ladder.STEPS`; it is called once for each."""

    def register(function: Reached) -> Reached:
        for step in steps:
            if step not in STEPS:
                raise ValueError(f"there is no step {step!r}")
            known = _listeners.setdefault(step, [])
            if function not in known:
                known.append(function)
        return function

    return register


def moved(function: Moved) -> Moved:
    """Register a function that hears of every due date that moves (延期, 暂停, 重新计算)."""
    if function not in _movers:
        _movers.append(function)
    return function


def tell_moved(row: Deadline, clock: TicketClock, now: datetime) -> None:
    """Call whoever registered for moved dates."""
    for mover in _movers:
        mover(row, clock, now)


def tell(row: Deadline, clock: TicketClock, step: str, now: datetime) -> None:
    """Call whoever registered for the step."""
    for listener in _listeners.get(step, ()):
        listener(row, clock, step, now)
