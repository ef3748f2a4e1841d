"""Lower-level return (下级退回, EX-02): a unit hands its ticket back to the one that sent it.

Within the time limit and with reasons (信访工作条例 23), once: after a refusal the unit must handle
it (指定办理). Each is kept, so that units that push work away can be counted.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from app.approvals.models import AGREED, LAPSED, OPEN, REFUSED, LowerReturn
from app.core.db import session
from app.core.errors import FieldError
from app.deadlines import queries as deadlines
from app.engine.registry import Actor
from app.tickets import conflicts
from app.tickets.models import Opinion, Ticket


@dataclass(frozen=True)
class Objection:
    """Why a unit may not hand a ticket back: a word for machines, a sentence for people."""

    code: str
    message: str

    def at(self, field: str) -> FieldError:
        """The refusal of a form."""
        return FieldError(field, self.code, self.message)


def upper_unit(ticket: Ticket, unit_id: int) -> int:
    """The unit that handed the ticket to this one."""
    if unit_id == ticket.county_unit_id and ticket.city_unit_id is not None:
        return ticket.city_unit_id
    return ticket.province_unit_id


def received_at(ticket: Ticket, unit_id: int) -> datetime:
    """When the unit was handed the ticket, by the last decision of the level above."""
    level = "county" if unit_id == ticket.county_unit_id else "city"
    handed = select(func.max(Opinion.at)).where(
        Opinion.ticket_id == ticket.id, Opinion.decision == f"to_{level}"
    )
    return session().scalar(handed) or ticket.submitted_at


def standing(ticket: Ticket, unit_id: int) -> Objection | None:
    """What forbids this unit to hand it back whatever the time: its own ticket, or appointed.

    Nothing does when the unit must not handle it (回避, 移送).
    """
    if conflicts.must_leave(ticket, unit_id):
        return None
    if ticket.registered_unit_id == unit_id:
        return Objection("own", "本单位登记的工单不能退回上级")
    refused = select(LowerReturn.id).where(
        LowerReturn.ticket_id == ticket.id,
        LowerReturn.from_unit_id == unit_id,
        LowerReturn.state == REFUSED,
        LowerReturn.decided_at >= received_at(ticket, unit_id),
    )
    if session().scalar(refused.limit(1)) is not None:
        return Objection("appointed", "上级已指定本单位办理，不得再次退回")
    return None


def objection(ticket: Ticket, unit_id: int, now: datetime) -> Objection | None:
    """Why this unit may not hand it back now; how long it may, the ticket's policy says.

    What it must not handle it hands back at any time.
    """
    if found := standing(ticket, unit_id):
        return found
    if conflicts.must_leave(ticket, unit_id):
        return None
    window = deadlines.window(ticket.id, "return_window", received_at(ticket, unit_id))
    if window is not None and now > window.ends_at:
        return Objection("late", f"退回应在收到之日起{window.limit.title}内提出，已超过期限")
    return None


def ask(ticket: Ticket, unit_id: int, reason: str, *, by: Actor, now: datetime) -> LowerReturn:
    """Write down that the unit hands it back; the diagram has the upper level decide.

    An earlier one that is still open was overtaken: the upper level took the ticket back meanwhile.
    """
    if (overtaken := open_of(ticket.id)) is not None:
        overtaken.state = LAPSED
        session().flush()
    asked = LowerReturn(
        ticket_id=ticket.id,
        from_unit_id=unit_id,
        to_unit_id=upper_unit(ticket, unit_id),
        reason=reason,
        received_at=received_at(ticket, unit_id),
        asked_by=by.id,
        asked_by_name=by.name,
        asked_at=now,
        state=OPEN,
    )
    session().add(asked)
    session().flush()
    return asked


def decide(
    ticket: Ticket, *, agreed: bool, opinion: str | None, by: Actor, now: datetime
) -> LowerReturn:
    """The upper level's word on the open one."""
    asked = open_of(ticket.id)
    if asked is None:
        raise LookupError(f"ticket {ticket.id} has no open lower-level return")
    asked.state = AGREED if agreed else REFUSED
    asked.opinion = opinion
    asked.decided_by, asked.decided_by_name = by.id, by.name
    asked.decided_at = now
    return asked


def open_of(ticket_id: int) -> LowerReturn | None:
    """The one that waits for the upper level."""
    waiting = select(LowerReturn).where(
        LowerReturn.ticket_id == ticket_id, LowerReturn.state == OPEN
    )
    return session().scalar(waiting)
