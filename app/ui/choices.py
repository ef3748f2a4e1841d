"""What a step offers for this ticket (可选项): units, options and fields that make sense here.

Only drawing: the handlers refuse what is not offered, whoever asks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from app.approvals import lower_returns
from app.engine import registry
from app.engine.models import UserTask
from app.organisations import queries as organisations
from app.organisations.models import Unit
from app.tickets import conflicts, disclosure, queries
from app.tickets.models import Ticket
from app.tickets.report_forms import NOT_APPLICABLE
from app.tickets.types import TICKET_TYPES
from app.ui.forms import FieldView, Options

_HAND_DOWN = frozenset({"ticket.dispatch", "ticket.city_decide"})
_HELP = frozenset({"cohandlers", "cohandle_request"})
_BACK: Mapping[str, str] = {
    "ticket.city_decide": "city_route",
    "ticket.county_decide": "county_route",
}
"""Forms in which a unit may hand the ticket back up, and the field that says so."""


def options(row: UserTask, ticket: Ticket) -> dict[str, Options]:
    """The units and types that can be chosen here."""
    if row.form in _HAND_DOWN:
        unit = organisations.unit(row.unit_id or 0)
        targets = organisations.delegation_targets(unit) if unit else []
        below = _named(conflicts.without_accused(ticket, targets))
        return {"target_unit_id": below, "cohandlers": below}
    if row.form == "ticket.review":
        never = {ticket.ticket_type, *(["declaration"] if ticket.is_anonymous else [])}
        others = [(t.code, t.title) for t in TICKET_TYPES.values() if t.code not in never]
        below = _named(organisations.all_below(ticket.province_unit_id))
        return {"ticket_type": others, "accused_unit_id": below}
    if row.form == "call.check":
        return {"accused_unit_id": _named(organisations.all_below(ticket.province_unit_id))}
    return {}


def offered(row: UserTask, ticket: Ticket, views: Sequence[FieldView]) -> list[FieldView]:
    """The fields without those, and without the options, that could only be refused."""
    hidden: set[str] = set()
    barred: dict[str, str] = {}
    if row.form in _HAND_DOWN:
        if not disclosure.needs_summary(ticket):
            hidden.add("summary")
        if not any(view.name == "cohandlers" and view.options for view in views):
            hidden |= _HELP
    elif row.form in {"ticket.review", "call.check"}:
        if TICKET_TYPES[ticket.ticket_type].table != "complaint":
            hidden.add("accused_unit_id")
    elif row.form == "ticket.audit":
        if row.element_id == "audit_by_city" or not queries.audited_by_city(ticket):
            hidden.add("reject_to")
    elif ticket.partner_id is None and any(view.name == "answer_mode" for view in views):
        barred["answer_mode"] = "direct"
    elif row.form == "ticket.review_return":
        by_province = row.unit_id == ticket.province_unit_id
        if not by_province or not _came_from_outside(ticket):
            barred["decision"] = "p12345"
            hidden |= {"return_reason_code", "return_reason"}
    elif (row.form or "").startswith("ticket.investigate") and not ticket.is_anonymous:
        barred["inform_status"] = str(NOT_APPLICABLE)
    back = _BACK.get(row.form or "")
    if back and lower_returns.standing(ticket, row.unit_id or 0):
        barred[back] = "back"
        hidden.add("return_reason")
    return [
        replace(view, options=tuple(o for o in view.options if o[0] != barred.get(view.name)))
        for view in views
        if view.name not in hidden
    ]


def first_values(row: UserTask, ticket: Ticket) -> dict[str, Any] | None:
    """What the form starts with; None for forms that are not of these."""
    if row.form in {"ticket.review", "call.check"}:
        return {
            "review": "transfer" if conflicts.only_transfer(ticket) else "accept",
            "division_code": ticket.division_code,
            "problem_category": ticket.problem_category,
            "urgency": ticket.urgency,
            "is_confidential": ticket.is_confidential,
        }
    if row.form == "ticket.county_decide":
        return {"county_route": "accept"}
    if row.form in _HAND_DOWN:
        below = ticket.city_code if row.form == "ticket.dispatch" else ticket.county_code
        unit = organisations.unit_of_division(below or ticket.county_code)
        started: dict[str, Any] = {"target_unit_id": unit.id if unit else None}
        if disclosure.needs_summary(ticket):
            started["summary"] = ticket.summary or ticket.content
        return started
    if (row.form or "").startswith("ticket.investigate."):
        return _rejected_version(row, ticket)
    return None


def _rejected_version(row: UserTask, ticket: Ticket) -> dict[str, Any]:
    """What this unit handed in and an audit rejected, to be corrected; its files stay with it."""
    report = queries.latest_report(ticket)
    if report is None or report.unit_id != row.unit_id:
        return {}
    if queries.rejection_of(report, queries.opinions(ticket.id)) is None:
        return {}
    known = registry.form_named(row.form or "")
    names = known.schema.fields if known else ()
    values = {name: getattr(report, name) for name in names if hasattr(report, name)}
    tried = report.contact_attempts or []
    return {**values, "contact_attempts": [{"at": datetime.fromisoformat(at)} for at in tried]}


def _came_from_outside(ticket: Ticket) -> bool:
    unit = organisations.unit(ticket.registered_unit_id or 0)
    return ticket.partner_id is not None or (unit is not None and unit.level == "national")


def _named(units: Sequence[Unit]) -> Options:
    return [(unit.id, unit.name) for unit in units]
