"""The tickets room's refusals."""

from app.core.errors import Conflict, NotFound
from app.tickets.models import Ticket
from app.tickets.rules import STATES


class TicketNotFound(NotFound):
    """No such ticket, or not for this caller; the two look the same."""

    def __init__(self) -> None:
        super().__init__("没有这张工单", "TICKET_NOT_FOUND")


class ResultSent(Conflict):
    """The result has gone out: the ticket ends by it and in no other way (FLW-02)."""

    def __init__(self, what: str, current_state: str) -> None:
        super().__init__(f"办理结果已反馈，不能{what}", "RESULT_SENT", current_state=current_state)


class StateConflict(Conflict):
    """The ticket's state does not allow this (EX-17); staff are told who brought it there."""

    def __init__(self, ticket: Ticket, acted_by: str | None = None) -> None:
        who = f"（{acted_by}办理）" if acted_by else ""
        told = {"acted_by": acted_by} if acted_by else {}
        super().__init__(
            f"工单当前为“{STATES[ticket.status]}”{who}，不能进行此操作",
            "STATE_CONFLICT",
            current_state=ticket.status,
            **told,
        )
