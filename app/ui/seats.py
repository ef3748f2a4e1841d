"""What the forms of the seats (坐席) begin with: what the call knows, or a dropped line left."""

from typing import Any

from app.calls.services import call_of
from app.core.errors import NotFound
from app.engine.models import UserTask
from app.tickets.models import Ticket
from app.tickets.rules import is_phone
from app.tickets.types import TABLES, TICKET_TYPES

_SEAT = ("call.answer", "call.call_back", "call.record.")
_RECORD = "call.record."


def is_at_the_seat(row: UserTask) -> bool:
    """Whether the step belongs to the agent on the telephone, whose page is the call's."""
    return (row.form or "").startswith(_SEAT)


def is_record(row: UserTask) -> bool:
    """Whether an intake table is filled in."""
    return (row.form or "").startswith(_RECORD)


def first_values(row: UserTask, ticket: Ticket) -> dict[str, Any]:
    """A new record holds the number that calls; one given back holds what was recorded."""
    if row.form == "call.check":
        return {"review": "accept"}
    if not is_at_the_seat(row):
        return {}
    try:
        typed = call_of(ticket).typed or {}
    except NotFound:
        return {}
    if not is_record(row):
        return {"ticket_type": typed.get("ticket_type")}
    kind = TICKET_TYPES[(row.form or "").removeprefix(_RECORD)]
    schema = TABLES[kind.table]
    if ticket.content:
        return _recorded(ticket, kind.table)
    number = ticket.caller_number if is_phone(ticket.caller_number or "") else None
    first = {
        "content": typed.get("content"),
        "contact_phone": number,
        "division_code": ticket.province_code,
        "urgency": 1,
    }
    named = {field.attribute or name: name for name, field in schema.fields.items()}
    values = {named[column]: value for column, value in first.items() if column in named}
    return {**values, "is_confidential": "false"}


def _recorded(ticket: Ticket, table: str) -> dict[str, Any]:
    values = {
        name: getattr(ticket, field.attribute or name, None)
        for name, field in TABLES[table].fields.items()
        if name not in {"attachments", "service_type"}
    }
    words = {name: str(value).lower() for name, value in values.items() if isinstance(value, bool)}
    return {**values, **words}
