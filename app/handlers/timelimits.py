"""What follows when a time limit is over (超时): the unit is urged, then a leader is told.

Called in the transaction that turns the light, which does not hold the ticket's instance: matters
are posted, and the diagram takes them up when it moves next.
"""

from datetime import datetime

from app.core.clock import BEIJING
from app.core.db import session
from app.deadlines.clocks import PLANNED
from app.deadlines.ladder import RED, SUPERVISE
from app.deadlines.models import Deadline, TicketClock
from app.deadlines.policy import TITLES
from app.deadlines.registry import reached
from app.matters import queries
from app.matters import services as matters
from app.matters.rules import RUNNING
from app.tickets.models import Ticket

URGED = PLANNED | {"total", "review_return"}
"""Limits whose end urges somebody: an answer that is late urges nobody to answer again."""


@reached(RED)
def urge(row: Deadline, clock: TicketClock, step: str, now: datetime) -> None:
    """自动催办: the unit of the stage, or whoever holds the ticket.

    An urge that came after this limit was over is about it too: what a night has let pass, or the
    total and its last stage together, urge once.
    """
    ticket = _running(row)
    if ticket is None or row.stage not in URGED or queries.is_urged_since(ticket, row.due_at):
        return
    text = f"{TITLES[row.stage]}已超过时限（{_shown(row)}），请尽快办理并答复进展。"
    matters.urge_overdue(ticket, text, unit_id=row.unit_id, now=now)


@reached(SUPERVISE)
def consider_supervision(row: Deadline, clock: TicketClock, step: str, now: datetime) -> None:
    """是否发督办单: the total is a working day over, somebody has to decide."""
    ticket = _running(row)
    if ticket is not None and row.stage == "total":
        text = f"工单办结已逾期（时限{_shown(row)}），请研究是否发督办单。"
        matters.notify_leader(ticket, text, now)


def _running(row: Deadline) -> Ticket | None:
    ticket = session().get(Ticket, row.ticket_id)
    return ticket if ticket is not None and ticket.status in RUNNING else None


def _shown(row: Deadline) -> str:
    return f"{row.due_at.astimezone(BEIJING):%Y-%m-%d %H:%M}"
