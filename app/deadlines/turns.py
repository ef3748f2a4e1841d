"""The clock of a ticket follows its diagram: one call after each turn, for all that it brings.

Everything a turn can do to time limits is in one locked pass, as every step of every ticket pays
for it: four statements, those of an ordinary step.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from app.deadlines import clocks, closing, pauses, services
from app.deadlines.clocks import Clock
from app.deadlines.held import DeadlineRow
from app.deadlines.models import PAUSED
from app.deadlines.plan import Facts
from app.engine.models import NO_DUE_DATE
from app.engine.registry import NewTask


@dataclass(frozen=True)
class Standing:
    """Where a ticket stands when a turn of its diagram is over."""

    ticket_id: int
    business_key: str
    division_code: str
    """Where it is handled: it chooses the calendar, and when the clock opens the policy."""
    facts: Facts
    """As they are now. Receipt, requested date and round stay those the clock opened with."""
    pauses: frozenset[str] = frozenset()
    """What the ticket waits for (`clocks.PAUSES`)."""
    ended: bool = False


def follow(
    ticket: Standing,
    opened: Sequence[NewTask],
    done: Collection[UUID],
    cancelled: Collection[UUID],
    now: datetime,
    *,
    differing: Callable[[NewTask], dict[str, Any]] = lambda task: {},
) -> datetime:
    """Close the tasks that ended, give the new ones due dates; returns the ticket's own.

    1. the first turn opens the clock; 2. what ended is closed, with the ticket all of it; 3. what
    has changed about the ticket and pauses that are over move the rest; 4. the new tasks, rows
    about to be written, get their dates, and one without a deadline key the ticket's; 5. a pause
    that begins stops everything. `differing` are the facts of one task (驳回 …).
    """
    clock = clocks.find(ticket.ticket_id) or services.open_clock(
        ticket.ticket_id, ticket.business_key, ticket.facts, now, division_code=ticket.division_code
    )
    for row in clock.open_rows:
        if row.task_id in done or row.task_id in cancelled:
            closing.close(row, now, cancelled=row.task_id in cancelled)
    if ticket.ended:
        closing.end(clock, now)
    begun = []
    if clock.row.closed_at is None:
        _bring_up(clock, ticket, now)
        pauses.end_others(clock, ticket.pauses, now)
        begun = [(task, _deadline(clock, task, differing(task), now)) for task in opened]
        for reason in ticket.pauses:
            pauses.begin(clock, reason, now)
    clocks.write(clock)
    for task, row in begun:
        _show(task, row)
    return clock.total.due_at


def moments(row: DeadlineRow) -> dict[str, datetime]:
    """What a task shows of its deadline; nothing is near while it stands still (暂停)."""
    if row.state == PAUSED:
        marks = dict.fromkeys(("yellow_at", "orange_at", "sort_at"), NO_DUE_DATE)
    else:
        marks = {"yellow_at": row.yellow_at, "orange_at": row.orange_at, "sort_at": row.due_at}
    return {"due_at": row.due_at, **marks}


def _show(task: NewTask, row: DeadlineRow) -> None:
    for name, moment in moments(row).items():
        setattr(task, name, moment)


def _deadline(clock: Clock, task: NewTask, facts: dict[str, Any], now: datetime) -> DeadlineRow:
    if task.deadline_key is None:
        return clock.total
    return services.begin_stage(clock, task.deadline_key, task.id, task.unit_id, facts, now)


def _bring_up(clock: Clock, ticket: Standing, now: datetime) -> None:
    """Give the clock the facts as they are now. Handed down once, a ticket stays so."""
    before = clock.facts
    facts = replace(
        ticket.facts,
        delegated=before.delegated or ticket.facts.delegated,
        received_at=before.received_at,
        requested=before.requested,
        rejected=before.rejected,
        reopened=before.reopened,
    )
    moved = ticket.division_code != clock.row.division_code
    if moved:
        clock.move_to(ticket.division_code)
    if moved or facts != before:
        reason = "工单情况变化" if not moved else "行政区划更正"
        services.take_facts(clock, facts, now, reason, "系统")
