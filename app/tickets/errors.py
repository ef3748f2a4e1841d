"""The tickets room's refusals."""

from app.core.errors import NotFound


class TicketNotFound(NotFound):
    """No such ticket, or not for this caller; the two look the same."""

    def __init__(self) -> None:
        super().__init__("没有这张工单", "TICKET_NOT_FOUND")
