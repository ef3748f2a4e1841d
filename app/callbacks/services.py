"""Use cases of callbacks: what was said of a result, and another round (重办, EX-09)."""

from datetime import datetime
from typing import Any

from app.callbacks import queries, rules
from app.callbacks.models import Callback
from app.core.db import session
from app.core.errors import Invalid
from app.engine import runner
from app.engine.registry import Submission
from app.exchange.models import Partner
from app.tickets import clock
from app.tickets.errors import StateConflict
from app.tickets.models import Ticket
from app.tickets.rules import CLOSED, future_problems
from app.tickets.types import TICKET_TYPES

WAIT = "callback"
"""What the petitioner is called in, before the ticket is filed (REQUIREMENTS 2.2)."""
REPORTABLE = frozenset({"result_pending", "callback_pending"})
"""12345 may have called before its receipt reached us: its word is then kept for the diagram."""


def reported(
    ticket: Ticket, partner: Partner, values: dict[str, Any], *, rework_asked: bool, now: datetime
) -> Callback:
    """12345 tells what the petitioner said (I14), or asks for another round (I15).

    The diagram hears of a round once, however much is said: it goes by the last word, and nothing
    said of this round is left over for the next.
    """
    if ticket.status not in REPORTABLE or not _is_awaited(ticket):
        raise StateConflict(ticket)
    called_at = values.get("called_back_at")
    if wrong := future_problems("called_back_at", "回访时间", called_at, now):
        raise Invalid(wrong)
    callback = Callback(
        ticket_id=ticket.id,
        round=ticket.round,
        satisfaction=values.get("satisfaction"),
        solved=values.get("solved"),
        rework_asked=rework_asked,
        text=values.get("reason") if rework_asked else values.get("opinion"),
        partner_id=partner.id,
        called_by_name=partner.name,
        called_at=called_at or now,
        completed_at=ticket.completed_at,
    )
    session().add(callback)
    session().flush()
    runner.deliver_message(
        f"callback:{ticket.acceptance_no}:{ticket.round}",
        "report.callback",
        ticket.acceptance_no,
        {"callback_id": callback.id},
        now=now,
    )
    return callback


def result_no(ticket: Ticket) -> int:
    """Which of the ticket's results 12345 can speak about now: the first one is 0.

    The same words about another result are no repeat; said again while the ticket is already
    handled anew, they are.
    """
    has_result = ticket.status in REPORTABLE or ticket.status in CLOSED
    return ticket.reworks if has_result else max(ticket.reworks - 1, 0)


def called(ticket: Ticket, submission: Submission) -> Callback:
    """Our own seats have called (C13)."""
    values = submission.values
    callback = Callback(
        ticket_id=ticket.id,
        round=ticket.round,
        satisfaction=values["satisfaction"],
        solved={"yes": True, "no": False}.get(values["solved"]),
        rework_asked=False,
        text=values.get("opinion"),
        task_id=submission.task_id,
        called_by=submission.actor.id,
        called_by_name=submission.actor.name,
        called_at=submission.now,
        completed_at=ticket.completed_at,
    )
    session().add(callback)
    session().flush()
    return callback


def wants_rework(ticket: Ticket, now: datetime) -> bool:
    """Whether the last word on this round's result asks for more; silence does not."""
    said = queries.last_of_round(ticket.id, ticket.round)
    clock.close(ticket, {WAIT}, now, cancelled=said is None)
    return said is not None and rules.wants_rework(said.satisfaction, asked=said.rework_asked)


def begin_rework(ticket: Ticket, now: datetime) -> None:
    """重办: a new round with its own time; the result will be pushed again."""
    ticket.reworks += 1
    ticket.round += 1
    ticket.completed_at = None
    clock.begin_round(ticket, now)


def _is_awaited(ticket: Ticket) -> bool:
    return ticket.partner_id is not None and TICKET_TYPES[ticket.ticket_type].called_back
