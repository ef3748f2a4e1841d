"""Intake (受理): registering a ticket, signing it in, reviewing it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.approvals import extensions
from app.approvals import services as approvals
from app.core.errors import FieldError, Invalid
from app.divisions import queries as divisions
from app.engine.registry import Change, Step, Submission, Variables, form, handler, observer
from app.handlers import notices
from app.matters import services as matters
from app.tickets import conflicts, merge, reclassify, services
from app.tickets.clock import URGENT
from app.tickets.forms import ReviewForm, SignInForm
from app.tickets.models import Ticket


@handler("intake.register")
def register(step: Step) -> Variables:
    """登记 (T02): find the ticket's place in the division tree, and the units it is about."""
    ticket = services.get(step.data)
    services.register(ticket)
    conflicts.recognise(ticket)
    if ticket.urgency == URGENT:
        alarm(ticket, step.now)
    return {}


def alarm(ticket: Ticket, now: datetime) -> None:
    """紧急 (EX-15): the leader hears of it at once; whom to call and report to is said there."""
    text = "紧急工单：请电话通知承办单位即时签收；重大、紧急事项按信访工作条例第二十五条报告。"
    matters.notify_leader(ticket, text, now)


@form("ticket.sign_in", SignInForm)
def sign_in(submission: Submission) -> Variables:
    """签收 (T03 and, at the county, T08)."""
    ticket = services.acting(submission)
    services.note(ticket, submission, "signed_in", submission.values.get("remark"))
    return {}


@form("ticket.review", ReviewForm)
def review(submission: Submission) -> Variables:
    """初审 (T04): place, category and type are put right first; all mistakes are told at once."""
    ticket = services.acting(submission)
    values = submission.values
    verdict = values["review"]
    was_urgent = ticket.urgency == URGENT
    wrong = _place(ticket, values.get("division_code"))
    wrong += correct(ticket, values)
    history = None
    if values.get("ticket_type") and verdict in _ACCEPTS:
        try:
            history = reclassify.change_type(ticket, values["ticket_type"], values)
        except Invalid as refusal:
            wrong += refusal.errors
    if verdict in _ACCEPTS:
        wrong += conflicts.foreign(ticket, "review")
    if verdict == "answer":
        wrong += conflicts.problems(ticket, ticket.province_unit_id, "review")
    if wrong:
        raise Invalid(wrong)
    said = [values.get(name) for name in ("return_reason", "transfer_reason", "opinion")]
    text = "\n".join(part for part in (history, *said) if part) or None
    services.note(ticket, submission, verdict, text)
    if ticket.urgency == URGENT and not was_urgent:
        alarm(ticket, submission.now)
    if verdict == "return":
        code, reason = values["return_reason_code"], values["return_reason"]
        approvals.ask_return(ticket, submission, code, reason, field="review")
    elif verdict == "transfer":
        approvals.ask_transfer(
            ticket, submission, values["transfer_org"], values["transfer_reason"]
        )
    elif verdict == "merge":
        merge.ask(ticket, values["merged_into"])
    elif verdict == "supplement":
        _ask_supplement(ticket, submission)
    handled = {"entry": "handle_province", "handled_by": "province"} if verdict == "answer" else {}
    # "done": a transfer asked for at the dispatch may have been refused before
    return {"review": verdict, "ticket_type": ticket.ticket_type, "handling": "done", **handled}


_ACCEPTS = frozenset({"accept", "answer"})


def _place(ticket: Ticket, code: str | None) -> list[FieldError]:
    """A division the operator chose must exist; the ticket moves there."""
    if not code or (code == ticket.division_code and not ticket.division_unresolved):
        return []
    if divisions.get(code) is None:
        return [FieldError("division_code", "unknown", "行政区划编码不存在")]
    services.locate(ticket, code)
    return []


def correct(ticket: Ticket, values: Mapping[str, Any]) -> list[FieldError]:
    """Category, urgency and sensitivity as the operator sees them, and whom it is about.

    The caller's wish to stay unknown is never taken back.
    """
    ticket.problem_category = values.get("problem_category") or ticket.problem_category
    ticket.urgency = values.get("urgency") or ticket.urgency
    ticket.is_confidential = ticket.is_confidential or values["is_confidential"]
    return conflicts.name_accused(ticket, values.get("accused_unit_id"))


def _ask_supplement(ticket: Ticket, submission: Submission) -> None:
    """请12345补充 (T04b): only its own tickets can it add to."""
    if ticket.partner_id is None:
        raise Invalid([FieldError("review", "source", "只有12345转来的工单可以请其补充")])
    text = submission.values["supplement_request"]
    matters.request_supplement(ticket, text, by=submission.actor, now=submission.now)


@observer("call_transfer")
@observer("ticket_transfer")
def follow(change: Change) -> None:
    """Keep the ticket's state with the diagram's position; what it asked for may be over then."""
    services.follow(change)
    ticket = services.get(change.data)
    extensions.follow(ticket, change)
    notices.announce(ticket, change)
    notices.urge_helpers(change)
