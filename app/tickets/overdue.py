"""What is late and what soon will be (超期清单), for supervisors; each list in the reader's scope.

By the total of a ticket or by its stages. What a list holds is lit: the index of deadlines that are
no longer green, or that of the unit's open tickets, whichever is shorter, answers for it.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    SQLColumnExpression,
    case,
    func,
    or_,
    select,
    true,
    tuple_,
)

from app.core.db import session
from app.deadlines.ladder import GREEN, LEADERS, NOTICE, ORANGE, RED, SUPERVISE, YELLOW
from app.deadlines.models import OPEN_STATES, Deadline, TicketClock
from app.deadlines.policy import TITLES, WINDOWS
from app.engine.models import ProcessInstance, UserTask
from app.organisations.models import Unit
from app.security.principal import Principal
from app.tickets.models import Ticket
from app.tickets.queries import PAGE, visible_to

LISTS = {
    "soon": (YELLOW, ORANGE),
    "late": (RED, SUPERVISE, LEADERS, NOTICE),
    "supervise": (SUPERVISE, LEADERS, NOTICE),
    "leaders": (LEADERS, NOTICE),
    "notice": (NOTICE,),
}
"""即将超期, 已超期, 待督办 (one working day late), 领导督办 (three), 通报 (five): steps reached."""

TOTAL = "total"
STAGES = tuple(key for key in TITLES if key != TOTAL and key not in WINDOWS)
"""The limits of a ticket that have a light, but its total."""
Counts = dict[int, Counter[str]]
"""Unit → list → how many."""
_COLUMNS = {
    "province": Ticket.province_unit_id,
    "city": Ticket.city_unit_id,
    "county": Ticket.county_unit_id,
}


@dataclass(frozen=True)
class Wanted:
    """Which deadlines: of the whole ticket, or of its stages, narrowed by what is set."""

    by_stage: bool = False
    stage: str | None = None
    ticket_type: str | None = None
    unit: Unit | None = None
    """One below the reader's, or the reader's own: what that has itself."""


def below(principal: Principal) -> ColumnElement[bool]:
    """Tickets that the unit or one below it is responsible for; at the top all of them."""
    return true() if principal.level == "national" else visible_to(principal)


def deadlines(
    principal: Principal,
    wanted: Wanted,
    name: str,
    *,
    after: tuple[datetime, int] | None = None,
    limit: int = PAGE,
) -> Sequence[Row[Ticket, TicketClock, Deadline]]:
    """A list with clocks, what is due first on top; one row more when it goes on."""
    query = (
        _lit(principal, wanted)
        .with_only_columns(Ticket, TicketClock, Deadline)
        .join(TicketClock, TicketClock.ticket_id == Ticket.id)
        .where(Deadline.light.in_(LISTS[name]))
    )
    if after is not None:
        query = query.where(tuple_(Deadline.due_at, Deadline.id) > after)
    return session().execute(query.order_by(Deadline.due_at, Deadline.id).limit(limit + 1)).all()


def counts(principal: Principal, wanted: Wanted) -> Counts:
    """How long each list is for each unit directly below, and for what the own unit has itself.

    One pass over what is lit.
    """
    unit = _of_unit(principal, wanted)
    rows = session().execute(
        _lit(principal, wanted)
        .with_only_columns(unit, Deadline.light, func.count())
        .group_by(unit, Deadline.light)
    )
    found: Counts = {}
    for unit_id, light, number in rows:
        names = [name for name, lights in LISTS.items() if light in lights]
        found.setdefault(unit_id, Counter()).update(dict.fromkeys(names, number))
    return found


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


def _lit(principal: Principal, wanted: Wanted) -> Select[Ticket]:
    """The open deadlines in scope that are no longer green; those of earlier rounds are closed."""
    query = (
        select(Ticket)
        .join(Deadline, Deadline.ticket_id == Ticket.id)
        .where(
            below(principal),
            Ticket.archived_at.is_(None),
            Deadline.state.in_(OPEN_STATES),
            Deadline.light != GREEN,
        )
    )
    if wanted.by_stage:
        query = query.where(
            Deadline.stage == wanted.stage if wanted.stage else Deadline.stage != TOTAL
        )
    else:
        query = query.where(Deadline.stage == TOTAL)
    if wanted.ticket_type:
        query = query.where(Ticket.ticket_type == wanted.ticket_type)
    if wanted.unit is None:
        return query
    if wanted.unit.id == principal.unit_id:
        return query.where(_of_unit(principal, wanted) == wanted.unit.id)
    query = query.where(_COLUMNS[wanted.unit.level] == wanted.unit.id)
    return query.where(_of_unit(principal, wanted) != principal.unit_id)


def _of_unit(principal: Principal, wanted: Wanted) -> SQLColumnExpression[Any]:
    """The unit directly below that a ticket was handed to, or the own one while it was not.

    A stage is the own unit's while that has it, wherever the ticket has been.
    """
    own = principal.unit_id
    handed = {
        "national": Ticket.province_unit_id,
        "province": func.coalesce(Ticket.city_unit_id, Ticket.county_unit_id, own),
        "city": func.coalesce(Ticket.county_unit_id, own),
    }.get(principal.level, Ticket.county_unit_id)
    return case((Deadline.unit_id == own, own), else_=handed) if wanted.by_stage else handed
