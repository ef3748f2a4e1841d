"""What pages ask about deadlines. Who may see a ticket is decided before these are called."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from app.core.db import session
from app.deadlines import calendars, policies
from app.deadlines.limits import Limit
from app.deadlines.models import (
    OPEN_STATES,
    Deadline,
    DeadlineEvent,
    Pause,
    TicketClock,
)
from app.deadlines.plan import Facts


@dataclass(frozen=True)
class Overview:
    """The clock of a ticket with everything on it (DL-09)."""

    clock: TicketClock
    deadlines: Sequence[Deadline]
    pauses: Sequence[Pause]


def overview(ticket_id: int) -> Overview | None:
    """All deadlines of a ticket, the running ones first, and its pauses."""
    clock = session().get(TicketClock, ticket_id)
    if clock is None:
        return None
    rows = list(
        session().scalars(
            select(Deadline).where(Deadline.ticket_id == ticket_id).order_by(Deadline.id)
        )
    )
    rows.sort(key=lambda row: row.state not in OPEN_STATES)
    pauses = session().scalars(select(Pause).where(Pause.ticket_id == ticket_id).order_by(Pause.id))
    return Overview(clock, rows, list(pauses))


def totals(ticket_ids: Collection[int]) -> list[tuple[TicketClock, Deadline]]:
    """The clocks of tickets with the total of their round, for a page of a list."""
    of_round = (Deadline.ticket_id == TicketClock.ticket_id) & (Deadline.round == TicketClock.round)
    rows = session().execute(
        select(TicketClock, Deadline)
        .join(Deadline, of_round)
        .where(TicketClock.ticket_id.in_(ticket_ids), Deadline.stage == "total")
    )
    return [(clock, row) for clock, row in rows]


def events(deadline_id: int) -> list[DeadlineEvent]:
    """What happened to a deadline, oldest first."""
    return list(
        session().scalars(
            select(DeadlineEvent)
            .where(DeadlineEvent.deadline_id == deadline_id)
            .order_by(DeadlineEvent.id)
        )
    )


@dataclass(frozen=True)
class Window:
    """How long something is allowed (退回期限), and until when."""

    limit: Limit
    ends_at: datetime


def window(ticket_id: int, key: str, start: datetime) -> Window | None:
    """The time that the ticket's policy allows from a moment on; None without a limit."""
    clock = session().get(TicketClock, ticket_id)
    if clock is None:
        return None
    rule = policies.version(clock.policy).rule(key, Facts.from_data(clock.facts).words)
    if rule is None:
        return None
    return Window(rule.limit, rule.limit.after(start, calendars.of(clock.division_code)).at)


def provisional_count() -> int:
    """Open deadlines that rest on a year without a published table."""
    return (
        session().scalar(
            select(func.count())
            .select_from(Deadline)
            .where(Deadline.provisional, Deadline.state.in_(OPEN_STATES))
        )
        or 0
    )


def running_clocks(limit: int) -> tuple[int, list[TicketClock]]:
    """How many tickets have a running clock, and the newest of them."""
    running = TicketClock.closed_at.is_(None)
    total = session().scalar(select(func.count()).select_from(TicketClock).where(running)) or 0
    newest = select(TicketClock).where(running).order_by(TicketClock.ticket_id.desc())
    return total, list(session().scalars(newest.limit(limit)))


def alarms(now: datetime) -> list[str]:
    """What an administrator has to be told about the calendar (DL-03)."""
    found = calendars.alarms(now)
    if count := provisional_count():
        found.append(f"{count} 个时限为暂定，导入节假日安排后将重新计算")
    return found
