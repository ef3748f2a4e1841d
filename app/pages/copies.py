"""The local copy (同时留存本地, O6): everything a page has registered goes back to 12345."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from app.exchange.registry import prepared
from app.files import links
from app.files.models import Attachment
from app.pages import forms
from app.tickets.intake import Intake
from app.tickets.models import Ticket
from app.tickets.services import beijing
from app.tickets.types import TICKET_TYPES

OPERATION = "ticket-copies"


def body(
    table: str, ticket: Ticket, taken: Intake, attached: Iterable[Attachment]
) -> dict[str, Any]:
    """The table's fields under their names on the wire, with the numbers of the receipt.

    The place is the one that was recognised from words, when it was.
    """
    entered = {
        name: _plain(taken.values.get(field.attribute or name))
        for name, field in forms.whole(table).fields.items()
    }
    return {
        "acceptance_no": ticket.acceptance_no,
        "ticket_type": table,
        "ticket_type_label": TICKET_TYPES[ticket.ticket_type].title,
        **entered,
        "division_code": ticket.division_code,
        "attachments": [
            {
                "attachment_id": file.id,
                "name": file.name,
                "size": file.size,
                "sm3": file.sm3,
                "sha256": file.sha256,
            }
            for file in attached
        ],
        "query_code": ticket.query_code,
        "received_at": beijing(ticket.submitted_at),
        "due_at": beijing(ticket.due_at),
    }


@prepared(OPERATION)
def link_attachments(sent: dict[str, Any]) -> dict[str, Any]:
    """Give each file its download address, bound to this message (O9)."""
    return {**sent, "attachments": links.linked(sent["attachments"], sent["event_id"])}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return beijing(value)
    return value.isoformat() if isinstance(value, date) else value
