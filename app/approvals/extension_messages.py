"""What 12345 is sent about an extension: question (O2), reminders, new date (O8), end (O7)."""

from datetime import datetime

from app.approvals.messages import both_numbers, partner_of, tell
from app.approvals.models import Extension
from app.exchange import outbox
from app.organisations import queries as organisations
from app.tickets import clock
from app.tickets.models import Ticket
from app.tickets.services import beijing

DECISION = "extension_decision"
"""What 12345 has to decide in before it is reminded. Silence is never consent."""


def send(ticket: Ticket, request: Extension, now: datetime) -> datetime:
    """Queue the request for 12345 (O2, table 9); when it is to be reminded."""
    unit = organisations.unit(request.unit_id or 0)
    outbox.send(
        partner_of(ticket),
        ticket.acceptance_no,
        "extension-requests",
        {
            **both_numbers(ticket),
            "request_no": request.request_no,
            "extension_reason": request.reason,
            "extension_days": request.days,
            "current_due_at": beijing(ticket.due_at),
            "proposed_due_at": beijing(request.proposed_due_at),
            "requested_at": beijing(request.requested_at),
            "requested_by_org": unit.name if unit else "",
        },
        now,
        once=f"extension:{request.request_no}",
    )
    request.sent_at = now
    return clock.wait(ticket, DECISION, now)


def remind(ticket: Ticket, request: Extension, now: datetime) -> datetime:
    """12345 has not answered in time: remind it (O8); when to do so again. Never agree for it."""
    request.reminders += 1
    tell(
        ticket,
        "extension_reminded",
        {"request_no": request.request_no, "times": request.reminders},
        now,
        once=f"extension:{request.request_no}:reminder:{request.reminders}",
    )
    return clock.promise(ticket, DECISION, now)


def granted(ticket: Ticket, request: Extension, days: int, now: datetime) -> None:
    """Tell the new time limit (O8)."""
    tell(
        ticket,
        "extended",
        {
            "request_no": request.request_no,
            "extension_days": days,
            "due_at": beijing(ticket.due_at),
        },
        now,
        once=f"extension:{request.request_no}:granted",
    )


def cancel(ticket: Ticket, request: Extension, now: datetime) -> None:
    """The question needs no answer any more (O7)."""
    outbox.send(
        partner_of(ticket),
        ticket.acceptance_no,
        "request-cancellations",
        {
            **both_numbers(ticket),
            "request_no": request.request_no,
            "cancelled": "extension-requests",
            "reason": "工单已办理完毕或已改派，不再需要延期",
            "occurred_at": beijing(now),
        },
        now,
        once=f"extension:{request.request_no}:cancelled",
    )
