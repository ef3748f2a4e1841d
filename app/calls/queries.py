"""Reading calls: what waits for the seats, whom they call back, what a number asked before."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Row, or_, select

from app.calls.models import Call, CallAttempt
from app.core.db import session
from app.engine.models import ProcessInstance, UserTask
from app.security.permissions import may
from app.security.principal import Principal
from app.tickets.models import Ticket
from app.tickets.queries import tasks_in_scope, visible_to

SHOWN = 20
_STEPS = ("answer_call", "record_ticket", "call_back", "own_callback")


def waiting(principal: Principal) -> Sequence[Row[UserTask, Ticket]]:
    """Calls to answer, to record and to return, the oldest first."""
    query = (
        select(UserTask, Ticket)
        .join(Ticket, Ticket.acceptance_no == UserTask.business_key)
        .where(tasks_in_scope(principal), Ticket.source == "call", UserTask.element_id.in_(_STEPS))
    )
    return session().execute(query.order_by(UserTask.opened_at, UserTask.id).limit(SHOWN)).all()


def planned(principal: Principal) -> Sequence[Row[Ticket, datetime | None]]:
    """Callers who are called back later, with the moment of the next try."""
    query = (
        select(Ticket, ProcessInstance.next_due)
        .join(Call, Call.ticket_id == Ticket.id)
        .join(ProcessInstance, ProcessInstance.business_key == Ticket.acceptance_no)
        .where(
            Call.unit_id == principal.unit_id,
            Call.outcome == "dropped",
            Ticket.status == "draft",
            ProcessInstance.status == "open",
            ProcessInstance.next_due.is_not(None),
        )
    )
    return session().execute(query.order_by(ProcessInstance.next_due).limit(SHOWN)).all()


def recent(principal: Principal) -> Sequence[Row[Call, Ticket]]:
    """The last calls of the unit that were dealt with, newest first."""
    query = (
        select(Call, Ticket)
        .join(Ticket, Ticket.id == Call.ticket_id)
        .where(Call.unit_id == principal.unit_id, Ticket.status != "draft", visible_to(principal))
    )
    return session().execute(query.order_by(Call.id.desc()).limit(SHOWN)).all()


def history(principal: Principal, ticket: Ticket) -> list[Ticket]:
    """Earlier matters of the number that calls, in scope, newest first (C01).

    Sealed ones only for those who may see them: the hit alone would give them away (DUP-04).
    """
    digest = ticket.caller_number_hash
    if digest is None:
        return []
    query = select(Ticket).where(
        visible_to(principal),
        Ticket.id != ticket.id,
        or_(Ticket.caller_number_hash == digest, Ticket.contact_phone_hash == digest),
    )
    if not may(principal, "ticket.view_sealed"):
        query = query.where(~(Ticket.is_anonymous | Ticket.is_confidential))
    return list(session().scalars(query.order_by(Ticket.id.desc()).limit(SHOWN)))


def attempts(call: Call) -> list[CallAttempt]:
    """The tries to call back, in order."""
    query = select(CallAttempt).where(CallAttempt.call_row_id == call.id)
    return list(session().scalars(query.order_by(CallAttempt.id)))


def same_call(call: Call) -> list[Ticket]:
    """The other matters of the same call (FLW-11)."""
    query = (
        select(Ticket)
        .join(Call, Call.ticket_id == Ticket.id)
        .where(Call.call_id == call.call_id, Call.unit_id == call.unit_id, Call.id != call.id)
    )
    return list(session().scalars(query.order_by(Ticket.id)))
