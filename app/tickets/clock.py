"""A ticket's time limits (时限): what the deadlines room is told of it, and what comes back.

`tickets.due_at` and the due dates of tasks are copies for lists; the room moves them.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.util import identity_key

from app.core.db import session
from app.deadlines import registry, services, turns
from app.deadlines.clocks import PLANNED
from app.deadlines.held import ClockRow, DeadlineRow
from app.deadlines.models import RUNNING, TicketClock
from app.deadlines.plan import Facts
from app.deadlines.turns import Standing
from app.engine import rows
from app.engine.registry import Change, NewTask
from app.tickets.models import Ticket
from app.tickets.types import TICKET_TYPES

URGENT = 2
_PAUSES = {
    "return_pending": frozenset({"return"}),
    "supplement_pending": frozenset({"supplement"}),
    "suspended": frozenset({"suspension"}),
}
"""State of a ticket → what it waits for (DL-07)."""


def follow(ticket: Ticket, change: Change) -> None:
    """Let the clock follow a turn of the diagram; the first one with a content opens it.

    A call that nobody has recorded has no type to count by: its tasks are due as it is.
    """
    if not ticket.content:
        for task in change.opened:
            task.due_at = task.sort_at = ticket.due_at
            task.yellow_at = task.orange_at = ticket.due_at
        return
    rejected = change.data.get("audit") == "reject"

    def differing(task: NewTask) -> dict[str, Any]:
        return {"rejected": rejected and task.deadline_key == "handle"}

    due_at = turns.follow(
        _standing(ticket, change.data.get("handled_by"), ended=change.status != "open"),
        change.opened,
        change.done,
        change.cancelled,
        change.now,
        differing=differing,
    )
    if due_at != ticket.due_at:  # setting it as it is would have all columns looked through
        ticket.due_at = due_at


def wait(ticket: Ticket, stage: str, now: datetime) -> datetime:
    """Begin a limit that no task has (等待补充 …); when it ends."""
    ensure(ticket, now)
    made = services.start(ticket.id, stage, now)
    return made.due_at if made else ticket.due_at


def promise(ticket: Ticket, stage: str, now: datetime) -> datetime:
    """When a limit that begins now will end; its task opens later in the turn."""
    ensure(ticket, now)
    return services.due_if_begun(ticket.id, stage, now)


def close(
    ticket: Ticket, stages: Collection[str], now: datetime, *, cancelled: bool = False
) -> None:
    """The limits have been met, or fall away."""
    ensure(ticket, now)
    services.close(ticket.id, stages, now, cancelled=cancelled)


def conclude(ticket: Ticket, now: datetime) -> None:
    """There is a result of the unit that has the ticket: in time or not is frozen now."""
    ensure(ticket, now)
    unit_id = ticket.county_unit_id or ticket.city_unit_id or ticket.province_unit_id
    services.conclude(ticket.id, unit_id, now)


def begin_round(ticket: Ticket, now: datetime) -> None:
    """重办: the results so far are frozen and a new total begins."""
    ensure(ticket, now)
    ticket.due_at = services.new_round(ticket.id, now).due_at


def ensure(ticket: Ticket, now: datetime) -> None:
    """Open the clock of a ticket that has none yet: it came before there were any."""
    if session().get(TicketClock, ticket.id) is None:
        now_standing = _standing(ticket, None)
        ticket.due_at = services.open_ticket(
            ticket.id,
            ticket.acceptance_no,
            now_standing.facts,
            now,
            division_code=now_standing.division_code,
        ).due_at


@registry.moved
def show(moved: Sequence[tuple[DeadlineRow, ClockRow]]) -> None:
    """Copy moved due dates to what lists read."""
    totals = {row.ticket_id: row.due_at for row, _ in moved if row.stage == "total"}
    if totals:
        values = {"ids": list(totals), "due_at": list(totals.values())}
        session().execute(_SET_DUE, values)
        for ticket_id, due_at in totals.items():
            ticket = session().identity_map.get(identity_key(Ticket, ticket_id))
            if ticket is not None:
                set_committed_value(ticket, "due_at", due_at)
    shown = [
        rows.TaskDue(clock.business_key, row.task_id, **_shown(row, clock))
        for row, clock in moved
        if row.stage == "total" or row.task_id is not None
    ]
    if shown:
        rows.set_due(shown)


def _shown(row: DeadlineRow, clock: ClockRow) -> dict[str, datetime]:
    """While an extension is asked for, a task of the plan is not late before it would be over."""
    shown = turns.moments(row)
    if clock.extension_asked_at is not None and row.stage in PLANNED and row.state == RUNNING:
        until = session().get_one(Ticket, clock.ticket_id).extension_until
        shown["sort_at"] = max(filter(None, (row.due_at, until)))
    return shown


_SET_DUE = text(
    """
    update tickets t set due_at = v.due_at
      from unnest(cast(:ids as bigint[]), cast(:due_at as timestamptz[])) as v(id, due_at)
     where t.id = v.id
    """
)


def _standing(ticket: Ticket, handled_by: Any, *, ended: bool = False) -> Standing:
    delegated = bool(ticket.county_unit_id or ticket.city_unit_id)
    own = ticket.registered_unit_id
    facts = Facts(
        ticket_type=ticket.ticket_type,
        source=ticket.source,
        received_at=ticket.submitted_at,
        urgent=ticket.urgency == URGENT,
        delegated=delegated,
        level=handled_by or _expected(ticket, delegated),
        final_audit="city" if own and own == ticket.city_unit_id else "province",
        requested=ticket.required_completion_date,
    )
    return Standing(
        ticket.id,
        ticket.acceptance_no,
        place_of(ticket),
        facts,
        _PAUSES.get(ticket.status, frozenset()),
        ended,
    )


def _expected(ticket: Ticket, delegated: bool) -> str:
    """The level that will handle what nobody has taken yet."""
    answered = TICKET_TYPES[ticket.ticket_type].province_answers and not delegated
    return "province" if answered else "county"


def place_of(ticket: Ticket) -> str:
    """The division whose calendar counts: its own, when it is of the province that has it."""
    code = ticket.county_code or ticket.city_code
    return code if code and code[:2] == ticket.province_code[:2] else ticket.province_code
