"""Conflicts of interest (回避): a complaint is not handed to those it is about (FLW-07).

The units are those of the structured targets that came with it and those named at the review.
信访工作条例 28, 30: only a leader may decide otherwise, in writing.
"""

from collections.abc import Iterable

from app.core.errors import FieldError, Invalid
from app.organisations import queries as organisations
from app.organisations.models import Unit
from app.tickets.codes import CORRUPTION
from app.tickets.models import Ticket

ACCUSED = "accused"
"""Permit (准予): it may go to a unit it is about."""
HANDLE_CORRUPTION = "corruption"
"""Permit: 贪污腐败 may be handled here instead of being transferred."""


def recognise(ticket: Ticket) -> None:
    """Note the units that the structured targets name, by division code or by their own name."""
    for target in ticket.targets or []:
        unit = _unit_of(target.get("org_code"), target.get("organisation"))
        if unit is not None:
            accuse(ticket, unit.id)


def accuse(ticket: Ticket, unit_id: int) -> None:
    """The complaint is about this unit; naming it twice changes nothing."""
    if unit_id not in ticket.accused_unit_ids:
        ticket.accused_unit_ids = [*ticket.accused_unit_ids, unit_id]


def name_accused(ticket: Ticket, unit_id: int | None) -> list[FieldError]:
    """Note the unit that somebody named on a form, or say what is wrong with it."""
    if unit_id is None:
        return []
    unit, province = organisations.unit(unit_id), organisations.unit(ticket.province_unit_id)
    if unit is None or province is None or not organisations.is_below(unit, province):
        return [FieldError("accused_unit_id", "not_below", "请选择本省的下级承办单位")]
    accuse(ticket, unit.id)
    return []


def is_accused(ticket: Ticket, unit_id: int) -> bool:
    """Whether the ticket must be kept from this unit."""
    return unit_id in ticket.accused_unit_ids and ACCUSED not in ticket.permits


def without_accused(ticket: Ticket, units: Iterable[Unit]) -> list[Unit]:
    """The units it may be handed to."""
    return [unit for unit in units if not is_accused(ticket, unit.id)]


def problems(ticket: Ticket, unit_id: int, field: str) -> list[FieldError]:
    """What is wrong with handing it to this unit."""
    if not is_accused(ticket, unit_id):
        return []
    message = "该单位是被反映单位，不能承办；确需由其承办的，须由省审批人准予"
    return [FieldError(field, "accused", message)]


def check(ticket: Ticket, unit_id: int, field: str = "target_unit_id") -> None:
    """Invalid names the field when the ticket must be kept from this unit."""
    if wrong := problems(ticket, unit_id, field):
        raise Invalid(wrong)


def only_transfer(ticket: Ticket) -> bool:
    """贪污腐败 is another authority's (条例 22, 30): it is not handled here unless permitted."""
    return ticket.problem_category == CORRUPTION and HANDLE_CORRUPTION not in ticket.permits


def must_leave(ticket: Ticket, unit_id: int) -> bool:
    """Whether this unit can only hand it up: the matter is another authority's, or about itself.

    Its own letter as well, and at any time.
    """
    return only_transfer(ticket) or is_accused(ticket, unit_id)


def foreign(ticket: Ticket, field: str) -> list[FieldError]:
    """What is wrong with anybody here handling it: it can only be transferred."""
    return [FieldError(field, "corruption", NOT_HERE)] if only_transfer(ticket) else []


NOT_HERE = "贪污腐败类应移送纪检监察机关；确需由本平台办理的，须由省审批人准予"


def _unit_of(code: str | None, name: str | None) -> Unit | None:
    found = None
    if code and code.isascii() and code.isdigit() and len(code) <= 12:
        found = organisations.unit_with_code(code.ljust(12, "0"))
    return found or (organisations.unit_called(name) if name else None)
