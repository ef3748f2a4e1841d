"""Merging (并单, REQUIREMENTS 1.6): one ticket goes on for several numbers, each keeps its own."""

from typing import Any

from sqlalchemy import select

from app.core.db import session
from app.core.errors import Conflict, FieldError, Invalid
from app.engine import runner
from app.tickets import results
from app.tickets.models import Ticket
from app.tickets.rules import BEFORE_HANDLING, IN_HANDLING
from app.tickets.types import TICKET_TYPES

MERGEABLE = (BEFORE_HANDLING - {"draft", "return_pending"}) | IN_HANDLING | {"suspended"}
"""States of a ticket that may go on for another: its result is still to come."""
FIELD = "merged_into"


def ask(ticket: Ticket, acceptance_no: str) -> Ticket:
    """Name the running ticket that this one is merged into, and keep it running until the commit.

    Invalid names what is wrong with the number. The survivor's instance is locked here, after the
    ticket's own: two that are merged into each other at once meet as a deadlock, and the second
    try finds the other merged.
    """
    number = acceptance_no.strip().upper()
    if number == ticket.acceptance_no:
        raise _wrong("self", "不能并入本工单")
    known = select(Ticket).where(
        Ticket.acceptance_no == number, Ticket.province_unit_id == ticket.province_unit_id
    )
    survivor = session().scalar(known)
    if survivor is None:
        raise _wrong("unknown", "本省没有这张工单")
    runner.hold(survivor.acceptance_no)
    session().refresh(survivor)
    if survivor.merged_into_id is not None:
        raise _wrong("merged", "该工单已并入其他工单，请填写仍在办理的工单")
    if survivor.status not in MERGEABLE:
        raise _wrong("state", "只能并入尚未反馈结果的工单")
    if TICKET_TYPES[survivor.ticket_type].result != TICKET_TYPES[ticket.ticket_type].result:
        raise _wrong("type", "只能并入同类工单")
    ticket.merged_into_id = survivor.id
    session().flush()
    return survivor


def survivor_of(ticket: Ticket) -> Ticket:
    """The ticket that goes on: itself, or the end of the chain of merges."""
    while ticket.merged_into_id is not None:
        further = session().get(Ticket, ticket.merged_into_id)
        if further is None:
            raise LookupError(
                f"ticket {ticket.merged_into_id} that others were merged into is gone"
            )
        ticket = further
    return ticket


def followers(ticket: Ticket) -> list[Ticket]:
    """Every ticket merged into this one, directly or through another, in order of receipt."""
    chain = select(Ticket.id).where(Ticket.merged_into_id == ticket.id).cte("chain", recursive=True)
    chain = chain.union(select(Ticket.id).join(chain, Ticket.merged_into_id == chain.c.id))
    merged = select(Ticket).join(chain, Ticket.id == chain.c.id)
    return list(session().scalars(merged.order_by(Ticket.id)))


def require_none(ticket: Ticket, what: str) -> None:
    """Conflict when others were merged into the ticket: it goes on for them as well."""
    if followers(ticket):
        raise Conflict(
            f"有其他工单并入本工单，不能{what}", "MERGED_TICKETS", current_state=ticket.status
        )


def result_for(follower: Ticket, survivor: Ticket) -> dict[str, Any]:
    """The survivor's result under the numbers of a merged ticket (DUP-03).

    What its petitioner said is that person's own and stays out.
    """
    told = {
        "petitioner_feedback": f"与工单{survivor.acceptance_no}并案办理，告知情况以该工单为准。"
    }
    body = results.result(survivor)
    return {
        **body,
        **{name: text for name, text in told.items() if name in body},
        "acceptance_no": follower.acceptance_no,
        "external_ticket_no": follower.external_ticket_no,
        "merged_into": survivor.acceptance_no,
    }


def _wrong(rule: str, message: str) -> Invalid:
    return Invalid([FieldError(FIELD, rule, message)])
