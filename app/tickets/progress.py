"""What a citizen's hotline may see of a ticket's way (办理进度, I8): when, which step, which unit.

Never who, why, or how to reach them. A step that is not listed is not told: the inner ones —
approvals, opinions, supervision — stay inside, and so does what an analyst adds until it is listed.
"""

from typing import Any

from app.engine.models import ProcessEvent
from app.organisations import queries as organisations
from app.tickets import queries
from app.tickets.models import Ticket
from app.tickets.services import beijing

STEPS = frozenset(
    {
        *("answer_call", "record_ticket", "check_ticket", "call_back", "own_callback"),
        *("sign_in", "review", "dispatch", "city_decide", "county_sign_in"),
        *("handle_by_province", "handle_by_city", "handle_by_county"),
        *("audit_by_city", "audit_by_province", "decide_rework", "confirm_withdrawal"),
    }
)
"""User tasks that are told, under the names they have in the diagram."""

MESSAGES = {
    "confirm.result": "结果已送达",
    "decide.return": "收到退单批复",
    "supply.supplement": "收到补充材料",
    "report.callback": "收到回访结果",
}
"""What came from outside, under its name in the diagram."""


def told(ticket: Ticket) -> list[dict[str, Any]]:
    """The steps of a ticket in order."""
    found = [
        (event, title) for event in queries.events(ticket.acceptance_no) if (title := _title(event))
    ]
    units = organisations.names(event.unit_id for event, _ in found if event.unit_id)
    return [
        {
            "seq": event.seq,
            "at": beijing(event.at),
            "step": title,
            "unit": units.get(event.unit_id or 0),
        }
        for event, title in found
    ]


def _title(event: ProcessEvent) -> str | None:
    if event.kind == "started":
        return "受理"
    if event.kind == "ended":
        return "办结"
    if event.kind == "user" and event.element_id in STEPS:
        return event.element_name
    return MESSAGES.get(event.element_name) if event.kind == "message" else None
