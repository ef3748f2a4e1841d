"""Use cases of time limits: open, close, pause, prolong. Callers hold the instance's row already.

All of them run in the caller's transaction. `now` is when it happens: nothing is paused or closed
after the fact.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.core.db import session
from app.deadlines import calendars, clocks, closing, editions, pauses, plan, policies
from app.deadlines.clocks import PLANNED, Clock, changed, lock, replan
from app.deadlines.errors import ExtensionTooLate
from app.deadlines.held import ClockRow, DeadlineRow
from app.deadlines.limits import Limit
from app.deadlines.models import Deadline
from app.deadlines.plan import Facts
from app.deadlines.policy import Extension


def open_ticket(
    ticket_id: int, business_key: str, facts: Facts, now: datetime, *, division_code: str
) -> DeadlineRow:
    """Start a ticket's clock and its total (and 受理告知); a second call gives the first's total.

    `division_code` is where it is handled: it chooses the calendar, and its province the policy.
    """
    known = clocks.find(ticket_id)
    if known is not None:
        return known.total
    clock = open_clock(ticket_id, business_key, facts, now, division_code=division_code)
    clocks.write(clock)
    return clock.total


def open_clock(
    ticket_id: int, business_key: str, facts: Facts, now: datetime, *, division_code: str
) -> Clock:
    """The clock of a ticket that has none, with its first deadlines; its caller writes them."""
    edition = editions.current()
    policy = policies.current(policies.scope_of(division_code), edition.policy)
    row = ClockRow(
        ticket_id=ticket_id,
        business_key=business_key,
        division_code=division_code,
        facts=facts.as_data(),
        policy=policy.version,
        round=1,
    )
    calendar = calendars.of(division_code, edition.calendar)
    clock = Clock(row, calendar, edition.calendar.last, [])
    _open_round(clock, now)
    return clock


def open_stage(
    ticket_id: int,
    stage: str,
    task_id: UUID,
    unit_id: int | None,
    facts: dict[str, Any],
    now: datetime,
) -> DeadlineRow:
    """A task of a stage was opened: its due date. `facts` are those that differ for this task.

    A stage without a limit of its own is due when the ticket is. The first task of 办理 opens
    首次联系 too. A stage whose rule says `after` starts where the earlier stage did, the first time
    in a round.
    """
    with changed(ticket_id) as clock:
        return begin_stage(clock, stage, task_id, unit_id, facts, now)


def start(
    ticket_id: int, stage: str, now: datetime, *, unit_id: int | None = None
) -> DeadlineRow | None:
    """A limit that no task has (等待补充 …); None when the policy gives none."""
    with changed(ticket_id) as clock:
        return clocks.begin(clock, stage, now, clock.facts, unit_id=unit_id)


def close_stage(task_id: UUID, now: datetime, *, cancelled: bool = False) -> None:
    """The task is done (its result is frozen) or was cancelled. Unknown and closed are nothing."""
    ticket_id = session().scalar(select(Deadline.ticket_id).where(Deadline.task_id == task_id))
    if ticket_id is None:
        return
    with changed(ticket_id, ended=True) as clock:
        for row in clock.rows:
            if row.task_id == task_id:
                closing.close(row, now, cancelled=cancelled)


def close(
    ticket_id: int, stages: Collection[str], now: datetime, *, cancelled: bool = False
) -> None:
    """End the open deadlines of some kinds: `first_contact`, a wait."""
    with changed(ticket_id, ended=True) as clock:
        for row in clock.open_rows:
            if row.stage in stages:
                closing.close(row, now, cancelled=cancelled)


def conclude(ticket_id: int, unit_id: int | None, now: datetime) -> None:
    """There is a result, of this unit: the total of the round is frozen (EX-14, DL-10)."""
    with changed(ticket_id, ended=True) as clock:
        closing.conclude(clock, unit_id, now)


def close_ticket(ticket_id: int, now: datetime) -> None:
    """The ticket has ended: what is open falls away; the total too, when there was no result."""
    with changed(ticket_id, ended=True) as clock:
        closing.end(clock, now)


def new_round(ticket_id: int, now: datetime) -> DeadlineRow:
    """重办: the results so far stay frozen, a new total begins now."""
    with changed(ticket_id, ended=True) as clock:
        closing.end(clock, now)
        clocks.write(clock)
        clock.rows = []
        facts = replace(clock.facts, received_at=now, reopened=True, rejected=False, requested=None)
        clock.row.facts, clock.row.closed_at = facts.as_data(), None
        clock.row.extension_asked_at = None
        clock.row.round += 1
        return _open_round(clock, now)


def change_facts(
    ticket_id: int, now: datetime, *, reason: str, actor_name: str = "系统", **facts: Any
) -> DeadlineRow:
    """The ticket became another matter (handed down, 改类): its dates follow, pauses are kept."""
    with changed(ticket_id) as clock:
        take_facts(clock, replace(clock.facts, **facts), now, reason, actor_name)
        return clock.total


def take_facts(clock: Clock, facts: Facts, now: datetime, reason: str, actor_name: str) -> None:
    """The same of a locked clock."""
    clock.row.facts = facts.as_data()
    replan(clock, now, "facts", reason, actor_name, only_moved=True)


def pause(ticket_id: int, reason: str, now: datetime) -> None:
    """Stop the clock from now on, for a reason of `PAUSES`; several may hold at once."""
    with changed(ticket_id) as clock:
        pauses.begin(clock, reason, now)


def resume(ticket_id: int, reason: str, now: datetime) -> None:
    """End a pause; the clock goes on when it was the last, with all its working time back."""
    with changed(ticket_id) as clock:
        pauses.end(clock, reason, now)


def ask_extension(ticket_id: int, now: datetime) -> None:
    """An extension was asked for: while it is open nothing turns red. Refused when too late."""
    with changed(ticket_id) as clock:
        before = clock.policy.extension(clock.facts.words).apply_before
        if now > before.before(clock.total.due_at, clock.calendar):
            raise ExtensionTooLate
        clock.row.extension_asked_at = now


def extension_terms(ticket_id: int) -> Extension:
    """How often the ticket may be extended, and by how much."""
    clock = lock(ticket_id)
    return clock.policy.extension(clock.facts.words)


def due_if_granted(ticket_id: int, days: int, *, unit: str = "cd") -> datetime:
    """When the ticket would be due with so many days more."""
    clock = lock(ticket_id)
    more = str(Limit(days, unit))
    return clocks.planned(clock.total, clock, clock.policy, clock.total.due_at, more).due_at


def due_if_begun(ticket_id: int, stage: str, now: datetime) -> datetime:
    """When a limit beside the flow (答复催办 …) would end, if it began now."""
    clock = lock(ticket_id, ended=True)
    found = plan.clock(stage, now, clock.facts, clock.policy, clock.calendar)
    return found.due_at if found else clock.total.due_at


def grant(
    ticket_id: int, days: int, now: datetime, *, unit: str = "cd", actor_name: str = "系统"
) -> DeadlineRow:
    """The extension was granted: total and open stages get the days."""
    with changed(ticket_id) as clock:
        clock.row.extension_asked_at = None
        added = str(Limit(days, unit))
        for row in clock.open_rows:
            if row is clock.total or row.stage in PLANNED:
                row.granted = [*row.granted, added]
        replan(clock, now, "extended", f"延期 {Limit(days, unit).title}", actor_name)
        return clock.total


def refuse_extension(
    ticket_id: int, now: datetime, *, reason: str = "延期未获同意", actor_name: str = "系统"
) -> DeadlineRow:
    """Refused, withdrawn or lapsed: due = max(old due, decision + one working day) (EX-03)."""
    with changed(ticket_id, ended=True) as clock:
        if clock.row.extension_asked_at is None:
            return clock.total
        clock.row.extension_asked_at = None
        floor = clock.calendar.add_working_days(now, 1).at
        for row in clock.open_rows:
            if row is clock.total or row.stage in PLANNED:
                row.not_before = max(row.not_before or floor, floor)
        replan(clock, now, "extension_refused", reason, actor_name)
        return clock.total


def begin_stage(
    clock: Clock,
    stage: str,
    task_id: UUID,
    unit_id: int | None,
    facts: dict[str, Any],
    now: datetime,
) -> DeadlineRow:
    """The same of a locked clock, which its caller writes."""
    own = replace(clock.facts, **facts)
    if stage == "handle" and not clock.of_stage("first_contact"):
        clocks.begin(clock, "first_contact", now, own, unit_id=unit_id)
    made = clocks.begin(clock, stage, now, own, task_id=task_id, unit_id=unit_id)
    if made is None:
        raise AssertionError("a task always has a due date")
    return made


def _open_round(clock: Clock, now: datetime) -> DeadlineRow:
    facts = clock.facts
    total = clocks.add(clock, plan.total(facts, clock.policy, clock.calendar), facts)
    if clock.row.round == 1:
        clocks.begin(clock, "notify_acceptance", facts.received_at, facts)
    return total
