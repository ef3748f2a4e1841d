"""Pauses of a locked clock (暂停): what stands still, and what goes on and from when."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select

from app.core.db import session
from app.deadlines.clocks import PAUSES, UNPAUSED, Clock, replan
from app.deadlines.models import PAUSED, RUNNING, Pause


def begin(clock: Clock, reason: str, now: datetime) -> None:
    """Let the clock stand still from now on, for a reason of `PAUSES`; several may hold at once."""
    if not any(each.reason == reason for each in _open(clock)):
        session().add(Pause(ticket_id=clock.row.ticket_id, reason=reason, started_at=now))
    runs_on = PAUSES[reason] | UNPAUSED
    for row in clock.open_rows:
        if row.state == RUNNING and row.stage not in runs_on:
            row.state, row.paused_at = PAUSED, now
            row.generation += 1
            clock.note_moved(row)


def end(clock: Clock, reason: str, now: datetime) -> None:
    """End a pause; the clock goes on when it was the last, with all its working time back."""
    pauses = _open(clock)
    ending = [each for each in pauses if each.reason == reason]
    for each in ending:
        each.ended_at = now
    session().flush()
    if not ending or len(pauses) > len(ending):
        return
    resumed = []
    for row in clock.open_rows:
        if row.state == PAUSED and row.paused_at is not None:
            row.paused += clock.calendar.working_time(row.paused_at, now)
            row.state, row.paused_at = RUNNING, None
            resumed.append(row)
    replan(clock, now, "resumed", reason, "系统")
    for row in resumed:
        clock.note_moved(row)


def end_others(clock: Clock, wanted: Collection[str], now: datetime) -> None:
    """End the pauses that hold for no wanted reason."""
    if any(row.state == PAUSED for row in clock.open_rows):
        for pause in _open(clock):
            if pause.reason not in wanted:
                end(clock, pause.reason, now)


def _open(clock: Clock) -> list[Pause]:
    return list(
        session().scalars(
            select(Pause).where(Pause.ticket_id == clock.row.ticket_id, Pause.ended_at.is_(None))
        )
    )
