"""Supplements (补充) asked of 12345 before the review can go on (T04b)."""

from app.approvals import messages
from app.engine.registry import SYSTEM, Step, Variables, handler, message
from app.exchange import outbox
from app.matters import queries
from app.matters import services as matters
from app.matters.models import LAPSED
from app.tickets import clock, services

message("supply.supplement")


@handler("supplements.ask")
def ask(step: Step) -> Variables:
    """推送补充请求 (O7): what the review asked for, and by when."""
    ticket = services.get(step.data)
    request = queries.open_one(ticket.id, "request")
    if request is None or request.due_at is None:
        raise LookupError(f"ticket {ticket.id} asks 12345 for nothing")
    body = {
        **messages.both_numbers(ticket),
        "request_no": request.number,
        "content": request.text,
        "requested_at": services.beijing(request.raised_at),
        "reply_by": services.beijing(request.due_at),
    }
    outbox.send(
        messages.partner_of(ticket),
        ticket.acceptance_no,
        "supplement-requests",
        body,
        step.now,
        once=f"supplement:{request.number}",
    )
    return {"supplement_until": services.beijing(request.due_at)}


@handler("supplements.end")
def end(step: Step) -> Variables:
    """恢复办理: supplied or overdue, the review goes on."""
    ticket = services.get(step.data)
    request = queries.open_one(ticket.id, "request")
    if request is not None:
        clock.close(ticket, {"supplement_wait"}, step.now)
        matters.close(request, LAPSED, None, by=SYSTEM, now=step.now)
    return {}
