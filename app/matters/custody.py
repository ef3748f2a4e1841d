"""Custody (承办): which units have a ticket, and what goes with it when it changes hands.

Everything that moves a ticket between units passes here, so that whoever loses it keeps no task of
it, and with the task no access.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from app.approvals import extensions, lower_returns
from app.approvals import models as approvals
from app.approvals.queries import open_tasks
from app.engine import claims
from app.engine.registry import Variables
from app.matters import queries, rules
from app.matters.models import LAPSED, Matter
from app.organisations import queries as organisations
from app.organisations.models import Unit
from app.tickets.models import Ticket


def place(
    ticket: Ticket, now: datetime, *, city: int | None = None, county: int | None = None
) -> Mapping[UUID, Variables]:
    """The ticket goes to the lowest of these units, or to the province; others lose it.

    1. supplements that nobody has read go along (EX-10); 2. what losers had to answer, the unit
    that has it now answers; 3. help that units below it were asked for, and what a loser has
    applied for, lapses. Returned are the tasks that end with it: the caller has the engine end
    them.
    """
    waiting = queries.waiting_of(ticket.id)
    had = (ticket.city_unit_id, ticket.county_unit_id)
    lost = {unit_id for unit_id in had if unit_id and unit_id not in {city, county}}
    ticket.city_unit_id, ticket.county_unit_id = city, county
    if ticket.appointed_unit_id in lost:
        ticket.appointed_unit_id = None
    holder = organisations.unit(county or city or ticket.province_unit_id)
    if holder is None:
        raise LookupError(f"ticket {ticket.id} goes to a unit that is missing")
    for matter in waiting:
        if matter.unit_id != holder.id and _goes_along(matter, lost):
            _hand_over(ticket, matter, holder)
    if not lost:
        return {}
    asked = lower_returns.open_of(ticket.id)
    if asked is not None:
        asked.state = approvals.LAPSED
    extensions.settle(ticket, now)
    return _lapse(ticket, [each for each in waiting if _is_void(each, holder, lost, now)], now)


def _goes_along(matter: Matter, lost: Collection[int]) -> bool:
    if matter.kind == "supplement":
        return True
    return matter.kind in {"urge", "supervise"} and matter.unit_id in lost


def _hand_over(ticket: Ticket, matter: Matter, holder: Unit) -> None:
    if matter.unit_id is not None:
        claims.hand_over(
            ticket.acceptance_no,
            elements={rules.TASKS[matter.kind]},
            from_units={matter.unit_id},
            to_unit=holder.id,
        )
    matter.unit_id = holder.id


def _is_void(matter: Matter, holder: Unit, lost: Collection[int], now: datetime) -> bool:
    """Whether nobody wants it any more. What the holder asks with this very decision stays."""
    if matter.kind == "suspend":
        return matter.raised_unit_id in lost
    helper = organisations.unit(matter.unit_id or 0) if matter.kind == "cohandle" else None
    is_below = helper is not None and rules.is_above(holder.level, helper.level)
    return is_below and matter.raised_at < now


def _lapse(ticket: Ticket, void: list[Matter], now: datetime) -> dict[UUID, Variables]:
    """Let them lapse; their tasks, with what the diagram of matters reads then."""
    for matter in void:
        matter.state, matter.answered_at = LAPSED, now
    theirs = {(rules.TASKS[matter.kind], matter.unit_id) for matter in void}
    return {
        task.id: {"suspension_approved": False}
        for task in open_tasks(ticket.acceptance_no)
        if (task.element_id, task.unit_id) in theirs
    }
