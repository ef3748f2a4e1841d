"""How often units hand tickets back up (推诿, EX-02): counted by month, with the list behind it.

Each counts in the month in which it was asked, for the unit that asked, whatever became of it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Row, func, select, tuple_

from app.approvals.models import REFUSED, LowerReturn
from app.core.db import session
from app.security.principal import Principal
from app.tickets.models import Ticket
from app.tickets.queries import PAGE, visible_to
from app.tickets.timeliness import Month


@dataclass(frozen=True)
class Returned:
    """How many a unit asked for, and how many of them the upper level refused."""

    asked: int = 0
    refused: int = 0

    def __add__(self, other: "Returned") -> "Returned":
        return Returned(self.asked + other.asked, self.refused + other.refused)


def counted(units: Collection[int], month: Month) -> dict[int, Returned]:
    """By unit; those that handed nothing back are left out."""
    refused = func.count().filter(LowerReturn.state == REFUSED)
    rows = session().execute(
        select(LowerReturn.from_unit_id, func.count(), refused)
        .where(*_of(units, month))
        .group_by(LowerReturn.from_unit_id)
    )
    return {unit_id: Returned(asked, refused) for unit_id, asked, refused in rows}


def listed(
    principal: Principal,
    units: Collection[int],
    month: Month,
    *,
    refused: bool = False,
    after: tuple[datetime, int] | None = None,
    limit: int = PAGE,
) -> Sequence[Row[LowerReturn, Ticket, bool]]:
    """The first asked on top; one row more when it goes on.

    (return, ticket, whether the reader may still see the ticket)
    """
    query = (
        select(LowerReturn, Ticket, visible_to(principal).label("is_visible"))
        .join(Ticket, Ticket.id == LowerReturn.ticket_id)
        .where(*_of(units, month))
        .order_by(LowerReturn.asked_at, LowerReturn.id)
    )
    if refused:
        query = query.where(LowerReturn.state == REFUSED)
    if after is not None:
        query = query.where(tuple_(LowerReturn.asked_at, LowerReturn.id) > after)
    return session().execute(query.limit(limit + 1)).all()


def _of(units: Collection[int], month: Month) -> tuple[ColumnElement[bool], ...]:
    return (
        LowerReturn.from_unit_id.in_(units),
        LowerReturn.asked_at >= month.begins,
        LowerReturn.asked_at < month.ends,
    )
