"""Tickets by how late they are (超期清单), for supervisors; each list in the reader's scope.

The order is the due date: the indexes of open tickets by unit and due date serve every list.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Row, Select, func, or_, select, true, tuple_

from app.core.db import session
from app.deadlines.ladder import LEADERS, NOTICE, ORANGE, RED, SUPERVISE, YELLOW
from app.deadlines.models import OPEN_STATES, Deadline, TicketClock
from app.engine.models import ProcessInstance, UserTask
from app.organisations.models import Unit
from app.security.principal import Principal
from app.tickets.models import Ticket
from app.tickets.queries import PAGE, visible_to

LISTS = {
    "soon": (YELLOW, ORANGE),
    "late": (RED, SUPERVISE, LEADERS, NOTICE),
    "leaders": (LEADERS, NOTICE),
    "notice": (NOTICE,),
}
"""即将超期, 已超期, 领导督办 (three working days late), 通报 (five): steps of the total."""

MOST = 1000
"""Counts stop here: nobody reads further."""


def below(principal: Principal) -> ColumnElement[bool]:
    """Tickets that the unit or one below it is responsible for; at the top all of them."""
    return true() if principal.level == "national" else visible_to(principal)


def tickets(
    principal: Principal,
    name: str,
    *,
    after: tuple[datetime, int] | None = None,
    limit: int = PAGE,
) -> Sequence[Row[Ticket, TicketClock, Deadline]]:
    """A list with clocks and totals, the one due first on top; one row more when it goes on."""
    query = _listed(principal, name).add_columns(TicketClock, Deadline)
    if after is not None:
        query = query.where(tuple_(Ticket.due_at, Ticket.id) > after)
    return session().execute(query.order_by(Ticket.due_at, Ticket.id).limit(limit + 1)).all()


def counts(principal: Principal) -> dict[str, int]:
    """How long each list is, up to `MOST`, by one statement."""
    columns = [
        select(func.count())
        .select_from(_listed(principal, name).with_only_columns(Ticket.id).limit(MOST).subquery())
        .scalar_subquery()
        .label(name)
        for name in LISTS
    ]
    return dict(session().execute(select(*columns)).one()._mapping)


@dataclass(frozen=True)
class Place:
    """Where a ticket waits: the step of the main flow, and the unit that has it."""

    step: str
    unit_id: int
    unit_name: str
    level: str


def places(acceptance_nos: Collection[str]) -> dict[str, Place]:
    """Where the tickets of a page wait; those of which nobody has a task are left out."""
    rows = session().execute(
        select(ProcessInstance.business_key, UserTask.name, Unit.id, Unit.name, Unit.level)
        .select_from(ProcessInstance)
        .join(UserTask, UserTask.instance_id == ProcessInstance.id)
        .join(Unit, Unit.id == UserTask.unit_id)
        .where(
            ProcessInstance.business_key.in_(acceptance_nos),
            UserTask.state == "open",
            or_(UserTask.form.startswith("ticket."), UserTask.form.startswith("call.")),
        )
        .order_by(UserTask.opened_at, UserTask.id.desc())
    )
    return {row[0]: Place(*row[1:]) for row in rows}


def _listed(principal: Principal, name: str) -> Select[Ticket]:
    return (
        select(Ticket)
        .join(TicketClock, TicketClock.ticket_id == Ticket.id)
        .join(
            Deadline,
            (Deadline.ticket_id == Ticket.id)
            & (Deadline.round == TicketClock.round)
            & (Deadline.stage == "total"),
        )
        .where(
            below(principal),
            Ticket.archived_at.is_(None),
            Deadline.state.in_(OPEN_STATES),
            Deadline.light.in_(LISTS[name]),
        )
    )
