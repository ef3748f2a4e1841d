"""Use cases of time limits: open, close, pause, prolong. Callers hold the instance's row already.

All of them run in the caller's transaction. `now` is when it happens: nothing is paused or closed
after the fact.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.core.db import session
from app.deadlines import calendars, clocks, editions, plan, policies
from app.deadlines.clocks import PAUSES, PLANNED, UNPAUSED, Clock, lock, replan
from app.deadlines.errors import ExtensionTooLate
from app.deadlines.limits import Limit
from app.deadlines.models import PAUSED, RUNNING, Deadline, Pause, TicketClock
from app.deadlines.plan import Facts
from app.divisions import queries as divisions
from app.engine.models import UserTask


def open_ticket(
    ticket_id: int, business_key: str, facts: Facts, now: datetime, *, division_code: str
) -> Deadline:
    """Start a ticket's clock and its total (and 受理告知); a second call gives the first's total.

    `division_code` is where it is handled: it chooses the calendar, and its province the policy.
    """
    known = session().get(TicketClock, ticket_id, with_for_update=True)
    if known is not None:
        return clocks.clock_of(known).total
    edition = editions.current()
    policy = policies.current(
        divisions.province_city_county(division_code).province_code or policies.NATIONAL,
        edition.policy,
    )
    row = TicketClock(
        ticket_id=ticket_id,
        business_key=business_key,
        division_code=division_code,
        facts=facts.as_data(),
        policy=policy.version,
        round=1,
    )
    session().add(row)
    session().flush()
    calendar = calendars.of(division_code, edition.calendar)
    return _open_round(Clock(row, calendar, edition.calendar.last), now)


def open_stage(
    ticket_id: int,
    stage: str,
    task_id: UUID,
    unit_id: int | None,
    facts: dict[str, Any],
    now: datetime,
) -> Deadline:
    """A task of a stage was opened: its due date. `facts` are those that differ for this task.

    A stage without a limit of its own is due when the ticket is. The first task of 办理 opens
    首次联系 too. A stage whose rule says `after` starts where the earlier stage did, the first time
    in a round.
    """
    return _open_stage(lock(ticket_id), stage, task_id, unit_id, facts, now)


def follow(
    ticket_id: int,
    opened: Sequence[UserTask],
    done: Collection[UUID],
    cancelled: Collection[UUID],
    now: datetime,
    *,
    facts: Callable[[UserTask], dict[str, Any]] = lambda task: {},
) -> None:
    """One turn of the ticket's diagram: close the tasks that ended, give the new ones due dates.

    The observer of a process calls it with rows that are about to be written. A task without a
    deadline key is due when the ticket is. `facts` says what differs for a task (驳回 …).
    """
    clock = lock(ticket_id, ended=True)
    for row in clock.open_rows:
        if row.task_id in done or row.task_id in cancelled:
            clocks.close(row, now, cancelled=row.task_id in cancelled)
    if clock.row.closed_at is not None:
        return
    for task in opened:
        if task.deadline_key is None:
            due_at = clock.total.due_at
        else:
            due_at = _open_stage(
                clock, task.deadline_key, task.id, task.unit_id, facts(task), now
            ).due_at
        task.due_at = task.sort_at = due_at


def start(
    ticket_id: int, stage: str, now: datetime, *, unit_id: int | None = None
) -> Deadline | None:
    """A limit that no task has (等待补充 …); None when the policy gives none."""
    clock = lock(ticket_id)
    return clocks.begin(clock, stage, now, clock.facts, unit_id=unit_id)


def close_stage(task_id: UUID, now: datetime, *, cancelled: bool = False) -> None:
    """The task is done (its result is frozen) or was cancelled. Unknown and closed are nothing."""
    found = session().scalar(select(Deadline).where(Deadline.task_id == task_id))
    if found is not None:
        lock(found.ticket_id, ended=True)
        session().refresh(found)
        clocks.close(found, now, cancelled=cancelled)


def close(ticket_id: int, stage: str, now: datetime, *, cancelled: bool = False) -> None:
    """End the open deadlines of a kind: `total` at the final audit, `first_contact`, a wait."""
    clock = lock(ticket_id, ended=True)
    for row in clock.open_rows:
        if row.stage == stage:
            clocks.close(row, now, cancelled=cancelled)


def close_ticket(ticket_id: int, now: datetime) -> None:
    """The ticket has ended: its total is frozen, what else was open falls away."""
    clock = lock(ticket_id, ended=True)
    for row in clock.open_rows:
        clocks.close(row, now, cancelled=row.stage != "total")
    clock.row.closed_at = clock.row.closed_at or now


def new_round(ticket_id: int, now: datetime) -> Deadline:
    """重办: the results so far stay frozen, a new total begins now."""
    clock = lock(ticket_id, ended=True)
    for row in clock.open_rows:
        clocks.close(row, now, cancelled=row.stage != "total")
    facts = replace(clock.facts, received_at=now, reopened=True, rejected=False, requested=None)
    clock.row.facts, clock.row.closed_at = facts.as_data(), None
    clock.row.extension_asked_at = None
    clock.row.round += 1
    return _open_round(Clock(clock.row, clock.calendar, clock.edition), now)


def change_facts(
    ticket_id: int, now: datetime, *, reason: str, actor_name: str = "系统", **facts: Any
) -> Deadline:
    """The ticket became another matter (handed down, 改类): its dates follow, pauses are kept."""
    clock = lock(ticket_id)
    clock.row.facts = replace(clock.facts, **facts).as_data()
    total = clock.total
    if total.closed_at is None:
        total.facts = clock.row.facts
    replan(clock, now, "facts", reason, actor_name)
    return total


def pause(ticket_id: int, reason: str, now: datetime) -> None:
    """Stop the clock from now on, for a reason of `PAUSES`; several may hold at once."""
    clock = lock(ticket_id)
    runs_on = PAUSES[reason] | UNPAUSED
    if _open_pause(clock, reason) is None:
        session().add(Pause(ticket_id=ticket_id, reason=reason, started_at=now))
    for row in clock.open_rows:
        if row.state == RUNNING and row.stage not in runs_on:
            row.state, row.paused_at = PAUSED, now
            row.generation += 1
    session().flush()


def resume(ticket_id: int, reason: str, now: datetime) -> None:
    """End a pause; the clock goes on when it was the last, with all its working time back."""
    clock = lock(ticket_id)
    ending = _open_pause(clock, reason)
    if ending is None:
        return
    ending.ended_at = now
    session().flush()
    still = select(Pause.id).where(Pause.ticket_id == ticket_id, Pause.ended_at.is_(None))
    if session().scalar(still.limit(1)) is not None:
        return
    for row in clock.open_rows:
        if row.state == PAUSED and row.paused_at is not None:
            row.paused += clock.calendar.working_time(row.paused_at, now)
            row.state, row.paused_at = RUNNING, None
    replan(clock, now, "resumed", reason, "系统")


def ask_extension(ticket_id: int, now: datetime) -> None:
    """An extension was asked for: while it is open nothing turns red. Refused when too late."""
    clock = lock(ticket_id)
    if now > latest_request(clock, clock.total.due_at):
        raise ExtensionTooLate
    clock.row.extension_asked_at = now


def latest_request(clock: Clock, due_at: datetime) -> datetime:
    """Until when an extension may be asked for."""
    before = clock.policy.extension(clock.facts.words).apply_before
    return before.before(due_at, clock.calendar)


def grant(
    ticket_id: int, days: int, now: datetime, *, unit: str = "cd", actor_name: str = "系统"
) -> Deadline:
    """The extension was granted: total and open stages get the days."""
    clock = lock(ticket_id)
    clock.row.extension_asked_at = None
    added = str(Limit(days, unit))
    total = clock.total
    for row in clock.open_rows:
        if row is total or row.stage in PLANNED:
            row.granted = [*row.granted, added]
    replan(clock, now, "extended", f"延期 {Limit(days, unit).title}", actor_name)
    return total


def refuse_extension(
    ticket_id: int, now: datetime, *, reason: str = "延期未获同意", actor_name: str = "系统"
) -> Deadline:
    """Refused, withdrawn or lapsed: due = max(old due, decision + one working day) (EX-03)."""
    clock = lock(ticket_id)
    total = clock.total
    if clock.row.extension_asked_at is None:
        return total
    clock.row.extension_asked_at = None
    floor = clock.calendar.add_working_days(now, 1).at
    for row in clock.open_rows:
        if row is total or row.stage in PLANNED:
            row.not_before = max(row.not_before or floor, floor)
    replan(clock, now, "extension_refused", reason, actor_name)
    return total


def _open_stage(
    clock: Clock,
    stage: str,
    task_id: UUID,
    unit_id: int | None,
    facts: dict[str, Any],
    now: datetime,
) -> Deadline:
    own = replace(clock.facts, **facts)
    if stage == "handle" and not clock.of_stage("first_contact"):
        clocks.begin(clock, "first_contact", now, own, unit_id=unit_id)
    made = clocks.begin(clock, stage, now, own, task_id=task_id, unit_id=unit_id)
    if made is None:
        raise AssertionError("a task always has a due date")
    return made


def _open_round(clock: Clock, now: datetime) -> Deadline:
    facts = clock.facts
    total = clocks.add(clock, plan.total(facts, clock.policy, clock.calendar), facts)
    if clock.row.round == 1:
        clocks.begin(clock, "notify_acceptance", facts.received_at, facts)
    session().flush()
    return total


def _open_pause(clock: Clock, reason: str) -> Pause | None:
    return session().scalar(
        select(Pause).where(
            Pause.ticket_id == clock.row.ticket_id,
            Pause.reason == reason,
            Pause.ended_at.is_(None),
        )
    )
