"""Delegation (转派): who handles it. The choice is the organisation tree's, not the diagram's."""

from app.core.errors import FieldError, Invalid
from app.engine.registry import Submission, Variables, form
from app.organisations import queries as organisations
from app.organisations.models import Unit
from app.tickets import services
from app.tickets.forms import CityDecideForm, CountyDecideForm, DispatchForm


@form("ticket.dispatch", DispatchForm)
def dispatch(submission: Submission) -> Variables:
    """分派 (T06): the province handles it, or hands it to a city, or to a county without one."""
    ticket = services.acting(submission)
    values = submission.values
    fresh: Variables = {"handling": "done", "city_unit_id": 0, "county_unit_id": 0}
    ticket.city_unit_id = ticket.county_unit_id = ticket.appointed_unit_id = None
    if values["route"] == "province":
        services.note(ticket, submission, "province", values.get("instruction"))
        return {**fresh, "route": "province", "handled_by": "province"}
    target = _lower_unit(values["target_unit_id"], of=ticket.province_unit_id)
    services.note(ticket, submission, f"to_{target.level}", values.get("instruction"))
    if target.level == "city":
        ticket.city_unit_id = target.id
        return {**fresh, "route": "city", "city_unit_id": target.id}
    ticket.county_unit_id = target.id
    return {**fresh, "route": "county", "county_unit_id": target.id, "handled_by": "county"}


@form("ticket.city_decide", CityDecideForm)
def city_decide(submission: Submission) -> Variables:
    """市级签收并决定 (T07)."""
    ticket = services.acting(submission)
    values = submission.values
    if values["city_route"] == "back":
        services.note(ticket, submission, "back", values["return_reason"])
        return {"city_route": "back", "return_to_unit_id": ticket.province_unit_id}
    if values["city_route"] == "self":
        services.note(ticket, submission, "city", values.get("instruction"))
        return {"city_route": "self", "handled_by": "city"}
    target = _lower_unit(values["target_unit_id"], of=ticket.city_unit_id or 0)
    services.note(ticket, submission, "to_county", values.get("instruction"))
    ticket.county_unit_id = target.id
    return {"city_route": "county", "county_unit_id": target.id, "handled_by": "county"}


@form("ticket.county_decide", CountyDecideForm)
def county_decide(submission: Submission) -> Variables:
    """县级签收 (T08)."""
    ticket = services.acting(submission)
    values = submission.values
    if values["county_route"] == "back":
        services.note(ticket, submission, "back", values["return_reason"])
        upper = ticket.city_unit_id or ticket.province_unit_id
        return {"county_route": "back", "return_to_unit_id": upper}
    services.note(ticket, submission, "signed_in", values.get("remark"))
    return {"county_route": "accept"}


def _lower_unit(unit_id: int, *, of: int) -> Unit:
    """The chosen unit when it hangs directly below; Invalid names the field otherwise."""
    target = organisations.unit(unit_id)
    if target is None or target.parent_id != of or not target.enabled:
        raise Invalid([FieldError("target_unit_id", "not_below", "只能转办给本单位的直接下级")])
    return target
