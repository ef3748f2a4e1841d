"""Returns: asking 12345 to take a ticket back (退单), and units handing theirs up (退回上级)."""

from app.approvals import lower_returns
from app.approvals import services as approvals
from app.core.errors import Conflict, FieldError, Invalid
from app.engine.registry import Step, Submission, Variables, form, handler, message
from app.matters import custody
from app.matters import queries as matters_of
from app.matters import services as matters
from app.security.principal import Principal
from app.tickets import conflicts, services
from app.tickets.actions import Request, action
from app.tickets.forms import DecideReturnForm, GiveBackForm, ReviewReturnForm
from app.tickets.models import Ticket

message("decide.return", "return_approved")
message("return.up", "return_to_unit_id")
message("recall.ticket", "entry", "city_unit_id", "county_unit_id", "handled_by")

_SILENT = "12345逾期未批复退单申请"


@handler("returns.request")
def request(step: Step) -> Variables:
    """推送退单申请 (T05): queue it, and remember when to remind."""
    return {"return_remind_at": _at(approvals.send_return(services.get(step.data), step.now))}


@handler("returns.remind")
def remind(step: Step) -> Variables:
    """催促批复: 12345 has not answered in time. Silence is never consent.

    Reminded a second time, it is the leader's to speak to 12345 (EX-01).
    """
    ticket = services.get(step.data)
    reminded, again_at = approvals.remind_return(ticket, step.now)
    if reminded.reminders > 1 and not _is_leader_told(ticket):
        told = f"{_SILENT}，已催促{reminded.reminders}次，请协调；未获批复前不视为同意。"
        matters.notify_leader(ticket, told, step.now)
    return {"return_remind_at": _at(again_at)}


def _is_leader_told(ticket: Ticket) -> bool:
    """Whether an earlier word about the silence still waits to be read."""
    waiting = matters_of.open_of(ticket.id, {"notice"})
    return any(notice.text.startswith(_SILENT) for notice in waiting)


def hand_up(ticket: Ticket, submission: Submission, field: str) -> Variables:
    """退回上级 at the signing (T07, T08); Invalid names `field` when the unit may not."""
    unit_id = submission.unit_id or 0
    if found := lower_returns.objection(ticket, unit_id, submission.now):
        raise Invalid([found.at(field)])
    reason = submission.values["return_reason"]
    asked = lower_returns.ask(ticket, unit_id, reason, by=submission.actor, now=submission.now)
    services.note(ticket, submission, "back", reason)
    return {"return_to_unit_id": asked.to_unit_id}


def _handles(principal: Principal, ticket: Ticket) -> bool:
    holder = ticket.county_unit_id or ticket.city_unit_id
    return principal.unit_id == holder and lower_returns.standing(ticket, holder) is None


@action(
    "give_back",
    "退回上级",
    GiveBackForm,
    permission="ticket.return",
    states=frozenset({"handling", "reworking"}),
    offered=_handles,
    icon="arrow-return-left",
    help="不属于本单位职责的，写明理由退回上级；上级不同意的，由本单位办理，不得再次退回。",
)
def give_back(request: Request) -> None:
    """退回 while handling (EX-02): the upper level decides, the handling stops meanwhile."""
    ticket, unit_id = request.ticket, request.principal.unit_id
    if found := lower_returns.objection(ticket, unit_id, request.now):
        raise Conflict(found.message, f"RETURN_{found.code.upper()}", current_state=ticket.status)
    reason = request.values["return_reason"]
    asked = lower_returns.ask(ticket, unit_id, reason, by=request.actor, now=request.now)
    services.remark(
        ticket, "give_back", "back", reason, by=request.actor, at=request.now, of=request.id
    )
    request.tell("return.up", {"return_to_unit_id": asked.to_unit_id})


@form("ticket.review_return", ReviewReturnForm)
def review_return(submission: Submission) -> Variables:
    """审核下级退回 (T06r, T07r): whoever agrees takes the ticket out of the lower unit's hands."""
    ticket = services.acting(submission)
    values = submission.values
    by_province = submission.data["return_to_unit_id"] == ticket.province_unit_id
    verdict = values["decision"]
    if verdict == "p12345" and not by_province:
        raise Invalid([FieldError("decision", "level", "只有省级可以退回工单来源")])
    if verdict == "refuse" and (wrong := _appointment_problems(ticket)):
        raise Invalid(wrong)
    said = [values.get(name) for name in ("return_reason", "opinion")]
    text = "\n".join(part for part in said if part) or None
    asked = lower_returns.decide(
        ticket,
        agreed=verdict != "refuse",
        opinion=text,
        by=submission.actor,
        now=submission.now,
    )
    services.note(ticket, submission, verdict, text)
    if verdict == "refuse":
        ticket.appointed_unit_id = asked.from_unit_id
        return {"return_route": "county" if ticket.county_unit_id else "city"}
    if verdict == "p12345":
        code, reason = values["return_reason_code"], values["return_reason"]
        approvals.ask_return(ticket, submission, code, reason, field="decision")
    city = None if by_province else ticket.city_unit_id
    submission.ends.update(custody.place(ticket, submission.now, city=city))
    taken: Variables = {"city_unit_id": city or 0, "county_unit_id": 0, "handled_by": ""}
    if not by_province:
        return {**taken, "return_route": "city"}
    if verdict == "p12345":
        return {**taken, "return_route": "p12345", "handling": "return", "entry": "province"}
    return {**taken, "return_route": "dispatch"}


def _appointment_problems(ticket: Ticket) -> list[FieldError]:
    """What is wrong with having the asking unit handle it: it may not be able to (FLW-07)."""
    asked = lower_returns.open_of(ticket.id)
    found = conflicts.problems(ticket, asked.from_unit_id, "decision") if asked else []
    return found + conflicts.foreign(ticket, "decision")


@form("ticket.decide_return", DecideReturnForm)
def decide_return(submission: Submission) -> Variables:
    """国家批复退单."""
    ticket = services.acting(submission)
    agreed = submission.values["decision"] == "approve"
    approvals.record_return_decision(ticket, submission, agreed=agreed)
    services.note(ticket, submission, submission.values["decision"], submission.values["opinion"])
    return {"return_approved": 1 if agreed else 2}


_at = services.beijing
