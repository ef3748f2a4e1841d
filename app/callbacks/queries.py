"""Reading callbacks."""

from sqlalchemy import select

from app.callbacks.models import Callback
from app.core.db import session


def of_ticket(ticket_id: int) -> list[Callback]:
    """Every callback of a ticket, in order."""
    return list(
        session().scalars(
            select(Callback).where(Callback.ticket_id == ticket_id).order_by(Callback.id)
        )
    )


def last_of_round(ticket_id: int, round_: int) -> Callback | None:
    """The last word on a round's result; None when nobody said anything."""
    return session().scalar(
        select(Callback)
        .where(Callback.ticket_id == ticket_id, Callback.round == round_)
        .order_by(Callback.id.desc())
        .limit(1)
    )
