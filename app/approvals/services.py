"""Asking and deciding: 退单 between us and 12345, 移送 between operator and leader."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.approvals import answers, queries
from app.approvals.errors import RequestNotOpen
from app.approvals.messages import both_numbers, partner_of, tell
from app.approvals.models import AGREED, OPEN, REFUSED, ReturnRequest, Transfer
from app.core.db import session
from app.core.errors import FieldError, Invalid
from app.engine import runner
from app.engine.registry import Submission
from app.exchange import outbox
from app.organisations import queries as organisations
from app.tickets import clock, merge, results
from app.tickets.models import Ticket
from app.tickets.rules import future_problems
from app.tickets.services import beijing

YES = 1
SECOND_RETURN = "second_return"
"""The permit (准予) to ask for a return again."""
DECISION = "return_decision"
"""What 12345 has to answer in before it is reminded (REQUIREMENTS 2.2)."""


def ask_return(
    ticket: Ticket, submission: Submission, code: int, reason: str, *, field: str
) -> ReturnRequest:
    """Write a return request down; the diagram sends it. Invalid names `field` when it may not be.

    Only what 12345 or the nation sent can go back there, and not after a result, nor when others
    were merged into it: their senders agreed to nothing. After a refusal it takes a new reason and
    the leader's permit, which is used up by it (EX-01).
    """
    merge.require_none(ticket, "退单")
    earlier = queries.returns_of(ticket.id)
    if ticket.partner_id is None and submission.data["result_to"] != "national":
        raise Invalid([FieldError(field, "source", "只有12345或国家转来的工单可以退单")])
    if results.was_sent(ticket):
        raise Invalid([FieldError(field, "result_sent", "办理结果已反馈，不能退单")])
    if any(one.state == REFUSED for one in earlier):
        wrong = []
        if SECOND_RETURN not in ticket.permits:
            told = "来源单位已不同意退单，再次申请须由省审批人准予"
            wrong.append(FieldError(field, "leader", told))
        if any(" ".join(one.reason.split()) == " ".join(reason.split()) for one in earlier):
            wrong.append(FieldError("return_reason", "repeated", "再次申请退单须有新的理由"))
        if wrong:
            raise Invalid(wrong)
        ticket.permits = [each for each in ticket.permits if each != SECOND_RETURN]
    request = ReturnRequest(
        ticket_id=ticket.id,
        request_no=f"{ticket.acceptance_no}-R{len(earlier) + 1}",
        reason_code=code,
        reason=reason,
        requested_by=submission.actor.id,
        requested_by_name=submission.actor.name,
        unit_id=submission.actor.unit_id,
        requested_at=submission.now,
        reminders=0,
        state=OPEN,
    )
    session().add(request)
    session().flush()
    return request


def send_return(ticket: Ticket, now: datetime) -> datetime:
    """Queue the request for 12345 (O1, table 8); when it is to be reminded."""
    request = _open(ticket)
    unit = organisations.unit(request.unit_id or 0)
    outbox.send(
        partner_of(ticket),
        ticket.acceptance_no,
        "return-requests",
        {
            **both_numbers(ticket),
            "request_no": request.request_no,
            "reason_code": request.reason_code,
            "return_reason": request.reason,
            "requested_at": beijing(request.requested_at),
            "requested_by_org": unit.name if unit else "",
        },
        now,
        once=f"return:{request.request_no}",
    )
    return clock.wait(ticket, DECISION, now)


def remind_return(ticket: Ticket, now: datetime) -> tuple[ReturnRequest, datetime]:
    """12345 has not answered in time: remind it (O8); when to do so again. Never agree for it."""
    request = _open(ticket)
    request.reminders += 1
    tell(
        ticket,
        "return_reminded",
        {"request_no": request.request_no, "times": request.reminders},
        now,
        once=f"return:{request.request_no}:reminder:{request.reminders}",
    )
    return request, clock.promise(ticket, DECISION, now)


def decide_return(ticket: Ticket, answer: dict[str, Any], now: datetime) -> bool:
    """12345's answer (I9, table 4); True when it only repeats what was already answered.

    Raises RequestNotOpen when nothing waits. The instance is locked first, as timers do, and moved
    before the request is written: a reminder that was due until now still finds the request open.
    """
    runner.hold(ticket.acceptance_no)
    session().refresh(ticket)
    asked = queries.returns_of(ticket.id)
    request = answers.meant(asked, answer, _repeats)
    if request is None:
        raise RequestNotOpen(ticket.status, asked[-1].decided_by if asked else None)
    if request.state != OPEN:
        if _repeats(request, answer):
            return True
        raise RequestNotOpen(ticket.status, request.decided_by)
    if wrong := future_problems("decided_at", "批复时间", answer.get("decided_at"), now):
        raise Invalid(wrong)
    runner.deliver_message(
        f"decision:{request.request_no}",
        "decide.return",
        ticket.acceptance_no,
        {"return_approved": answer["approved"]},
        now=now,
    )
    request.state = AGREED if answer["approved"] == YES else REFUSED
    request.opinion = answer["opinion"]
    request.decided_by = answer.get("decided_by")
    request.decided_at = answer.get("decided_at") or now
    clock.close(ticket, {DECISION}, now)
    return False


def record_return_decision(ticket: Ticket, submission: Submission, *, agreed: bool) -> None:
    """The national level's own word on a ticket that it had dispatched."""
    request = _open(ticket)
    request.state = AGREED if agreed else REFUSED
    request.opinion = submission.values["opinion"]
    request.decided_by = submission.actor.name
    request.decided_at = submission.now


def ask_transfer(ticket: Ticket, submission: Submission, organisation: str, reason: str) -> None:
    """Ask the leader to hand the matter to another authority."""
    session().add(
        Transfer(
            ticket_id=ticket.id,
            organisation=organisation,
            reason=reason,
            requested_by=submission.actor.id,
            requested_by_name=submission.actor.name,
            requested_at=submission.now,
            state=OPEN,
        )
    )
    session().flush()


def decide_transfer(
    ticket: Ticket, submission: Submission, *, agreed: bool, opinion: str | None
) -> None:
    """The leader's word on it."""
    transfer = _transfer(ticket)
    transfer.state = AGREED if agreed else REFUSED
    transfer.opinion = opinion
    transfer.decided_by_name = submission.actor.name
    transfer.decided_at = submission.now


def tell_transferred(ticket: Ticket, now: datetime) -> dict[str, str]:
    """Tell 12345 where the matter went (O8), which is returned."""
    transfer = _transfer(ticket)
    where = {"transfer_out_org": transfer.organisation, "reason": transfer.reason}
    if ticket.partner_id is not None:
        once = f"transfer:{ticket.acceptance_no}"
        tell(ticket, "transferred_out", where, now, once=once)
    return where


def _repeats(request: ReturnRequest, answer: Mapping[str, Any]) -> bool:
    state = AGREED if answer["approved"] == YES else REFUSED
    return request.state == state and request.opinion == answer["opinion"]


def _open(ticket: Ticket) -> ReturnRequest:
    request = queries.open_return(ticket.id)
    if request is None:
        raise LookupError(f"ticket {ticket.id} has no open return request")
    return request


def _transfer(ticket: Ticket) -> Transfer:
    transfer = queries.latest_transfer(ticket.id)
    if transfer is None:
        raise LookupError(f"ticket {ticket.id} has no transfer")
    return transfer
