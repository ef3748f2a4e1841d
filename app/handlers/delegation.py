"""Delegation (转派): who handles it. The choice is the organisation tree's, not the diagram's."""

from app.approvals import services as approvals
from app.core.errors import FieldError, Invalid
from app.engine.registry import Submission, Variables, form
from app.handlers.returns import hand_up
from app.matters import custody
from app.matters import services as matters
from app.organisations import queries as organisations
from app.organisations.models import Unit
from app.security.principal import Principal
from app.tickets import conflicts, disclosure, results, services
from app.tickets.actions import Request, action
from app.tickets.codes import PERMITS
from app.tickets.forms import CityDecideForm, CountyDecideForm, DispatchForm, PermitForm
from app.tickets.models import Ticket
from app.tickets.rules import BEFORE_HANDLING, IN_HANDLING


@form("ticket.dispatch", DispatchForm)
def dispatch(submission: Submission) -> Variables:
    """分派 (T06): the province handles it, or hands it to a city, or to a county without one.

    What was not reviewed here, like a letter, may have to be transferred (移送).
    """
    ticket = services.acting(submission)
    values = submission.values
    conflicts.recognise(ticket)
    if values["route"] == "transfer":
        return _transfer(ticket, submission)
    target = _handed_to(ticket, submission, "route", goes_down=values["route"] == "down")
    fresh: Variables = {"handling": "done", "audit": "", "city_unit_id": 0, "county_unit_id": 0}
    to = {target.level: target.id} if target else {}
    ticket.appointed_unit_id = None
    submission.ends.update(custody.place(ticket, submission.now, **to))
    if target is None:
        services.note(ticket, submission, "province", values.get("instruction"))
        return {**fresh, "route": "province", "handled_by": "province"}
    services.note(ticket, submission, f"to_{target.level}", values.get("instruction"))
    if target.level == "city":
        return {**fresh, "route": "city", "city_unit_id": target.id}
    return {**fresh, "route": "county", "county_unit_id": target.id, "handled_by": "county"}


@form("ticket.city_decide", CityDecideForm)
def city_decide(submission: Submission) -> Variables:
    """市级签收并决定 (T07)."""
    ticket = services.acting(submission)
    values = submission.values
    if values["city_route"] == "back":
        return {"city_route": "back", **hand_up(ticket, submission, "city_route")}
    goes_down = values["city_route"] == "county"
    target = _handed_to(ticket, submission, "city_route", goes_down=goes_down)
    county = target.id if target else None
    city = ticket.city_unit_id
    submission.ends.update(custody.place(ticket, submission.now, city=city, county=county))
    if target is None:
        services.note(ticket, submission, "city", values.get("instruction"))
        return {"city_route": "self", "audit": "", "county_unit_id": 0, "handled_by": "city"}
    services.note(ticket, submission, "to_county", values.get("instruction"))
    return {
        "city_route": "county",
        "audit": "",
        "county_unit_id": target.id,
        "handled_by": "county",
    }


@form("ticket.county_decide", CountyDecideForm)
def county_decide(submission: Submission) -> Variables:
    """县级签收 (T08)."""
    ticket = services.acting(submission)
    values = submission.values
    if values["county_route"] == "back":
        return {"county_route": "back", **hand_up(ticket, submission, "county_route")}
    services.note(ticket, submission, "signed_in", values.get("remark"))
    return {"county_route": "accept"}


@action(
    "permit",
    "审批人准予",
    PermitForm,
    permission="ticket.approve",
    states=BEFORE_HANDLING | IN_HANDLING,
    offered=lambda principal, ticket: _leads(principal, ticket),
    icon="check2-square",
    help="规则不允许、确有必要的，由审批人书面准予；理由留存在办理轨迹中。",
)
def permit(request: Request) -> None:
    """准予 (FLW-07, EX-01): the leader lifts one rule for one ticket, and says why.

    The diagram is told, though nobody has to do anything about it.
    """
    ticket, granted = request.ticket, request.values["permit"]
    if granted not in ticket.permits:
        ticket.permits = [*ticket.permits, granted]
    text = f"{PERMITS[granted]}：{request.values['permit_reason']}"
    services.remark(
        ticket, "permit", "permit", text, by=request.actor, at=request.now, of=request.id
    )
    request.tell(matters.RAISE, {"matter": "permit", "matter_id": 0, "matter_unit_id": 0})


def _leads(principal: Principal, ticket: Ticket) -> bool:
    return principal.unit_id == ticket.province_unit_id


def _transfer(ticket: Ticket, submission: Submission) -> Variables:
    """移送: the leader decides; refused, it comes back to the review."""
    if results.was_sent(ticket):
        raise Invalid([FieldError("route", "result_sent", "办理结果已反馈，不能移送")])
    organisation = submission.values["transfer_org"]
    reason = submission.values["transfer_reason"]
    services.note(ticket, submission, "transfer", reason)
    approvals.ask_transfer(ticket, submission, organisation, reason)
    return {"route": "transfer", "handling": "transfer", "entry": "province"}


def _handed_to(
    ticket: Ticket, submission: Submission, field: str, *, goes_down: bool
) -> Unit | None:
    """The chosen unit below, None when this unit handles it; helpers are asked and told.

    Invalid names every wrong field, the choice as `field`: only units directly below, none that
    the complaint is about, nothing that is another authority's, and what lower levels may not read
    goes down as a summary.
    """
    values = submission.values
    of = submission.unit_id or 0
    wrong = conflicts.foreign(ticket, field)
    target = None
    if not goes_down:
        wrong += conflicts.problems(ticket, of, field)
    if goes_down:
        target = _lower_unit(ticket, values["target_unit_id"], of, "target_unit_id", wrong)
    helpers = [
        _lower_unit(ticket, unit_id, of, "cohandlers", wrong)
        for unit_id in dict.fromkeys(values["cohandlers"])
    ]
    if target is not None and target in helpers:
        wrong.append(FieldError("cohandlers", "same", "协办单位不能是承办单位"))
    summary = values.get("summary") or ticket.summary
    if (goes_down or helpers) and disclosure.needs_summary(ticket) and not summary:
        told = "匿名、保密和贪污腐败类工单只能以摘要转办，请填写转办摘要"
        wrong.append(FieldError("summary", "required", told))
    if wrong:
        raise Invalid(wrong)
    if goes_down or helpers:
        ticket.summary = summary
    for helper in helpers:
        if helper is not None:
            text = values["cohandle_request"]
            matters.ask_opinion(ticket, helper.id, text, by=submission.actor, now=submission.now)
    return target


def _lower_unit(
    ticket: Ticket, unit_id: int, of: int, field: str, wrong: list[FieldError]
) -> Unit | None:
    """The unit when it hangs directly below and may have the ticket; otherwise says what is wrong.

    A number beyond those of the table is no unit, and not the database's to refuse.
    """
    target = organisations.unit(unit_id)
    if target is None or target.parent_id != of or not target.enabled:
        wrong.append(FieldError(field, "not_below", "只能选择本单位的直接下级"))
        return None
    wrong += conflicts.problems(ticket, target.id, field)
    return target
