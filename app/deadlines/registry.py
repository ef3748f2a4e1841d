"""Who wants to know that a deadline has reached a step or moved. An upper room registers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.deadlines.held import ClockRow, DeadlineRow
from app.deadlines.ladder import STEPS

Reached = Callable[[DeadlineRow, ClockRow, str, datetime], None]
"""Runs in the transaction that marks the step, which holds the clock's row and not the instance's:
it writes rows, work items and messages (`runner.post_message`), and moves no diagram itself."""


@dataclass(frozen=True)
class Climb:
    """A deadline that has reached a step."""

    row: DeadlineRow
    step: str


ReachedTogether = Callable[[Sequence[Climb], datetime], None]
"""The same for all of a batch at once, in the same transaction, when the batch has been told."""

Moved = Callable[[Sequence[tuple[DeadlineRow, ClockRow]]], None]
"""Runs in the transaction that moved due dates, or stopped their clocks or let them go on, when
all is written: what shows the dates elsewhere follows."""

_movers: list[Moved] = []
_listeners: dict[str, list[Reached]] = {}
_together: dict[ReachedTogether, frozenset[str]] = {}


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


def reached_together(*steps: str) -> Callable[[ReachedTogether], ReachedTogether]:
    """Register a function that is told of these steps by batches, as nights leave thousands."""

    def register(function: ReachedTogether) -> ReachedTogether:
        _together[function] = frozenset(steps)
        return function

    return register


def moved(function: Moved) -> Moved:
    """Register a function that hears of every date that moves, stops or goes on (延期, 暂停 …)."""
    if function not in _movers:
        _movers.append(function)
    return function


def tell_moved(rows: Sequence[tuple[DeadlineRow, ClockRow]]) -> None:
    """Call whoever registered for moved dates."""
    for mover in _movers if rows else ():
        mover(rows)


def tell(row: DeadlineRow, clock: ClockRow, step: str, now: datetime) -> None:
    """Call whoever registered for the step."""
    for listener in _listeners.get(step, ()):
        listener(row, clock, step, now)


def tell_together(climbs: Sequence[Climb], now: datetime) -> None:
    """Call whoever registered for some of the steps."""
    for listener, steps in _together.items():
        wanted = [each for each in climbs if each.step in steps]
        if wanted:
            listener(wanted, now)
