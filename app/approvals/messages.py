"""Status events (O8): what 12345 is told of a ticket besides requests and results."""

from datetime import datetime
from typing import Any

from app.core.db import session
from app.exchange import outbox
from app.exchange.models import Partner
from app.tickets.models import Ticket
from app.tickets.services import beijing


def partner_of(ticket: Ticket) -> Partner:
    """The platform that sent the ticket; LookupError for one of our own."""
    partner = session().get(Partner, ticket.partner_id) if ticket.partner_id else None
    if partner is None:
        raise LookupError(f"ticket {ticket.id} has no partner")
    return partner


def both_numbers(ticket: Ticket) -> dict[str, str | None]:
    """Every message carries 12345's own number beside ours (D8)."""
    return {
        "acceptance_no": ticket.acceptance_no,
        "external_ticket_no": ticket.external_ticket_no,
    }


def tell(ticket: Ticket, event: str, details: dict[str, Any], now: datetime, *, once: str) -> None:
    """Queue a status event; `once` names it, so that it is sent a single time."""
    body = {**both_numbers(ticket), "event": event, "occurred_at": beijing(now), **details}
    partner = partner_of(ticket)
    outbox.send(partner, ticket.acceptance_no, "status-events", body, now, once=once)
