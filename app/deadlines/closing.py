"""How deadlines of a locked clock end: met, fallen away, or frozen as the result of a round."""

from datetime import datetime

from app.deadlines.clocks import Clock
from app.deadlines.held import DeadlineRow
from app.deadlines.models import CANCELLED, DONE


def close(row: DeadlineRow, now: datetime, *, cancelled: bool) -> None:
    """Freeze a deadline's result, or let it fall away; a closed one stays as it is."""
    if not row.is_open:
        return
    if not cancelled:
        row.on_time = (row.paused_at or now) <= row.due_at
    row.state, row.closed_at = CANCELLED if cancelled else DONE, now


def conclude(clock: Clock, unit_id: int | None, now: datetime) -> None:
    """There is a result: the total of the round is frozen as in time or late, for good.

    It keeps whose result it is and the facts it was judged by: what becomes of the ticket later
    changes no figure of the past.
    """
    total = clock.total
    if total.is_open:
        total.unit_id, total.facts = unit_id, clock.row.facts
        close(total, now, cancelled=False)


def end(clock: Clock, now: datetime) -> None:
    """The ticket has ended: what is open falls away; the total too, when there was no result."""
    for row in clock.open_rows:
        close(row, now, cancelled=True)
    clock.row.closed_at = clock.row.closed_at or now
