"""Delivery (结果回传): the result goes back to the 12345 platform, and the ticket is filed."""

from datetime import datetime
from typing import Any

from app.approvals import messages
from app.deadlines import queries as deadlines
from app.engine import runner
from app.engine.registry import Step, Submission, Variables, form, handler, message
from app.exchange import outbox
from app.exchange.models import OutboundMessage
from app.exchange.registry import acknowledged, prepared
from app.files.links import linked
from app.matters import services as matters
from app.tickets import clock, merge, results, services
from app.tickets.forms import NationalReceiptForm
from app.tickets.models import Ticket
from app.tickets.types import RESULTS, TICKET_TYPES

message("confirm.result", "receipt_no")


@handler("delivery.push_result")
def push_result(step: Step) -> Variables:
    """结果反馈 (T13): queue the result of the ticket's type, once a round, for every number.

    In time or not is judged now, not by the push. It waits for somebody only where 12345 or the
    nation has to receive it. Matters that only made sense before it end, and 12345 is told that a
    withdrawal came too late.
    """
    ticket = services.get(step.data)
    _overtake(ticket, step.now)
    ticket.completed_at = ticket.completed_at or step.now
    clock.conclude(ticket, step.now)
    if step.data["result_to"] == "p12345":
        _push(ticket, results.result(ticket), ticket.round, step.now)
    for follower in merge.followers(ticket):
        if follower.partner_id is not None:
            _push(follower, merge.result_for(follower, ticket), ticket.round, step.now)
    return {}


def _overtake(ticket: Ticket, now: datetime) -> None:
    matter = matters.overtake(ticket, now)
    if matter is not None and ticket.partner_id is not None:
        once = f"withdrawal:{matter.id}:refused"
        messages.tell(ticket, "withdrawal_refused", {"reason": matter.answer}, now, once=once)


def _push(ticket: Ticket, body: dict[str, Any], round_: int, now: datetime) -> None:
    operation = TICKET_TYPES[ticket.ticket_type].result
    arrives = deadlines.window(ticket.id, "result_push", now)
    alarm = deadlines.window(ticket.id, "result_push_alarm", now)
    outbox.send(
        messages.partner_of(ticket),
        ticket.acceptance_no,
        operation,
        body,
        now,
        once=f"{ticket.acceptance_no}:{operation}:{round_}",
        due_at=arrives.ends_at if arrives else None,
        alarm_at=alarm.ends_at if alarm else None,
    )


@form("ticket.national_receives", NationalReceiptForm)
def national_receives(submission: Submission) -> Variables:
    """国家接收结果, or how else it ended: the end of the chain of what the nation dispatched."""
    ticket = services.acting(submission)
    services.note(ticket, submission, "received", submission.values.get("opinion"))
    return {}


@prepared(*RESULTS)
def link_report_files(body: dict[str, Any]) -> dict[str, Any]:
    """Give each report file its download address, bound to this message (O9).

    An answer to a question has none.
    """
    if not body.get("report_files"):
        return body
    return {**body, "report_files": linked(body["report_files"], body["event_id"])}


@acknowledged(*RESULTS)
def result_confirmed(sent: OutboundMessage, now: datetime) -> None:
    """The platform has the result: tell the waiting diagram, in the transaction that records it."""
    runner.deliver_message(
        f"ack:{sent.idempotency_key}",
        "confirm.result",
        sent.business_key,
        {"receipt_no": sent.receipt_no},
        now=now,
    )
